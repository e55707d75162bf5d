"""The optimizer race in words: who is lowest at a step, who has diverged, and whose path the loss scale has changed."""

from collections.abc import Sequence

import numpy as np

from bplib.widgets.depth.words import figures
from bplib.widgets.race.run import NAMES, Race

__all__ = ["loss_words", "race_sentence", "rate_words"]


def race_sentence(race: Race, step: int) -> str:
    """The race at one step.

    Parameters
    ----------
    race : Race
    step : int
        From 0 to 100.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.race.run import run
    >>> race_sentence(run("bowl", (-2.2, 1.0), 1), 100)
    'Step 100: lowest loss RMSProp 0.18, then momentum 0.329, SGD 2.06, AdaGrad 10.5, Adam 12.4.'
    >>> race_sentence(run("bowl", (-2.2, 1.0), 9, scale=32.0), 100)
    'Loss × 32, step 100: a new path for SGD and momentum (both diverge), the old one for AdaGrad, RMSProp and Adam.'
    """
    if (race.points == race.points[:, :1]).all():
        return "The gradient is 0 at this start: no optimizer moves."
    head = f"Step {step}" if race.scale == 1 else f"Loss × {figures(race.scale)}, step {step}"
    if step == 0:
        return f"{head}: all five start at the loss {figures(race.losses[0, 0])}, each with a learning rate of its own."
    gone = [name for name, out in zip(NAMES, race.diverged & (race.left <= step), strict=True) if out]
    ranked = [NAMES[which] for which in np.argsort(race.losses[:, step], kind="stable") if NAMES[which] not in gone]
    if race.scale == 1:
        return f"{head}: {_ranking(race, step, ranked)}{_diverge(gone)}"
    new = [name for name, moved in zip(NAMES, race.changed[:, step], strict=True) if moved]
    lowest = f" Lowest: {ranked[0]}." if ranked and not gone else ""
    return f"{head}: {_paths(new, gone)}{lowest}{_diverge([name for name in gone if name not in new])}"


def loss_words(race: Race, which: int, step: int) -> str:
    """The loss of one optimizer at a step, or that it has diverged.

    Parameters
    ----------
    race : Race
    which : int
        Position of the optimizer.
    step : int

    Returns
    -------
    str
    """
    if race.diverged[which] and race.left[which] <= step:
        return "diverged"
    return _loss(race, step, NAMES[which])


def rate_words(race: Race, which: int) -> str:
    """The learning rate of one optimizer, and whether a wider grid might have found a better one.

    Parameters
    ----------
    race : Race
    which : int
        Position of the optimizer.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.race.run import run
    >>> [rate_words(run("bowl", (-2.2, 1.0), 9), which) for which in (0, 4)]
    ['0.0316', "0.1, grid's end"]
    """
    said = figures(float(race.rates[which])).replace(".00·", "·").removeprefix("1·")
    if NAMES[which] in race.own:
        return f"{said}, yours"
    return f"{said}, grid's end" if race.at_the_end[which] else said


def _loss(race: Race, step: int, name: str) -> str:
    loss = float(race.losses[NAMES.index(name), step])
    return figures(loss) if np.isfinite(loss) else "infinite"


def _ranking(race: Race, step: int, ranked: Sequence[str]) -> str:
    if not ranked:
        return "none is left."
    lowest, *others = (f"{name} {_loss(race, step, name)}" for name in ranked)
    return f"lowest loss {', '.join([lowest, *(['then ' + others[0], *others[1:]] if others else [])])}."


def _paths(new: Sequence[str], gone: Sequence[str]) -> str:
    if not new:
        return "so far all five go where they went at × 1."
    old, out = [name for name in NAMES if name not in new], [name for name in new if name in gone]
    who = {len(new): "all" if len(new) > 2 else "both" if len(new) == 2 else "which"}.get(len(out), _and(out))
    said = f"a new path for {_and(new)}" + (f" ({who} {_verb(out)})" if out else "")
    return f"{said}, the old one for {_and(old)}." if old else f"{said}."


def _diverge(gone: Sequence[str]) -> str:
    said = f"{_and(gone)} {_verb(gone)}."
    return f" {said[0].upper()}{said[1:]}" if gone else ""


def _verb(names: Sequence[str]) -> str:
    return "diverges" if len(names) == 1 else "diverge"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
