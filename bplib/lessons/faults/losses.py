"""Mistakes in a loss: each is called like the loss, and its number or its gradient is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.functional import clip, exp, log, log_softmax, logsumexp, relu, sigmoid, softmax, softplus, sqrt, where
from bplib.lessons.faults.fault import Fault
from bplib.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    mae,
    mse,
    nll,
)
from bplib.losses.agreement import as_matching, reduce
from bplib.tensors import Tensor, as_tensor

__all__ = ["LOSS_FAULTS"]

Loss = Callable[..., Tensor]
Share = Callable[[Tensor, Any], Tensor]
Piece = Callable[[Tensor, float], Tensor]

# -- ways to make a loss ----------------------------------------------------------------------------------------------


def _each(share: Callable[..., Tensor]) -> Loss:
    """Make a loss of the share of each number, or of each example."""

    def loss(prediction: Any, target: Any, *, reduction: str = "mean", **settings: Any) -> Tensor:
        prediction, target = as_matching("loss", prediction, target)
        truth = target.data.astype(prediction.dtype, copy=False)
        return reduce(share(prediction, truth, **settings), reduction)

    return loss


def _of_classes(loss: Loss) -> Loss:
    """Let the target name the classes: the loss sees 1 at the true class and 0 elsewhere."""

    def named(prediction: Any, target: Any, **settings: Any) -> Tensor:
        prediction, truth = as_tensor(prediction), np.asarray(target)
        if truth.ndim < prediction.ndim:
            truth = np.eye(prediction.shape[-1])[truth]
        return loss(prediction, truth, **settings)

    return named


def _each_class(share: Share) -> Loss:
    """Make a loss of the share of each class: an example has their sum."""
    return _of_classes(_each(lambda prediction, target: share(prediction, target).sum(axis=-1)))


def _margins(share: Callable[[Tensor], Tensor]) -> Loss:
    return _each(lambda prediction, target: share(prediction * target))


def _pieces(near: Piece, far: Piece, size: Callable[[Tensor], Tensor] = abs) -> Loss:
    def share(p: Tensor, y: np.ndarray, delta: float = 1.0) -> Tensor:
        error = p - y
        return where(size(error) <= delta, near(error, delta), far(error, delta))

    return _each(share)


def _of(change: Callable[[Any], Tensor], loss: Loss) -> Loss:
    """Change the prediction before the loss sees it."""
    return lambda prediction, target, **settings: loss(change(prediction), target, **settings)


def _then(change: Callable[[Tensor], Tensor], loss: Loss) -> Loss:
    """Change what the loss gives."""
    return lambda *pair, **settings: change(loss(*pair, **settings))


def _mean_over(count: Callable[[Tensor], int], loss: Loss) -> Loss:
    """Divide the sum by another count, where the mean is asked for."""

    def divided(prediction: Any, target: Any, *, reduction: str = "mean", **settings: Any) -> Tensor:
        if reduction != "mean":
            return loss(prediction, target, reduction=reduction, **settings)
        return loss(prediction, target, reduction="sum", **settings) * (1 / count(as_tensor(prediction)))

    return divided


def _sloped(loss: Loss, slope: Loss) -> Loss:
    """Leave the number of the loss as it is, and give it the gradient of `slope`."""

    def mixed(*pair: Any, **settings: Any) -> Tensor:
        leading = slope(*pair, **settings)
        return loss(*pair, **settings).detach() + (leading - leading.detach())

    return mixed


# -- mistakes that several losses share -------------------------------------------------------------------------------


def _sum(loss: Loss) -> Fault:
    sentence = "You add up and do not divide. Take the mean: else more examples make a larger loss and longer steps."
    return Fault("sum-for-mean", _mean_over(lambda scores: 1, loss), sentence, "M10")


def _mean_of_scores(loss: Loss) -> Fault:
    sentence = "You divide by the number of all scores. Divide by the number of examples: each has one share."
    return Fault("mean-over-scores", _mean_over(lambda scores: scores.size, loss), sentence)


def _minus(loss: Loss) -> Fault:
    sentence = "Your minus is missing. The logarithm of a probability is below 0; the loss is above."
    return Fault("minus-forgotten", _then(_negative, loss), sentence)


def _base(base: int, loss: Loss) -> Fault:
    sentence = f"Your logarithm has base {base}. Take the natural one: `np.log`."
    return Fault(f"log-of-base-{base}", _then(lambda value: value / float(np.log(base)), loss), sentence)


def _upwards(loss: Loss) -> Fault:
    sentence = "Your loss is right; its gradient has the wrong sign. It must point to where the loss grows."
    return Fault("gradient-turned-round", _sloped(loss, _then(_negative, loss)), sentence, "M3")


def _gradient_of_sum(loss: Loss) -> Fault:
    sentence = "Your loss is a mean, but your gradient is that of the sum. Divide both by the same number."
    return Fault("gradient-of-the-sum", _sloped(loss, _mean_over(lambda scores: 1, loss)), sentence, "M10")


# -- broken parts -----------------------------------------------------------------------------------------------------


def _negative(value: Tensor) -> Tensor:
    return -value


def _half(value: Tensor) -> Tensor:
    return 0.5 * value


def _square(error: Tensor, delta: float) -> Tensor:
    return 0.5 * error**2


def _line(error: Tensor, delta: float) -> Tensor:
    return delta * (abs(error) - 0.5 * delta)


def _delta_of_one(*pair: Any, delta: float = 1.0, **settings: Any) -> Tensor:
    return huber(*pair, **settings)


def _mistakes(z: Tensor, y: np.ndarray) -> Tensor:
    missed = z.data.argmax(axis=-1, keepdims=True) != y.argmax(axis=-1, keepdims=True)
    # 0 · z keeps the scores in the graph: a count has a gradient, and that is 0.
    return where(missed, y, 0.0 * z)


def _surprise(p: Tensor, y: np.ndarray) -> Tensor:
    """Give ln(y/p), and 0 where y is 0."""
    return np.log(y + (y == 0)) - log(where(y == 0, 1.0, p))


_ERROR = _each(lambda p, y: p - y)
_ERROR_AS_GRADIENT = _each(lambda p, y, **settings: 0.5 * (p - y) ** 2)
_YES = _each(lambda p, y: -y * log(p))
_YES_AND_NO = _each(lambda p, y: -(y * log(p) + (1 - y) * log(1 - p)))
_YES_OF_LOGITS = _each(lambda z, y: y * softplus(-z))
_SUM_HELD_FIXED = _each_class(lambda z, y: y * (logsumexp(z, axis=-1, keepdims=True).detach() - z))
_TRUE_CLASS_ALONE = _each_class(lambda z, y: y * z * (softmax(z).detach() - 1))
_SIGMOID_WITH_SQUARE = _of(sigmoid, _ERROR_AS_GRADIENT)
_SCORES_AS_GRADIENT = _each_class(lambda p, y: 0.5 * (p - y) ** 2)

LOSS_FAULTS: dict[str, tuple[Fault, ...]] = {
    "mse": (
        _sum(mse),
        Fault("half", _then(_half, mse), "You multiply by ½. Some books do; a mean of squares has no ½."),
        Fault("square-forgotten", _ERROR, "You average the errors as they are. Above and below cancel: square first."),
        Fault(
            "square-of-the-mean",
            _then(lambda error: error**2, _ERROR),
            "You take the mean first and square it. Square each error first: above and below must not cancel.",
        ),
        Fault("root", _then(sqrt, mse), "You also take the square root. Return the mean of the squares as it is."),
        Fault(
            "mean-over-rows",
            _mean_over(lambda p: int(np.prod(p.shape[:1])), mse),
            "You divide by the number of rows. Each number has its own target: divide by how many numbers there are.",
        ),
        Fault(
            "every-pair",
            _each(lambda p, y: (p.reshape(-1, 1) - y.ravel()) ** 2),
            "You compare each prediction with every target: a column minus a row gives a table. Use equal shapes.",
        ),
        _upwards(mse),
        _gradient_of_sum(mse),
        Fault("two-forgotten", _sloped(mse, _ERROR_AS_GRADIENT), "Your gradient lacks a 2. The slope of e² is 2e."),
    ),
    "mae": (
        _sum(mae),
        Fault("sign-kept", _ERROR, "You average the errors with their signs. Above and below cancel: take |e| first."),
        Fault("size-of-the-mean", _then(abs, _ERROR), "You average first and take |e| last. Take each |e| first."),
        Fault(
            "sizes-compared",
            _each(lambda p, y: abs(abs(p) - abs(y))),
            "You drop both signs, then subtract. So −2 and 2 count as equal. Subtract first.",
        ),
        Fault("squared", mse, "You square the errors. Here each error counts with its size |e|."),
        Fault("gradient-of-one", _sloped(mae, _ERROR), "Your gradient is never below 0. Where e is, it must be."),
        Fault("gradient-grows", _sloped(mae, _ERROR_AS_GRADIENT), "Your gradient is e. Only the sign of e counts."),
    ),
    "huber": (
        _sum(huber),
        Fault(
            "offset-forgotten",
            _pieces(_square, lambda error, delta: delta * abs(error)),
            "Your line lacks − ½ δ², so the loss jumps at |e| = δ. Line and square must meet there.",
        ),
        Fault(
            "slope-of-one",
            _pieces(_square, lambda error, delta: abs(error) - 0.5 * delta),
            "Your line has the slope 1. At |e| = δ the square has the slope δ, and the line goes on with it.",
        ),
        Fault(
            "half-forgotten", _pieces(lambda e, delta: e**2, _line), "Your square lacks the ½ and ends above the line."
        ),
        Fault("pieces-swapped", _pieces(_line, _square), "Your pieces are swapped. The square is for small errors."),
        Fault("delta-ignored", _delta_of_one, "Your δ is always 1. Use the `delta` that is given."),
        Fault(
            "one-sided",
            _pieces(_square, _line, lambda e: e),
            "You compare e with δ, not |e|. Large errors below 0 are still squared.",
        ),
        Fault(
            "gradient-without-limit",
            _sloped(huber, _ERROR_AS_GRADIENT),
            "Your gradient is e everywhere. Beyond δ the loss is a line: there the gradient stays at δ or −δ.",
        ),
    ),
    "cross_entropy": (
        _sum(cross_entropy),
        _mean_of_scores(cross_entropy),
        _minus(cross_entropy),
        _base(2, cross_entropy),
        Fault("softmax-forgotten", _each_class(lambda z, y: -y * z), "You average scores. `log_softmax` comes first."),
        Fault("softmax-twice", _of(softmax, cross_entropy), "You take the softmax twice. The loss takes it already."),
        Fault(
            "log-forgotten",
            _each_class(lambda z, y: -y * softmax(z)),
            "Your logarithm is missing: you average the probability itself. Its logarithm is the surprise.",
        ),
        Fault(
            "exp-overflows",
            _each_class(lambda z, y: -y * log(exp(z) / exp(z).sum(axis=-1, keepdims=True))),
            "Your `exp` is infinite from a score of 710 on. Subtract the largest score of the row first.",
            "M11",
        ),
        Fault(
            "softmax-over-examples",
            _each_class(lambda z, y: -y * log_softmax(z, axis=0)),
            "Your softmax runs down the columns. The probabilities of one example, a row, add up to 1.",
        ),
        Fault("mistakes-counted", _each_class(_mistakes), "You count mistakes. The slope of a count is 0.", "M20"),
        _upwards(cross_entropy),
        Fault(
            "sum-held-fixed",
            _sloped(cross_entropy, _SUM_HELD_FIXED),
            "Your gradient is −y. The sum that the softmax divides by moves with each score as well: it adds p.",
        ),
        Fault(
            "true-class-alone",
            _sloped(cross_entropy, _TRUE_CLASS_ALONE),
            "Only the true class gets a gradient. Raising another score lowers its probability too.",
        ),
    ),
    "nll": (
        _sum(nll),
        _mean_of_scores(nll),
        _minus(nll),
        Fault("exp-taken", _each_class(lambda s, y: -y * exp(s)), "You take `exp`. Keep the logarithms as they are."),
        Fault("softmax-twice", _of(exp, cross_entropy), "You take a softmax of probabilities. They had one already."),
        Fault(
            "counted-from-one",
            _each_class(lambda s, y: -s * np.roll(y, -1, -1)),
            "You count the classes from 1. They count from 0, like the places of an array.",
        ),
        Fault(
            "every-pair",
            _of_classes(_each(lambda s, y: -(s @ y.T))),
            "You take the true classes of all examples from each row. Take one from each: `[np.arange(n), target]`.",
        ),
        Fault("all-classes", _each_class(lambda s, y: -s), "You add up all classes. Only the true class counts."),
        _gradient_of_sum(nll),
    ),
    "binary_cross_entropy": (
        _sum(binary_cross_entropy),
        _minus(binary_cross_entropy),
        _base(10, binary_cross_entropy),
        Fault("no-left-out", _YES, "You count the yes alone. An answer of no costs −ln(1 − p)."),
        Fault(
            "answers-swapped",
            _of(lambda p: 1 - as_tensor(p), binary_cross_entropy),
            "Your terms have changed places. Where the answer is yes, ln p counts.",
        ),
        Fault(
            "target-in-the-logarithm",
            _each(lambda p, y: -(p * log(y) + (1 - p) * log(1 - y))),
            "You swap target and prediction. The target can be 0, and ln 0 is −∞: the prediction is in the ln.",
        ),
        Fault("sigmoid-twice", binary_cross_entropy_with_logits, "You take a sigmoid of probabilities. Leave it out."),
        Fault(
            "gradient-by-score",
            _sloped(binary_cross_entropy, _ERROR_AS_GRADIENT),
            "Your gradient is p − y, the one by the score before the sigmoid. By p, divide it by p(1 − p).",
        ),
        Fault(
            "no-without-gradient",
            _sloped(binary_cross_entropy, _YES),
            "Your gradient comes from the yes alone. Where the answer is no, p has to go down.",
        ),
    ),
    "binary_cross_entropy_with_logits": (
        _sum(binary_cross_entropy_with_logits),
        Fault("sigmoid-forgotten", _YES_AND_NO, "You take a score for a probability. The sigmoid makes it one."),
        Fault(
            "sigmoid-twice",
            _of(sigmoid, binary_cross_entropy_with_logits),
            "You take the sigmoid twice. The loss takes it already: pass the scores as they are.",
        ),
        Fault(
            "logarithm-of-zero",
            _of(sigmoid, _YES_AND_NO),
            "Your sigmoid rounds to 1 from a score of 37 on, and ln(1 − p) is −∞. Use `softplus` of the score.",
            "M11",
        ),
        Fault(
            "probability-clipped",
            _of(lambda z: clip(sigmoid(z), 1e-7, 1 - 1e-7), _YES_AND_NO),
            "You keep p away from 0 and 1. There the worst mistakes get no gradient. Use `softplus` of the score.",
            "M11",
        ),
        Fault("no-left-out", _YES_OF_LOGITS, "You count the yes alone. An answer of no costs softplus(z)."),
        _upwards(binary_cross_entropy_with_logits),
        Fault(
            "slope-of-the-sigmoid-left",
            _sloped(binary_cross_entropy_with_logits, _SIGMOID_WITH_SQUARE),
            "Your gradient still has the factor p(1 − p). The slope of the logarithm cancels it: p − y is left.",
        ),
    ),
    "hinge": (
        _sum(hinge),
        Fault(
            "margin-forgotten", _margins(lambda m: relu(-m)), "Your margin is missing. Below yŷ = 1 an answer costs."
        ),
        Fault("no-floor", _margins(lambda m: 1 - m), "Your max(0, …) is missing. Beyond the margin the loss is 0."),
        Fault("zero-for-no", _each(lambda s, y: relu(1 - s * y.clip(0))), "Your no is 0: the score drops out. Use −1."),
        Fault("target-forgotten", _each(lambda s, y: relu(1 - s)), "Your target is missing. Multiply the score by it."),
        Fault("turned-round", _margins(lambda m: relu(1 + m)), "You add yŷ: right answers cost most. Subtract it."),
        Fault("squared", _margins(lambda m: relu(1 - m) ** 2), "You square the distance. Here it counts as it is."),
        Fault(
            "gradient-beyond-the-margin",
            _sloped(hinge, _margins(lambda m: 1 - m)),
            "Your gradient is −y everywhere. Beyond the margin the loss is flat: there the gradient is 0.",
        ),
    ),
    "kl_divergence": (
        _sum(kl_divergence),
        _mean_of_scores(kl_divergence),
        _base(2, kl_divergence),
        Fault(
            "direction-reversed",
            _each_class(lambda p, y: p * (log(p) - log(y))),
            "You swap target and prediction. The target weighs the logarithms: y ln(y/p).",
        ),
        Fault("upside-down", _then(_negative, kl_divergence), "Your fraction is upside down. It is ln(y/p)."),
        Fault("entropy-left-out", _each_class(lambda p, y: -y * log(p)), "That is the cross-entropy. Add y ln y."),
        Fault("weights-forgotten", _each_class(_surprise), "You add up ln(y/p) alone. Multiply each by its y."),
        _gradient_of_sum(kl_divergence),
        Fault(
            "gradient-by-scores",
            _sloped(kl_divergence, _SCORES_AS_GRADIENT),
            "Your gradient is p − y, the one by the scores before the softmax. By p it is −y/p.",
        ),
    ),
}
"""For each loss, by its public name, the wrong ways to write it."""
