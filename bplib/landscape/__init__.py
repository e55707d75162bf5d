"""Loss surfaces: named ones over two weights, slices through a model's own, and how sharply it bends.

A named surface knows its height, its gradient, its curvature and its lowest points, all in closed
form, so that what an optimizer does on it can be checked exactly.
"""

from bplib.landscape.catalogue import surface
from bplib.landscape.curvature import Eigenpair, hessian_vector_product, largest_eigenpair, sharpness
from bplib.landscape.descent import Path, descend, descend_rates
from bplib.landscape.directions import (
    PathPlane,
    filter_normalised_directions,
    pca_directions,
    project,
    random_directions,
)
from bplib.landscape.slices import LossLine, LossPlane, interpolate, slice_1d, slice_2d
from bplib.landscape.surfaces import Surface

__all__ = [
    "Eigenpair",
    "LossLine",
    "LossPlane",
    "Path",
    "PathPlane",
    "Surface",
    "descend",
    "descend_rates",
    "filter_normalised_directions",
    "hessian_vector_product",
    "interpolate",
    "largest_eigenpair",
    "pca_directions",
    "project",
    "random_directions",
    "sharpness",
    "slice_1d",
    "slice_2d",
    "surface",
]
