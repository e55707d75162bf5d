"""Automatic differentiation for one number at a time, short enough to write in class.

A value remembers the values it was computed from and, for each of them, the local derivative: a
plain number. `Value.backward` does the one thing backpropagation consists of: *incoming × local =
outgoing*, added up where paths meet. A value's turn comes when all that flows into it has arrived.
"""

import math
from typing import Any, final

from bplib.checks import as_number
from bplib.errors import DomainError

__all__ = ["Value"]

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

    # Seven plain fields and no tuple: a network has many thousand values, and what is small stays in the cache.
    __slots__ = ("by_first", "by_second", "data", "first", "grad", "second", "waiting")

    def __init__(self, data: float) -> None:
        self.data, self.grad = as_number(data, "data", "Value"), 0.0
        self.first: Any = None  # a Value wherever the local derivative is not 0
        self.second: Any = None
        self.by_first = self.by_second = 0.0
        self.waiting = 0  # while `backward` is at work: how many gradients are still to arrive

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
            made.waiting = 0
            return made
        return _result(self.data + _number(other), self, 1.0)

    def __mul__(self, other: "Value | float") -> "Value":
        if type(other) is Value:
            made: Value = _MAKE(Value)
            made.data, made.grad = self.data * other.data, 0.0
            made.first, made.by_first = self, other.data
            made.second, made.by_second = other, self.data
            made.waiting = 0
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

        Nothing flows where a local derivative is 0, as in a unit that ReLU has switched off: what lies behind is
        not visited, and an infinite gradient stops there too. A call that is interrupted adds nothing at all.

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
        found, before = [self], [(self, self.grad)]
        try:
            _find(found, before)
            self.grad = 1.0
            arrived = [self]
            # For each parent, grad += incoming * local. A product with 1 and a sum with 0 would make new numbers of
            # such as are there, and a network has many thousand. A loop over the two takes half as long again.
            for value in arrived:
                incoming, local = value.grad, value.by_first
                if local:
                    parent = value.first
                    outgoing = incoming if local == 1.0 else incoming * local
                    parent.grad = parent.grad + outgoing if parent.grad else outgoing
                    parent.waiting = waiting = parent.waiting - 1
                    if not waiting:
                        arrived.append(parent)
                local = value.by_second
                if local:
                    parent = value.second
                    outgoing = incoming if local == 1.0 else incoming * local
                    parent.grad = parent.grad + outgoing if parent.grad else outgoing
                    parent.waiting = waiting = parent.waiting - 1
                    if not waiting:
                        arrived.append(parent)
            for value, grad in before:
                value.grad += grad
        except BaseException:  # the stop button, say
            for value in found:
                value.grad, value.waiting = 0.0, 0
            for value, grad in before:
                value.grad = grad
            raise


def _find(found: list[Value], before: list[tuple[Value, float]]) -> None:
    """Find all that a gradient will flow into, and count how often; put aside the gradients of earlier calls."""
    for value in found:
        if value.by_first:
            parent = value.first
            waiting = parent.waiting
            if not waiting:
                if parent.grad:
                    before.append((parent, parent.grad))
                    parent.grad = 0.0
                found.append(parent)
            parent.waiting = waiting + 1
        if value.by_second:
            parent = value.second
            waiting = parent.waiting
            if not waiting:
                if parent.grad:
                    before.append((parent, parent.grad))
                    parent.grad = 0.0
                found.append(parent)
            parent.waiting = waiting + 1


def _number(other: float) -> float:
    return other if type(other) is float else as_number(other, "the number", "Value")


def _result(data: float, first: Value, by_first: float) -> Value:
    made: Value = _MAKE(Value)
    made.data, made.grad = data, 0.0
    made.first, made.by_first = first, by_first
    made.second, made.by_second = None, 0.0
    made.waiting = 0
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
