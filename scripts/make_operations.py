"""Write the table of operations as a page: ``python scripts/make_operations.py`` writes ``docs/operations.md``."""

from pathlib import Path

from bplib.rules import FAMILIES, Operation

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"

HEAD = """# The table of operations

Every result in the library comes from one of these rows. The page is written from the table itself,
`python scripts/make_operations.py`; a test holds the two together. *Local derivative* is what the incoming gradient is
multiplied by, one for each operand. The rules stand in `bplib/rules`, one module a family.
"""

# What other libraries give at a kink, run with the versions in the head of the table.
KINKS = """## Where there is no derivative

At a kink or a tie a library has to choose. This is the choice of each, found by running them.

| at | here | PyTorch 2.13.0 | MyGrad 2.5.0 | autograd 1.9.1 |
|---|---|---|---|---|
| ReLU at 0 | 0 | 0 | 0 | 0.5 (`maximum(x, 0)`) |
| absolute value at 0 | 0 | 0 | 0 | 0 |
| leaky ReLU at 0 | the slope of the left side | the slope of the left side | | |
| `maximum(a, b)` at a = b, for a | 1 | 0.5 | 0 | 0.5 |
| `max` of (1, 1) | 1 and 0 | 0.5 and 0.5 | 1 and 0 | 0.5 and 0.5 |
| `max` of (1, 1) along an axis | 1 and 0 | 1 and 0 | | |
| max pooling of equal numbers | the first | the first | | |
| `clip` at its limit | 1 | 1 | 0 | 0 |
| square root at 0 | infinite | infinite | infinite | infinite |
| mean absolute error at 0 | 0 | 0 | | |
"""


def page() -> str:
    """Give the page as text."""
    return "\n".join([HEAD, *(_section(title, rows) for title, rows in FAMILIES.items()), KINKS])


def _section(title: str, rows: tuple[Operation, ...]) -> str:
    head = ["name", "on a graph", "local derivative", "domain", "at kinks", "source"]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *map(_cells, rows))]
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _cells(row: Operation) -> list[str]:
    cells = [f"`{row.name}`", row.symbol, row.derivative, row.domain, row.kinks, row.source]
    return [cell.replace("|", "\\|") for cell in cells]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print("docs/operations.md")
