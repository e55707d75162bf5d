"""Mistakes in the step of an optimizer: each is the step function with one thing wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.lessons.faults.fault import Fault
from bplib.optim import adadelta_step, adagrad_step, adam_step, adamw_step, nadam_step, rmsprop_step, sgd_step

__all__ = ["OPTIMIZER_FAULTS"]

Step = Callable[..., None]


def _upwards(step: Step) -> Fault:
    def broken(theta: Any, grad: Any, *rest: Any, **settings: Any) -> None:
        step(theta, -grad, *rest, **settings)

    sentence = "You add the gradient. It points uphill: subtract it to make the loss smaller."
    return Fault("upwards", broken, sentence, "M3")


def _without_momentum(theta: Any, grad: Any, velocity: Any = None, **settings: Any) -> None:
    sgd_step(theta, grad, None, **{**settings, "momentum": 0.0, "nesterov": False})


def _averaged_velocity(theta: Any, grad: Any, velocity: Any = None, *, momentum: float, **settings: Any) -> None:
    sgd_step(theta, grad * (1 - momentum), velocity, momentum=momentum, **settings)


def _look_ahead_left_out(theta: Any, grad: Any, velocity: Any = None, **settings: Any) -> None:
    sgd_step(theta, grad, velocity, **{**settings, "nesterov": False})


def _growing_weights(theta: Any, grad: Any, velocity: Any = None, *, weight_decay: float, **settings: Any) -> None:
    sgd_step(theta, grad, velocity, weight_decay=-weight_decay, **settings)


def _last_square_only(theta: Any, grad: Any, squares: Any, **settings: Any) -> None:
    adagrad_step(theta, grad, np.multiply(squares, 0.0, out=squares), **settings)


def _root_left_out(theta: Any, grad: Any, squares: Any, *, lr: Any, eps: float) -> None:
    squares += grad * grad
    theta -= lr * grad / (squares + eps)


def _adagrad_eps_inside(theta: Any, grad: Any, squares: Any, *, lr: Any, eps: float) -> None:
    squares += grad * grad
    theta -= lr * grad / np.sqrt(squares + eps)


def _rmsprop_eps_inside(theta: Any, grad: Any, squares: Any, velocity: Any = None, **settings: Any) -> None:
    eps = settings.pop("eps")
    following = settings["alpha"] * squares + (1 - settings["alpha"]) * grad * grad
    # √s·(step with ε inside) equals the step of a gradient that is shorter by √s/√(s + ε).
    shorter = np.sqrt(following) / np.sqrt(following + eps)
    before = squares.copy()
    rmsprop_step(theta, grad, squares, velocity, eps=0.0, **{**settings, "lr": settings["lr"] * shorter})
    squares[...] = settings["alpha"] * before + (1 - settings["alpha"]) * grad * grad


def _sum_of_squares(
    theta: Any, grad: Any, squares: Any, velocity: Any = None, *, alpha: float, **settings: Any
) -> None:
    rmsprop_step(theta, grad, squares, velocity, alpha=alpha, **settings)
    squares /= alpha


def _alpha_turned_round(
    theta: Any, grad: Any, squares: Any, velocity: Any = None, *, alpha: float, **settings: Any
) -> None:
    rmsprop_step(theta, grad, squares, velocity, alpha=1 - alpha, **settings)


def _plain_units(theta: Any, grad: Any, squares: Any, steps: Any, **settings: Any) -> None:
    steps[...] = 1.0
    adadelta_step(theta, grad, squares, steps, **settings)


def _gradients_for_steps(theta: Any, grad: Any, squares: Any, steps: Any, **settings: Any) -> None:
    adadelta_step(theta, grad, squares, steps, **settings)
    steps[...] = squares


def _adadelta_eps_outside(theta: Any, grad: Any, squares: Any, steps: Any, *, lr: Any, rho: float, eps: float) -> None:
    squares += (1 - rho) * (grad * grad - squares)
    step = (np.sqrt(steps) + eps) / (np.sqrt(squares) + eps) * grad
    steps += (1 - rho) * (step * step - steps)
    theta -= lr * step


def _betas_swapped(*arrays: Any, betas: tuple[float, float], **settings: Any) -> None:
    adam_step(*arrays, betas=betas[::-1], **settings)


def _counted_from_two(theta: Any, grad: Any, m: Any, v: Any, t: int, *rest: Any, **settings: Any) -> None:
    adam_step(theta, grad, m, v, t + 1, *rest, **settings)


def _without_correction(*arrays: Any, **settings: Any) -> None:
    adam_step(*arrays, **{**settings, "bias_correction": False})


def _adam_eps_inside(
    theta: Any, grad: Any, m: Any, v: Any, t: int, *rest: Any, lr: Any, betas: Any, eps: float, **settings: Any
) -> None:
    moments = m.copy(), v.copy()
    adam_step(np.zeros_like(theta), grad, *moments, t, lr=lr, betas=betas, eps=eps, bias_correction=False)
    v_hat = moments[1] / (1 - betas[1] ** t)
    longer = np.sqrt(v_hat) / np.sqrt(v_hat + eps)
    adam_step(theta, grad, m, v, t, *rest, lr=lr * longer, betas=betas, eps=0.0, **settings)


def _sizes_for_squares(
    theta: Any, grad: Any, m: Any, v: Any, t: int, *rest: Any, lr: Any, betas: Any, eps: float, **settings: Any
) -> None:
    beta1, beta2 = betas
    m += (1 - beta1) * (grad - m)
    v += (1 - beta2) * (np.abs(grad) - v)
    theta -= lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)


def _coupled_decay(*arrays: Any, **settings: Any) -> None:
    adam_step(*arrays, **settings)


def _growing_adamw(*arrays: Any, weight_decay: float, **settings: Any) -> None:
    adamw_step(*arrays, weight_decay=-weight_decay, **settings)


def _decay_without_rate(theta: Any, *rest: Any, weight_decay: float, **settings: Any) -> None:
    theta *= 1 - weight_decay
    adam_step(theta, *rest, **settings)


def _no_look_ahead(theta: Any, grad: Any, m: Any, v: Any, t: int, *, momentum_decay: float, **settings: Any) -> None:
    adam_step(theta, grad, m, v, t, **settings)


def _squares_uncorrected(
    theta: Any, grad: Any, m: Any, v: Any, t: int, *, lr: Any, betas: Any, eps: float, **settings: Any
) -> None:
    # With c = 1 − β₂ᵗ: (η/√c) m̂ / (√v/√c + ε/√c) = η m̂ / (√v + ε).
    root = np.sqrt(1 - betas[1] ** t)
    nadam_step(theta, grad, m, v, t, lr=lr / root, betas=betas, eps=eps / root, **settings)


def _constant_momentum(*arrays: Any, momentum_decay: float, **settings: Any) -> None:
    # 0.96 to a large power is 0: the warm-up of the momentum is over before it begins.
    nadam_step(*arrays, momentum_decay=1e6, **settings)


OPTIMIZER_FAULTS: dict[str, tuple[Fault, ...]] = {
    "SGD": (
        _upwards(sgd_step),
        Fault(
            "momentum-omitted",
            _without_momentum,
            "You step along the gradient alone. Nothing of the last step goes on.",
        ),
        Fault(
            "averaged-velocity",
            _averaged_velocity,
            "You multiply the new gradient by 1 − μ. Then the velocity is an average, and steps are 1/(1 − μ) times "
            "too short. Here the velocity is a sum: v ← μv + g.",
        ),
        Fault(
            "look-ahead-omitted",
            _look_ahead_left_out,
            "That is ordinary momentum. Nesterov adds μ times the new velocity.",
        ),
        Fault(
            "growing-weights",
            _growing_weights,
            "Your decay pushes the weights away from 0. It adds λθ to the gradient.",
        ),
    ),
    "AdaGrad": (
        _upwards(adagrad_step),
        Fault(
            "last-square-only",
            _last_square_only,
            "You keep the last squared gradient only. AdaGrad adds up all of them.",
        ),
        Fault("root-omitted", _root_left_out, "You divide by the sum of squares itself. Take its square root first."),
        Fault("eps-inside", _adagrad_eps_inside, "Your ε stands inside the square root. Here it is added outside."),
    ),
    "RMSProp": (
        _upwards(rmsprop_step),
        Fault("eps-inside", _rmsprop_eps_inside, "Your ε stands inside the square root. Here it is added outside."),
        Fault("sum-for-average", _sum_of_squares, "Your squares only grow. RMSProp forgets: the old average counts α."),
        Fault("alpha-turned-round", _alpha_turned_round, "You keep 1 − α of the average. α is the share that is kept."),
    ),
    "AdaDelta": (
        _upwards(adadelta_step),
        Fault("eps-outside", _adadelta_eps_outside, "Your ε stands outside the roots. In AdaDelta it is inside both."),
        Fault("plain-units", _plain_units, "You leave out the size of recent steps. It gives the step its unit."),
        Fault(
            "gradients-for-steps",
            _gradients_for_steps,
            "You average the gradients twice. The second average is of steps.",
        ),
    ),
    "Adam": (
        Fault("betas-swapped", _betas_swapped, "Your β₁ and β₂ have changed places. β₁ belongs to the gradient."),
        Fault("counted-from-two", _counted_from_two, "Your count is one too high. The first step has t = 1."),
        Fault(
            "correction-omitted",
            _without_correction,
            "You leave the averages as they are. They start at 0: divide by 1 − βᵗ.",
        ),
        Fault("eps-inside", _adam_eps_inside, "Your ε stands inside the square root. Here it is added outside."),
        Fault(
            "sizes-for-squares",
            _sizes_for_squares,
            "Your second average is of |g|. It is of g², and the root comes later.",
        ),
    ),
    "AdamW": (
        _upwards(adamw_step),
        Fault("growing-weights", _growing_adamw, "Your decay pushes the weights away from 0. It takes ηλθ away."),
        Fault("decay-coupled", _coupled_decay, "Your decay passes through Adam's averages. AdamW shrinks θ directly."),
        Fault("rate-omitted", _decay_without_rate, "Your decay ignores the learning rate. The share is η times λ."),
    ),
    "NAdam": (
        _upwards(nadam_step),
        Fault(
            "squares-uncorrected",
            _squares_uncorrected,
            "You leave the average of squares as it is. It starts at 0: divide by 1 − β₂ᵗ.",
        ),
        Fault(
            "no-look-ahead",
            _no_look_ahead,
            "That is Adam. NAdam uses the average as it will be after the next gradient.",
        ),
        Fault("constant-momentum", _constant_momentum, "Your momentum is β₁ from the first step. It grows from β₁/2."),
    ),
}
