"""The pictures of the edge of stability and of the tuning budget: what is drawn, what is said, what is refused."""

import numpy as np
import pytest
from matplotlib.text import Text

from bplib.errors import DataError, DomainError, ShapeError
from bplib.lessons.claims.stability import RATES, edge_of_stability
from bplib.lessons.claims.tuning import OPTIMIZERS, TASKS, tuning
from bplib.viz.budgets import budget_dots
from bplib.viz.picture import Picture
from bplib.viz.stability import stability_curves
from bplib.viz.style import contrast_ratio


def stays_inside(picture: Picture) -> bool:
    """Whether all words lie inside the figure and none covers another."""
    figure = picture.figure
    figure.draw_without_rendering()
    words = [
        text
        for axes in figure.axes
        for text in [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        if text.get_text() and text.get_visible()
    ]
    words += [text for owner in (figure, *figure.axes) for text in _legend(owner)]
    boxes = [Text.get_window_extent(text) for text in words]
    width, height = figure.canvas.get_width_height()
    inside = all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= width and b.y1 <= height for b in boxes)
    return inside and all(not a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def _legend(owner) -> list[Text]:
    legends = owner.legends if hasattr(owner, "legends") else [owner.get_legend()] if owner.get_legend() else []
    return [text for legend in legends for text in legend.get_texts()]


# -- the edge of stability --------------------------------------------------------------------------------------------

LOSSES = [[2.0, 1.0, 1.2, 0.9], [2.0, 1.5, 1.2, 1.1]]
SHARPNESS = [[1.0, 3.0, 5.0, 4.1], [1.0, 2.0, 3.0, 3.5]]


@pytest.fixture(scope="module")
def edge() -> Picture:
    return edge_of_stability().picture()


def test_the_losses_lie_above_and_the_sharpness_below_beside_its_limit() -> None:
    picture = stability_curves([0.5, 0.25], LOSSES, SHARPNESS, 10)
    above, below = picture.figure.axes
    assert [line.get_ydata().tolist() for line in above.lines] == LOSSES
    curves, limits = below.lines[::2], below.lines[1::2]
    assert [line.get_ydata().tolist() for line in curves] == SHARPNESS
    assert [line.get_xdata().tolist() for line in curves] == [[0, 10, 20, 30]] * 2
    assert [set(line.get_ydata()) for line in limits] == [{4.0}, {8.0}]
    assert all(line.get_linestyle() == "--" for line in limits)
    assert [text.get_text() for text in below.texts] == ["2/η = 4", "2/η = 8"]
    assert (above.get_ylabel(), below.get_ylabel(), below.get_xlabel()) == (
        "loss (log scale)", "sharpness (log scale)", "step",
    )  # fmt: skip
    assert above.get_yscale() == below.get_yscale() == "log"


def test_a_long_line_keeps_every_peak_and_both_ends() -> None:
    loss = np.linspace(2.0, 1.0, 5000)
    loss[[1233, 2001, 4444]] = 7.0, 8.0, 0.5
    (line, *_) = stability_curves([1.0], [loss], [[1.0]], 1).figure.axes[0].lines
    steps, drawn = (np.asarray(data).tolist() for data in line.get_data())
    assert len(steps) <= 2002
    assert (steps[0], steps[-1]) == (0, 4999)
    assert all(dict(zip(steps, drawn, strict=True))[step] == loss[step] for step in (0, 1233, 2001, 4444, 4999))


def test_runs_differ_by_marker_as_well_as_colour(edge: Picture) -> None:
    for axes in edge.figure.axes:
        curves = [line for line in axes.lines if line.get_marker() not in ("None", "")]
        assert len({line.get_marker() for line in curves}) == len(RATES)
        assert len({line.get_color() for line in curves}) == len(RATES)
        assert all(contrast_ratio(line.get_color()) >= 3 for line in axes.lines)


def test_the_words_say_what_is_the_same_on_every_machine(edge: Picture) -> None:
    assert edge.alt == (
        "The loss and the sharpness of 3 runs of gradient descent. "
        "Rate 0.2: the loss falls, but rises on more than 4,000 steps; the sharpness starts at 5.2, is above "
        "2/η = 10 at step 1,500 and then stays near it. "
        "Rate 0.1: the loss falls, but rises on more than 3,000 steps; the sharpness starts at 5.2, is above "
        "2/η = 20 at step 2,000 and then stays near it. "
        "Rate 0.05: the loss falls, but rises on more than 2,000 steps; the sharpness starts at 5.2, is above "
        "2/η = 40 at step 5,250 and then stays near it."
    )


def test_the_words_follow_the_numbers() -> None:
    first, second = stability_curves([0.5, 0.25], LOSSES, SHARPNESS, 10).alt.split(" Rate ")[1:]
    assert first == (
        "0.5: the loss falls, but rises on 1 of 3 steps; the sharpness starts at 1, is above 2/η = 4 at step 20 and "
        "then stays near it."
    )
    assert second == "0.25: the loss falls at every step; the sharpness starts at 1 and stays below 2/η = 8."
    far = stability_curves([1.0], [[1.0, 2.0]], [[1.0, 9.0, 9.0, 9.0]], 1).alt
    assert far.endswith(
        "Rate 1: the loss ends higher and rises on 1 of 1 steps; the sharpness starts at 1, is above 2/η = 2 at step 1 "
        "and then leaves it."
    )


def test_no_word_of_the_edge_covers_another_and_the_file_is_small(edge: Picture) -> None:
    assert stays_inside(edge)
    assert len(edge.png()) <= 25_000


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (([], [], [], 1), DomainError, r"there are 0 rates\. Expected 1 to 3, so that each line"),
        (
            ([1.0], [[1.0]], [], 1),
            ShapeError,
            r"there are 1 rates, 1 arrays of losses and 0 of sharpness\. Expected one",
        ),
        (
            ([1.0], [[[1.0]]], [[1.0]], 1),
            ShapeError,
            r"loss and sharpness at rate 1 have the shapes \(1, 1\) and \(1,\)\.",
        ),
        (([1.0], [[1.0, 0.0]], [[1.0]], 1), DomainError, r"a loss is 0\. Expected finite numbers above 0"),
        (([1.0], [[1.0]], [[-2.0]], 1), DomainError, r"a sharpness is -2\. Expected finite numbers above 0"),
        (([0.0], [[1.0]], [[2.0]], 1), DomainError, r"a rate is 0\. Expected finite numbers above 0"),
        (([1.0], [[1.0]], [[2.0]], 0), DomainError, r".*every is 0"),
        (([1.0], [["a"]], [[2.0]], 1), DataError, r".*loss"),
    ],
)
def test_the_edge_says_what_is_wrong(given: tuple, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"^stability_curves: {message}"):
        stability_curves(*given)


# -- the tuning budget ------------------------------------------------------------------------------------------------

TRIED = {"digits": {"SGD": [[2.0, 2.2, 2.1], [0.5, 0.4, 0.8]], "Adam": [[0.6, 0.7, 0.9], [0.5, 0.6, 0.4]]}}


def test_every_run_is_a_dot_and_every_median_a_dash() -> None:
    axes = budget_dots(TRIED, [1, 9]).figure.axes[0]
    dots = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [line.get_ydata().tolist() for line in dots] == [
        np.ravel(runs).tolist() for runs in TRIED["digits"].values()
    ]
    dashes = [
        np.asarray(line.get_ydata()).tolist() for line in axes.lines if len(line.get_xdata()) == 2 and line not in dots
    ][:4]
    np.testing.assert_allclose(dashes, [[2.1, 2.1], [0.5, 0.5], [0.7, 0.7], [0.5, 0.5]])
    # All dots of one budget stand in its column.
    assert all(np.abs(line.get_xdata() - [0, 0, 0, 1, 1, 1]).max() < 0.5 for line in dots)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "9"]
    assert (axes.get_title(), axes.get_xlabel()) == ("digits", "learning rates tried")
    assert (axes.get_ylabel(), axes.get_yscale()) == ("lowest validation loss (log scale)", "log")


def test_the_notebook_shows_all_tasks_optimizers_and_budgets() -> None:
    picture = tuning().picture()
    assert [axes.get_title() for axes in picture.figure.axes] == [task.words for task in TASKS.values()]
    (legend,) = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(OPTIMIZERS)
    for axes in picture.figure.axes:
        dots = [line for line in axes.lines if line.get_linestyle() == "None"]
        assert [len(line.get_ydata()) for line in dots] == [15] * 4
        assert len({line.get_marker() for line in dots}) == len({line.get_color() for line in dots}) == 4
    assert stays_inside(picture)
    assert len(picture.png()) <= 25_000


def test_the_words_rank_the_medians() -> None:
    assert budget_dots(TRIED, [1, 9]).alt == (
        "Median validation losses of 3 runs. digits: with 1 try Adam 0.7, SGD 2.1; with 9 tries Adam 0.5, SGD 0.5."
    )


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (({}, [1]), DataError, r"there is no task or no optimizer\. Expected the losses of at least one"),
        (({"digits": {}}, [1]), DataError, r"there is no task or no optimizer"),
        (
            ({"digits": {name: [[1.0]] for name in "abcde"}}, [1]),
            DomainError,
            r"there are 1 tasks with up to 5 optimizers\.",
        ),
        (
            ({"digits": {"SGD": [[1.0], [2.0]]}}, [1]),
            ShapeError,
            r"the losses of SGD have shape \(2, 1\), and there are 1",
        ),
        (({"digits": {"SGD": [[np.inf]]}}, [1]), DomainError, r"a loss of SGD is not finite and above 0\."),
        (({"digits": {"SGD": [["a"]]}}, [1]), DataError, r".*losses\['SGD'\]"),
    ],
)
def test_the_budgets_say_what_is_wrong(given: tuple, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"^budget_dots: {message}"):
        budget_dots(*given)
