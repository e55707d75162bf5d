"""How long the gradient of every parameter is while a network trains, and how far each update moves it."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np

from bplib.checks import as_count
from bplib.training.run import Run

__all__ = ["GradientWatch"]


@final
class GradientWatch:
    """Note for every parameter ‖∂Loss/∂θ‖ and the update-to-weight ratio ‖Δθ‖ / ‖θ‖.

    Both are lengths over all numbers of one parameter, √Σ θᵢ². A gradient that shrinks from the last layer to the
    first one by orders of magnitude is vanishing. A ratio near 10⁻³ is a common rule of thumb: far above it the rate
    is high, far below it is low. Δθ is what the optimizer did, whatever its method; ‖θ‖ is taken before the update.

    Parameters
    ----------
    every : int ≥ 1
        Note every so many steps, the first one included. A note costs a copy of all parameters.

    Attributes
    ----------
    steps : ndarray of int, shape (k,)
        The numbers of the steps that were noted, from 1.
    gradient_norms : dict of str to ndarray, shape (k,)
        By the name of the parameter; 0 where it had no gradient.
    update_ratios : dict of str to ndarray, shape (k,)
        By the name of the parameter; NaN where the parameter was 0 altogether.

    Raises
    ------
    DataError, DomainError
        If `every` is no such number.

    References
    ----------
    A. Karpathy (2015), CS231n course notes, Stanford, "Neural Networks Part 3": ratio of weights to updates.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, bias=False, rng=0)
    >>> model.weight.assign([[2.0]])
    >>> watch = GradientWatch()
    >>> history = bplib.training.fit(model, bplib.losses.mse, bplib.optim.SGD(model.parameters(), lr=0.1),
    ...                              ([[1.0]], [[1.0]]), epochs=2, progress=False, callbacks=[watch])
    >>> watch.gradient_norms
    {'weight': array([2. , 1.6])}
    >>> watch
             gradient  update/weight   after step 2
    weight        1.6          0.089
    """

    events = ("backward_end", "step_end")

    def __init__(self, every: int = 1) -> None:
        self.every = as_count(every, "every", 1, "GradientWatch")
        self._steps: list[int] = []
        self._norms: dict[str, list[float]] = {}
        self._ratios: dict[str, list[float]] = {}
        self._before: dict[str, np.ndarray] | None = None

    def __call__(self, event: str, run: Run) -> None:
        """Look at the gradients before an update, and at the parameters after it."""
        if event == "backward_end":
            if run.history.steps % self.every == 0:
                self._look_before(run)
        elif self._before is not None:
            self._look_after(run, self._before)
            self._before = None

    @property
    def steps(self) -> np.ndarray:
        """The numbers of the steps that were noted."""
        return np.array(self._steps, dtype=int)

    @property
    def gradient_norms(self) -> dict[str, np.ndarray]:
        """The length of the gradient of every parameter, by its name."""
        return {name: np.array(values) for name, values in self._norms.items()}

    @property
    def update_ratios(self) -> dict[str, np.ndarray]:
        """The length of each update over the length of the parameter, by its name."""
        return {name: np.array(values) for name, values in self._ratios.items()}

    def state_dict(self) -> dict[str, Any]:
        """Give all notes."""
        return {"steps": self.steps, "norms": self.gradient_norms, "ratios": self.update_ratios}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self._steps = state["steps"].tolist()
        self._norms = {name: values.tolist() for name, values in state["norms"].items()}
        self._ratios = {name: values.tolist() for name, values in state["ratios"].items()}

    def _look_before(self, run: Run) -> None:
        self._before = {}
        for name, parameter in run.model.named_parameters():
            self._before[name] = parameter.data.copy()
            norm = 0.0 if parameter.grad is None else _length(parameter.grad)
            self._norms.setdefault(name, []).append(norm)

    def _look_after(self, run: Run, before: dict[str, np.ndarray]) -> None:
        self._steps.append(run.history.steps)
        for name, parameter in run.model.named_parameters():
            size = _length(before[name])
            moved = _length(parameter.data - before[name])
            self._ratios.setdefault(name, []).append(moved / size if size else float("nan"))

    def __repr__(self) -> str:
        if not self._steps:
            return f"GradientWatch(every={self.every}), nothing noted yet"
        width = max(map(len, self._norms))
        head = f"{'':{width}}   gradient  update/weight   after step {self._steps[-1]}"
        rows = [
            f"{name:{width}} {self._norms[name][-1]:>10.2g} {self._ratios[name][-1]:>14.2g}" for name in self._norms
        ]
        return "\n".join([head, *rows])


def _length(values: np.ndarray) -> float:
    return float(np.linalg.norm(values.ravel()))
