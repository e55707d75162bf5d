"""Every displayed formula of a notebook has an id, and a test that proves it with numbers names that id.

A formula is displayed if it stands between double dollars, or fills a cell of a table and holds a letter and a sign of
equality or an arrow. Its id is that of an anchor: on the line above, or in front of it in the cell of the table.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim
from bplib.landscape import descend_rates, sharpness, surface

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))

_ANCHOR = re.compile(r'<a id="eq-([\w-]+)"></a>')
_BLOCK = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_TABLE_CELL = re.compile(r'\s*(?:<a id="eq-([\w-]+)"></a>)? *\$([^$]+)\$\s*')
_LAYOUT = re.compile(r"\\(cdot|frac|hat|qquad|quad|text|left|right|;|,)(?![a-zA-Z])")


def displayed(text: str) -> Iterator[tuple[str, str]]:
    """The displayed formulas of a source, each with its id; an empty id where there is none."""
    prose = "\n".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    for block in _BLOCK.finditer(prose):
        above = prose[: block.start()].rsplit("\n", 2)
        anchor = _ANCHOR.fullmatch(above[-2]) if len(above) > 1 and not above[-1] else None
        yield block[1].strip(), anchor[1] if anchor else ""
    for row in prose.splitlines():
        for cell in map(_TABLE_CELL.fullmatch, row.strip("|").split("|") if row.startswith("|") else ()):
            if cell and says_something(cell[2]):
                yield cell[2], cell[1] or ""


def says_something(formula: str) -> bool:
    """Whether it relates names, and is no sum with numbers only."""
    return ("=" in formula or "arrow" in formula) and bool(re.search(r"[A-Za-z]", _LAYOUT.sub("", formula)))


def proved() -> Counter[str]:
    """The ids that tests name, with how often."""
    found: Counter[str] = Counter()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "mark.formula" in text else ():
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.update(marked(node))
    return found


def marked(test: ast.FunctionDef) -> Iterator[str]:
    """The ids in the decorators of a test."""
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.formula":
            yield from (str(ast.literal_eval(argument)) for argument in mark.args)


# -- the guard --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_displayed_formula_has_an_id_of_its_notebook(path: Path) -> None:
    found = list(displayed(path.read_text("utf-8")))
    assert [formula for formula, name in found if not name] == []
    assert all(name.startswith(f"{path.stem[:2]}-") for _, name in found), "an id begins with its notebook's number"
    # An anchor that belongs to no formula would be proved for nothing.
    assert Counter(_ANCHOR.findall(path.read_text("utf-8"))) == Counter(name for _, name in found)


def test_every_id_is_proved_by_one_test_and_every_proof_has_a_formula() -> None:
    shown = Counter(name for path in SOURCES for _, name in displayed(path.read_text("utf-8")))
    assert max(shown.values()) == 1
    assert proved() == shown


def test_the_search_for_formulas_finds_them_and_leaves_numbers_alone() -> None:
    text = r"""
# <a id="eq-99-one"></a>
# $$a = b$$
#
# $$c < d$$
# <a id="eq-99-three"></a>
# $$
# e < f
# $$
# Not on a line of its own: $$g < h$$
# | **Loss** | <a id="eq-99-two"></a> $L = \frac{1}{2} x$ | $\frac{1}{2} \cdot 4 = 2$ | $w$ | far below $1/\lambda$ |
# | $\eta = 1/\lambda$ | $w \leftarrow w - g$ |
"""
    assert [name for _, name in displayed(text)] == ["99-one", "", "99-three", "", "99-two", "", ""]


def test_a_proof_is_found_at_the_test_that_has_it() -> None:
    text = "@pytest.mark.formula('99-one')\n@pytest.mark.slow\ndef test_it(): ...\n"
    (test,) = ast.parse(text).body
    assert isinstance(test, ast.FunctionDef)
    assert list(marked(test)) == ["99-one"]


# -- the proofs -------------------------------------------------------------------------------------------------------


def stepped(w: float, gradient: float, lr: float) -> float:
    """One update of a weight with a loss of that gradient."""
    weight = nn.Parameter(np.array([w]))
    (gradient * weight).sum().backward()
    optim.SGD([weight], lr=lr).step()
    return float(weight.data[0])


@pytest.mark.formula("00-update")
def test_one_update_goes_against_the_gradient() -> None:
    assert stepped(2.0, 3.0, 0.1) == pytest.approx(1.7, abs=1e-15)
    assert stepped(-1.0, -4.0, 0.25) == pytest.approx(0.0, abs=1e-15)


@pytest.fixture
def by_hand() -> tuple[bplib.Tensor, bplib.Tensor, bplib.Tensor]:
    """The smallest network of notebook 06, w = 3, x = 2, y = 0: its weight, prediction and loss."""
    w = bplib.tensor([3.0], requires_grad=True)
    prediction = w * 2.0
    return w, prediction, (0.5 * (prediction - 0.0) ** 2).sum()


@pytest.mark.formula("06-forward")
def test_forward_multiplies_weight_and_input(by_hand: tuple[bplib.Tensor, ...]) -> None:
    assert by_hand[1].item() == 6.0
    assert (bplib.tensor([-1.5]) * 4.0).item() == -6.0


@pytest.mark.formula("06-loss")
def test_the_loss_is_half_the_squared_error(by_hand: tuple[bplib.Tensor, ...]) -> None:
    assert by_hand[2].item() == 18.0
    assert 0.5 * losses.mse(bplib.tensor([1.0]), [4.0]).item() == 4.5


@pytest.mark.formula("06-backward")
def test_the_gradient_is_error_times_input(by_hand: tuple[bplib.Tensor, ...]) -> None:
    w, _, loss = by_hand
    loss.backward()
    assert w.grad.tolist() == [12.0]

    def loss_at(weight: float) -> float:
        return 0.5 * (weight * 2.0) ** 2

    assert (loss_at(3.0 + 1e-6) - loss_at(3.0 - 1e-6)) / 2e-6 == pytest.approx(12.0, abs=1e-8)


@pytest.mark.formula("06-update")
def test_the_update_takes_rate_times_gradient_away(by_hand: tuple[bplib.Tensor, ...]) -> None:
    w, _, loss = by_hand
    loss.backward()
    optim.SGD([w], lr=0.1).step()
    assert w.data[0] == pytest.approx(1.8, abs=1e-15)


def distances(rate: float, curvature: float = 4.0, steps: int = 10) -> np.ndarray:
    """What is left of the distance 1 after every step on ½ · curvature · w²."""
    w = nn.Parameter(np.ones(1))
    optimizer, found = optim.SGD([w], lr=rate), [1.0]
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * curvature * w**2).sum().backward()
        optimizer.step()
        found.append(float(w.data[0]))
    return np.array(found)


@pytest.mark.formula("06-factor")
@pytest.mark.parametrize("rate", [0.03, 0.1, 0.25, 0.45, 0.5, 0.6])
def test_each_step_multiplies_by_one_minus_rate_times_curvature(rate: float) -> None:
    np.testing.assert_allclose(distances(rate), (1 - 4 * rate) ** np.arange(11), rtol=1e-12, atol=1e-15)
    ours = descend_rates(surface("bowl", condition_number=1, curvature=4), [rate], start=(0.0, 1.0), steps=10)
    np.testing.assert_allclose(ours.points[0, :, 1], distances(rate), rtol=1e-12, atol=1e-15)


@pytest.mark.formula("06-fastest")
@pytest.mark.parametrize("curvature", [0.5, 4.0, 16.0])
def test_one_over_the_curvature_is_there_in_one_step_and_no_other_rate(curvature: float) -> None:
    assert distances(1 / curvature, curvature, steps=1)[1] == 0.0
    assert all(abs(distances(share / curvature, curvature, steps=1)[1]) > 0.09 for share in (0.9, 1.1))


@pytest.mark.formula("06-limit")
def test_at_two_over_the_curvature_it_jumps_for_ever() -> None:
    assert distances(2 / 4, steps=6).tolist() == [1, -1, 1, -1, 1, -1, 1]
    assert abs(distances(1.01 * 2 / 4, steps=200)[-1]) > 10
    assert abs(distances(0.99 * 2 / 4, steps=200)[-1]) < 0.1


@pytest.mark.formula("06-sum")
def test_the_sum_of_32_losses_has_32_times_the_curvature() -> None:
    assert 1 - 0.07 * 128 == pytest.approx(-7.96)
    left = distances(0.07, 32 * 4.0, steps=4)
    assert np.abs(left[1:]).round().tolist() == [8, 63, 504, 4015]
    assert left[1] == pytest.approx(-7.96, abs=1e-12)
    x = np.linspace(-1, 1, 32)[:, None]
    mean, total = (curvature_of(x, reduction) for reduction in ("mean", "sum"))
    assert total / mean == pytest.approx(32, rel=1e-6)


def curvature_of(x: np.ndarray, reduction: str) -> float:
    def loss(prediction: bplib.Tensor, target: np.ndarray) -> bplib.Tensor:
        return 0.5 * losses.mse(prediction, target, reduction=reduction)

    return sharpness(nn.Linear(1, 1, rng=0), loss, (x, 0 * x), tolerance=1e-8)


@pytest.mark.formula("06-edge")
def test_below_two_over_the_rate_every_direction_shrinks_and_above_the_sharpest_grows() -> None:
    X = np.diag([1.0, 2.0, 3.0])
    layer = nn.Linear(3, 1, bias=False, rng=0)
    limit = 2 / sharpness(layer, losses.mse, (X, np.zeros((3, 1))), tolerance=1e-8)
    assert limit == pytest.approx(2 / 6, rel=1e-6)  # the mean of three squares: 2 · 9 / 3
    for rate, grows in ((0.99 * limit, []), (1.01 * limit, [2])):
        layer.theta[...] = 1.0
        optimizer = optim.SGD(layer.parameters(), lr=rate)
        for _ in range(300):
            optimizer.zero_grad()
            losses.mse(layer(X), np.zeros((3, 1))).backward()
            optimizer.step()
        assert np.flatnonzero(np.abs(layer.theta) > 1).tolist() == grows
