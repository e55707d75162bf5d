"""The ledger: published results beside ours, as a table that says whether each holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from bplib.errors import DataError
from bplib.lessons.claims.claim import Claim, Finding
from bplib.lessons.claims.loop import LOOP_CLAIMS
from bplib.lessons.claims.pipeline import PIPELINE_CLAIMS
from bplib.lessons.claims.rates import RATE_CLAIMS
from bplib.widgets.markup import in_html

__all__ = ["CLAIMS", "COLUMNS", "Ledger", "ledger"]

CLAIMS: tuple[Claim, ...] = (*LOOP_CLAIMS, *RATE_CLAIMS, *PIPELINE_CLAIMS)
"""Every published result that a notebook repeats, in the order of the notebooks."""

COLUMNS: tuple[str, ...] = ("claim", "source", "published", "ours", "tolerance", "scaled down", "holds")
"""What the ledger says about each."""

# MathJax leaves these classes alone.
_PLAIN = "mathjax_ignore tex2jax_ignore"
# No colour: the table reads on a light page and on a dark one.
_CELL = "text-align: left; vertical-align: top; white-space: normal; padding: 0.3em 0.6em"


@final
@dataclass(frozen=True, repr=False)
class Ledger:
    """Claims that were recomputed; a notebook shows them as a table.

    Parameters
    ----------
    findings : tuple of Finding
    """

    findings: tuple[Finding, ...]

    @property
    def kept(self) -> int:
        """How many of the claims hold, or need not."""
        return sum(finding.kept for finding in self.findings)

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """What stands in the `COLUMNS`, one row a claim.

        Returns
        -------
        tuple of tuple of str
        """
        return tuple(finding.cells() for finding in self.findings)

    def __repr__(self) -> str:
        width = max(map(len, COLUMNS))
        blocks = [
            "\n".join(f"{column:<{width}}  {cell}" for column, cell in zip(COLUMNS, row, strict=True))
            for row in self.rows()
        ]
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{_CELL}">{in_html(column)}</th>' for column in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{in_html(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows()
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="{_PLAIN}" style="overflow-x: auto">{table}</div>'


def ledger(notebook: str | None = None, claims: Sequence[Claim] = CLAIMS) -> Ledger:
    """Recompute the published results that a notebook repeats.

    Parameters
    ----------
    notebook : str, optional
        Its number, such as "06"; all of them if left out.
    claims : sequence of Claim
        The rows to choose from.

    Returns
    -------
    Ledger
        What took long before, such as a training run, is not run twice in one session.

    Raises
    ------
    DataError
        If the notebook repeats no published result.

    Examples
    --------
    >>> ledger("00").rows()[0][3:]
    ('0 of 100; the largest error of the best is 0.500', 'exactly 0; from 0.5 to 0.51', 'nothing', '✓ holds')
    """
    chosen = [claim for claim in claims if notebook in (None, claim.notebook)]
    if not chosen:
        known = ", ".join(f'"{one}"' for one in sorted({claim.notebook for claim in claims}))
        raise DataError(
            f"ledger: there is no published result for notebook {str(notebook)[:40]!r}. Expected one of {known}."
        )
    return Ledger(tuple(claim.check() for claim in chosen))
