"""The judge of a backward pass: two answers that know nothing of it, and a report in words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib.checks import as_count, as_generator
from bplib.engine import walk_back
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.modes import is_recording, no_grad
from bplib.nodes import Array, Node
from bplib.numeric.differences import NUDGE, central_difference
from bplib.tensors import Tensor

__all__ = ["GradcheckReport", "GradcheckRow", "gradcheck"]

# From so many elements on, an input is checked along random directions and not element by element.
_MANY = 2000
_DIRECTIONS = 8
# How close a gradient must come to a complex step, which has no error of its own worth speaking of.
_EXACT = 1e-9
_STEP = 1e-30


@dataclass(frozen=True)
class GradcheckRow:
    """The verdict on one input.

    Attributes
    ----------
    name : str
        The input's name, or its place.
    shape : tuple of int
        Its shape.
    backward : numpy.ndarray
        The gradient from the backward pass; along the directions, if it was checked so.
    numerical : numpy.ndarray
        The estimate by central differences, of the same shape.
    relative_error : float
        max |backward − numerical| / max(|backward|, |numerical|), after the rounding error that the
        numerical estimate must have is taken off.
    complex_error : float or None
        The same against a complex step through the recorded operations; None where one of them is not analytic.
    passed : bool
        Whether both errors are small enough.
    mistake : str
        What a wrong gradient looks like, in words; empty if it is right, or like nothing known.
    directions : int
        How many random directions were tried; 0 for one element at a time.
    """

    name: str
    shape: tuple[int, ...]
    backward: Array
    numerical: Array
    relative_error: float
    complex_error: float | None
    passed: bool
    mistake: str
    directions: int

    def worst(self) -> str:
        """Give the two numbers that lie furthest apart, and where they stand."""
        gap = np.abs(self.backward - self.numerical)
        place = np.unravel_index(int(np.argmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape)
        where = f" at index {tuple(int(i) for i in place)}" if place else ""
        where = f" along direction {int(place[0])}" if self.directions else where
        return f"{self.backward[place]:.6g} and not {self.numerical[place]:.6g}{where}"


@dataclass(frozen=True)
class GradcheckReport:
    """What `gradcheck` found; true in an ``if`` when every input passed.

    Attributes
    ----------
    rows : tuple of GradcheckRow
        One for each input.
    tolerance : float
        The largest relative error that passes.
    """

    rows: tuple[GradcheckRow, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every input passed."""
        return all(row.passed for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        width = max(12, *(len(row.name) for row in self.rows))
        lines = [f"{'input':<{width}} {'shape':<12} {'differences':>11} {'complex step':>12}  verdict"]
        for row in self.rows:
            exact = "-" if row.complex_error is None else f"{row.complex_error:.1e}"
            verdict = "agrees" if row.passed else "DIFFERS"
            verdict += f" ({row.directions} directions)" if row.directions else ""
            lines.append(f"{row.name:<{width}} {row.shape!s:<12} {row.relative_error:>11.1e} {exact:>12}  {verdict}")
        for row in self.rows:
            if not row.passed:
                lines.append(f"{row.name}: the backward pass gives {row.worst()}. {row.mistake}".rstrip())
        end = "the backward pass is wrong somewhere"
        if self.passed:
            alone = all(row.complex_error is None for row in self.rows)
            end = f"backward{' and' if alone else ','} central differences{'' if alone else ' and complex step'} agree"
        return "\n".join([*lines, f"{end} (tolerance {self.tolerance:.0e})"])


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    params: Any = None,
    tolerance: float = 1e-6,
    directions: int | None = None,
    rng: np.random.Generator | int | None = None,
) -> GradcheckReport:
    """Compare the backward pass with central differences and with a complex step, input by input.

    Parameters
    ----------
    f : callable
        Takes tensors, gives a tensor; if it is not a single number, its elements are added up
        with unequal weights between 0.5 and 1.5, so that every one is tested. With `params` it takes nothing.
    *inputs : Tensor or array_like
        Where; each is checked in float64. Tensors keep their names in the report.
    params : Module, or iterable of Tensor, optional
        Check these where they are, in place of inputs: ``gradcheck(lambda: loss(model(x), y), params=model)``.
        float64 only. Their values are the same afterwards, and no ``.grad`` changes.
    tolerance : float > 0
        The largest relative error that passes against central differences.
    directions : int ≥ 1, optional
        Check along so many random directions, ∇f·u, and not element by element. Left out, that is done with 8
        directions for inputs of more than 2,000 elements.
    rng : numpy.random.Generator or int, optional
        Where the directions come from; seed 0 if left out.

    Returns
    -------
    GradcheckReport
        With ``.passed``, and a table as its printed form.

    Raises
    ------
    ShapeError
        If there are no inputs, or `f` does not give a tensor.
    DomainError
        If `tolerance` is not positive, or a parameter is float32.
    GraphError
        If recording is off.

    Notes
    -----
    The complex step goes through the operations that `f` has applied, so it judges the gradient rules to the last
    digits. Central differences call `f` itself, so they also see what has left the graph.

    References
    ----------
    W. Squire and G. Trapp (1998), SIAM Review 40(1), 110-112. A. Griewank and A. Walther (2008), *Evaluating
    Derivatives*, 2nd ed., SIAM, section 3.1.

    Examples
    --------
    >>> import bplib
    >>> gradcheck(lambda w: bplib.tanh(w * w), [0.5, -1.0]).passed
    True
    """
    if not tolerance > 0:
        raise DomainError(f"gradcheck: tolerance is {tolerance!r}. Expected a small positive number, such as 1e-6.")
    if directions is not None:
        as_count(directions, "directions", 1, "gradcheck")
    if not is_recording():
        raise GraphError(
            "gradcheck: recording is off here, so there is no backward pass to check. Leave no_grad() first."
        )
    leaves = _leaves_of(inputs, params)
    given = () if params is not None else tuple(leaves.values())
    output = f(*given)
    if not isinstance(output, Tensor):
        raise ShapeError(f"gradcheck: f gave {type(output).__name__}. Expected a tensor computed from its arguments.")
    judge = _Judge(f, given, output, tolerance, directions, as_generator(rng, "gradcheck"))
    with np.errstate(all="ignore"):  # an infinity or NaN is told in the report
        return GradcheckReport(tuple(judge.row(name, leaf) for name, leaf in leaves.items()), tolerance)


def _leaves_of(inputs: tuple[Any, ...], params: Any) -> dict[str, Tensor]:
    if params is None:
        if not inputs:
            raise ShapeError("gradcheck: there is no input to check. Try gradcheck(f, x), with x an array.")
        names = [getattr(x, "name", None) or f"input {i}" for i, x in enumerate(inputs)]
        names = [name if names.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(names)]
        return {n: Tensor(x, requires_grad=True, dtype=np.float64, name=n) for n, x in zip(names, inputs, strict=True)}
    if inputs:
        raise DataError("gradcheck: with params, f takes nothing. Expected gradcheck(lambda: ..., params=model).")
    if hasattr(params, "named_parameters"):
        found = dict(params.named_parameters())
    elif isinstance(params, Iterable) and not isinstance(params, Node):
        found = {getattr(p, "name", None) or f"parameter {i}": p for i, p in enumerate(params)}
    else:
        raise DataError(f"gradcheck: params is {type(params).__name__}. Expected a model or a list of tensors.")
    if not found:
        raise ShapeError("gradcheck: there is no parameter to check. Expected a model with parameters.")
    for name, p in found.items():
        if not isinstance(p, Tensor):
            raise DataError(f"gradcheck: {name} is {type(p).__name__}. Expected tensors that ask for a gradient.")
        if p.dtype != np.float64:
            raise DomainError(
                f"gradcheck: {name} is float32, in which differences are never good to more than 1e-3. "
                "Try model.astype(numpy.float64) first."
            )
    return found


class _Judge:
    """One output and what is known about it: how to nudge it, and what the backward pass says."""

    def __init__(
        self,
        f: Callable[..., Any],
        given: tuple[Tensor, ...],
        output: Tensor,
        tolerance: float,
        directions: int | None,
        rng: np.random.Generator,
    ) -> None:
        self._f, self._given, self._output = f, given, output
        self._tolerance, self._asked, self._rng = tolerance, directions, rng
        # One number stays as it is; many are added up with unequal weights, so that no two mistakes cancel.
        uneven = 0.5 + np.random.default_rng(0).random(output.shape)
        self._weights = uneven if output.size > 1 else np.ones(output.shape)
        self._totals: dict[Node, Array] = {}
        if output.operation is not None:  # f may not depend on its inputs at all; the gradient is then 0
            self._totals = walk_back(output, self._weights.astype(output.dtype))
        elif output.requires_grad:
            self._totals = {output: self._weights}
        self._path = _oldest_first(output)
        self._analytic = all(node.operation is not None and node.operation.holomorphic for node in self._path)

    def row(self, name: str, leaf: Tensor) -> GradcheckRow:
        found = self._totals.get(leaf, np.zeros(leaf.shape))
        count = self._asked or (_DIRECTIONS if leaf.size > _MANY else 0)
        if count:
            ways = self._rng.normal(size=(count, *leaf.shape))
            ways /= np.sqrt((ways.reshape(count, -1) ** 2).sum(axis=1)).reshape(-1, *[1] * leaf.ndim)
            backward = np.array([(found * way).sum() for way in ways])
            numerical = np.array([self._slope_along(leaf, way) for way in ways])
        else:
            ways = None
            backward, numerical = found, central_difference(lambda x: self._nudged(leaf, x), leaf.array)
        error = self._error(backward, numerical, self._rounding(leaf))
        exact = self._complex_error(leaf, backward, ways) if self._analytic else None
        # A NaN compares as no smaller than the tolerance: it never passes.
        passed = error <= self._tolerance and (exact is None or exact <= _EXACT)
        mistake = "" if passed else _mistake(backward, numerical)
        return GradcheckRow(name, leaf.shape, backward, numerical, error, exact, passed, mistake, count)

    def _nudged(self, leaf: Tensor, values: Array) -> float:
        with no_grad():
            if self._given:
                arguments = [Tensor(values) if one is leaf else Tensor(one.array) for one in self._given]
                return self._weighted(self._f(*arguments))
            before = leaf.array.copy()
            leaf.array[...] = values
            try:
                return self._weighted(self._f())
            finally:
                leaf.array[...] = before

    def _weighted(self, output: Any) -> float:
        if not isinstance(output, Tensor) or output.shape != self._output.shape:
            raise ShapeError("gradcheck: f gave another shape when it was called again. Expected the same each time.")
        return float((output.array * self._weights).sum())

    def _slope_along(self, leaf: Tensor, way: Array) -> float:
        start = leaf.array.copy()
        return float(central_difference(lambda t: self._nudged(leaf, start + t * way), 0.0))

    def _rounding(self, leaf: Tensor) -> float:
        # What rounding does to f, divided by the nudge, is the least error a difference can have.
        return float(10 * np.finfo(np.float64).eps * abs(self._nudged(leaf, leaf.array.copy())) / NUDGE)

    def _error(self, found: Array, wanted: Array, rounding: float = 0.0) -> float:
        gap = np.maximum(np.abs(found - wanted) - rounding, 0.0)
        scale = np.maximum(np.maximum(np.abs(found), np.abs(wanted)), np.finfo(np.float64).tiny)
        return float(np.max(gap / scale, initial=0.0))

    def _complex_error(self, leaf: Tensor, backward: Array, ways: Array | None) -> float:
        exact = np.empty_like(backward)
        for i in np.ndindex(backward.shape):
            step = np.zeros(leaf.shape)
            step[i if ways is None else ...] = 1.0 if ways is None else ways[i]
            exact[i] = self._imaginary_part(leaf, step)
        # Relative to the largest element: a gradient that cancels to almost nothing has an error from what was large.
        size = max(float(np.max(np.abs(exact), initial=0.0)), float(np.max(np.abs(backward), initial=0.0)))
        return float(np.max(np.abs(backward - exact), initial=0.0) / max(size, np.finfo(np.float64).tiny))

    def _imaginary_part(self, leaf: Tensor, step: Array) -> float:
        values: dict[Node, Any] = {leaf: leaf.array + 1j * _STEP * step}
        with np.errstate(all="ignore"):
            for node in self._path:
                operands = [_values_of(parent, values) for parent in node.parents]
                if any(np.iscomplexobj(operand) for operand in operands):
                    row: Any = node.operation
                    values[node] = np.asarray(row.forward(*operands, *node.settings)[0])
            end = values.get(self._output)
            return 0.0 if end is None else float((np.imag(end) * self._weights).sum() / _STEP)


def _values_of(operand: Node, values: dict[Node, Any]) -> Any:
    """Give an operand's values, those of its changed parts among them."""
    if operand in values or operand.operation is not None:
        return values.get(operand, operand.array)
    parts = [(leaf, share) for leaf, share in operand.parts(operand.array)]
    if not any(leaf in values for leaf, _ in parts):
        return operand.array
    return np.concatenate([np.ravel(values.get(leaf, share)) for leaf, share in parts])


def _oldest_first(output: Node) -> list[Node]:
    found, waiting = {output}, [output]
    while waiting:
        for parent in waiting.pop().parents:
            if parent.operation is not None and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted((node for node in found if node.operation is not None), key=lambda node: node.order)


def _mistake(found: Array, wanted: Array) -> str:
    """Say what the wrong gradient looks like, if one relation holds for all of its elements."""
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()) or not wanted.any():
        return ""

    def alike(a: Array, b: Array) -> bool:
        return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-4, atol=1e-4 * float(np.abs(b).max())))

    if not found.any():
        return "It is 0 everywhere: was the input detached, or turned into plain numbers?"
    if alike(found, -wanted):
        return "It has the opposite sign everywhere."
    factor = float((found * wanted).sum() / (wanted * wanted).sum())
    if found.size > 1 and alike(found, factor * wanted):
        return f"It is {factor:.3g} times the right one everywhere: look for a factor, or a sum in place of a mean."
    if found.ndim == 2 and alike(found, wanted.T):
        return "It is right after transposing."
    return ""
