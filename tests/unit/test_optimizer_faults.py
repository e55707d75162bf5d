"""Every named mistake in an optimizer is found by the published paths, and is the mistake that it says."""

import json
from pathlib import Path

import numpy as np
import pytest

from bplib import optim, tensor
from bplib.lessons.faults import OPTIMIZER_FAULTS
from bplib.optim import methods, moments

PUBLISHED = json.loads((Path(__file__).parent / "published/optimizers.json").read_text("utf-8"))["optimizers"]
STEPS = {
    "SGD": (methods, "sgd_step"), "AdaGrad": (methods, "adagrad_step"), "RMSProp": (methods, "rmsprop_step"),
    "AdaDelta": (methods, "adadelta_step"), "Adam": (moments, "adam_step"), "AdamW": (moments, "adamw_step"),
    "NAdam": (moments, "nadam_step"),
}  # fmt: skip
ALL = [(name, fault) for name, faults in OPTIMIZER_FAULTS.items() for fault in faults]


def path_of(case):
    theta = tensor(case["start"], requires_grad=True)
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in case["options"].items()}
    optimizer = getattr(optim, case["optimizer"])([theta], **options)
    path = []
    for _ in range(20):
        optimizer.zero_grad()
        if case["problem"] == "parabola":
            loss = (theta * theta * [0.5, 5.0, 0.05]).sum()
        else:
            loss = (1 - theta[0]) ** 2 + 5 * (theta[1] - theta[0] ** 2) ** 2
        loss.backward()
        optimizer.step()
        path.append(theta.numpy())
    return np.array(path)


def test_every_method_has_mistakes_and_no_two_share_a_name():
    assert set(OPTIMIZER_FAULTS) == set(STEPS)
    for faults in OPTIMIZER_FAULTS.values():
        assert len({fault.name for fault in faults}) == len(faults) >= 4
        assert len({fault.sentence for fault in faults}) == len(faults)


@pytest.mark.parametrize(("name", "fault"), ALL, ids=[f"{name}-{fault.name}" for name, fault in ALL])
def test_the_published_paths_find_the_mistake(name, fault, monkeypatch):
    monkeypatch.setattr(*STEPS[name], fault.make)
    found = []
    for case in PUBLISHED:
        if case["optimizer"] == name:
            path, expected = path_of(case), np.array(case["path"])
            assert np.isfinite(path[0]).all(), "a mistake is a wrong step, not a crash"
            found.append(not np.allclose(path, expected, rtol=1e-12, atol=1e-14))
    assert any(found)


@pytest.mark.parametrize("name", OPTIMIZER_FAULTS)
def test_no_two_mistakes_of_a_method_give_the_same_path(name, monkeypatch):
    cases = [case for case in PUBLISHED if case["optimizer"] == name]
    seen = []
    for fault in OPTIMIZER_FAULTS[name]:
        monkeypatch.setattr(*STEPS[name], fault.make)
        path = np.concatenate([path_of(case).ravel() for case in cases])
        assert not any(np.allclose(path, other, rtol=1e-9, equal_nan=True) for other in seen), fault.name
        seen.append(path)


def two_steps(make, *states, grads=(2.0, -1.0), **settings):
    theta, arrays = np.array([1.0]), [np.array([float(s)]) for s in states]
    moves, counts = [], settings.pop("counts", False)
    for t, g in enumerate(grads, start=1):
        before = theta.copy()
        make(theta, np.array([g]), *arrays, *([t] if counts else []), **settings)
        moves.append(float((before - theta)[0]))
    return moves


def fault_of(name, which):
    return next(fault.make for fault in OPTIMIZER_FAULTS[name] if fault.name == which)


def test_mistakes_worked_out_by_hand():
    plain = {"lr": 0.1, "momentum": 0.5, "nesterov": False, "weight_decay": 0.0}
    assert two_steps(fault_of("SGD", "upwards"), 0, **plain) == pytest.approx([-0.2, 0.0])
    assert two_steps(fault_of("SGD", "momentum-omitted"), 0, **plain) == pytest.approx([0.2, -0.1])
    assert two_steps(fault_of("SGD", "averaged-velocity"), 0, **plain) == pytest.approx([0.1, 0.0])
    square = {"lr": 0.1, "eps": 0.0}
    assert two_steps(fault_of("AdaGrad", "last-square-only"), 0, **square) == pytest.approx([0.1, -0.1])
    assert two_steps(fault_of("AdaGrad", "root-omitted"), 0, **square) == pytest.approx([0.05, -0.02])
    inside = two_steps(fault_of("AdaGrad", "eps-inside"), 0, lr=0.1, eps=5.0)
    assert inside == pytest.approx([0.2 / 3, -0.1 / 10**0.5])
    root = {"lr": 0.1, "alpha": 0.5, "momentum": 0.0}
    assert two_steps(fault_of("RMSProp", "eps-inside"), 0, eps=2.0, **root) == pytest.approx([0.1, -0.1 / 3.5**0.5])
    assert two_steps(fault_of("RMSProp", "sum-for-average"), 0, eps=0.0, **root) == pytest.approx(
        [0.2 / 2**0.5, -0.1 / 2.5**0.5]
    )
    adam = {"counts": True, "lr": 0.1, "betas": (0.5, 0.75), "eps": 3.0, "bias_correction": True}
    # m = 1, v = 1; corrected m = 2, v = 4: 0.1·2/√(4 + 3).
    assert two_steps(fault_of("Adam", "eps-inside"), 0, 0, grads=(2.0,), **adam) == pytest.approx([0.2 / 7**0.5])
    # The correction of the second step: m = 1/0.75, v = 1/(1 − 0.75²).
    late = 0.1 / 0.75 / ((1 / 0.4375) ** 0.5 + 3)
    assert two_steps(fault_of("Adam", "counted-from-two"), 0, 0, grads=(2.0,), **adam) == pytest.approx([late])
    assert two_steps(fault_of("Adam", "correction-omitted"), 0, 0, grads=(2.0,), **adam) == pytest.approx([0.025])
    # s = 2, u = (0 + 1)/(√2 + 1)·2.
    outside = two_steps(fault_of("AdaDelta", "eps-outside"), 0, 0, grads=(2.0,), lr=0.1, rho=0.5, eps=1.0)
    assert outside == pytest.approx([0.2 / (2**0.5 + 1)])
    growing = two_steps(fault_of("AdamW", "growing-weights"), 0, 0, grads=(0.0,), weight_decay=0.5, **adam)
    assert growing == pytest.approx([-0.05])
    # Only v = 1 is left as it is, where the right step divides by √4 + 3: the steps are as 5 to 4.
    nadam = {"lr": 0.1, "betas": (0.5, 0.75), "eps": 3.0, "weight_decay": 0.0, "momentum_decay": 0.004}
    wrong = two_steps(fault_of("NAdam", "squares-uncorrected"), 0, 0, grads=(2.0,), counts=True, **nadam)
    right = two_steps(optim.nadam_step, 0, 0, grads=(2.0,), counts=True, **nadam)
    assert wrong == pytest.approx([right[0] * 5 / 4])
    # The average of |g| is 2 where that of g² would be 4.
    sizes = 0.1 * 2 / (2**0.5 + 3)
    assert two_steps(fault_of("Adam", "sizes-for-squares"), 0, 0, grads=(2.0,), **adam) == pytest.approx([sizes])
