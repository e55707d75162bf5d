"""The surface explorer as a widget: code and controls agree, a learner's model stays as it is, the 3-D picture."""

import html
import re
from collections.abc import Iterator

import numpy as np
import pytest

from bplib import losses, nn
from bplib.data import make_moons
from bplib.errors import BplibError, DataError, DomainError, GraphError, ShapeError
from bplib.widgets.explorer.state import PRESETS
from bplib.widgets.explorer.view import SurfaceExplorer, surface_explorer


@pytest.fixture
def explorer() -> Iterator[SurfaceExplorer]:
    made = surface_explorer(name="tried")
    yield made
    made.close()


def model_and_data() -> tuple[nn.Module, tuple[np.ndarray, np.ndarray]]:
    X, y = make_moons(40, noise=0.1, rng=1)
    model = nn.Sequential(nn.Linear(2, 5, rng=0), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 2, rng=1))
    return model, (X, y)


# ---------------------------------------------------------------- controls and code


def test_code_moves_the_controls(explorer: SurfaceExplorer) -> None:
    explorer.example, explorer.directions = "xor, 2-3-1", "random"
    explorer.lr, explorer.step, explorer.start = 0.25, 5, (0.5, -0.5)
    explorer.flush()
    assert explorer._example.value == "xor, 2-3-1"
    assert (explorer._directions.value, explorer._lr.value, explorer._slider.value) == ("random", 0.25, "5")
    assert [label for label, _ in explorer._lr.options] == ["0.25", "1", "3", "10", "50"]
    assert explorer._code.value == 'explorer.look("xor, 2-3-1", "random", (0.5, -0.5), lr=0.25)'
    assert explorer.losses.shape == (31,)
    assert explorer.path.shape == (31, 2)
    assert explorer.run_losses.shape == (81,)


def test_controls_change_what_code_reads(explorer: SurfaceExplorer) -> None:
    explorer._example.value = "line, 1-1"
    assert (explorer.example, explorer.lr, explorer._lr.value) == ("line, 1-1", 0.1, 0.1)
    explorer._lr.value, explorer._slider.index = 0.5, 12
    assert (explorer.lr, explorer.step) == (0.5, 12)
    explorer._example.value = "moons, 2-8-1"
    explorer._directions.value = "random"
    assert explorer.directions == "random"
    explorer.stage.pointer = {"n": 1, "mark": "start", "x": 0.25, "y": 0.5, "phase": "end"}
    assert explorer.start == (0.25, 0.5)


def test_two_parameters_leave_no_choice_of_directions(explorer: SurfaceExplorer) -> None:
    assert explorer._directions.layout.display == "flex"
    assert explorer._again.layout.display == "none"
    explorer.example = "line, 1-1"
    assert explorer._directions.layout.display == "none"
    explorer.look("moons, 2-8-1", "random", (0.0, 0.5), 3)
    assert explorer._directions.layout.display == "flex"
    assert explorer._again.layout.display == ""
    before = explorer.vectors
    explorer._again.click()
    assert not np.allclose(explorer.vectors, before)
    assert explorer._code.value.endswith(", lr=3, seed=1)")


@pytest.mark.parametrize("name", PRESETS)
def test_the_code_line_of_a_preset_does_the_same(explorer: SurfaceExplorer, name: str) -> None:
    explorer.look("line, 1-1", "pca", (1.0, 2.0), 0.03)
    explorer._preset.value = name
    line, after = explorer._code.value, explorer.state
    given = re.fullmatch(r'explorer\.look\("(.+?)", "(\w+)", \((\S+), (\S+)\), lr=(\S+)\)', line)
    assert given is not None
    explorer.look("line, 1-1", "pca", (1.0, 2.0), 0.03)
    assert explorer._preset.value == "your own"
    explorer.look(given[1], given[2], (float(given[3]), float(given[4])), float(given[5]))
    assert explorer.state == after
    assert explorer._preset.value == name


def test_a_code_line_writes_the_very_numbers(explorer: SurfaceExplorer) -> None:
    explorer.start, explorer.lr = (0.1234567891, -1 / 3), 1 / 3
    numbers = re.findall(r"-?\d+\.\d+", explorer._code.value)
    assert [float(number) for number in numbers] == [0.1234567891, -1 / 3, 1 / 3]


def test_what_code_reads_is_the_picture(explorer: SurfaceExplorer) -> None:
    plane = explorer.plane
    i, j = 9, 30
    theta = explorer.origin + plane.a[i] * explorer.vectors[0] + plane.b[j] * explorer.vectors[1]
    assert plane.losses[i, j] == pytest.approx(explorer.state.task.loss_at(theta))
    assert explorer.losses[0] == pytest.approx(explorer.state.task.loss_at(explorer.theta))
    assert explorer.share == pytest.approx(0.969, abs=0.001)
    for copy in (explorer.losses, explorer.path, explorer.origin, explorer.vectors, plane.losses, explorer.run_losses):
        copy[...] = 7.0
    assert explorer.plane.losses[0, 0] != 7
    assert explorer.losses[0] != 7
    assert explorer.origin[0] != 7


def test_reset_goes_back(explorer: SurfaceExplorer) -> None:
    first = explorer.state
    explorer.look("xor, 2-3-1", "random", (0.0, 0.5), 3, seed=2)
    explorer.step = 0
    explorer.reset()
    explorer.flush()
    assert explorer.state == first
    assert (explorer._slider.value, explorer._preset.value) == ("30", next(iter(PRESETS)))


# ---------------------------------------------------------------- three dimensions


def test_the_button_shows_and_hides_the_picture_in_three_dimensions(explorer: SurfaceExplorer) -> None:
    assert explorer._solid.value == ""
    assert explorer._solid.layout.display == "none"
    assert list(explorer.children).index(explorer._solid) == list(explorer.children).index(explorer.stage) + 1
    explorer._solid_button.click()
    shown = explorer._solid.value
    assert shown == explorer.picture_3d().html()
    assert shown.count("<") == 1
    assert html.escape(explorer.picture_3d().alt) in shown
    assert explorer._solid_button.description == "Hide 3-D picture"
    explorer.example = "xor, 2-3-1"
    assert "xor" in explorer._solid.value, "it follows the plane"
    explorer._solid_button.click()
    assert explorer._solid.value == ""
    assert explorer._solid_button.description == "3-D picture"


# ---------------------------------------------------------------- a model of the learner's own


def test_a_learners_model_is_untouched_bit_for_bit() -> None:
    model, data = model_and_data()
    losses.cross_entropy(model(data[0]), data[1]).backward()
    theta, gradient = model.theta.tobytes(), model.theta_grad.tobytes()
    modes = [module.training for module in model.modules()]
    copies = [array.copy() for array in data]
    explorer = surface_explorer(model, losses.cross_entropy, data, lr=0.2, name="own")
    explorer.directions = "random"
    explorer.start, explorer.lr = (0.5, 0.5), 2.0
    explorer.flush()
    explorer.picture_3d()
    explorer.picture()
    assert (model.theta.tobytes(), model.theta_grad.tobytes()) == (theta, gradient)
    assert [module.training for module in model.modules()] == modes == [True] * 5
    assert all((now == before).all() for now, before in zip(data, copies, strict=True))
    explorer.close()


def test_a_learners_model_stands_beside_the_examples_and_later_training_does_not_move_the_surface() -> None:
    model, data = model_and_data()
    explorer = surface_explorer(model, losses.cross_entropy, data, lr=0.2, steps=10, name="own")
    assert explorer.example == "your model"
    assert explorer._example.options[0] == ("your model", "your model")
    assert explorer.run_losses[0] == pytest.approx(losses.cross_entropy(model.eval()(data[0]), data[1]).item())
    before = explorer.plane.losses
    model.theta = model.theta + 1.0
    explorer.example = "line, 1-1"
    explorer.example = "your model"
    np.testing.assert_array_equal(explorer.plane.losses, before)
    assert explorer.losses.shape == (11,)
    assert explorer.lr == 0.2
    explorer.close()


def test_a_run_of_the_learners_own_is_shown_as_it_was() -> None:
    model, data = model_and_data()
    model.eval()
    rng = np.random.default_rng(0)
    thetas = np.cumsum(rng.normal(size=(12, model.theta.size)), axis=0)
    explorer = surface_explorer(model, losses.cross_entropy, data, run=list(thetas), steps=30, name="own")
    np.testing.assert_array_equal(explorer.origin, thetas[-1])
    model.theta = thetas[4]
    assert explorer.run_losses[4] == pytest.approx(losses.cross_entropy(model(data[0]), data[1]).item())
    assert len(explorer._slider.options) == 31, "the longer of both runs"
    explorer.step = 30
    explorer.example = "moons, 2-8-1"
    assert len(explorer._slider.options) == 81
    explorer.step = 80
    explorer.example = "your model"
    assert (explorer.step, explorer._slider.value) == (30, "30")
    explorer.close()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [(lambda m, d: (m, losses.cross_entropy, None), DataError, "data is a NoneType. Expected a pair (X, y)."),
     (lambda m, d: (m, losses.cross_entropy, (d[0], d[1][:3])), ShapeError, "X has 40 rows, y has 3"),
     (lambda m, d: (m, losses.cross_entropy, (d[0] * np.nan, d[1])), DomainError, "loss is nan"),
     (lambda m, d: (m, losses.cross_entropy, ("text", "text")), DataError, "surface explorer: X holds text"),
     (lambda m, d: (m, None, d), DataError, "loss is None. Expected a function"),
     (lambda m, d: (m, lambda p, y: p, d), ShapeError, "Expected one number"),
     (lambda m, d: ("model", losses.mse, d), DataError, "model is of type str. Expected a Module"),
     (lambda m, d: (None, losses.mse, d), DataError, "loss, data and run belong to a model"),
     (lambda m, d: (nn.Linear(1, 1, bias=False), losses.mse, (d[0][:, :1],) * 2), DomainError, "has 1 parameter."),
     (lambda m, d: (m, losses.cross_entropy, (np.ones((5001, 2)), np.ones(5001, int))), DomainError, "Try X[:5000]")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(given, error: type[Exception], words: str) -> None:
    model, data = model_and_data()
    theta = model.theta.copy()
    with pytest.raises(error) as caught:
        surface_explorer(*given(model, data), name="refused")
    assert words in str(caught.value)
    assert "surface explorer" in str(caught.value)
    np.testing.assert_array_equal(model.theta, theta)


@pytest.mark.parametrize(
    ("run", "words"),
    [([[0.0] * 27] * 2, "run has shape (2, 27). Expected one θ a row, from (3, 27) to (201, 27)"),
     ([[0.0] * 3] * 5, "run has shape (5, 3)"), (3.0, "run has shape ()"), ("abc", "run holds no rows of numbers"),
     ([[1.0] * 27] * 5, "the training run never moves"), ([[np.inf] * 27] * 5, "run holds inf")],
)  # fmt: skip
def test_a_run_that_is_none_is_refused_in_words(run, words: str) -> None:
    model, data = model_and_data()
    with pytest.raises(BplibError) as caught:
        surface_explorer(model, losses.cross_entropy, data, run=run, name="refused")
    assert words in str(caught.value)


def test_a_training_that_diverges_stands_still_or_cannot_be_copied_is_refused_in_words() -> None:
    model, (X, y) = model_and_data()
    with pytest.raises(DomainError, match=r"the training run with lr=100 diverges at step \d+.*Try lr=10,"):
        surface_explorer(nn.Linear(2, 1, rng=0), losses.mse, (X, X[:, :1]), lr=100, name="refused")
    zero = nn.Linear(2, 1, rng=0)
    zero.theta = [0.0, 0.0, 0.0]
    with pytest.raises(DomainError, match="never moves"):
        surface_explorer(zero, losses.mse, (X, 0 * X[:, :1]), name="refused")
    for p in zero.parameters():
        p.requires_grad = False
    with pytest.raises(GraphError, match="asks for a gradient"):
        surface_explorer(zero, losses.mse, (X, X[:, :1]), name="refused")
    model.kept = (line for line in "a generator")
    with pytest.raises(DataError, match="the model cannot be copied"):
        surface_explorer(model, losses.cross_entropy, (X, y), name="refused")
    with pytest.raises(BplibError, match="lr is 0"):
        surface_explorer(zero, losses.mse, (X, y), lr=0, name="refused")
