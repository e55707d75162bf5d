"""What goes wrong, in words: what happened, what was expected, what came, what to try.

Every error of the library derives from `BplibError` and from the built-in error a
Python programmer would expect, so both ``except ShapeError`` and ``except ValueError`` work.
"""

__all__ = ["AnomalyError", "BplibError", "DataError", "DomainError", "GraphError", "ShapeError"]


class BplibError(Exception):
    """The base of every error the library raises on purpose."""


class ShapeError(BplibError, ValueError):
    """Arrays whose shapes do not fit together, or a shape that cannot be used here."""


class DomainError(BplibError, ValueError):
    """A value outside the range in which the operation has a meaning."""


class DataError(BplibError, TypeError):
    """Data of a kind the library does not compute with: text, objects, complex or ragged lists."""


class GraphError(BplibError, RuntimeError):
    """A computational graph used in a way that would give a wrong gradient, or none."""


class AnomalyError(BplibError, ArithmeticError):
    """A number that became infinite or NaN while `detect_anomaly` was looking."""
