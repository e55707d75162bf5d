"""Write tests/unit/published/optimizers.json: what PyTorch's optimizers and schedules do, step by step.

Run it where PyTorch is installed: ``python scripts/make_optimizer_numbers.py``. The tests only read the file.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import torch

PLACE = Path(__file__).parent.parent / "tests/unit/published/optimizers.json"
STARTS = {"parabola": [1.5, -2.0, 0.75], "rosenbrock": [-1.2, 1.0]}
OPTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("SGD", "SGD", {"lr": 0.02}),
    ("SGD", "SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", "SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    ("SGD", "SGD", {"lr": 0.02, "momentum": 0.5, "weight_decay": 0.1}),
    ("AdaGrad", "Adagrad", {"lr": 0.1}),
    ("AdaGrad", "Adagrad", {"lr": 0.1, "eps": 0.01}),
    ("RMSProp", "RMSprop", {"lr": 0.01}),
    ("RMSProp", "RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 0.001}),
    ("RMSProp", "RMSprop", {"lr": 0.01, "alpha": 0.95, "momentum": 0.9}),
    ("AdaDelta", "Adadelta", {}),
    ("AdaDelta", "Adadelta", {"lr": 0.5, "rho": 0.95, "eps": 1e-4}),
    ("Adam", "Adam", {}),
    ("Adam", "Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 0.01}),
    ("Adam", "Adam", {"lr": 0.1, "amsgrad": True, "betas": (0.5, 0.6)}),
    ("Adam", "Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("AdamW", "AdamW", {}),
    ("AdamW", "AdamW", {"lr": 0.1, "weight_decay": 0.5, "betas": (0.8, 0.9)}),
    ("AdamW", "AdamW", {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True, "betas": (0.5, 0.6)}),
    ("NAdam", "NAdam", {}),
    ("NAdam", "NAdam", {"lr": 0.1, "betas": (0.8, 0.95), "momentum_decay": 0.05}),
    ("NAdam", "NAdam", {"lr": 0.05, "weight_decay": 0.1, "eps": 1e-4}),
]
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 20}),
    ("CosineAnnealingLR", {"T_max": 29, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 30}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 30, "pct_start": 0.45}),
]
PLATEAUS = [{"patience": 2}, {"patience": 0, "factor": 0.5, "min_lr": 0.01}, {"threshold": 0.1, "patience": 3}]
LOSSES = [5.0, 4.0, 4.0, 4.5, 3.9, 3.8999, 3.89989, 3.8999, 3.8999, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7, 3.8, 2.0]


def _steps(name: str, problem: str, options: dict[str, Any]) -> list[list[float]]:
    theta = torch.tensor(STARTS[problem], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([theta], **options)
    curvatures = torch.tensor([1.0, 10.0, 0.1], dtype=torch.float64)
    path = []
    for _ in range(20):
        optimizer.zero_grad()
        if problem == "parabola":
            loss = 0.5 * (curvatures * theta * theta).sum()
        else:
            loss = (1 - theta[0]) ** 2 + 5 * (theta[1] - theta[0] ** 2) ** 2
        loss.backward()
        optimizer.step()
        path.append(theta.tolist())
    return path


def _optimizer() -> Any:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def _rates(name: str, options: dict[str, Any]) -> list[float]:
    optimizer = _optimizer()
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(29):
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def _plateau(options: dict[str, Any]) -> list[float]:
    optimizer, rates = _optimizer(), []
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    for loss in LOSSES:
        schedule.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def main() -> None:
    """Write the file."""
    # NAdam keeps the product of its momenta in the default type: in float32 its path is off by 1e-9.
    torch.set_default_dtype(torch.float64)
    warnings.simplefilter("ignore")  # a schedule without an optimizer's step is what is wanted here
    optimizers = [
        {"optimizer": ours, "options": options, "problem": problem, "start": start,
         "path": _steps(theirs, problem, options)}
        for ours, theirs, options in OPTIONS for problem, start in STARTS.items()
    ]  # fmt: skip
    schedules = [{"schedule": name, "options": options, "rates": _rates(name, options)} for name, options in SCHEDULES]
    plateaus = [{"options": options, "losses": LOSSES, "rates": _plateau(options)} for options in PLATEAUS]
    source = {
        "library": f"PyTorch {torch.__version__}, float64",
        "command": "python scripts/make_optimizer_numbers.py",
        "problems": "parabola: 0.5*(x² + 10 y² + 0.1 z²); rosenbrock: (1 - x)² + 5 (y - x²)²",
    }
    found = {"source": source, "optimizers": optimizers, "schedules": schedules, "plateaus": plateaus}
    PLACE.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
