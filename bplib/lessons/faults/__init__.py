"""The mistakes that a check knows, each a deliberately broken variant of the right computation.

What a mistake leads to is computed by making it, never typed in. A fault carries the sentence
for the learner and the code of the misconception behind it, which only instructors see.
"""

from bplib.lessons.faults.explanations import BIGGER_RATE_FAULTS, TWO_SHARES_FAULTS, WHO_TRAINS_FAULTS
from bplib.lessons.faults.fault import Fault
from bplib.lessons.faults.loop import (
    STAGE_LINES_FAULTS,
    STAGE_OF_RATE_FAULTS,
    STAGES_FAULTS,
    one_update_faults,
)
from bplib.lessons.faults.losses import LOSS_FAULTS
from bplib.lessons.faults.optimizers import OPTIMIZER_FAULTS
from bplib.lessons.faults.pipelines import STEP_ORDER_FAULTS, chance_loss_faults
from bplib.lessons.faults.rates import GD_STEP_FAULTS, curve_faults, largest_rate_faults, mean_to_sum_faults
from bplib.lessons.faults.warm_ups import MEAN_OF_SQUARES_FAULTS, derivative_faults, matrix_product_faults

__all__ = [
    "BIGGER_RATE_FAULTS",
    "GD_STEP_FAULTS",
    "LOSS_FAULTS",
    "MEAN_OF_SQUARES_FAULTS",
    "OPTIMIZER_FAULTS",
    "STAGES_FAULTS",
    "STAGE_LINES_FAULTS",
    "STAGE_OF_RATE_FAULTS",
    "STEP_ORDER_FAULTS",
    "TWO_SHARES_FAULTS",
    "WHO_TRAINS_FAULTS",
    "Fault",
    "chance_loss_faults",
    "curve_faults",
    "derivative_faults",
    "largest_rate_faults",
    "matrix_product_faults",
    "mean_to_sum_faults",
    "one_update_faults",
]
