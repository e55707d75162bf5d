"""Write the claims ledger as a page: ``python scripts/make_claims.py`` writes ``docs/claims.md`` after some seconds."""

from pathlib import Path

from bplib.lessons.claims import CLAIMS, Finding, ledger
from bplib.lessons.claims.ledger import COLUMNS
from bplib.lessons.syllabus import SYLLABUS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "claims.md"

HEAD = """# The claims ledger

Every published result that a notebook repeats, and what came out here. The page is written from the ledger itself,
`python scripts/make_claims.py`; a test recomputes every row and holds the two together. Where rounding errors grow, the
page says how many numbers lie within the tolerance, as their digits differ from machine to machine. A row that is
*shown as it comes out* is reported whatever it says; every other row has to hold.
"""


def page() -> str:
    """Give the page as text."""
    return "\n".join([HEAD, *map(_section, sorted({claim.notebook for claim in CLAIMS}))])


def _section(notebook: str) -> str:
    (title,) = [lesson.title for lesson in SYLLABUS if f"{lesson.number:02d}" == notebook]
    lines = ["id", *COLUMNS], ["---"] * (len(COLUMNS) + 1)
    table = [f"| {' | '.join(cells)} |" for cells in (*lines, *map(_cells, ledger(notebook).findings))]
    return f"## {notebook} · {title}\n\n" + "\n".join(table) + "\n"


def _cells(finding: Finding) -> list[str]:
    cells = [f"`{finding.claim.name}`", *finding.cells()]
    return [cell.replace("|", "\\|") for cell in cells]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print("docs/claims.md")
