"""What a network is made of: parameters, and modules that hold them together."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, ClassVar, Self

import numpy as np

from bplib.checks import as_array, as_floats, as_truth
from bplib.errors import DataError, DomainError, ShapeError
from bplib.home import Home, share_home
from bplib.journal import Forget, note
from bplib.tensors import Tensor

__all__ = ["Module", "Parameter"]


class Parameter(Tensor):
    """A tensor that a model learns: it asks for a gradient and can live in the model's vector θ.

    Parameters
    ----------
    data : array_like of real numbers, any shape
        The first values; copied.
    name : str, optional
        A word for pictures and messages.

    Examples
    --------
    >>> Parameter([0.5, 1.5])
    tensor([0.5, 1.5], requires_grad=True)
    """

    __slots__ = ("buffer", "home", "offset")

    def __init__(self, data: Any, *, name: str | None = None) -> None:
        super().__init__(data, requires_grad=True, name=name)
        Home([self])

    def move(self, home: Home, offset: int, values: np.ndarray, buffer: np.ndarray) -> None:
        """Carry values and gradient into a home's flat arrays; the views there replace the old arrays."""
        old = getattr(self, "home", None)  # a new one, and a copy, comes from nowhere
        if old is not None:
            old.left = True
        values[...] = self.array.ravel()
        shape, gradient = self.array.shape, self._gradient
        self.array, self.buffer = values.reshape(shape), buffer.reshape(shape)
        self.home, self.offset, self._gradient = home, offset, None
        if gradient is not None:
            self.receive(gradient)


_changes = count(1)


class Module(ABC):
    """A function with parameters. Subclasses assign parameters and modules as attributes.

    Write ``forward``; call the module like a function.
    """

    training = True
    # Another number whenever an attribute of any module was set or deleted: who has looked need not look again before.
    changes: ClassVar[int] = 0
    # The attributes that hold arrays which no gradient changes and which must be saved all the same.
    buffer_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.training = True

    def __setattr__(self, name: str, value: Any) -> None:
        # `layer.weight -= 0.1` puts a result where the parameter stood, and the model would forget it without a word.
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            if isinstance(self.__dict__.get(name), Parameter):
                raise DataError(
                    f"{type(self).__name__}.{name}: a plain tensor would take the place of a parameter, and no "
                    f"optimizer would find it. Expected an nn.Parameter. To change the numbers, try {name}.assign(...)."
                )
        super().__setattr__(name, value)
        Module.changes = next(_changes)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        Module.changes = next(_changes)

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Compute the output for the input `x`."""

    def __call__(self, x: Any) -> Tensor:
        return self.forward(x)

    def _children(self) -> Iterator[tuple[str, Any]]:
        return _parts_of(vars(self))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield each parameter once, with its path, such as ``"0.weight"``."""
        seen: set[int] = set()
        for name, parameter in self._walk(""):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield name, parameter

    def _walk(self, prefix: str) -> Iterator[tuple[str, Parameter]]:
        for name, child in self._children():
            if isinstance(child, Module):
                yield from child._walk(f"{prefix}{name}.")
            else:
                yield prefix + name, child

    def modules(self) -> Iterator["Module"]:
        """Yield this module and all modules inside it."""
        yield self
        for _, child in self._children():
            if isinstance(child, Module):
                yield from child.modules()

    def parameters(self) -> Iterator[Parameter]:
        """Yield each parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    @property
    def theta(self) -> np.ndarray:
        """All parameters as one vector θ, shape (n,). Assigning copies new values in.

        The array is the parameters' own memory: assign to change it, and copy what you want to keep.
        """
        return self._span("values")

    @theta.setter
    def theta(self, values: Any) -> None:
        self._fill("theta", "values", values)
        for parameter in self.parameters():
            parameter.touch()

    @property
    def theta_grad(self) -> np.ndarray:
        """The gradient of the loss with respect to θ, shape (n,); 0 where none has arrived."""
        place = self._span("gradients")
        for parameter in self.parameters():
            if parameter.grad is None and parameter.buffer is not None:
                parameter.buffer[...] = 0.0
        return place

    @theta_grad.setter
    def theta_grad(self, values: Any) -> None:
        self._fill("theta_grad", "gradients", values)
        for parameter in self.parameters():
            if parameter.requires_grad:  # a gradient would let the optimizer's weight decay move a frozen one
                parameter.grad = parameter.buffer

    def _fill(self, name: str, which: str, values: Any) -> None:
        place = self._span(which)
        new = as_floats(values, place.dtype)
        if new.shape != place.shape:
            raise ShapeError(
                f"{name}: the model has {place.size} parameters, the vector has shape {new.shape}. "
                f"Expected shape ({place.size},)."
            )
        place[...] = new

    def _span(self, which: str) -> np.ndarray:
        members = list(self.parameters())
        if not members:
            raise DataError("theta: this module has no parameters. Try a model that contains a Linear layer.")
        share_home(members)
        if any(p.home is not members[0].home for p in members):
            raise DataError("theta: the parameters have different dtypes. Try model.astype(numpy.float64) first.")
        start, size = members[0].offset, sum(p.size for p in members)
        return getattr(members[0].home, which)[start : start + size]

    def astype(self, dtype: Any) -> Self:
        """Store the parameters as float32 or float64 from now on; gradients are forgotten.

        Raises
        ------
        DomainError
            If `dtype` is another type.
        """
        wanted = _float_type(dtype)
        members = list(self.parameters())
        cast = [as_floats(parameter.array, wanted) for parameter in members]
        for parameter, array in zip(members, cast, strict=True):
            parameter.grad = None
            parameter.array = array
            parameter.touch()
        if members:
            Home(members)
        return self

    def zero_grad(self) -> None:
        """Forget all gradients."""
        forget = Forget(self.parameters())
        note(forget)
        forget()

    def train(self, mode: bool = True) -> Self:
        """Switch to training, where a layer such as dropout acts; or away from it.

        Raises
        ------
        DataError
            If `mode` is no truth value.
        """
        self.training = as_truth(mode, "mode", "train")
        for _, child in self._children():
            if isinstance(child, Module):
                child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation."""
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Give a copy of every parameter and every buffer under its path."""
        return {name: np.array(place) for name, place in self._places().items()}

    def named_buffers(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each array that is part of the state and no parameter, such as the averages of `BatchNorm1d`."""
        seen: set[int] = set()
        for name, array in self._walk_buffers(""):
            if id(array) not in seen:
                seen.add(id(array))
                yield name, array

    def _walk_buffers(self, prefix: str) -> Iterator[tuple[str, np.ndarray]]:
        for name in self.buffer_names:
            yield prefix + name, getattr(self, name)
        for name, child in self._children():
            if isinstance(child, Module):
                yield from child._walk_buffers(f"{prefix}{name}.")

    def _places(self) -> dict[str, np.ndarray]:
        return {**{name: p.array for name, p in self.named_parameters()}, **dict(self.named_buffers())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the values that `state_dict` gave.

        Raises
        ------
        DataError
            If `state` is no dictionary of arrays, or names are missing or left over; nothing is changed then.
        ShapeError
            If a shape differs; nothing is changed then.
        """
        own = self._places()
        if not isinstance(state, Mapping):
            raise DataError(
                f"load_state_dict: state is of type {type(state).__name__}. Expected the dictionary that state_dict() "
                "gave."
            )
        if missing := sorted(map(str, own.keys() ^ state.keys())):
            raise DataError(
                f"load_state_dict: the names do not match. Expected {sorted(own)}, got {sorted(map(str, state))}; "
                f"these stand on one side only: {missing}."
            )
        values = {name: as_floats(as_array(state[name], name, "load_state_dict")) for name in own}
        for name, place in own.items():
            if values[name].shape != place.shape:
                raise ShapeError(
                    f"load_state_dict: {name} has shape {place.shape}, the saved one has {values[name].shape}. "
                    "Expected the same. Make the model with the settings of the one that was saved."
                )
        for name, parameter in self.named_parameters():
            parameter.assign(values[name])
        for name, array in self.named_buffers():
            array[...] = values[name]

    def __repr__(self) -> str:
        rows = [f"  {name:<12} {p.shape!s:<12} {p.size:>8,}" for name, p in self.named_parameters()]
        total = sum(p.size for p in self.parameters())
        return "\n".join([f"{self._title()}, {total:,} parameters", *rows])

    def _title(self) -> str:
        return type(self).__name__ + "()"


def _float_type(dtype: Any) -> np.dtype[Any]:
    """Give float32 or float64; NumPy would take None, and anything with a dtype of its own, for one as well."""
    try:
        wanted = None if dtype is None or isinstance(dtype, np.ndarray | Tensor) else np.dtype(dtype)
    except (TypeError, ValueError):
        wanted = None
    if wanted is None or wanted not in (np.float32, np.float64):
        raise DomainError(
            f"astype: dtype {dtype if wanted is None else wanted} has no gradients here. Expected numpy.float64 or "
            "numpy.float32."
        )
    return wanted


def _parts_of(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in attributes.items():
        if isinstance(value, (Parameter, Module)):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from _parts_of({f"{name}.{i}": item for i, item in enumerate(value)})
        elif isinstance(value, Mapping):
            yield from _parts_of({f"{name}.{key}": item for key, item in value.items()})
