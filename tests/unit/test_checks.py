"""What comes in is checked in one place: numbers that no float can hold, and words that name no type."""

import numpy as np
import pytest

from bplib import data, losses, tensor
from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError


@pytest.mark.parametrize(("value", "shown"), [(10**400, "inf"), (-(10**400), "-inf")])
def test_a_whole_number_beyond_every_float_is_infinite(value: int, shown: str) -> None:
    with pytest.raises(DomainError, match=f"^somewhere: rate is {shown}. Expected a finite number. Try rate=0.1.$"):
        as_number(value, "rate", "somewhere")
    with pytest.raises(DomainError, match=f"noise is {shown}. Expected a finite number of at least 0."):
        data.make_line(4, noise=value)


@pytest.mark.parametrize("dtype", ["foo", 7])
def test_a_type_that_does_not_exist_is_refused_in_words(dtype: object) -> None:
    with pytest.raises(DomainError, match=f"^tensor: dtype {dtype} has no gradients here. Expected numpy.float64 or"):
        tensor([1.0], dtype=dtype)  # type: ignore[arg-type]


def test_a_count_too_long_to_be_written_is_still_told() -> None:
    with pytest.raises(DomainError, match=r"^somewhere: n is below −10¹⁸. Expected a whole number of at least 1."):
        as_count(-(10**5000), "n", 1, "somewhere")
    with pytest.raises(DomainError, match=r"^somewhere: n is -3. Expected"):
        as_count(-3, "n", 1, "somewhere")


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (tensor, "tensor: data"),
        (lambda a: tensor([1.0, 2.0]) + a, "tensor: data"),
        (lambda a: losses.mse(a, [1.0, 2.0]), "mse: prediction"),
        (lambda a: data.DataLoader(a, [1, 2]), "DataLoader: X"),
    ],
)
def test_hidden_values_are_not_computed_with(use, name) -> None:
    values = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(DataError, match=rf"^{name} is a masked array that hides 1 of its 2 values\..*filled\(0\.0\)"):
        use(values)
    use(np.ma.masked_array([1.0, 2.0]))
    use(np.ma.masked_array([1.0, 2.0], mask=False))


def test_an_array_with_a_mask_of_another_kind_is_taken() -> None:
    class Masked(np.ndarray):
        def mask(self) -> None:
            """Something else."""

    assert tensor(np.ones(2).view(Masked)).shape == (2,)
