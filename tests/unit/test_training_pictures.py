"""Pictures of training: what is drawn, what it is called, and the sentence that stands for it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from bplib.errors import DataError, DomainError, ShapeError
from bplib.landscape import surface
from bplib.viz.confusion import confusion_matrix
from bplib.viz.contours import surface_paths
from bplib.viz.curves import loss_curves
from bplib.viz.images import image_grid
from bplib.viz.style import PALETTE, ROLES, contrast_ratio

HISTORY = {"epoch": [1, 2, 3, 4], "train_loss": [2.3, 1.0, 0.4, 0.1], "valid_loss": [2.2, 1.1, 0.5, 0.6]}


def _axes(picture):
    return picture.figure.axes[0]


def _words_stay_apart(picture):
    """Whether no two words overlap; a word beyond the edge of the figure fails at once."""
    figure = picture.figure
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        for text in [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels()]
        if text.get_text() and text.get_visible()
    ]
    width, height = figure.canvas.get_width_height()
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    return all(not a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# Loss curves.


def test_curves_draw_both_columns_with_role_dash_and_name():
    axes = _axes(loss_curves(HISTORY))
    training, validation = axes.lines
    np.testing.assert_array_equal(training.get_xydata().T, [HISTORY["epoch"], HISTORY["train_loss"]])
    np.testing.assert_array_equal(validation.get_xydata().T, [HISTORY["epoch"], HISTORY["valid_loss"]])
    assert training.get_color() == ROLES["loss"].colour
    assert validation.get_color() == ROLES["validation"].colour
    assert training.get_linestyle() != validation.get_linestyle()
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [
        ("training", ROLES["loss"].colour),
        ("validation", ROLES["validation"].colour),
    ]


def test_curves_name_their_axes_and_show_zero():
    axes = _axes(loss_curves(HISTORY))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    assert axes.get_ylim()[0] == 0
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_losses_below_zero_are_drawn_whole():
    low, high = _axes(loss_curves({"epoch": [1, 2, 3], "train_loss": [-1.0, -2.0, -3.0]})).get_ylim()
    assert low < -3.0
    assert high > -1.0


def test_curves_on_a_logarithmic_axis_say_so():
    axes = _axes(loss_curves(HISTORY, log=True))
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "loss (log scale)"


def test_curves_tell_the_story():
    assert loss_curves(HISTORY).alt == (
        "The training loss falls from 2.3 in epoch 1 to 0.1 in epoch 4; the validation loss falls from 2.2 in epoch 1 "
        "to 0.6 in epoch 4, with its lowest value 0.5 in epoch 3."
    )


@pytest.mark.parametrize(
    ("losses", "story"),
    [
        ([1.0, 2.0], "The training loss rises from 1 in epoch 1 to 2 in epoch 2."),
        ([1.0, 1.001], "The training loss goes from 1 in epoch 1 to 1 in epoch 2."),
        ([1.0], "The training loss is 1 in epoch 1."),
        ([1.0, np.inf], "The training loss is 1 in epoch 1, and is not finite in 1 of 2 epochs."),
    ],
)
def test_curves_choose_the_right_verb(losses, story):
    assert loss_curves({"epoch": range(1, len(losses) + 1), "train_loss": losses}).alt == story


def test_a_training_that_diverged_is_drawn_as_far_as_it_went():
    picture = loss_curves({"epoch": [1, 2, 3, 4], "train_loss": [1.0, 30.0, np.inf, np.nan]})
    assert np.isfinite(_axes(picture).lines[0].get_ydata()).tolist() == [True, True, False, False]
    assert [text.get_text() for text in _axes(picture).texts] == ["training, then not finite"]
    assert _words_stay_apart(picture)


def test_a_single_epoch_shows_its_marker():
    axes = _axes(loss_curves({"epoch": [1], "train_loss": [2.3]}))
    assert axes.lines[0].get_marker() == ROLES["loss"].marker
    assert axes.get_xticks().tolist() == [1]


@pytest.mark.parametrize("last", [(0.1, 0.1), (0.1, 0.100001), (0.3, 0.2), (0.0, 0.0), (2.3, 2.3)])
def test_names_at_the_ends_stay_apart_and_in_order(last):
    history = {"epoch": [1, 2], "train_loss": [2.3, last[0]], "valid_loss": [2.3, last[1]]}
    picture = loss_curves(history)
    assert _words_stay_apart(picture)
    heights = [text.xy[1] for text in _axes(picture).texts]
    assert (heights[0] > heights[1]) == (last[0] > last[1])
    assert min(heights) > 0  # not among the numbers of the axis


@pytest.mark.parametrize(
    ("history", "log", "error", "message"),
    [
        ({"epoch": [1]}, False, DataError, r"there is no column 'train_loss' in this dict\. Expected 'epoch' and"),
        ({"train_loss": [1]}, False, DataError, r"there is no column 'epoch'"),
        ([1, 2], False, DataError, r"there is no column 'epoch' in this list"),
        ({"epoch": [1], "train_loss": ["x"]}, False, DataError, r"history\['train_loss'\] holds text"),
        ({"epoch": [1, 2], "train_loss": [1]}, False, ShapeError, r"loss has shape \(1,\), the epochs have shape \(2,"),
        ({"epoch": [], "train_loss": []}, False, ShapeError, r"at least one epoch"),
        ({"epoch": [1], "train_loss": [np.nan]}, False, DomainError, r"none of the 1 training losses is finite\. .*"),
        ({"epoch": [1], "train_loss": [0.0]}, True, DomainError, r"the training loss reaches 0\. .* Use log=False"),
    ],
)
def test_curves_say_what_is_wrong(history, log, error, message):
    with pytest.raises(error, match=rf"^loss_curves: .*{message}"):
        loss_curves(history, log=log)


# Confusion matrix.

TRUTH = [0, 0, 0, 0, 1, 1, 1, 2]
SAID = [0, 0, 0, 1, 1, 1, 2, 2]


def _cells(picture):
    axes = _axes(picture)
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): (text, box)
        for text, box in zip(axes.texts, boxes, strict=True)
    }


def test_each_cell_holds_its_count():
    cells = _cells(confusion_matrix(TRUTH, SAID))
    words = [[cells[i, j][0].get_text() for j in range(3)] for i in range(3)]
    assert words == [["3", "1", "·"], ["·", "2", "1"], ["·", "·", "1"]]


def test_the_shade_is_the_share_of_the_row():
    cells = _cells(confusion_matrix(TRUTH, SAID))
    contrasts = [contrast_ratio(to_hex(cells[i, i][1].get_facecolor())) for i in range(3)]
    assert contrasts[1] < contrasts[0] < contrasts[2]  # shares 2/3, 3/4, 1
    assert to_hex(cells[2, 2][1].get_facecolor()).upper() == PALETTE["blue"]


def test_mistakes_differ_from_what_is_right_by_more_than_colour():
    cells = _cells(confusion_matrix(TRUTH, SAID))
    (right, right_box), (wrong, wrong_box) = cells[0, 0], cells[0, 1]
    assert (right.get_weight(), wrong.get_weight()) == ("normal", "bold")
    assert to_hex(right_box.get_edgecolor()) == "#ffffff"
    assert contrast_ratio(to_hex(wrong_box.get_edgecolor())) > 7


@pytest.mark.parametrize("wrong", range(0, 41, 4))
def test_numbers_can_be_read_on_every_shade(wrong):
    picture = confusion_matrix([0] * 40 + [1], [1] * wrong + [0] * (40 - wrong) + [1])
    for text, box in _cells(picture).values():
        assert contrast_ratio(to_hex(text.get_color()), to_hex(box.get_facecolor())) >= 4.5
        assert text.get_fontsize() >= 12


def test_matrix_names_axes_and_classes():
    axes = _axes(confusion_matrix(TRUTH, SAID, ["cat", "dog", "owl"]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("the model says", "true class")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cat", "dog", "owl"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["cat", "dog", "owl"]
    assert axes.yaxis_inverted()


@pytest.mark.parametrize("names", [None, ["aeroplane", "automobile", "bird"]])
def test_no_word_of_the_matrix_is_cut_off(names):
    assert _words_stay_apart(confusion_matrix(TRUTH, SAID, names)) or names  # slanted words have wide boxes


@pytest.mark.parametrize(
    ("truth", "said", "alt"),
    [
        (
            [0, 0, 0, 1],
            [0, 1, 1, 1],
            "2 of 4 are right (50.0 %). The most frequent confusion: cat taken for dog, 2 of 3 (67 %).",
        ),
        (
            [0, 1],
            [1, 0],
            "0 of 2 are right (0.0 %). The first of 2 most frequent confusions: cat taken for dog, 1 of 1 (100 %).",
        ),
        ([0, 1], [0, 1], "2 of 2 are right (100.0 %). No class is taken for another."),
    ],
)
def test_matrix_tells_accuracy_and_the_most_frequent_confusion(truth, said, alt):
    assert confusion_matrix(truth, said, ["cat", "dog"]).alt == alt


def test_matrix_refuses_more_classes_than_can_be_read():
    with pytest.raises(DomainError, match=r"^confusion_matrix: there are 21 classes\. Expected at most 20"):
        confusion_matrix([0], [20])


# Images.


def test_grid_draws_each_image_with_its_caption():
    images = np.random.default_rng(0).integers(0, 17, size=(7, 8, 8))
    captions = [f"true {i}, said {i + 1}" for i in range(7)]
    picture = image_grid(images, captions, columns=4)
    assert len(picture.figure.axes) == 7
    for axes, image, caption in zip(picture.figure.axes, images, captions, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)
        assert axes.get_title() == caption
        assert axes.images[0].get_clim() == (0, images.max())
        assert axes.images[0].get_cmap().name == "gray_r"
    assert picture.alt == "7 images: " + "; ".join(captions) + "."


def test_grid_takes_flat_images():
    images = np.arange(128.0).reshape(2, 64)
    drawn = image_grid(images, ["a", "b"]).figure.axes[1].images[0].get_array()
    np.testing.assert_array_equal(drawn, images[1].reshape(8, 8))


@pytest.mark.parametrize("columns", [1, 3, 5])
def test_captions_of_the_grid_do_not_touch(columns):
    captions = ["true 8, said 1 (100 %)"] * 6
    assert _words_stay_apart(image_grid(np.ones((6, 8, 8)), captions, columns))


def test_grid_of_blank_images_is_white():
    assert image_grid(np.zeros((1, 4, 4)), ["blank"]).figure.axes[0].images[0].get_clim() == (0, 1)


@pytest.mark.parametrize(
    ("images", "captions", "columns", "error", "message"),
    [
        (np.ones((2, 8, 8)), ["a"], 5, ShapeError, r"there are 2 images and 1 captions\. Expected one caption"),
        (np.ones((8, 8, 8, 3)), ["a"] * 8, 5, ShapeError, r"images has shape \(8, 8, 8, 3\)\. Expected \(n, height"),
        (np.ones((2, 63)), ["a"] * 2, 5, ShapeError, r"images has shape \(2, 63\)"),
        (np.ones((0, 8, 8)), [], 5, DomainError, r"there are 0 images\. Expected 1 to 20"),
        (np.ones((21, 8, 8)), ["a"] * 21, 5, DomainError, r"there are 21 images\. .* images\[:15\]"),
        (np.full((1, 2, 2), np.nan), ["a"], 5, DomainError, r"4 pixels are not finite"),
        (np.ones((1, 2, 2)), ["a"], 0, DomainError, r"columns is 0\. Expected a whole number of at least 1"),
        ([["a"]], ["a"], 5, DataError, r"images holds text"),
    ],
)
def test_grid_says_what_is_wrong(images, captions, columns, error, message):
    with pytest.raises(error, match=rf"^image_grid: {message}"):
        image_grid(images, captions, columns)


# Paths on a surface.

SHORT = np.array([[-2.0, 1.0], [-1.5, -0.5], [-1.0, 0.2]])


def _paths(picture):
    return [line for line in _axes(picture).lines if not line.get_label().startswith("_")]


def test_paths_are_drawn_with_differing_colour_dash_and_marker():
    picture = surface_paths(surface("bowl"), [SHORT, SHORT / 2, SHORT / 4], ["a", "b", "c"])
    lines = _paths(picture)
    for line, points in zip(lines, [SHORT, SHORT / 2, SHORT / 4], strict=True):
        np.testing.assert_array_equal(line.get_xydata(), points)
    for trait in ("get_color", "get_marker"):
        assert len({getattr(line, trait)() for line in lines}) == 3
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 3
    assert [text.get_text() for text in picture.figure.legends[0].texts] == ["a", "b", "c"]


def test_paths_show_the_domain_the_minima_and_the_start():
    bowl = surface("bowl")
    axes = _axes(surface_paths(bowl, [SHORT], ["a"]))
    assert (axes.get_xlim(), axes.get_ylim()) == (tuple(bowl.domain[0]), tuple(bowl.domain[1]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$w_1$", "$w_2$")
    star = next(line for line in axes.lines if line.get_marker() == "*")
    np.testing.assert_array_equal(star.get_xydata(), bowl.minima)
    circles = [line.get_xydata().tolist() for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert circles == [[SHORT[0].tolist()]]


def test_paths_take_what_descend_returns():
    class Path:
        points = SHORT
        losses = np.zeros(3)

    line = _paths(surface_paths(surface("bowl"), [Path()], ["a"]))[0]
    np.testing.assert_array_equal(line.get_xydata(), SHORT)


def test_paths_tell_start_end_and_loss():
    bowl = surface("bowl")
    loss = float(bowl.f(SHORT[-1]))
    assert surface_paths(bowl, [SHORT], ["rate 0.1"]).alt == (
        f"One path on the contours of the surface bowl: rate 0.1 starts at (-2, 1) and is at (-1, 0.2) after 2 steps, "
        f"loss {loss:.3g}."
    )


@pytest.mark.parametrize("far", [1e3, 1e308, np.inf, np.nan])
def test_a_path_that_does_not_come_back_stops_outside_the_frame(far):
    points = np.array([[-2.0, 1.0], [-1.5, -1.0], [far, far], [-far, far]])
    picture = surface_paths(surface("bowl"), [points], ["rate 9"])
    picture.figure.draw_without_rendering()
    drawn = _paths(picture)[0].get_xydata()
    assert len(drawn) == (3 if far == 1e3 else 2)
    assert picture.alt.endswith("rate 9 starts at (-2, 1) and leaves the picture at step 2.")


def test_a_path_that_comes_back_is_drawn_whole():
    points = np.array([[-2.0, 1.0], [-1.5, 1e3], [-1.0, 0.2]])
    assert len(_paths(surface_paths(surface("bowl"), [points], ["a"]))[0].get_xydata()) == 3


def test_four_long_names_fit_above_the_picture():
    picture = surface_paths(surface("bowl"), [SHORT] * 4, [f"momentum 0.{i} at rate 0.25" for i in range(4)])
    picture.figure.draw_without_rendering()
    legend = picture.figure.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= picture.figure.canvas.get_width_height()[0]


def test_a_surface_without_slope_has_a_path_and_no_contours():
    flat = replace(surface("bowl"), f=lambda points: np.zeros(points.shape[:-1]))
    axes = _axes(surface_paths(flat, [SHORT], ["a"]))
    assert len(axes.collections) == 0
    assert len([line for line in axes.lines if line.get_label() == "a"]) == 1


@pytest.mark.parametrize("name", ["bowl", "ravine", "rosenbrock", "saddle"])
def test_every_surface_can_be_drawn(name):
    shape = surface(name)
    start = np.mean(shape.domain, axis=1)
    picture = surface_paths(shape, [start[None]], ["a path with a rather long name"])
    picture.figure.draw_without_rendering()
    legend = picture.figure.legends[0].get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= picture.figure.canvas.get_width_height()[0]
    assert f"surface {name}" in picture.alt


@pytest.mark.parametrize(
    ("paths", "labels", "error", "message"),
    [
        ([SHORT], ["a", "b"], ShapeError, r"there are 1 paths and 2 labels\. Expected one label for each path"),
        ([], [], DomainError, r"there are 0 paths\. Expected 1 to 4"),
        ([SHORT] * 5, ["a"] * 5, DomainError, r"there are 5 paths\. Expected 1 to 4"),
        (SHORT, ["a"] * 3, ShapeError, r"a path has shape \(2,\)\. Expected one point"),
        ([[[np.nan, 0.0]]], ["a"], DomainError, r"a path starts at \[nan, 0\.0\]\. Expected a finite start"),
        ([[[1, 2], [3]]], ["a"], DataError, r"a path is a list whose rows have unequal lengths"),
    ],
)
def test_paths_say_what_is_wrong(paths, labels, error, message):
    with pytest.raises(error, match=rf"^surface_paths: {message}"):
        surface_paths(surface("bowl"), paths, labels)


# All of them.


@pytest.mark.parametrize(
    "draw",
    [
        lambda: loss_curves(HISTORY),
        lambda: confusion_matrix(np.arange(10).repeat(9), np.arange(90) % 10),
        lambda: image_grid(np.random.default_rng(0).random((15, 64)), ["true 8, said 1 (62 %)"] * 15),
        lambda: surface_paths(surface("rosenbrock"), [SHORT / 4, SHORT / 3], ["a", "b"]),
    ],
)
def test_pictures_stay_small(draw):
    assert len(draw().png()) <= 25_000
