"""The claims ledger: every published result that a notebook repeats, recomputed beside what was published.

A row is one `Claim` in the tuple of its notebook's module; the ledger, its page, its test and the table of promises
take it from there.
"""

from bplib.lessons.claims.claim import Band, Claim, Finding, Source
from bplib.lessons.claims.ledger import CLAIMS, Ledger, ledger

__all__ = ["CLAIMS", "Band", "Claim", "Finding", "Ledger", "Source", "ledger"]
