"""Derivatives without the chain rule, and the check of those that use it."""

from bplib.numeric.check import GradcheckReport, GradcheckRow, gradcheck
from bplib.numeric.differences import central_difference, complex_step, convergence_order, forward_difference

__all__ = [
    "GradcheckReport",
    "GradcheckRow",
    "central_difference",
    "complex_step",
    "convergence_order",
    "forward_difference",
    "gradcheck",
]
