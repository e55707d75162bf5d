"""Data for the lessons: the bundled digits, seeded makers, splitting, scaling and batches.

Everything here works on plain NumPy arrays and without a network. The argument ``rng`` is a
`numpy.random.Generator` or a whole-number seed; left out (or ``None``) it is seed 0. So the
same call gives the same numbers today and tomorrow; pass another seed to see other numbers.
"""

from bplib.data.batches import DataLoader
from bplib.data.confusion import confusion_counts
from bplib.data.digits import Digits, load_digits
from bplib.data.makers import make_line, make_moons, xor
from bplib.data.patterns import make_polynomial, sparse_text, symmetry
from bplib.data.rings import make_circles, make_spirals
from bplib.data.scaling import Standardizer
from bplib.data.splits import block_split, train_test_split, train_valid_test_split

__all__ = [
    "DataLoader",
    "Digits",
    "Standardizer",
    "block_split",
    "confusion_counts",
    "load_digits",
    "make_circles",
    "make_line",
    "make_moons",
    "make_polynomial",
    "make_spirals",
    "sparse_text",
    "symmetry",
    "train_test_split",
    "train_valid_test_split",
    "xor",
]
