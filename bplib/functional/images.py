"""Functions of stacks of images, shape (examples, channels, height, width)."""

from typing import Any

from bplib.checks import as_count
from bplib.engine import apply
from bplib.errors import DataError, ShapeError
from bplib.rules import TABLE
from bplib.tensors import Tensor, as_tensor

__all__ = ["conv2d", "max_pool2d"]

_CONV2D, _MAX_POOL2D = TABLE["conv2d"], TABLE["max_pool2d"]


def conv2d(x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0) -> Tensor:
    """Slide windows of weights over images: what a convolutional layer computes.

    y[n, o, i, j] = Σ x[n, c, i·stride + p, j·stride + q] · weight[o, c, p, q] + bias[o], over c, p and q

    Parameters
    ----------
    x : Tensor or array_like, shape (n, c, h, w)
        The images: examples, channels, height, width.
    weight : Tensor or array_like, shape (out, c, kh, kw)
        One window for each output channel; not turned round, as everywhere in neural networks.
    bias : Tensor or array_like, shape (out,), optional
        One number to add for each output channel.
    stride : int ≥ 1, or a pair of them
        How far the window moves at a time, down and across.
    padding : int ≥ 0, or a pair of them
        How many rows and columns of zeros go round each image.

    Returns
    -------
    Tensor, shape (n, out, (h + 2·padding − kh) // stride + 1, (w + 2·padding − kw) // stride + 1)
        The sums.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DataError, DomainError
        If `stride` or `padding` is no such number.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), Proc. IEEE 86(11), 2278-2324, section II.
    K. Chellapilla, S. Puri and P. Simard (2006), IWFHR, for the way as one matrix product.

    Examples
    --------
    >>> conv2d([[[[1.0, 2.0, 4.0]]]], [[[[-1.0, 1.0]]]])
    tensor([[[[1., 2.]]]])
    """
    x, weight = as_tensor(x), as_tensor(weight)
    stride, padding = _pair(stride, "stride", 1, "conv2d"), _pair(padding, "padding", 0, "conv2d")
    if x.ndim != 4 or weight.ndim != 4 or x.shape[1] != weight.shape[1] or not weight.size:
        raise ShapeError(
            f"conv2d: x has shape {x.shape}, weight has shape {weight.shape}. Expected x (examples, channels, height, "
            "width) and weight (out, channels, height, width), with the same number of channels. "
            "Try x[None] for a single example, x[:, None] for images without channels."
        )
    _check_fit("conv2d", x, weight.shape[2:], padding)
    if bias is None:
        return apply(_CONV2D, x, weight, settings=(stride, padding))
    bias = as_tensor(bias)
    if bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"conv2d: weight has shape {weight.shape}, bias has shape {bias.shape}. "
            f"Expected one bias for each output channel, shape {weight.shape[:1]}."
        )
    return apply(_CONV2D, x, weight, bias, settings=(stride, padding))


def max_pool2d(x: Any, size: Any, stride: Any = None) -> Tensor:
    """Keep the largest number of each window of an image.

    y[n, c, i, j] = max over p and q of x[n, c, i·stride + p, j·stride + q]

    Parameters
    ----------
    x : Tensor or array_like, shape (n, c, h, w)
        The images: examples, channels, height, width.
    size : int ≥ 1, or a pair of them
        Height and width of a window.
    stride : int ≥ 1, or a pair of them, optional
        How far the window moves at a time; by default its own size, so that windows lie side by side.

    Returns
    -------
    Tensor, shape (n, c, (h − size) // stride + 1, (w − size) // stride + 1)
        The largest numbers; what is left over at the right and below is not looked at. The gradient goes to the
        largest number of each window, at a tie to the first in row order.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DataError, DomainError
        If `size` or `stride` is no such number.

    References
    ----------
    D. Scherer, A. Müller and S. Behnke (2010), ICANN, Springer LNCS 6354, 92-101.

    Examples
    --------
    >>> max_pool2d([[[[1.0, 2.0, 3.0, 0.0], [5.0, 0.0, 1.0, 1.0]]]], 2)
    tensor([[[[5., 3.]]]])
    """
    x = as_tensor(x)
    size = _pair(size, "size", 1, "max_pool2d")
    stride = size if stride is None else _pair(stride, "stride", 1, "max_pool2d")
    if x.ndim != 4:
        raise ShapeError(
            f"max_pool2d: x has shape {x.shape}. Expected (examples, channels, height, width). "
            "Try x[None] for a single example."
        )
    _check_fit("max_pool2d", x, size, (0, 0))
    return apply(_MAX_POOL2D, x, settings=(size, stride))


def _pair(value: Any, name: str, least: int, caller: str) -> tuple[int, int]:
    down, across = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    if isinstance(down, tuple | list):
        raise DataError(
            f"{caller}: {name} is {value!r}. Expected a whole number, or two: ({name} down, {name} across)."
        )
    return as_count(down, name, least, caller), as_count(across, name, least, caller)


def _check_fit(caller: str, x: Tensor, size: tuple[int, ...], padding: tuple[int, int]) -> None:
    height, width = x.shape[2] + 2 * padding[0], x.shape[3] + 2 * padding[1]
    if height < size[0] or width < size[1]:
        padded = "" if padding == (0, 0) else " with their padding"
        raise ShapeError(
            f"{caller}: x has shape {x.shape}: its images{padded} are {height} by {width}, the window is {size[0]} by "
            f"{size[1]}. Expected a window that fits into the image."
        )
