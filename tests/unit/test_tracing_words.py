"""The story as it is read: whole texts for the examples of the course, single sentences for everything else."""

import numpy as np
import pytest

import bplib
from bplib import losses, nn, tensor, trace


def asking(value, name=None):
    return tensor(value, requires_grad=True, name=name)


def text(story):
    """The story without its margin, so that it can be compared line by line."""
    return [line.strip() for line in str(story).splitlines() if line.strip()]


def neuron():
    """The drawn graph of the slides: Loss = (f − 1)², f = σ(z), z = ω₁·x₁ + b."""
    x, w, b = asking(2.0, "x₁"), asking(0.5, "ω₁"), asking(-1.0, "b")
    product = w * x
    product.name = "ω₁·x₁"
    z = product + b
    z.name = "z"
    f = bplib.sigmoid(z)
    f.name = "f"
    return losses.mse(f, 1.0)


# ---------------------------------------------------------------------------------------------------- whole stories


def test_the_neuron_of_the_slides():
    assert str(trace(neuron())) == (
        """\
The story of Loss = 0.25, in 8 steps

What goes in
       ω₁ = 0.5, asks for a gradient
       x₁ = 2, asks for a gradient
       b = −1, asks for a gradient

Forward: each step computes one result
   1 · multiply: ω₁·x₁ = ω₁ × x₁ = 0.5 × 2 = 1
   2 · add: z = ω₁·x₁ + b = 1 + (−1) = 0
   3 · sigmoid: f = σ(z) = σ(0) = 0.5
   4 · squared_error: Loss = (f − 1)² = (0.5 − 1)² = 0.25

Backward: each step passes on incoming × local = outgoing
       the start: ∂Loss/∂Loss = 1
   5 · back through squared_error: ∂Loss/∂Loss = 1 comes in
         to f: incoming × local = 1 × (−1) = −1; local: ∂Loss/∂f = 2 × (f − 1) = −1
   6 · back through sigmoid: ∂Loss/∂f = −1 comes in
         to z: incoming × local = −1 × 0.25 = −0.25; local: ∂f/∂z = f × (1 − f) = 0.25
   7 · back through add: ∂Loss/∂z = −0.25 comes in
         to ω₁·x₁: incoming × local = −0.25 × 1 = −0.25; local: ∂z/∂(ω₁·x₁) = 1
         to b: incoming × local = −0.25 × 1 = −0.25; local: ∂z/∂b = 1
   8 · back through multiply: ∂Loss/∂(ω₁·x₁) = −0.25 comes in
         to ω₁: incoming × local = −0.25 × 2 = −0.5; local: ∂(ω₁·x₁)/∂ω₁ = x₁ = 2
         to x₁: incoming × local = −0.25 × 0.5 = −0.125; local: ∂(ω₁·x₁)/∂x₁ = ω₁ = 0.5

What has arrived: the gradients
       ∂Loss/∂ω₁ = −0.5
       ∂Loss/∂x₁ = −0.125
       ∂Loss/∂b = −0.25"""
    )


def test_the_chain_rule_of_the_slides():
    story = trace(neuron())
    assert story.chain("x₁") == (
        """\
∂Loss/∂x₁ = ∂Loss/∂f · ∂f/∂z · ∂z/∂(ω₁·x₁) · ∂(ω₁·x₁)/∂x₁
          = −1 × 0.25 × 1 × 0.5
          = −0.125"""
    )
    assert story.chain("ω₁").splitlines()[-1].endswith("= −0.5")
    assert story.chain("f") == "∂Loss/∂f = 2 × (f − 1)\n         = −1"
    (path,) = story.paths("x₁")
    assert [node.name for node in path.nodes] == ["Loss", "f", "z", "ω₁·x₁", "x₁"]
    assert path.product == -0.125


def test_a_fan_out():
    x = asking(3.0, "x")
    story = trace(x * x + x)
    assert text(story)[4:] == [
        "1 · multiply: z1 = x × x = 3 × 3 = 9",
        "2 · add: Loss = z1 + x = 9 + 3 = 12",
        "Backward: each step passes on incoming × local = outgoing",
        "the start: ∂Loss/∂Loss = 1",
        "3 · back through add: ∂Loss/∂Loss = 1 comes in",
        "to z1: incoming × local = 1 × 1 = 1; local: ∂Loss/∂z1 = 1",
        "to x: incoming × local = 1 × 1 = 1; local: ∂Loss/∂x (directly) = 1",
        "4 · back through multiply: ∂Loss/∂z1 = 1 comes in",
        "to x: incoming × local = 1 × 3 = 3; local: ∂z1/∂x (first operand) = x = 3; "
        "this is the second gradient to arrive at x: 1 + 3 = 4",
        "to x: incoming × local = 1 × 3 = 3; local: ∂z1/∂x (second operand) = x = 3; "
        "this is the third gradient to arrive at x: 4 + 3 = 7",
        "What has arrived: the gradients",
        "∂Loss/∂x = 7",
    ]
    assert story.chain("x").splitlines() == [
        "∂Loss/∂x = ∂Loss/∂z1 · ∂z1/∂x (first operand)",
        "         + ∂Loss/∂z1 · ∂z1/∂x (second operand)",
        "         + ∂Loss/∂x (directly)",
        "         = 1 × 3 + 1 × 3 + 1",
        "         = 7",
    ]


def test_two_two_one_with_a_layer_a_kink_and_a_mean():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.ReLU(), nn.Linear(2, 1, rng=1))
    model.theta = [1.0, -1.0, 2.0, 1.0, 0.0, 0.5, 2.0, 3.0, -1.0]
    story = trace(losses.mse(model([[1.0, 2.0], [0.0, -1.0]]), [[8.0], [-1.0]]))
    assert text(story)[1:] == [
        "What goes in",
        "x = [[1, 2], [0, −1]]",
        "W1 = [[1, −1], [2, 1]], asks for a gradient",
        "b1 = [0, 0.5], asks for a gradient",
        "W2 = [[2], [3]], asks for a gradient",
        "b2 = [−1], asks for a gradient",
        "y = [[8], [−1]]",
        "Forward: each step computes one result",
        "1 · linear: z1 = x @ W1 + b1 = [[1, 2], [0, −1]] @ [[1, −1], [2, 1]] + [0, 0.5] = [[5, 1.5], [−2, −0.5]]",
        "2 · relu: a1 = ReLU(z1) = ReLU([[5, 1.5], [−2, −0.5]]) = [[5, 1.5], [0, 0]]",
        "3 · linear: z2 = a1 @ W2 + b2 = [[5, 1.5], [0, 0]] @ [[2], [3]] + [−1] = [[13.5], [−1]]",
        "4 · squared_error: Loss = mean of (z2 − y)² = mean of ([[13.5], [−1]] − [[8], [−1]])² = 15.125",
        "Backward: each step passes on incoming × local = outgoing",
        "the start: ∂Loss/∂Loss = 1",
        "5 · back through squared_error: ∂Loss/∂Loss = 1 comes in",
        "to z2: incoming × local = 1 × [[5.5], [0]] = [[5.5], [0]]; local: ∂Loss/∂z2 = 2 × (z2 − y) ÷ 2",
        "6 · back through linear: ∂Loss/∂z2 = [[5.5], [0]] comes in",
        "to a1: incoming @ W2ᵀ = [[5.5], [0]] @ [[2, 3]] = [[11, 16.5], [0, 0]]",
        "to W2: a1ᵀ @ incoming = [[5, 0], [1.5, 0]] @ [[5.5], [0]] = [[27.5], [8.25]]",
        "to b2: incoming × local, summed over the examples: [[5.5], [0]] × 1 gives [5.5]; local: ∂z2/∂b2 = 1",
        "7 · back through relu: ∂Loss/∂a1 = [[11, 16.5], [0, 0]] comes in",
        "to z1: incoming × local = [[11, 16.5], [0, 0]] × [[1, 1], [0, 0]] = [[11, 16.5], [0, 0]]; "
        "local: ∂a1/∂z1 = 1 where z1 > 0, else 0",
        "8 · back through linear: ∂Loss/∂z1 = [[11, 16.5], [0, 0]] comes in",
        "to W1: xᵀ @ incoming = [[1, 0], [2, −1]] @ [[11, 16.5], [0, 0]] = [[11, 16.5], [22, 33]]",
        "to b1: incoming × local, summed over the examples: [[11, 16.5], [0, 0]] × 1 gives [11, 16.5]; "
        "local: ∂z1/∂b1 = 1",
        "What has arrived: the gradients",
        "∂Loss/∂W1 = [[11, 16.5], [22, 33]]",
        "∂Loss/∂b1 = [11, 16.5]",
        "∂Loss/∂W2 = [[27.5], [8.25]]",
        "∂Loss/∂b2 = [5.5]",
    ]
    assert story.chain("W1").splitlines() == [
        "∂Loss/∂W1 = ∂Loss/∂z2 · ∂z2/∂a1 · ∂a1/∂z1 · ∂z1/∂W1",
        "          where ∂Loss/∂z2 = 2 × (z2 − y) ÷ 2",
        "                ∂z2/∂a1: incoming @ W2ᵀ",
        "                ∂a1/∂z1 = 1 where z1 > 0, else 0",
        "                ∂z1/∂W1: xᵀ @ incoming",
        "          = [[11, 16.5], [22, 33]]",
    ]


def test_the_published_numbers_of_micrograd():
    """The expression in the README of karpathy/micrograd."""
    a, b = asking(-4.0, "a"), asking(2.0, "b")
    c = a + b
    d = a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + bplib.relu(b + a))
    d = d + (3 * d + bplib.relu(b - a))
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.name = "g"
    story = trace(g)
    found = (story.nodes[-1].value, *story.gradients.values())
    assert [f"{x:.4f}" for x in found] == ["24.7041", "138.8338", "645.5773"]
    assert story.count_paths("a") == len(story.paths("a", 100)) == 24
    total = sum(path.product for path in story.paths("a", 100))
    assert abs(total - float(story.gradients["a"])) < 1e-12
    assert text(story)[-2:] == ["∂g/∂a = 138.834", "∂g/∂b = 645.577"]


# --------------------------------------------------------------------------------------------------------- at kinks


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (bplib.relu, "1 × 0 = 0; local: ∂Loss/∂x = 0, because x = 0, and at this kink the rule takes 0"),
        (
            bplib.leaky_relu,
            "1 × 0.01 = 0.01; local: ∂Loss/∂x = 0.01, because x = 0, and at this kink the rule takes 0.01",
        ),
        (abs, "1 × 0 = 0; local: ∂Loss/∂x = 0, because x = 0, and at this kink the rule takes 0"),
        (lambda x: bplib.maximum(x, 0.0), "1 × 1 = 1; local: ∂Loss/∂x = 1, because a tie goes to the first"),
        (lambda x: bplib.maximum(0.0, x), "1 × 0 = 0; local: ∂Loss/∂x = 0, because a tie goes to the first"),
        (lambda x: bplib.minimum(x, 0.0), "1 × 1 = 1; local: ∂Loss/∂x = 1, because a tie goes to the first"),
        (lambda x: bplib.clip(x, 0.0, 1.0), "1 × 1 = 1; local: ∂Loss/∂x = 1, because x stays as it is"),
    ],
)
def test_the_convention_at_a_kink_is_said(f, words):
    assert text(trace(f(asking(0.0, "x"))))[-3] == f"to x: incoming × local = {words}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([2.0, 5.0, 5.0], "1 for the largest, 0 for the others, and a tie goes to the first"),
        ([2.0, 5.0, 4.0], "1 for the largest, 0 for the others"),
    ],
)
def test_a_tie_of_the_largest_is_said_where_there_is_one(values, words):
    line = text(trace(asking(values, "a").max()))[-3]
    assert line == f"to a: incoming × local = 1 × [0, 1, 0] = [0, 1, 0]; local: ∂Loss/∂a = {words}"


# ------------------------------------------------------------------------------------------------ one sentence each

X = np.array([[1.0, 2.0], [3.0, 4.0]])
FORWARD = [
    (lambda x: x - (-2.0), 3.0, "subtract: Loss = x − (−2) = 3 − (−2) = 5"),
    (lambda x: x / -2.0, 3.0, "divide: Loss = x ÷ (−2) = 3 ÷ (−2) = −1.5"),
    (lambda x: -x, -3.0, "negative: Loss = −x = −(−3) = 3"),
    (lambda x: x**-2.0, -2.0, "power: Loss = x^(−2) = (−2)^(−2) = 0.25"),
    (abs, -2.0, "abs: Loss = |x| = |−2| = 2"),
    (bplib.exp, 0.0, "exp: Loss = exp(x) = exp(0) = 1"),
    (bplib.log, 1.0, "log: Loss = ln(x) = ln(1) = 0"),
    (bplib.sqrt, 9.0, "sqrt: Loss = √(x) = √(9) = 3"),
    (lambda x: bplib.clip(x, -1, 2), 5.0,
     "clip: Loss = clip(x), at least −1 and at most 2 = clip(5), at least −1 and at most 2 = 2"),
    (lambda x: bplib.where(True, x, 0.0), 5.0,
     "where: Loss = x where the condition holds, else 0 = 5 where the condition holds, else 0 = 5"),
    (lambda x: x.sum(), [1.0, -2.0], "sum: Loss = sum of x = 1 + (−2) = −1"),
    (lambda x: x.mean(), [1.0, 2.0], "mean: Loss = mean of x = (1 + 2) ÷ 2 = 1.5"),
    (lambda x: x.sum(axis=0), X, "sum: z1 = sum of x over axis 0 = sum of [[1, 2], [3, 4]] over axis 0 = [4, 6]"),
    (lambda x: x.min(axis=(0, 1)), X,
     "min: Loss = smallest of x over axes 0 and 1 = smallest of [[1, 2], [3, 4]] over axes 0 and 1 = 1"),
    (lambda x: x.max(1, keepdims=True), X,
     "max: z1 = largest of x over axis 1, kept with length 1 = "
     "largest of [[1, 2], [3, 4]] over axis 1, kept with length 1 = [[2], [4]]"),
    (lambda x: bplib.logsumexp(x), [0.0, 0.0], "logsumexp: Loss = ln Σ exp(x) = ln Σ exp([0, 0]) = 0.693147"),
    (bplib.softmax, [1.0, 1.0], "softmax: z1 = softmax(x) = softmax([1, 1]) = [0.5, 0.5]"),
    (bplib.softmax, [[1.0, 1.0]],
     "softmax: z1 = softmax(x) along axis 1 = softmax([[1, 1]]) along axis 1 = [[0.5, 0.5]]"),
    (lambda x: x.reshape(-1), X, "reshape: z1 = x in shape (4,) = [[1, 2], [3, 4]] in shape (4,) = [1, 2, 3, 4]"),
    (lambda x: x.T, X, "transpose: z1 = xᵀ = [[1, 2], [3, 4]]ᵀ = [[1, 3], [2, 4]]"),
    (lambda x: x[:, 1:], X, "getitem: z1 = x[:, 1:] = [[1, 2], [3, 4]][:, 1:] = [[2], [4]]"),
    (lambda x: x[[0, 0]], [7.0, 8.0], "getitem: z1 = x[[0, 0]] = [7, 8][[0, 0]] = [7, 7]"),
    (lambda x: x @ [1.0, 1.0], X, "matmul: z1 = x @ x2 = [[1, 2], [3, 4]] @ [1, 1] = [3, 7]"),
    (lambda x: bplib.stack([x, 2.0]), 1.0,
     "stack: z1 = stack(x, 2) along a new axis 0 = stack(1, 2) along a new axis 0 = [1, 2]"),
    (lambda x: bplib.concatenate([x, x]), [1.0],
     "concatenate: z1 = concatenate(x, x) along axis 0 = concatenate([1], [1]) along axis 0 = [1, 1]"),
    (lambda x: losses.mae(x, [3.0, 1.0]), [1.0, 1.0],
     "absolute_error: Loss = mean of |x − y| = mean of |[1, 1] − [3, 1]| = 1"),
    (lambda x: losses.mse(x, [-2.0], reduction="sum"), [1.0], "squared_error: Loss = (x − y)² = ([1] − [−2])² = 9"),
    (lambda x: losses.cross_entropy(x, 1), [0.0, 0.0],
     "softmax_cross_entropy: Loss = −ln softmax(x) at the true class 1 = "
     "−ln softmax([0, 0]) at the true class 1 = 0.693147"),
    (lambda x: x * 2.0, np.zeros((5, 3)), "multiply: z1 = x × 2, an array of shape (5, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "value", "sentence"), FORWARD, ids=[sentence[:40] for _, _, sentence in FORWARD])
def test_a_forward_sentence(f, value, sentence):
    result = f(asking(value, "x"))
    step = trace(result, np.ones(result.shape) if result.size > 1 else None).forward[-1]
    assert step.sentence == sentence
    assert str(step) == f"1 · {step.sentence}"


BACKWARD = [
    (lambda x: x / 4.0, 2.0, "incoming × local = 1 × 0.25 = 0.25; local: ∂Loss/∂x = 1 ÷ 4 = 0.25"),
    (lambda x: 4.0 / x, 2.0, "incoming × local = 1 × (−1) = −1; local: ∂Loss/∂x = −4 ÷ x² = −1"),
    (lambda x: x**3, 2.0, "incoming × local = 1 × 12 = 12; local: ∂Loss/∂x = 3 × x^2 = 12"),
    (lambda x: x**1, 2.0, "incoming × local = 1 × 1 = 1; local: ∂Loss/∂x = 1"),
    (lambda x: 2.0**x, 3.0, "incoming × local = 1 × 5.54518 = 5.54518; local: ∂Loss/∂x = Loss × ln(2) = 5.54518"),
    (bplib.exp, 0.0, "incoming × local = 1 × 1 = 1; local: ∂Loss/∂x = Loss = 1"),
    (bplib.log, 4.0, "incoming × local = 1 × 0.25 = 0.25; local: ∂Loss/∂x = 1 ÷ x = 0.25"),
    (bplib.sqrt, 4.0, "incoming × local = 1 × 0.25 = 0.25; local: ∂Loss/∂x = 1 ÷ (2 × Loss) = 0.25"),
    (bplib.tanh, 0.0, "incoming × local = 1 × 1 = 1; local: ∂Loss/∂x = 1 − Loss² = 1"),
    (bplib.softplus, 0.0, "incoming × local = 1 × 0.5 = 0.5; local: ∂Loss/∂x = σ(x) = 0.5"),
    (bplib.relu, -3.0, "incoming × local = 1 × 0 = 0; local: ∂Loss/∂x = 0, because x < 0"),
    (lambda x: bplib.minimum(x, 2.0), 3.0,
     "incoming × local = 1 × 0 = 0; local: ∂Loss/∂x = 0, because 2 is the smaller"),
    (lambda x: bplib.clip(x, 0, 2), 3.0, "incoming × local = 1 × 0 = 0; local: ∂Loss/∂x = 0, because x is cut off"),
    (lambda x: x.mean(), [1.0, 2.0],
     "incoming × local, the same for every element: 1 × 0.5 gives [0.5, 0.5]; local: ∂Loss/∂x = 1 ÷ 2 = 0.5"),
    (lambda x: (x * np.ones((2, 3)))[0], 2.0,
     "incoming × local, summed over axes 0 and 1 because it was repeated there: "
     "[[1, 1, 1], [0, 0, 0]] × 1 gives 3; local: ∂z1/∂x = x2 = 1"),
    (lambda x: x + np.ones((2, 1)), [1.0, 2.0],
     "incoming × local, summed over axis 0 because it was repeated there: [[1, 1], [1, 1]] × 1 gives [2, 2]; "
     "local: ∂z1/∂x = 1"),
    (lambda x: x[1], [4.0, 5.0], "incoming, each number back where it came from: 1 gives [0, 1]"),
    (lambda x: bplib.softmax(x)[0], [0.0, 0.0],
     "incoming @ the table z1ᵢ × (δᵢⱼ − z1ⱼ) = [1, 0] @ the table [[0.25, −0.25], [−0.25, 0.25]] = "
     "[0.25, −0.25]"),
    (lambda x: x @ [1.0, 2.0], [3.0, 4.0], "incoming × local = 1 × [1, 2] = [1, 2]; local: ∂Loss/∂x = x2"),
    (lambda x: x @ [1.0, 2.0], X,
     "incoming as a column × x2 as a row = [1, 1] as a column × [1, 2] as a row = [[1, 2], [1, 2]]"),
    (lambda x: losses.mae(x, [3.0, 1.0]), [1.0, 1.0],
     "incoming × local = 1 × [−0.5, 0] = [−0.5, 0]; local: ∂Loss/∂x = sign(x − y) ÷ 2"),
    (lambda x: losses.cross_entropy(x, [1, 0]), np.zeros((2, 2)),
     "incoming × local = 1 × [[0.25, −0.25], [−0.25, 0.25]] = [[0.25, −0.25], [−0.25, 0.25]]; local: "
     "∂Loss/∂x = (softmax(x) − target) ÷ 2"),
    (lambda x: x * 2.0, np.zeros((5, 3)), "incoming × local = an array of shape (5, 3); local: ∂z1/∂x = 2"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "value", "sentence"), BACKWARD, ids=[sentence[-50:] for _, _, sentence in BACKWARD])
def test_a_backward_sentence(f, value, sentence):
    result = f(asking(value, "x"))
    step = trace(result, np.ones(result.shape) if result.size > 1 else None).backward[-1]
    (share,) = step.shares
    assert share.sentence == f"to x: {sentence}"
    assert step.sentence == f"{step.opening}. {share.sentence}"


# ---------------------------------------------------------------------------------------------------- many and long


def test_a_long_story_is_cut_in_the_middle_and_says_how_much():
    y = asking(1.0, "x")
    for _ in range(300):
        y = y * 1.01
    lines = text(trace(y))
    assert lines[0] == "The story of Loss = 19.7885, in 600 steps"
    assert lines.count("… 280 more …") == 2
    assert sum(" · " in line for line in lines) == 40
    assert [line.split(" · ")[0] for line in lines if " · " in line][::10] == ["1", "291", "301", "591"]


def test_a_story_that_is_hardly_too_long_is_not_cut():
    y = asking(1.0, "x")
    for _ in range(21):
        y = y * 1.01
    assert not any("more" in line for line in text(trace(y)))


def test_many_leaves_are_counted():
    total = asking(0.0, "w0")
    for i in range(1, 30):
        total = total + asking(float(i), f"w{i}")
    lines = text(trace(total))
    assert lines[1:5] == ["What goes in", "w0 = 0, asks for a gradient", "w1 = 1, asks for a gradient",
                          "w2 = 2, asks for a gradient"]  # fmt: skip
    assert lines.count("… 18 more …") == 2


def test_paths_that_double_with_every_step_are_counted_not_listed():
    y = asking(1.0, "x")
    for _ in range(200):
        y = y + y
    story = trace(y)
    assert story.count_paths("x") == 10**15
    assert len(story.paths("x")) == 6
    assert story.chain("x", 2).splitlines()[2].strip() == "+ … (10¹⁵ or more paths)"


def test_paths_beyond_those_written_are_counted():
    x = asking(2.0, "x")
    story = trace(((x * x) * (x * x)) * x)
    assert story.count_paths("x") == 5
    lines = story.chain("x", 4).splitlines()
    assert lines[4].strip() == "+ … (1 more path)"
    assert lines[-1] == "         = 80"
    assert sum(path.product for path in story.paths("x")) == 80.0


def test_a_long_chain_is_cut_in_the_middle():
    y = asking(1.0, "x")
    for _ in range(30):
        y = y * 2.0
    first, second, third = trace(y).chain("x").splitlines()
    assert first.startswith("∂Loss/∂x = ∂Loss/∂z29 · ∂z29/∂z28 · ")
    assert first.endswith(" · … (20 more) … · ∂z5/∂z4 · ∂z4/∂z3 · ∂z3/∂z2 · ∂z2/∂z1 · ∂z1/∂x")
    assert second.split() == ["=", *" × ".join([*"22222", "… (20 more) …", *"22222"]).split()]
    assert third.split() == ["=", "1.07374e+09"]


def test_a_chain_that_starts_with_a_gradient_passed_in():
    story = trace(asking(3.0, "x") * 2.0, 10.0)
    assert story.chain("x") == "∂Loss/∂x = ∂Loss/∂z1 · ∂z1/∂x\n         = 10 × 2\n         = 20"


def test_a_trace_says_shortly_what_it_is():
    assert repr(trace(asking(1.0, "x") * 2.0)) == (
        "Trace(3 nodes, 1 forward and 1 backward steps; print it to read the story)"
    )


def test_no_line_of_a_story_carries_an_address():
    story = trace(losses.mse(nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())(X), np.ones((2, 3))))
    words = [str(story), repr(story), *map(repr, story.nodes), *map(repr, story), story.chain("W1")]
    assert not any("0x" in word or "object at" in word for word in words)
