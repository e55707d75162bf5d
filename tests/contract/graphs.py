"""Small graphs for the contracts of the engine, and the words for one that is out of date."""

import numpy as np

import bplib
from bplib import losses, nn, tensor

X = np.array([[1.0, 2.0], [0.5, -1.0]])
Y = np.array([[1.0], [0.0]])

CHANGED = (
    "backward: {} was changed after '{}' had used it. The gradient would belong to values that are gone. "
    "Run the forward pass again, and update the weights only after backward."
)


def learner(data, name=None):
    return tensor(data, requires_grad=True, name=name)


def network():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))


def graph_of(model, x):
    """Give a loss of separate operations, and all the results on the way to it."""
    hidden = bplib.tanh(model[0](x * 1.0))
    loss = losses.mse(model[2](hidden) + hidden.mean(), Y)
    waiting, results = [loss], {}
    while waiting:
        node = waiting.pop()
        if node.operation is not None:
            results[node] = True
            waiting += node.parents
    return loss, list(results)
