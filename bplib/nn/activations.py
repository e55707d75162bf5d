"""Activations as layers: functions without parameters, to stand between layers of neurons."""

from typing import Any

from bplib import functional
from bplib.checks import as_number
from bplib.nn.inputs import as_axis_number, as_input
from bplib.nn.module import Module
from bplib.tensors import Tensor

__all__ = ["LeakyReLU", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class ReLU(Module):
    """The rectified linear unit as a layer: max(0, x).

    Raises
    ------
    DataError
        In the forward pass, if `x` holds no real numbers.

    References
    ----------
    V. Nair and G. E. Hinton (2010), ICML, section 2.

    Examples
    --------
    >>> ReLU()([-1.0, 2.0])
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        """Compute max(0, x), for `x` of any shape, and give that shape."""
        return functional.relu(as_input(x, "ReLU"))


class Tanh(Module):
    """The hyperbolic tangent as a layer, between −1 and 1.

    Raises
    ------
    DataError
        In the forward pass, if `x` holds no real numbers.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), *Efficient BackProp*, LNCS 1524, section 4.4.

    Examples
    --------
    >>> Tanh()([0.0])
    tensor([0.])
    """

    def forward(self, x: Any) -> Tensor:
        """Compute tanh x, for `x` of any shape, and give that shape."""
        return functional.tanh(as_input(x, "Tanh"))


class Sigmoid(Module):
    """The logistic function as a layer: 1/(1 + e⁻ˣ), between 0 and 1.

    Raises
    ------
    DataError
        In the forward pass, if `x` holds no real numbers.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323, 533-536, eq. 2.

    Examples
    --------
    >>> Sigmoid()([0.0])
    tensor([0.5])
    """

    def forward(self, x: Any) -> Tensor:
        """Compute σ(x), for `x` of any shape, and give that shape."""
        return functional.sigmoid(as_input(x, "Sigmoid"))


class LeakyReLU(Module):
    """The leaky rectifier as a layer: x where x > 0, else slope · x.

    Parameters
    ----------
    slope : float
        The slope on the left, so that a neuron that is off can still learn.

    Raises
    ------
    DataError, DomainError
        If `slope` is no finite number; in the forward pass, if `x` holds no real numbers.

    References
    ----------
    A. L. Maas, A. Y. Hannun and A. Y. Ng (2013), ICML workshop, section 2.

    Examples
    --------
    >>> LeakyReLU(0.1)([-2.0, 3.0])
    tensor([-0.2,  3. ])
    """

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        self.slope = as_number(slope, "slope", "LeakyReLU")

    def forward(self, x: Any) -> Tensor:
        """Compute x or slope · x, for `x` of any shape, and give that shape."""
        return functional.leaky_relu(as_input(x, "LeakyReLU"), self.slope)

    def _title(self) -> str:
        return f"LeakyReLU({self.slope:g})"


class Softmax(Module):
    """Softmax as a layer: numbers above 0 that add up to 1 along an axis.

    Leave it out in front of `bplib.losses.cross_entropy`, which wants the scores themselves.

    Parameters
    ----------
    axis : int
        Along which axis the numbers add up to 1.

    Raises
    ------
    DataError
        If `axis` is no whole number; in the forward pass, if `x` holds no real numbers.
    DomainError, ShapeError
        In the forward pass, if `x` has no such axis, or none at all.

    References
    ----------
    J. S. Bridle (1990), *Neurocomputing*, NATO ASI F68, 227-236.

    Examples
    --------
    >>> Softmax()([[0.0, 0.0]])
    tensor([[0.5, 0.5]])
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = as_axis_number(axis, "Softmax")

    def forward(self, x: Any) -> Tensor:
        """Compute exp x / Σ exp x, for `x` of at least one axis, and give its shape."""
        return functional.softmax(as_input(x, "Softmax"), self.axis)

    def _title(self) -> str:
        return f"Softmax(axis={self.axis})"
