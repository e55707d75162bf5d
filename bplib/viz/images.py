"""Small grey images in a grid, for a look at single examples."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array, as_count
from bplib.errors import DomainError, ShapeError
from bplib.viz.picture import Picture
from bplib.viz.style import INK, figure

__all__ = ["image_grid"]

_MOST_IMAGES = 20
_CELL = 1.5  # inches: room for an image and two lines of its caption
_LETTERS = 15  # of a caption, side by side over one image


def image_grid(images: ArrayLike, captions: Sequence[str], columns: int = 5) -> Picture:
    """Draw images side by side, each with its caption above it.

    Parameters
    ----------
    images : array_like, shape (n, height, width) or (n, side * side), finite
        At most 20 images; rows of square images may come flat, as `load_digits` gives them.
        The highest value of all is drawn black, 0 (or the lowest, if below 0) white.
    captions : sequence of str, length n
        For example ``"true 8, said 1 (62 %)"``. Long ones are broken into lines.
    columns : int, at least 1
        Images in a row.

    Returns
    -------
    Picture

    Raises
    ------
    DataError
        If the images are no real numbers or `columns` no whole number.
    ShapeError
        If the images have another shape, or their number is not that of the captions.
    DomainError
        For no image, more than 20, a value that is not finite, or `columns` below 1.

    Examples
    --------
    >>> image_grid(np.eye(4).reshape(1, 4, 4), ["true 1, said 7"])
    1 image: true 1, said 7.
    """
    pictures = _as_images(images)
    if len(captions) != len(pictures):
        raise ShapeError(
            f"image_grid: there are {len(pictures)} images and {len(captions)} captions. Expected one caption for each "
            f"image. Select both with the same rows."
        )
    width = min(as_count(columns, "columns", 1, "image_grid"), len(pictures))
    height = math.ceil(len(pictures) / width)
    wrapped = [textwrap.fill(str(caption), _LETTERS) for caption in captions]
    lines = max(caption.count("\n") for caption in wrapped)
    fig = figure(max(_CELL * width, 2.0), (_CELL + 0.15 + 0.18 * lines) * height)
    fig.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    grid = fig.subplots(height, width, squeeze=False).ravel()
    low, high = min(float(pictures.min()), 0.0), float(pictures.max())
    for axes, picture, caption in zip(grid, pictures, wrapped, strict=False):
        axes.imshow(picture, cmap="gray_r", vmin=low, vmax=high if high > low else low + 1.0)
        axes.set_title(caption, fontsize=11, color=INK)
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        axes.spines[:].set_visible(True)
    for axes in grid[len(pictures) :]:
        axes.remove()
    number = "1 image" if len(pictures) == 1 else f"{len(pictures)} images"
    return Picture(fig, f"{number}: " + "; ".join(" ".join(str(caption).split()) for caption in captions) + ".")


def _as_images(images: ArrayLike) -> NDArray[np.float64]:
    """Return the images as (n, height, width)."""
    array = as_array(images, "images", "image_grid").astype(np.float64)
    side = math.isqrt(array.shape[1]) if array.ndim == 2 else 0
    if array.ndim == 2 and side * side == array.shape[1]:
        array = array.reshape(len(array), side, side)
    if array.ndim != 3 or 0 in array.shape[1:]:
        raise ShapeError(
            f"image_grid: images has shape {array.shape}. Expected (n, height, width), or (n, 64) for flat images of "
            f"8 x 8 pixels. A single image becomes a grid of one with images[None]."
        )
    if not 1 <= len(array) <= _MOST_IMAGES:
        raise DomainError(
            f"image_grid: there are {len(array)} images. Expected 1 to {_MOST_IMAGES}, so that each can be seen. "
            f"Select some, for example images[:15]."
        )
    if not np.isfinite(array).all():
        raise DomainError(
            f"image_grid: {np.count_nonzero(~np.isfinite(array))} pixels are not finite. Expected finite numbers. "
            f"Look at images[~np.isfinite(images)]."
        )
    return array
