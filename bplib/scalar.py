"""Automatic differentiation for one number at a time, short enough to write in class.

A value remembers the values it was computed from and, for each of them, the local derivative: a
plain number. `Value.backward` visits the values from the newest to the oldest and does the one
thing backpropagation consists of: *incoming × local = outgoing*, added up where paths meet.
"""

import math
from itertools import count
from operator import attrgetter
from typing import Any, final

from bplib.checks import as_number
from bplib.errors import DomainError

__all__ = ["Value"]

_clock = count(1).__next__
_order = attrgetter("order")
_MAKE: Any = object.__new__
_LARGEST_EXPONENT = math.log(2.0**1023) + math.log(2.0)


@final
class Value:
    """One number that remembers where it came from.

    Parameters
    ----------
    data : float
        The number, finite.

    Attributes
    ----------
    data : float
        The number.
    grad : float
        ∂L/∂(this value), summed over all calls of `backward`; 0 at first.
    first, second : Value or None
        What it was computed from: one value, two, or none.
    by_first, by_second : float
        The local derivatives ∂(this value)/∂first and ∂(this value)/∂second, known as soon as the value is.

    Raises
    ------
    DataError, DomainError
        If `data` is no number, or not finite.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> x, w = Value(3.0), Value(2.0)
    >>> loss = (x * w - 5.0) ** 2
    >>> loss.backward()
    >>> loss.data, x.grad, w.grad
    (1.0, 4.0, 6.0)
    """

    # Eight plain fields and no tuple: a network has many thousand values, and what is small stays in the cache.
    __slots__ = ("by_first", "by_second", "data", "first", "grad", "incoming", "order", "second")

    def __init__(self, data: float) -> None:
        self.data, self.grad = as_number(data, "data", "Value"), 0.0
        self.first: Value | None = None
        self.second: Value | None = None
        self.by_first = self.by_second = 0.0
        self.incoming: Any = None  # a number while `backward` is at work
        self.order = _clock()

    def __repr__(self) -> str:
        return f"Value({self.data:g}, grad={self.grad:g})"

    # Forward: an operation computes its result, and right away its local derivatives. Networks are made of sums and
    # products of two values; these are written out, since a call of `_result` would be a tenth of their time.

    def __add__(self, other: "Value | float") -> "Value":
        if type(other) is Value:
            made: Value = _MAKE(Value)
            made.data, made.grad = self.data + other.data, 0.0
            made.first, made.by_first = self, 1.0
            made.second, made.by_second = other, 1.0
            made.order, made.incoming = _clock(), None
            return made
        return _result(self.data + _number(other), self, 1.0)

    def __mul__(self, other: "Value | float") -> "Value":
        if type(other) is Value:
            made: Value = _MAKE(Value)
            made.data, made.grad = self.data * other.data, 0.0
            made.first, made.by_first = self, other.data
            made.second, made.by_second = other, self.data
            made.order, made.incoming = _clock(), None
            return made
        factor = _number(other)
        return _result(self.data * factor, self, factor)

    def __pow__(self, exponent: float) -> "Value":
        n = as_number(exponent, "exponent", "Value ** exponent")
        return _result(_power(self.data, n), self, n * _power(self.data, n - 1) if n else 0.0)

    def relu(self) -> "Value":
        """Give max(0, x); the derivative at the kink x = 0 is 0."""
        return _result(max(0.0, self.data), self, 1.0 if self.data > 0 else 0.0)

    def tanh(self) -> "Value":
        """Give the hyperbolic tangent of x, with derivative 1 − tanh² x."""
        y = math.tanh(self.data)
        return _result(y, self, 1.0 - y * y)

    def exp(self) -> "Value":
        """Give eˣ, its own derivative; infinite above about 709."""
        y = math.exp(self.data) if self.data < _LARGEST_EXPONENT else math.inf
        return _result(y, self, y)

    def log(self) -> "Value":
        """Give the natural logarithm of x > 0, with derivative 1/x.

        Raises
        ------
        DomainError
            If x is 0 or below.
        """
        if self.data <= 0:
            raise DomainError(f"log: the value is {self.data:g}. Expected a number above 0.")
        return _result(math.log(self.data), self, 1.0 / self.data)

    # All other operations are made of these.

    def __neg__(self) -> "Value":
        return self * -1.0

    def __sub__(self, other: "Value | float") -> "Value":
        return self + -other

    def __truediv__(self, other: "Value | float") -> "Value":
        return self * (other if type(other) is Value else Value(other)) ** -1

    def __rsub__(self, other: float) -> "Value":
        return -self + other

    def __rtruediv__(self, other: float) -> "Value":
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Add ∂(this value)/∂v to ``v.grad`` of every value v that it was computed from.

        References
        ----------
        S. Linnainmaa (1976), BIT 16, 146-160.

        Examples
        --------
        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        values: list[Value] = []
        try:
            _find_newest_first(self, values)
            self.incoming = 1.0
            for value in values:
                incoming, value.incoming = value.incoming, None
                value.grad += incoming
                parent = value.first
                if parent is not None:
                    parent.incoming += incoming * value.by_first
                parent = value.second
                if parent is not None:
                    parent.incoming += incoming * value.by_second
        except BaseException:  # the stop button, say: the next backward starts afresh
            for value in values:
                value.incoming = None
            raise


def _find_newest_first(last: Value, found: list[Value]) -> None:
    """Collect what `last` was computed from; what is found has an incoming gradient, 0 so far.

    A value is newer than its parents: when its turn comes, all that flows into it has arrived.
    """
    found.append(last)
    last.incoming = 0.0
    for value in found:
        parent = value.first
        if parent is not None and parent.incoming is None:
            found.append(parent)
            parent.incoming = 0.0
        parent = value.second
        if parent is not None and parent.incoming is None:
            found.append(parent)
            parent.incoming = 0.0
    found.sort(key=_order, reverse=True)


def _number(other: float) -> float:
    return other if type(other) is float else as_number(other, "the number", "Value")


def _result(data: float, first: Value, by_first: float) -> Value:
    made: Value = _MAKE(Value)
    made.data, made.grad = data, 0.0
    made.first, made.by_first = first, by_first
    made.second, made.by_second = None, 0.0
    made.order, made.incoming = _clock(), None
    return made


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        raise DomainError(f"Value ** exponent: 0 to the power {exponent:g} is a division by zero.")
    if base < 0 and exponent != int(exponent):
        raise DomainError(
            f"Value ** exponent: {base:g} to the power {exponent:g} is no real number. Expected a whole exponent."
        )
    try:
        return base**exponent
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf
