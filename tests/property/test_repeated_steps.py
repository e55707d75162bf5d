"""Recorded steps of drawn networks, with drawn meddling between the calls, beside the same steps as written."""

import itertools
import random

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "nadam": lambda p: optim.NAdam(p, lr=0.01),
    "rmsprop": lambda p: optim.RMSProp(p, lr=0.01),
}
ROUNDS, TRIALS = 10, 30


class Drawn:
    """A network, its optimizer and a step; the same draw gives the same once more."""

    def __init__(self, seed):
        draw = random.Random(seed)
        self.dtype, self.classify = draw.choice([np.float64, np.float32]), draw.random() < 0.5
        widths = [3, *[5] * draw.randint(0, 3), 4]
        activation = draw.choice([nn.Tanh, nn.ReLU, nn.Sigmoid])
        layers = [nn.Linear(a, b, rng=i) for i, (a, b) in enumerate(itertools.pairwise(widths))]
        self.model = nn.Sequential(*[part for layer in layers for part in (layer, activation())][:-1])
        self.model.astype(self.dtype)
        self.parameters = list(self.model.parameters())
        groups = [{"params": self.parameters[:2]}, {"params": self.parameters[2:]}]
        apart = len(layers) > 1 and draw.random() < 0.3
        self.optimizer = OPTIMIZERS[draw.choice(sorted(OPTIMIZERS))](groups if apart else self.parameters)
        self.forget = draw.choice([self.optimizer.zero_grad, self.model.zero_grad])
        self.when, self.clip, self.update_first = draw.randrange(3), draw.random() < 0.3, draw.random() < 0.2

    def step(self, x, y):
        if self.update_first:
            self.optimizer.step()
        self._forget_if(0)
        prediction = self.model(x)
        self._forget_if(1)
        loss = (losses.cross_entropy if self.classify else losses.mse)(prediction, y)
        self._forget_if(2)
        loss.backward()
        if self.clip:
            optim.clip_grad_norm(self.parameters, 0.5)
        if not self.update_first:
            self.optimizer.step()
        return loss

    def _forget_if(self, now):
        if self.when == now:
            self.forget()

    def batch(self, rng):
        x = rng.normal(size=(7, 3)).astype(self.dtype)
        return x, rng.integers(4, size=7) if self.classify else rng.normal(size=(7, 4)).astype(self.dtype)

    def meddle(self, draw):
        p = draw.choice(self.parameters)
        what = draw.randrange(12)
        if what == 0:
            p.grad = None
        elif what == 1:
            p.grad = np.ones(p.shape)
        elif what == 2:
            p.requires_grad = not p.requires_grad
        elif what == 3:
            self.model.zero_grad()
        elif what == 4:
            p.assign(p.data * 0.5)
        elif what == 5:
            self.optimizer.param_groups[0]["lr"] *= 0.5
        elif what == 6:
            self.model.theta = self.model.theta * 0.9

    def everything(self):
        return [(p.data.tobytes(), None if p.grad is None else p.grad.tobytes()) for p in self.parameters]


@pytest.mark.parametrize("start", range(0, ROUNDS * TRIALS, TRIALS))
def test_a_drawn_step_and_its_repetition_agree_bit_for_bit_whatever_is_done_between_the_calls(start):
    for seed in range(start, start + TRIALS):
        written, repeated = Drawn(seed), Drawn(seed)
        fast, rng = bplib.replay(repeated.step), np.random.default_rng(seed)
        for call in range(6):
            x, y = written.batch(rng)
            loss = written.step(bplib.tensor(x), y if written.classify else bplib.tensor(y)).item()
            assert loss == fast(x, y), (seed, call)
            assert written.everything() == repeated.everything(), (seed, call)
            for drawn in (written, repeated):
                drawn.meddle(random.Random(1000 * seed + call))
            if not any(p.requires_grad for p in written.parameters):
                break
