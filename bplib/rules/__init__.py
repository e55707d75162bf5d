"""The table of operations: what each computes, and how a gradient passes back through it.

A row of `TABLE` is an `Operation`. Its ``forward`` works on plain NumPy arrays and returns
the result and whatever the gradient rule wants to remember. Its ``gradient`` takes the node
that was recorded and the gradient that arrives there, and returns one gradient for each
parent: *incoming × local = outgoing*. A parent that needs no gradient gets ``None``.

To add an operation, write the two functions and one row in the module of its family; the
tests that walk the table check the new row without being told.

References
----------
A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.
"""

from bplib.rules import (
    arithmetic,
    axes,
    discrepancies,
    elementwise,
    images,
    joins,
    layers,
    matrices,
    selection,
    shapes,
)
from bplib.rules.layers import Stack
from bplib.rules.operation import Operation, sum_to_shape

__all__ = ["FAMILIES", "TABLE", "Operation", "Stack", "sum_to_shape"]

FAMILIES: dict[str, tuple[Operation, ...]] = {
    "Arithmetic": arithmetic.ROWS,
    "Functions of one number": elementwise.ROWS,
    "One of two": selection.ROWS,
    "Along an axis": axes.ROWS,
    "Shape": shapes.ROWS,
    "Several arrays": joins.ROWS,
    "Matrices": matrices.ROWS,
    "Images": images.ROWS,
    "Layers": layers.ROWS,
    "Losses": discrepancies.ROWS,
}
TABLE: dict[str, Operation] = {row.name: row for rows in FAMILIES.values() for row in rows}
