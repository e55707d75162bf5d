"""A published result that the course repeats: what is claimed, by whom, what we get, and how near it has to come."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import final

from bplib.errors import DataError, DomainError
from bplib.tracing.figures import number

__all__ = ["Band", "Claim", "Finding", "Source"]


@final
@dataclass(frozen=True, slots=True)
class Source:
    """Where a result was published.

    Parameters
    ----------
    authors : str
    year : int
    title : str
    place : str
        Journal, conference or publisher.
    link : str
        A DOI or an arXiv number, as in "doi 10.1038/323533a0"; empty where none is known.

    Examples
    --------
    >>> Source("M. Minsky, S. Papert", 1969, "Perceptrons", "MIT Press")
    M. Minsky, S. Papert (1969), Perceptrons, MIT Press
    """

    authors: str
    year: int
    title: str
    place: str
    link: str = ""

    def __repr__(self) -> str:
        words = f"{self.authors} ({self.year}), {self.title}, {self.place}"
        return f"{words}, {self.link}" if self.link else words


@final
@dataclass(frozen=True, slots=True)
class Band:
    """The numbers from `low` to `high`, both included.

    Parameters
    ----------
    low, high : float
        Infinite where there is no bound on that side.
    unit : str
        Said after the numbers.

    Raises
    ------
    DomainError
        If no number lies between the two.

    Examples
    --------
    >>> Band(1, 1.45), Band(low=400, unit="steps"), Band(high=1e-12), Band(0, 0)
    (from 1 to 1.45, at least 400 steps, at most 1e−12, exactly 0)
    >>> 1.2 in Band(1, 1.45), float("nan") in Band()
    (True, False)
    """

    low: float = -inf
    high: float = inf
    unit: str = ""

    def __post_init__(self) -> None:
        if isnan(self.low) or isnan(self.high) or self.low > self.high:
            raise DomainError(
                f"Band: no number lies from {number(self.low)} to {number(self.high)}. Expected low ≤ high. "
                "Try Band(0.8, 1.2)."
            )

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __repr__(self) -> str:
        low, high = number(self.low), number(self.high)
        if self.low == self.high:
            words = f"exactly {low}"
        elif self.high == inf:
            words = f"at least {low}" if self.low > -inf else "any number"
        else:
            words = f"at most {high}" if self.low == -inf else f"from {low} to {high}"
        return f"{words} {self.unit}".rstrip()


@final
@dataclass(frozen=True, slots=True)
class Claim:
    """One row of the ledger.

    Parameters
    ----------
    name : str
        Number of the notebook and a few words, such as "06-edge-peak"; no other row has it.
    statement : str
        What is claimed, in one sentence.
    source : Source
        Who published it.
    where : str
        The section, figure or page of the source; empty where it is the whole of it.
    published : str
        The published value or finding.
    compute : callable
        Recomputes ours: one number, or several in a fixed order. Every part that is random comes from a seed.
    ours : str
        How the numbers are said: a format with a place for each, such as "{:.0f} of 100", with as many digits as are
        the same on every machine. Empty for a run in which rounding errors grow: then it is said how many numbers
        lie in their bands.
    bands : tuple of Band
        Where the numbers have to lie: one band for each, or a single one for all.
    scaled_down : str
        In what our experiment is smaller than the published one; "nothing" if it is the same.
    must_hold : bool
        Whether a number outside its band is a fault. False for what is shown as it comes out.

    Raises
    ------
    DataError
        If the name does not begin with the number of a notebook.

    Examples
    --------
    >>> source = Source("C. F. Gauss", 1809, "Theoria motus", "Perthes")
    >>> bands = (Band(0.5, 0.5),)
    >>> half = Claim("00-half", "A half is 0.5.", source, "", "0.5", lambda: (1 / 2,), "{:g}", bands, "nothing")
    >>> half.check().holds, half.notebook
    (True, '00')
    """

    name: str
    statement: str
    source: Source
    where: str
    published: str
    compute: Callable[[], Sequence[float]]
    ours: str
    bands: tuple[Band, ...]
    scaled_down: str
    must_hold: bool = True

    def __post_init__(self) -> None:
        if not (self.name[:2].isdecimal() and self.name[2:3] == "-" and self.name[3:]):
            raise DataError(
                f"Claim: the name is {self.name!r}. Expected the number of a notebook and a few words, such as "
                '"06-edge-peak".'
            )

    @property
    def notebook(self) -> str:
        """The number of the notebook that shows it, such as "06"."""
        return self.name[:2]

    @property
    def tolerance(self) -> str:
        """The bands in words."""
        return "; ".join(map(repr, self.bands))

    def check(self) -> "Finding":
        """Recompute ours.

        Returns
        -------
        Finding

        Raises
        ------
        DataError
            If there are neither as many numbers as bands nor one band for all.
        """
        values = tuple(float(value) for value in self.compute())
        if not values or len(self.bands) not in (1, len(values)):
            raise DataError(
                f"Claim: {self.name} gives {len(values)} numbers and has {len(self.bands)} bands. "
                "Expected one band for each number, or one for all."
            )
        return Finding(self, values)


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """What came out when a claim was recomputed.

    Parameters
    ----------
    claim : Claim
    values : tuple of float
        Ours.
    """

    claim: Claim
    values: tuple[float, ...]

    @property
    def inside(self) -> int:
        """How many of the numbers lie in their bands."""
        bands = self.claim.bands * len(self.values) if len(self.claim.bands) == 1 else self.claim.bands
        return sum(value in band for value, band in zip(self.values, bands, strict=True))

    @property
    def holds(self) -> bool:
        """Whether every number lies in its band."""
        return self.inside == len(self.values)

    @property
    def kept(self) -> bool:
        """False only where a claim that must hold does not."""
        return self.holds or not self.claim.must_hold

    @property
    def ours(self) -> str:
        """Our numbers in words."""
        if not self.claim.ours:
            return f"{self.inside} of {len(self.values)} numbers within the tolerance"
        return self.claim.ours.format(*self.values)

    @property
    def verdict(self) -> str:
        """Whether it holds, in words that need no colour."""
        sign = "✓ holds" if self.holds else "✗ does not hold"
        return sign if self.claim.must_hold else f"{sign} (shown as it comes out)"

    def cells(self) -> tuple[str, ...]:
        """What the ledger says, in the order of its columns.

        Returns
        -------
        tuple of str
            Claim, source, published, ours, tolerance, scaled down, holds.
        """
        claim = self.claim
        source = f"{claim.source!r}, {claim.where}" if claim.where else repr(claim.source)
        return (
            claim.statement, source, claim.published, self.ours, claim.tolerance, claim.scaled_down, self.verdict,
        )  # fmt: skip
