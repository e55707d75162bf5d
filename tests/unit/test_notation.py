"""The notation page: every choice on it is proved on the library, under its name, and every example is run."""

import doctest
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim
from bplib.data import Standardizer
from bplib.tracing.figures import MINUS, number
from bplib.widgets.loop.words import number as number_of_the_stepper

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "notation.md").read_text("utf-8")
LESSONS = sorted((ROOT / "notebooks" / "src").glob("*.py"))
LIBRARY = sorted((ROOT / "bplib").rglob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "GLOSSARY.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    path for path in LIBRARY if path.relative_to(ROOT / "bplib").parts[0] in ("lessons", "tracing", "viz", "widgets")
]
PROOFS: dict[str, Callable[[], None]] = {}


def table(title):
    """The rows of the table below a heading, cell by cell."""
    lines = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()
    rows = [re.split(r"(?<!\\) *\| *", line.strip("| ")) for line in lines if line.startswith("|")]
    return rows[2:]


CHOICES = {name.strip("`"): (choice, example) for name, choice, example in table("Choices, made once")}


def proves(name):
    def keep(proof):
        PROOFS[name] = proof
        return proof

    return keep


def parameter(values):
    return bplib.tensor(values, requires_grad=True)


def slope(f, at):
    return bplib.grad(f)(at).tolist()


TWO_BY_TWO = [[1.0, 3.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]


@proves("mean-over-numbers")
def mean_over_numbers():
    assert losses.mse(*TWO_BY_TWO).item() == 26 / 4
    assert losses.mae(*TWO_BY_TWO).item() == 8 / 4
    assert losses.huber(*TWO_BY_TWO, delta=10.0).item() == 0.5 * 26 / 4


@proves("mean-over-examples")
def mean_over_examples():
    scores, classes = np.log([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]), [2, 0]
    surprises = [-np.log(0.5), -np.log(0.7)]
    assert losses.cross_entropy(scores, classes).item() == pytest.approx(sum(surprises) / 2, rel=1e-12)
    assert losses.cross_entropy(scores, classes, reduction="none").numpy() == pytest.approx(surprises, rel=1e-12)


@proves("half-of-the-sum")
def half_of_the_sum():
    y, start, lr = np.array([0.0, 1.0, 5.0, 2.0]), [1.0, 1.0, 2.0, -3.0], 0.1
    half, mean = parameter(start), parameter(start)
    (0.5 * losses.mse(half, y, reduction="sum")).backward()
    losses.mse(mean, y).backward()
    assert half.grad == pytest.approx(np.array(start) - y, rel=1e-12)
    optim.SGD([half], lr=lr).step()
    optim.SGD([mean], lr=lr * len(y) / 2).step()
    assert half.data == pytest.approx(mean.data, rel=1e-12)


@proves("half-of-huber")
def half_of_huber():
    assert losses.huber([0.5], [0.0]).item() == 0.5 * 0.5**2
    assert slope(lambda x: losses.huber(x, [0.0]), [0.5]) == [0.5]


@proves("natural-logarithm")
def natural_logarithm():
    assert bplib.log(np.e).item() == 1
    assert losses.cross_entropy([[0.0] * 10], [3]).item() == pytest.approx(np.log(10), rel=1e-12)
    assert losses.kl_divergence([0.5, 0.5], [1.0, 0.0]).item() == pytest.approx(1 / 1.4427, rel=1e-4)


@proves("update")
def update():
    w = parameter(2.0)
    (3.0 * w).backward()
    optim.SGD([w], lr=0.1).step()
    assert w.item() == pytest.approx(2.0 - 0.1 * 3.0, rel=1e-15)


@proves("all-at-once")
def all_at_once():
    v, w = parameter(2.0), parameter(3.0)
    (v * w).backward()
    optim.SGD([v, w], lr=0.1).step()
    assert (v.item(), w.item()) == pytest.approx((2.0 - 0.1 * 3.0, 3.0 - 0.1 * 2.0), rel=1e-15)


@proves("momentum")
def momentum():
    w, lr, beta = parameter(0.0), 0.1, 0.5
    optimizer = optim.SGD([w], lr=lr, momentum=beta)
    z, expected = 0.0, 0.0
    for gradient in (1.0, -2.0, 4.0):
        z = beta * z + gradient
        expected -= lr * z
        optimizer.zero_grad()
        (gradient * w).backward()
        optimizer.step()
        assert w.item() == pytest.approx(expected, rel=1e-14)


@proves("adam")
def adam():
    w, lr, (beta1, beta2), eps = parameter(0.0), 0.1, (0.9, 0.99), 0.5
    optimizer = optim.Adam([w], lr=lr, betas=(beta1, beta2), eps=eps)
    m = v = expected = 0.0
    for t, gradient in enumerate((0.5, -1.0, 2.0), start=1):
        m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
        expected -= lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        optimizer.zero_grad()
        (gradient * w).backward()
        optimizer.step()
        assert w.item() == pytest.approx(expected, rel=1e-12)


@proves("relu-at-0")
def relu_at_0():
    assert [slope(bplib.relu, at) for at in (-1.0, 0.0, 1.0)] == [0, 0, 1]
    assert bplib.relu([-2.0, 0.0, 2.0]).numpy().tolist() == [0, 0, 2]


@proves("sign-of-0")
def sign_of_0():
    assert slope(bplib.abs, 0.0) == 0
    assert slope(lambda x: losses.mae(x, [1.0, 1.0]), [1.0, 3.0]) == [0, 0.5]


@proves("ties")
def ties():
    assert slope(lambda a: bplib.maximum(a, 1.0), 1.0) == 1
    assert slope(lambda a: bplib.maximum(1.0, a), 1.0) == 0
    assert slope(lambda a: bplib.minimum(a, 1.0), 1.0) == 1
    assert slope(lambda a: a.max(), [2.0, 7.0, 7.0]) == [0, 1, 0]
    assert slope(lambda a: a.max(axis=1).sum(), [[7.0, 7.0]]) == [[1, 0]]


@proves("gradient-shape")
def gradient_shape():
    network = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=0))
    losses.mse(network(np.ones((4, 2))), np.zeros((4, 1))).backward()
    shapes = [p.grad.shape for p in network.parameters()]
    assert shapes == [p.shape for p in network.parameters()] == [(2, 3), (3,), (3, 1), (1,)]


@proves("gradients-add-up")
def gradients_add_up():
    w = parameter(2.0)
    for times in (1, 2, 3):
        (5.0 * w).backward()
        assert float(w.grad) == 5.0 * times
    optim.SGD([w], lr=0.1).zero_grad()
    (5.0 * w).backward()
    assert float(w.grad) == 5.0


@proves("starts-with-1")
def starts_with_1():
    w = parameter(4.0)
    loss = w * 3.0
    seen = []
    loss.register_hook(seen.append)
    loss.backward()
    assert [float(one) for one in seen] == [1.0]


@proves("examples-first")
def examples_first():
    X, y = bplib.data.xor()
    assert (X.shape, y.shape) == ((4, 2), (4, 1))
    assert nn.Linear(2, 3, rng=0)(X).shape == (4, 3)
    assert losses.cross_entropy(np.zeros((5, 3)), [0, 1, 2, 0, 1], reduction="none").shape == (5,)
    assert nn.Conv2d(1, 2, 3, rng=0)(np.zeros((5, 1, 8, 6))).shape == (5, 2, 6, 4)


@proves("column-of-a-unit")
def column_of_a_unit():
    layer, X = nn.Linear(2, 3, rng=0), np.array([[1.0, 2.0], [3.0, -1.0]])
    W, b = layer.weight.numpy(), layer.bias.numpy()
    assert (W.shape, b.shape) == ((2, 3), (3,))
    assert layer(X).numpy() == pytest.approx(X @ W + b, rel=1e-14)
    assert layer(X).numpy()[:, 1] == pytest.approx(X @ W[:, 1] + b[1], rel=1e-14)


@proves("from-0-or-1")
def from_0_or_1():
    scores = np.log([[0.2, 0.3, 0.5]])
    assert losses.cross_entropy(scores, [2]).item() == pytest.approx(-np.log(0.5), rel=1e-12)
    with pytest.raises(bplib.errors.DomainError, match="whether counting starts at 1"):
        losses.cross_entropy(scores, [3])
    w, m, v = np.zeros(1), np.zeros(1), np.zeros(1)
    optim.adam_step(w, np.array([3.0]), m, v, 1, lr=0.1, eps=0.0)  # with t = 0 it would divide by 0
    assert w[0] == pytest.approx(-0.1, rel=1e-12)
    told = bplib.trace((parameter(2.0) * 3.0 - 5.0) ** 2)
    assert "z1" in str(told)
    assert "z0" not in str(told)


@proves("divides-by-n")
def divides_by_n():
    assert Standardizer().fit([[1.0], [3.0]]).scale.tolist() == [1.0]
    assert nn.LayerNorm(2)([[1.0, 3.0]]).numpy() == pytest.approx(np.array([[-1.0, 1.0]]), rel=1e-4)


@proves("double-precision")
def double_precision():
    made = [bplib.tensor(1), bplib.tensor([1, 2]), bplib.tensor(True), *nn.Linear(2, 3, rng=0).parameters()]
    assert {one.dtype for one in made} == {np.dtype(np.float64)}
    assert bplib.tensor([1.0], dtype=np.float32).dtype == np.float32


@proves("same-seed")
def same_seed():
    def theta(rng):
        return nn.Sequential(nn.Linear(4, 3, rng=rng)).theta.tolist()

    assert theta(0) == theta(0) != theta(1)
    assert theta(0)[0] == 0.1369616873214543, "of PCG64, on every machine"
    assert theta(None) != theta(None)


@proves("rounding")
def rounding():
    third = bplib.tensor(1 / 3)
    assert (repr(third), third.item()) == ("tensor(0.333333)", 1 / 3)
    assert [number(value, 2) for value in (0.125, 0.375, 1 / 3)] == ["0.12", "0.38", "0.33"]
    assert number_of_the_stepper(1.0625) == "1.062"


@proves("minus-sign")
def minus_sign():
    assert (number(-0.5), number(-0.0), number_of_the_stepper(-0.5)) == (f"{MINUS}0.5", "0", f"{MINUS}0.500")
    assert (MINUS, repr(bplib.tensor(-0.5))) == ("\N{MINUS SIGN}", "tensor(-0.5)")


def test_the_page_and_the_proofs_have_the_same_names_in_the_same_order():
    assert list(CHOICES) == list(PROOFS)


@pytest.mark.parametrize("name", PROOFS)
def test_the_choice_holds_in_the_library(name):
    PROOFS[name]()


WITH_EXAMPLE = {name: re.fullmatch(r"`(.+)` gives `(.+)`", example) for name, (_, example) in CHOICES.items()}


@pytest.mark.parametrize("name", CHOICES)
def test_the_example_gives_what_the_page_says(name):
    found = WITH_EXAMPLE[name]
    if found is None:
        assert CHOICES[name][1] == "–"
        return
    head = PAGE.partition("```python\n")[2].partition("```")[0]
    lines = [f">>> {line}" for line in [*head.splitlines(), found[1]]]
    script = doctest.DocTestParser().get_doctest("\n".join([*lines, found[2], ""]), {}, name, None, 0)
    assert doctest.DocTestRunner(verbose=False).run(script).failed == 0


# -- letters ----------------------------------------------------------------------------------------------------------

LATEX = {"alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "rho", "sigma", "omega"}
SPOKEN = {row[0]: re.findall(r'"([^"]+)"', row[1])[0] for row in table("Greek letters")}


def test_every_greek_letter_a_learner_can_meet_is_spoken():
    met = set().union(*(re.findall(r"[α-ωΑ-Ω]", path.read_text("utf-8")) for path in [*PAGES, *LESSONS, *SHOWN]))
    assert met - set(SPOKEN) == set()
    written = set().union(*(re.findall(r"\\([a-z]+)\b", path.read_text("utf-8")) for path in LESSONS))
    assert LATEX & written <= set(SPOKEN.values())


def test_the_letters_stand_in_the_order_of_the_alphabet():
    small = [letter for letter in SPOKEN if letter.lower() == letter]
    assert small == sorted(small)


def test_a_letter_is_spoken_in_the_notebooks_as_it_is_here():
    spoken = re.compile(r'([α-ω]|\\[a-z]+)[$*]*\s*(?:#\s*)?\("([a-z]+)"\)')
    said = [pair for path in LESSONS for pair in spoken.findall(path.read_text("utf-8"))]
    assert len(said) >= 3
    assert [
        pair for pair in said if pair[1] != SPOKEN.get(pair[0], pair[0][1:]) or pair[1] not in SPOKEN.values()
    ] == []


def test_every_symbol_of_the_glossary_stands_on_the_page():
    rows = runpy.run_path(str(ROOT / "scripts/make_glossary.py"))["rows"]()
    used = {
        part for row in rows for part in row["symbol"].split(", ") if re.fullmatch(r"[^\W\d]\S?|[A-Z]{3}|s\.d\.", part)
    }
    listed = {part for row in table("Symbols") for part in row[0].split(", ")} | set(SPOKEN)
    assert used - listed == set()


@pytest.mark.parametrize("row", table("Symbols") + table("Greek letters"), ids=lambda row: row[0])
def test_what_the_page_names_in_the_code_exists(row):
    source = "\n".join(path.read_text("utf-8") for path in [*LIBRARY, *LESSONS])
    for code in re.findall("`([^`]+)`", " ".join(row[2:])):
        for name in code.split("."):
            assert re.search(rf"\b{name}\b", source), code


def test_every_row_of_the_tables_is_whole():
    for title, columns in (("Choices, made once", 3), ("Symbols", 5), ("Greek letters", 3), ("Signs", 3)):
        assert table(title)
        assert {len(row) for row in table(title)} == {columns}, title
