"""Write tests/unit/published/losses.json: what PyTorch gives for each loss, value and gradient.

Run it where PyTorch is installed: ``python scripts/make_loss_numbers.py``. The tests only read the file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

PLACE = Path(__file__).parent.parent / "tests/unit/published/losses.json"
SCORES = [[1.5, -0.25, 0.75], [-2.0, 0.125, 3.0]]
TRUTH = [[0.5, -1.25, 0.7], [2.5, 0.0, 2.75]]
SHARES = [[0.2, 0.3, 0.5], [0.0, 0.9, 0.1]]
CHANCES = [[0.9, 0.25, 0.5], [0.01, 0.625, 0.999]]
ANSWERS = [[1.0, 0.0, 1.0], [0.0, 0.25, 1.0]]
SIGNS = [[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]
FAR = [[1e4, -1e4, 40.0], [-40.0, 745.0, 0.0]]
EVEN = [[0.25, 0.25, 0.5], [0.1, 0.6, 0.3]]
CLASSES = [2, 1]


def _kl(p: Any, y: Any, reduction: str) -> Any:
    each = F.kl_div(p.log(), y, reduction="none").sum(dim=-1)
    return each if reduction == "none" else getattr(each, reduction)()


def _nll(scores: Any, y: Any, reduction: str) -> Any:
    return F.nll_loss(F.log_softmax(scores, dim=-1), y, reduction=reduction)


def _huber(delta: float) -> Callable[..., Any]:
    return lambda p, y, reduction: F.huber_loss(p, y, reduction=reduction, delta=delta)


def _hinge(p: Any, y: Any, reduction: str) -> Any:
    each = (1 - p * y).relu()
    return each if reduction == "none" else getattr(each, reduction)()


CASES: list[tuple[str, dict[str, float], Callable[..., Any], Any, Any]] = [
    ("mse", {}, F.mse_loss, SCORES, TRUTH),
    ("mse", {}, F.mse_loss, FAR, TRUTH),
    ("mae", {}, F.l1_loss, SCORES, TRUTH),
    ("mae", {}, F.l1_loss, FAR, TRUTH),
    ("huber", {"delta": 1.0}, _huber(1.0), SCORES, TRUTH),
    ("huber", {"delta": 0.1}, _huber(0.1), SCORES, TRUTH),
    ("huber", {"delta": 4.0}, _huber(4.0), FAR, TRUTH),
    ("cross_entropy", {}, F.cross_entropy, SCORES, CLASSES),
    ("cross_entropy", {}, F.cross_entropy, SCORES, SHARES),
    ("cross_entropy", {}, F.cross_entropy, FAR, CLASSES),
    ("nll", {}, _nll, SCORES, CLASSES),
    ("nll", {}, _nll, FAR, CLASSES),
    ("binary_cross_entropy", {}, F.binary_cross_entropy, CHANCES, ANSWERS),
    ("binary_cross_entropy", {}, F.binary_cross_entropy, EVEN, ANSWERS),
    ("binary_cross_entropy_with_logits", {}, F.binary_cross_entropy_with_logits, SCORES, ANSWERS),
    ("binary_cross_entropy_with_logits", {}, F.binary_cross_entropy_with_logits, FAR, ANSWERS),
    ("hinge", {}, _hinge, SCORES, SIGNS),
    ("hinge", {}, _hinge, FAR, SIGNS),
    ("kl_divergence", {}, _kl, EVEN, SHARES),
    ("kl_divergence", {}, _kl, EVEN[::-1], [[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]]),
]


def _numbers(loss: Callable[..., Any], prediction: Any, target: Any) -> dict[str, Any]:
    y = torch.tensor(target) if target is CLASSES else torch.tensor(target, dtype=torch.float64)
    found: dict[str, Any] = {}
    for reduction in ("mean", "sum", "none"):
        p = torch.tensor(prediction, dtype=torch.float64, requires_grad=True)
        value = loss(p, y, reduction=reduction)
        value.sum().backward()
        found[reduction] = {"value": value.tolist(), "gradient": p.grad.tolist()}
    return found


def main() -> None:
    """Write the file."""
    cases = [
        {"loss": name, "options": options, "prediction": p, "target": y, "expected": _numbers(loss, p, y)}
        for name, options, loss, p, y in CASES
    ]
    source = {
        "library": f"PyTorch {torch.__version__}, float64",
        "command": "python scripts/make_loss_numbers.py",
        "notes": "nll is taken behind log_softmax; hinge and the mean KL are written with its operations.",
    }
    PLACE.write_text(json.dumps({"source": source, "cases": cases}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
