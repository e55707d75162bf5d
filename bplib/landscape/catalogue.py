"""The surfaces by their names."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from bplib.checks import as_number
from bplib.errors import DomainError
from bplib.landscape import benchmarks, figures
from bplib.landscape.surfaces import Surface

__all__ = ["SURFACES", "surface"]


def surface(name: str, **settings: float) -> Surface:
    """Give a named surface: a loss over two weights of which everything is known.

    ==================  ==============================================================================
    name                what it shows
    ==================  ==============================================================================
    bowl                ½(λ₁w₁² + λ₂w₂²): the learning rates 1/λ and 2/λ
    ravine              a bowl turned by 45°: no weight is "the slow one"
    booth, matyas       a bowl beside 0; a shallow ravine
    saddle              flat at 0, and no minimum
    monkey_saddle       a saddle whose Hessian is 0
    plateau             the gradient vanishes where the loss is large; then comes a cliff
    two_wells           two minima, one deeper than the other
    sharp_and_flat      two minima of one height, one sharper than the other
    linear_network      a network of two weights: a saddle between two valleys of minima
    rosenbrock          a narrow valley that bends
    beale               flat land with walls around it
    himmelblau          four minima of one height
    three_hump_camel    one lowest valley between two that are not
    six_hump_camel      six valleys, two of them lowest
    styblinski_tang     four valleys of three depths
    rastrigin           a wide bowl full of dents
    goldstein_price     heights from 3 to a million in one window
    ==================  ==============================================================================

    Parameters
    ----------
    name : str
        Which one; a name of the table.
    **settings : float
        For the bowl: ``condition_number`` ≥ 1 (10) and ``curvature`` > 0, the larger
        eigenvalue of its Hessian (4). For the ravine: ``steepness`` > 0 (10). For the plateau:
        ``steepness`` > 0 of the cliff (4). For two_wells: ``tilt`` > 0 and < 0.38 (0.2). For
        sharp_and_flat: ``ratio`` ≥ 1 of the two sharpnesses (10).

    Returns
    -------
    Surface
        With height, gradient, Hessian, minima, a window, a formula and a source.

    Raises
    ------
    DomainError
        If the name or a setting is unknown, or a setting lies outside its range.
    DataError
        If a setting is no number.

    References
    ----------
    H. H. Rosenbrock (1960), Computer J. 3(3), 175-184. For the others, see ``surface(name).source``.

    Examples
    --------
    >>> bowl = surface("bowl", condition_number=4, curvature=4)
    >>> bowl.f(np.array([1.0, 1.0])), bowl.gradient(np.array([1.0, 1.0]))
    (np.float64(2.5), array([1., 4.]))
    >>> len(surface("himmelblau").minima)
    4
    """
    if not isinstance(name, str) or name not in _ENTRIES:
        raise DomainError(_unknown(name))
    maker, ranges = _ENTRIES[name]
    if unknown := sorted(settings.keys() - ranges.keys()):
        raise DomainError(
            f"surface: {name} has no setting {unknown[0]!r}. Expected {', '.join(sorted(ranges)) or 'none'}."
        )
    values = {key: settings.get(key, default) for key, (default, _, _) in ranges.items()}
    for key, (_, least, below) in ranges.items():
        if as_number(values[key], key, "surface", least=least, below=below) == 0:
            raise DomainError(f"surface: {key} of the {name} is 0. Expected a number above 0.")
    return maker(**values)


class _Entry(NamedTuple):
    """What makes a surface, and its settings with default, least value and the first that is too large."""

    maker: Callable[..., Surface]
    ranges: dict[str, tuple[float, float, float]]


_ENTRIES = {
    "bowl": _Entry(figures.bowl, {"condition_number": (10.0, 1.0, np.inf), "curvature": (4.0, 0.0, np.inf)}),
    "ravine": _Entry(figures.ravine, {"steepness": (10.0, 0.0, np.inf)}),
    "plateau": _Entry(figures.plateau, {"steepness": (4.0, 0.0, np.inf)}),
    # From 2/√27 = 0.3849 on, the upper well has run dry.
    "two_wells": _Entry(figures.two_wells, {"tilt": (0.2, 0.0, 0.38)}),
    "sharp_and_flat": _Entry(figures.sharp_and_flat, {"ratio": (10.0, 1.0, np.inf)}),
}
_WITHOUT_SETTINGS = (
    figures.saddle,
    figures.monkey_saddle,
    figures.linear_network,
    *(getattr(benchmarks, name) for name in benchmarks.__all__),
)
_ENTRIES |= {maker.__name__: _Entry(maker, {}) for maker in _WITHOUT_SETTINGS}

SURFACES = tuple(sorted(_ENTRIES))


def _unknown(name: object) -> str:
    near = get_close_matches(name, SURFACES, 1) if isinstance(name, str) else []
    advice = f' Did you mean "{near[0]}"?' if near else ""
    return f"surface: there is no surface {name!r}. Expected one of {', '.join(SURFACES)}.{advice}"
