"""What a loss may give to `evaluate`: one number, of whatever kind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bplib import losses, nn
from bplib.errors import DataError, ShapeError
from bplib.training import evaluate

MODEL = nn.Linear(1, 1, rng=0)
X = [[0.0], [1.0]]
Y = np.array([[1.0], [3.0]])
MSE = float(np.mean((MODEL(X).numpy() - Y) ** 2))


@pytest.mark.parametrize(
    "loss",
    [
        losses.mse,
        lambda p, t: losses.mse(p, t).item(),
        lambda p, t: np.mean((p.numpy() - t) ** 2),
        lambda p, t: losses.mse(p, t, reduction="sum") / 2,
    ],
    ids=["a tensor", "a float", "a number of NumPy", "a result"],
)
def test_a_loss_gives_its_number_as_a_tensor_or_plain(loss: Callable[..., Any]) -> None:
    found = evaluate(MODEL, loss, X, Y)
    assert type(found) is float
    assert found == pytest.approx(MSE, rel=1e-12)


@pytest.mark.parametrize(
    ("gives", "word"), [(None, "NoneType"), ([1.0], "list"), ("0.5", "str"), (np.ones(2), "ndarray")]
)
def test_what_is_no_number_is_refused_by_its_type(gives: object, word: str) -> None:
    said = f"^evaluate: the loss gave a {word}. Expected one number, as losses.mse and the other losses give.$"
    with pytest.raises(DataError, match=said):
        evaluate(MODEL, lambda p, t: gives, X, Y)


def test_a_number_for_each_example_is_one_too_many() -> None:
    with pytest.raises(ShapeError):
        evaluate(MODEL, lambda p, t: losses.mse(p, t, reduction="none"), X, Y)
