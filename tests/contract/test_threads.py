"""Two threads at once: each has its own graph, its own switches and its own gradients."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest

import bplib
from bplib import losses, nn, no_grad
from bplib.engine import apply
from bplib.journal import keepers
from bplib.modes import inspect_with, is_inspected, is_recording, unusual
from bplib.optim import SGD, Adam
from bplib.rules import TABLE
from tests.contract.graphs import X, Y, graph_of, learner, network


def together(*works):
    """Run functions at the same time and give what each returns; an error in one of them is raised here."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(work) for work in works]]


def trained(seed):
    model = nn.Sequential(nn.Linear(2, 3, rng=seed), nn.Tanh(), nn.Linear(3, 1, rng=seed + 1))
    optimizer = Adam(model.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        loss = losses.mse(model(X) * model[0](X).mean(), Y)
        loss.backward()
        optimizer.step()
    return loss.item(), model.theta.tobytes()


def test_two_threads_that_train_at_the_same_time_find_what_each_finds_alone():
    wanted = [trained(1), trained(5)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert together(lambda: trained(1), lambda: trained(5)) == wanted
    finally:
        sys.setswitchinterval(interval)


def test_a_walk_may_wait_while_another_thread_builds_and_walks_a_graph():
    waits, goes_on = threading.Event(), threading.Event()
    mine, other, alone = network(), network(), network()

    def slow():
        loss, results = graph_of(mine, learner(X))
        (mean,) = [one for one in results if one.operation.name == "mean"]  # the other branch is still to come then
        mean.register_hook(lambda g: waits.set() or (None if goes_on.wait(30) else g * np.nan))
        loss.backward()
        return mine.theta_grad.tobytes()

    def quick():
        assert waits.wait(30)
        graph_of(other, learner(X))[0].backward()
        goes_on.set()
        return other.theta_grad.tobytes()

    graph_of(alone, learner(X))[0].backward()
    with ThreadPoolExecutor(2) as pool:
        found = [future.result(timeout=30) for future in (pool.submit(slow), pool.submit(quick))]
    assert found == [alone.theta_grad.tobytes()] * 2


# ------------------------------------------------------------------------------------------------ switches


class Turns:
    """Lets two threads go on in turns: a thread waits for its number."""

    def __init__(self):
        self._events = {}

    def done(self, number):
        self._events.setdefault(number, threading.Event()).set()

    def after(self, number):
        assert self._events.setdefault(number, threading.Event()).wait(30)


@pytest.mark.parametrize("switch", [no_grad, bplib.detect_anomaly], ids=["no_grad", "detect_anomaly"])
def test_a_switch_of_one_thread_is_not_seen_by_the_other(switch):
    turns = Turns()

    def holder():
        with switch():
            turns.done("inside")
            turns.after("looked")

    def other():
        turns.after("inside")
        try:
            result = bplib.log(learner(0.0))  # -inf, which detect_anomaly refuses
        finally:
            turns.done("looked")
        return float(result), result.requires_grad

    assert together(holder, other)[1] == (-np.inf, True)


def test_a_thread_that_ends_within_a_switch_hands_it_on_to_nobody():
    """Numbers of threads are used again, and a later thread may get one that stands among the unusual ones."""
    w, found = bplib.tensor(2.0, requires_grad=True), []

    def ends_within():
        no_grad().__enter__()  # and never leaves
        inspect_with(Mock())
        assert threading.get_ident() in unusual

    def computes():
        found.append(((w * 3.0).requires_grad, is_inspected()))

    for work in (ends_within, computes, computes):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [(True, False)] * 2


def test_nobody_is_unusual_for_longer_than_it_takes():
    before = set(unusual)
    with no_grad(), bplib.detect_anomaly(), no_grad():
        assert unusual - before == {threading.get_ident()} - before
    assert unusual == before


def test_threads_that_leave_no_grad_in_another_order_leave_nothing_behind():
    turns = Turns()

    def first():
        with no_grad():
            turns.done("first is in")
            turns.after("second is in")
        turns.done("first is out")
        return is_recording()

    def second():
        turns.after("first is in")
        with no_grad():
            turns.done("second is in")
            turns.after("first is out")
        return is_recording()

    assert together(first, second) == [True, True]
    assert is_recording()


# ------------------------------------------------------------------------------------------------ gradients


@pytest.mark.parametrize("what", ["a backward that fails", "a call of grad"])
def test_what_happens_in_one_thread_takes_no_gradient_from_the_other(what):
    """Both are on their way back at the same time; one then fails, or hands its gradients over, and clears up."""
    turns, mine, other, alone = Turns(), network(), network(), network()
    losses.mse(alone(X), Y).backward()

    def slow():
        loss = losses.mse(mine(X), Y) * 1.0
        wait = loss * 1.0
        wait.register_hook(lambda g: turns.done("slow has begun") or turns.after("quick has landed"))
        wait.backward()
        turns.done("slow has ended")

    def quick():
        def last_hook(gradient):
            turns.done("quick has landed")
            turns.after("slow has ended")
            if what == "a backward that fails":
                raise ZeroDivisionError

        def loss_of(x):
            x = x * 1.0
            x.register_hook(last_hook)
            return other(x).sum()

        turns.after("slow has begun")
        if what == "a call of grad":
            # No hook runs there, so the walk is stopped by a gradient rule instead.
            multiply = TABLE["multiply"]
            rule = replace(multiply, gradient=lambda node, g: last_hook(g) or multiply.gradient(node, g))
            bplib.grad(lambda v: other(apply(rule, v, learner(1.0))).sum())(X)
        else:
            with pytest.raises(ZeroDivisionError):
                loss_of(learner(X)).backward()
        return [p.grad for p in other.parameters()]

    assert together(slow, quick)[1] == [None] * 4
    assert [p.grad is None for p in mine.parameters()] == [False] * 4
    assert mine.theta_grad.tobytes() == alone.theta_grad.tobytes()


def test_a_recorded_step_does_not_hold_what_another_thread_did():
    turns, mine, other = Turns(), network(), network()
    optimizer, its_optimizer = SGD(mine.parameters(), lr=0.1), SGD(other.parameters(), lr=0.1)
    losses.mse(other(X), Y).backward()

    def step(x):
        turns.done("recording")
        turns.after("stepped")
        loss = losses.mse(mine(x), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def neighbour():
        turns.after("recording")
        its_optimizer.step()
        turns.done("stepped")

    def recorded():
        fast = bplib.replay(step)
        fast(X)
        return fast

    fast = together(recorded, neighbour)[0]
    before, mine_before = other.theta.copy(), mine.theta.copy()
    fast(X)
    np.testing.assert_array_equal(other.theta, before)
    assert not (mine.theta == mine_before).all()


def test_a_journal_is_kept_in_one_thread_and_for_as_long_as_the_recording_takes():
    weight = bplib.tensor([1.0, 2.0], requires_grad=True)
    optimizer = bplib.optim.SGD([weight], lr=0.1)
    seen = []

    def step():
        seen.append(set(keepers))
        optimizer.zero_grad()
        loss = (weight * weight).sum()
        loss.backward()
        optimizer.step()
        return loss

    bplib.replay(step)()
    assert seen == [{threading.get_ident()}]
    assert keepers == set()
