"""Layers for images: windows of weights, windows that keep the largest number, and the way back to a row."""

from typing import Any

import numpy as np

from bplib import functional
from bplib.checks import as_count, as_generator, as_truth
from bplib.errors import DataError, ShapeError
from bplib.nn.inputs import as_input, as_sizes
from bplib.nn.module import Module, Parameter
from bplib.tensors import Tensor

__all__ = ["Conv2d", "Flatten", "MaxPool2d"]

Pair = int | tuple[int, int]


class Conv2d(Module):
    """A convolutional layer: the same window of weights at every place of an image; see `bplib.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int ≥ 1
        Channels of the images that come in, and of those that go out.
    kernel_size : int ≥ 1, or a pair of them
        Height and width of the window.
    stride : int ≥ 1, or a pair of them
        How far the window moves at a time.
    padding : int ≥ 0, or a pair of them
        How many rows and columns of zeros go round each image.
    bias : bool
        Whether each output channel has a bias.
    rng : numpy.random.Generator or int, optional
        Where the first weights come from; a new, unseeded generator if left out. Weights and biases are
        drawn uniformly from ±1/√(number of inputs of a window).

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels, height, width)
        One window for each output channel.
    bias : Parameter, shape (out_channels,), or None
        One number for each output channel.

    Raises
    ------
    DataError, DomainError
        If a size is no whole number, too small, or too large for the memory; if `bias` is no truth value; in the
        forward pass, if `x` holds no real numbers.
    ShapeError
        In the forward pass, if `x` has other axes or channels, or is smaller than the window.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), Proc. IEEE 86(11), 2278-2324, section II.

    Examples
    --------
    >>> Conv2d(1, 4, 3, padding=1, rng=0)(np.zeros((2, 1, 8, 8))).shape
    (2, 4, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        super().__init__()
        height, width = _as_pair(kernel_size, "kernel_size", 1, "Conv2d")
        inputs, outputs, _ = as_sizes(
            "Conv2d", in_channels=in_channels, out_channels=out_channels, kernel_size=height * width
        )
        bias = as_truth(bias, "bias", "Conv2d")
        self.stride = _as_pair(stride, "stride", 1, "Conv2d")
        self.padding = _as_pair(padding, "padding", 0, "Conv2d")
        rng = np.random.default_rng() if rng is None else as_generator(rng, "Conv2d")
        bound = 1.0 / np.sqrt(inputs * height * width)
        self.weight = Parameter(rng.uniform(-bound, bound, (outputs, inputs, height, width)))
        self.bias = Parameter(rng.uniform(-bound, bound, outputs)) if bias else None

    def forward(self, x: Any) -> Tensor:
        """Slide the windows over images `x` of shape (examples, in_channels, height, width)."""
        return functional.conv2d(as_input(x, "Conv2d"), self.weight, self.bias, self.stride, self.padding)

    def _title(self) -> str:
        outputs, inputs, *size = self.weight.shape
        places = f"stride={self.stride}, padding={self.padding}"
        return f"Conv2d({inputs}, {outputs}, {tuple(size)}, {places}, bias={self.bias is not None})"


class MaxPool2d(Module):
    """Keep the largest number of each window of an image; see `bplib.max_pool2d`.

    Parameters
    ----------
    kernel_size : int ≥ 1, or a pair of them
        Height and width of the window.
    stride : int ≥ 1, or a pair of them, optional
        How far the window moves at a time; by default its own size.

    Raises
    ------
    DataError, DomainError
        If a size is no whole number, or below 1; in the forward pass, if `x` holds no real numbers.
    ShapeError
        In the forward pass, if `x` has other axes, or is smaller than the window.

    References
    ----------
    D. Scherer, A. Müller and S. Behnke (2010), ICANN, Springer LNCS 6354, 92-101.

    Examples
    --------
    >>> MaxPool2d(2)(np.zeros((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    def __init__(self, kernel_size: Pair, stride: Pair | None = None) -> None:
        super().__init__()
        self.kernel_size = _as_pair(kernel_size, "kernel_size", 1, "MaxPool2d")
        self.stride = self.kernel_size if stride is None else _as_pair(stride, "stride", 1, "MaxPool2d")

    def forward(self, x: Any) -> Tensor:
        """Keep the largest numbers of `x`, of shape (examples, channels, height, width)."""
        return functional.max_pool2d(as_input(x, "MaxPool2d"), self.kernel_size, self.stride)

    def _title(self) -> str:
        return f"MaxPool2d({self.kernel_size}, stride={self.stride})"


class Flatten(Module):
    """Lay each example out as one row: (n, c, h, w) becomes (n, c · h · w), as a linear layer wants it.

    Raises
    ------
    DataError
        In the forward pass, if `x` holds no real numbers.
    ShapeError
        In the forward pass, if `x` is a single number.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), Proc. IEEE 86(11), 2278-2324, section II.B, layer F6.

    Examples
    --------
    >>> Flatten()(np.zeros((5, 2, 4, 4))).shape
    (5, 32)
    """

    def forward(self, x: Any) -> Tensor:
        """Keep the first axis of `x`, shape (n, ...), and lay out the others in row order."""
        x = as_input(x, "Flatten")
        if not x.ndim:
            raise ShapeError("Flatten: x is a single number. Expected shape (examples, ...). Try x.reshape(1, 1).")
        # Not −1 for the second length: with no examples NumPy could not tell what it is.
        return x.reshape(x.shape[0], int(np.prod(x.shape[1:], dtype=int)))


def _as_pair(value: Any, name: str, least: int, caller: str) -> tuple[int, int]:
    pair = value if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2:
        raise DataError(f"{caller}: {name} is {value!r}. Expected a whole number, or two: (down, across).")
    return as_count(pair[0], name, least, caller), as_count(pair[1], name, least, caller)
