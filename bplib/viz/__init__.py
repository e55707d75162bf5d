"""Pictures: plain data in, a `Picture` with its alternative text out."""

from bplib.viz.picture import Picture
from bplib.viz.style import ROLES, Role, contrast_ratio, figure

__all__ = ["ROLES", "Picture", "Role", "contrast_ratio", "figure"]
