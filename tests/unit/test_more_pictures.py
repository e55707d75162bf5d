"""Pictures from plain data: surfaces, tangents, optimizers, decision boundaries, histograms of layers."""

import numpy as np
import pytest
from matplotlib.text import Text
from mpl_toolkits.mplot3d import Axes3D

from bplib.errors import DataError, DomainError, ShapeError
from bplib.viz.boundaries import decision_boundary
from bplib.viz.comparisons import optimizer_comparison, rate_sweep
from bplib.viz.histograms import layer_histograms
from bplib.viz.style import ROLES, contrast_ratio
from bplib.viz.surfaces import surface_3d
from bplib.viz.tangents import loss_slice


def _axes(picture):
    return picture.figure.axes[0]


def _stays_inside(picture):
    """Whether all words lie inside the figure and none covers another."""
    figure = picture.figure
    figure.draw_without_rendering()
    words = [
        text
        for axes in figure.axes
        for text in [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        if text.get_text() and text.get_visible()
    ]
    words += [text for legend in figure.legends for text in legend.get_texts()]
    boxes = [Text.get_window_extent(text) for text in words]  # an annotation's own box holds its arrow, too
    width, height = figure.canvas.get_width_height()
    inside = all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= width and b.y1 <= height for b in boxes)
    return inside and all(not a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# Surfaces.

X, Y = np.linspace(-1, 1, 5), np.linspace(0, 2, 3)
Z = X**2 + 3 * Y[:, None] + 1


@pytest.fixture
def tiles(monkeypatch):
    """Draw a surface and return x, y, heights and colours as matplotlib gets them; it keeps them in private places."""
    calls = []
    original = Axes3D.plot_surface

    def plot_surface(self, *args, **kwargs):
        calls.append((*args, kwargs["facecolors"]))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Axes3D, "plot_surface", plot_surface)
    return lambda *args, **kwargs: (surface_3d(*args, **kwargs), calls.pop())[1]


def test_the_surface_has_the_heights_above_their_places(tiles):
    for drawn, wanted in zip(tiles(X, Y, Z), (*np.meshgrid(X, Y), Z), strict=False):
        np.testing.assert_array_equal(drawn, wanted)


@pytest.mark.parametrize("n", [2, 33, 34, 100])
def test_a_fine_grid_is_thinned_evenly_and_keeps_its_edges(tiles, n):
    x = np.linspace(-1, 1, n)
    across, _, heights, _ = tiles(x, Y, x + 0 * Y[:, None])
    assert heights.shape[1] == n if n <= 33 else 17 <= heights.shape[1] <= 33
    np.testing.assert_array_equal(heights, across)
    assert (across[0, 0], across[0, -1]) == (-1, 1)
    assert len(np.unique(np.diff(across[0])[:-1].round(12))) <= 1


def test_the_higher_the_darker(tiles):
    colours = tiles([0, 1], np.arange(10.0), np.arange(10.0)[:, None] * [1, 1])[3][:-1, 0]
    assert (np.diff([contrast_ratio(colour) for colour in colours]) > 0.05).all()


def test_a_logarithmic_surface_writes_the_heights_themselves(tiles):
    np.testing.assert_allclose(tiles(X, Y, 10.0 ** (Z - 4), log=True)[2], Z - 4)
    axes = _axes(surface_3d(X, Y, 10.0 ** (Z - 4), log=True))
    assert axes.zaxis.get_major_formatter()(2.0, 0) == "100"
    assert axes.get_zlabel() == "loss (log scale)"


def test_the_path_has_its_own_heights_an_empty_start_and_a_full_end():
    path = np.array([[-1.0, 0.0, 5.0], [0.0, 1.0, 2.0], [0.5, 1.0, 9.0]])
    line, start, end = _axes(surface_3d(X, Y, Z, path=path)).lines
    np.testing.assert_array_equal(np.transpose(line.get_data_3d()), path)
    assert np.ravel(start.get_data_3d()).tolist() == path[0].tolist()
    assert np.ravel(end.get_data_3d()).tolist() == path[-1].tolist()
    assert (start.get_markerfacecolor(), end.get_markerfacecolor()) == ("#FFFFFF", ROLES["path"].fill)


def test_the_surface_tells_lowest_and_highest_and_the_path():
    picture = surface_3d(X, Y, Z, path=[[-1, 0, 5], [0, 0, -0.5]], names=("$w_1$ (m)", "bias", "error"))
    assert picture.alt == (
        "The error as a height over w1 (m) and bias: lowest, 1, at (0, 0); highest, 8, at (−1, 2) and 1 other point. "
        "A path of 2 points goes from (−1, 0) to (0, 0), its error from 5 to −0.5."
    )
    assert surface_3d(X, Y, 0 * Z).alt == "The loss as a height over w1 and w2: 0 everywhere."


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (((X, Y, Z.T), {}), ShapeError, r"z has shape \(5, 3\), x has 5 numbers and y has 3\. .* pass z\.T\."),
        ((([1], Y, Z), {}), ShapeError, r"x has shape \(1,\)\. Expected at least two numbers in a row"),
        (((X[::-1], Y, Z), {}), DomainError, r"x does not increase from number to number"),
        (((X, [0, np.nan, 1], Z), {}), DomainError, r"y does not increase from number to number"),
        (((X, Y, np.where(Z > 5, np.inf, Z)), {}), DomainError, r"\d heights of 15 are not finite\. Expected finite"),
        (((X, Y, Z - 1), {"log": True}), DomainError, r"the lowest height is 0\. .* Use log=False"),
        (((X, Y, Z), {"log": True, "path": [[0, 0, -1]]}), DomainError, r"the lowest height is -1\. "),
        (((X, Y, Z), {"path": [[0, 0]]}), ShapeError, r"path has shape \(1, 2\)\. Expected one point"),
        (((X, Y, Z), {"path": [[0, 0, np.nan]]}), DomainError, r"1 numbers of the path of 3 are not finite"),
        (((X, Y, [["a"]]), {}), DataError, r"z holds text"),
    ],
)
def test_the_surface_says_what_is_wrong(given, error, message):
    with pytest.raises(error, match=rf"^surface_3d: {message}"):
        surface_3d(*given[0], **given[1])


# Tangents.

W = np.linspace(-2, 2, 81)
PARABOLA = {"w": 1.5, "loss": 2.25, "slope": 3.0, "lr": 0.1}


def test_the_slice_draws_curve_tangent_point_step_and_arrival():
    axes = _axes(loss_slice(W, W**2, **PARABOLA))
    curve, tangent, point, drop, arrival = axes.lines
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack([W, W**2]))
    (x0, y0), (x1, y1) = tangent.get_xydata()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(3)
    assert y0 + 3 * (1.5 - x0) == pytest.approx(2.25)
    assert point.get_xydata().tolist() == [[1.5, 2.25]]
    np.testing.assert_allclose(drop.get_xydata(), [[1.2, 2.25], [1.2, 1.44]])
    np.testing.assert_allclose(arrival.get_xydata(), [[1.2, 1.44]])
    (arrow,) = axes.texts
    np.testing.assert_allclose([arrow.xyann, arrow.xy], [[1.5, 2.25], [1.2, 2.25]])
    assert len({str(line._unscaled_dash_pattern) for line in (curve, tangent, drop)}) == 3


def test_the_slice_writes_its_numbers_beside_their_lines():
    picture = loss_slice(W, W**2, **PARABOLA)
    words = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert words == ["loss 2.25", "slope +3", "step −0.3 to 1.2"]
    assert (_axes(picture).get_xlabel(), _axes(picture).get_ylabel()) == ("w", "loss")


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({}, "+3. One step of learning rate 0.1 changes w by −0.3 to 1.2, where the curve is at 1.44."),
        ({"slope": 0.0}, "0. One step of learning rate 0.1 leaves w where it is."),
        (
            {"slope": -9},
            "−9. One step of learning rate 0.1 changes w by +0.9 to 2.4, outside of the picture, which shows −2 to 2.",
        ),
    ],
)
def test_the_slice_tells_loss_slope_and_step(change, end):
    assert loss_slice(W, W**2, **PARABOLA | change).alt == f"At w = 1.5 the loss is 2.25 and the slope is {end}"


def test_a_step_into_a_gap_says_so():
    losses = np.where(W < 1.3, np.nan, W**2)
    picture = loss_slice(W, losses, **PARABOLA)
    assert picture.alt.endswith("to 1.2, where the loss is not finite.")
    assert np.isnan(_axes(picture).lines[0].get_ydata()).sum() == np.isnan(losses).sum()


@pytest.mark.parametrize("slope", [-1.2345e-5, -1e6, 1e300, 12.345])
def test_words_of_the_slice_fit_and_the_tip_stays_in_the_picture(slope):
    picture = loss_slice(W, W**2, w=1.5, loss=2.25, slope=slope, lr=0.1, name="weight of the first hidden unit")
    assert _stays_inside(picture)
    assert -2 <= _axes(picture).texts[0].xy[0] <= 2


@pytest.mark.parametrize(
    ("xs", "values", "change", "error", "message"),
    [
        (W, W[1:], {}, ShapeError, r"xs has shape \(81,\) and values has shape \(80,\)\. Expected one loss"),
        (W[::-1], W, {}, DomainError, r"xs does not increase"),
        (W, W * np.nan, {}, DomainError, r"of 81 values fewer than two are finite"),
        (W, W, {"w": 3}, DomainError, r"w is 3, and xs goes from -2 to 2\. Expected w among them"),
        (W, W, {"lr": -0.1}, DomainError, r"lr is -0\.1\. Expected a finite number of at least 0"),
        (W, W, {"slope": np.inf}, DomainError, r"slope is inf\. Expected a finite number"),
        (W, W, {"loss": "low"}, DataError, r"loss is 'low'\. Expected one number"),
    ],
)
def test_the_slice_says_what_is_wrong(xs, values, change, error, message):
    with pytest.raises(error, match=rf"^loss_slice: {message}"):
        loss_slice(xs, values, **PARABOLA | change)


# Optimizers.

STEPS = 20
SEEDED = np.random.default_rng(1)
RUNS = {
    "SGD": np.exp(-0.02 * np.arange(STEPS)) * SEEDED.uniform(0.8, 1.2, (5, 1)),
    "momentum": np.exp(-0.05 * np.arange(STEPS)) * SEEDED.uniform(0.8, 1.2, (3, 1)),
    "Adam": np.exp(-0.1 * np.arange(STEPS))[None],
}


def _lines(picture):
    return {line.get_label(): line for line in _axes(picture).lines if not line.get_label().startswith("_")}


def _looks(lines):
    return {(str(line._unscaled_dash_pattern), line.get_marker() + str(line.get_markerfacecolor())) for line in lines}


def test_the_comparison_draws_medians_and_quartiles():
    picture = optimizer_comparison(RUNS)
    for name, line in _lines(picture).items():
        np.testing.assert_allclose(line.get_ydata(), np.median(RUNS[name], axis=0))
        assert line.get_xdata().tolist() == list(range(1, STEPS + 1))
    bounds = [line.get_ydata() for line in _axes(picture).lines if line.get_label().startswith("_")]
    sgd, momentum = RUNS["SGD"], RUNS["momentum"]
    wanted = [*np.quantile(sgd, [0.25, 0.75], axis=0), momentum.min(axis=0), momentum.max(axis=0)]
    np.testing.assert_allclose(bounds, wanted)
    assert len(_axes(picture).collections) == 2  # no band for a single run


def test_optimizers_differ_in_dash_and_in_marker():
    runs = dict.fromkeys("abcdef", RUNS["Adam"])
    lines = list(_lines(optimizer_comparison(runs)).values())
    sweeps = list(_lines(rate_sweep([1, 2], {name: [1, 2] for name in "abcdef"})).values())
    for drawn in (lines, sweeps):
        dashes, markers = zip(*[(d, m) for line in drawn for d, m in _looks([line])], strict=True)
        assert len(set(dashes)) == len(set(markers)) == 6


def test_the_comparison_ranks_with_numbers_and_counts_runs():
    runs = {"SGD": [[1.0, 0.5], [1.0, 0.7]], "Adam": [[1, 0.1], [1, 0.2], [1, 0.3], [1, np.nan]], "wild": [[1, np.inf]]}
    assert optimizer_comparison(runs).alt == (
        "Median losses at the last step, lowest first: Adam 0.25 at step 2 (4 runs, quartiles 0.175 and ∞, 1 not "
        "finite); SGD 0.6 at step 2 (2 runs, from 0.5 to 0.7); wild diverged at step 2 (1 run, 1 not finite)."
    )


@pytest.mark.parametrize("log", [False, True])
def test_the_comparison_names_each_line_at_its_end(log):
    runs = {f"optimizer {i}": RUNS["Adam"] for i in range(5)} | {"short": [[1.0, 0.9], [1.0, np.inf], [1.0, np.inf]]}
    picture = optimizer_comparison(runs, log=log)
    axes = _axes(picture)
    assert [text.get_text() for text in axes.texts] == [f"optimizer {i} 0.15" for i in range(5)] + [
        "short, then diverged"
    ]
    assert _stays_inside(picture)
    assert axes.get_ylabel() == ("loss (log scale)" if log else "loss")
    to_axes = axes.transData + axes.transAxes.inverted()
    np.testing.assert_allclose(axes.texts[0].xy, to_axes.transform((STEPS, RUNS["Adam"][0, -1])), rtol=1e-6)


@pytest.mark.parametrize(
    ("losses", "log", "error", "message"),
    [
        ([[1, 2]], False, DataError, r"losses is of type list\. Expected a dict"),
        ({}, False, DomainError, r"there are 0 optimizers\. Expected 1 to 6"),
        ({name: [[1]] for name in "abcdefg"}, False, DomainError, r"there are 7 optimizers"),
        ({"a": [1, 2]}, False, ShapeError, r"the losses of a have shape \(2,\)\. .* losses\[None\]"),
        ({"a": [[]]}, False, ShapeError, r"the losses of a have shape \(1, 0\)"),
        ({"a": [[np.nan]]}, False, DomainError, r"the median loss of a is not finite at any step"),
        ({"a": [[1, 0]]}, True, DomainError, r"a loss of a is 0\. .* Use log=False"),
        ({"a": [["x"]]}, False, DataError, r"losses\['a'\] holds text"),
    ],
)
def test_the_comparison_says_what_is_wrong(losses, log, error, message):
    with pytest.raises(error, match=rf"^optimizer_comparison: {message}"):
        optimizer_comparison(losses, log=log)


RATES = [0.01, 0.1, 1.0]
SWEEPS = {"SGD": [0.5, 0.1, np.inf], "Adam": [0.02, 0.04, 3.0], "wild": [np.nan, np.inf, np.inf]}


def test_the_sweep_draws_losses_best_rates_and_what_diverged():
    picture = rate_sweep(RATES, SWEEPS)
    axes = _axes(picture)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    curves = [line for line in axes.lines if not line.get_label().startswith("_")]
    for line, losses in zip(curves, SWEEPS.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), np.where(np.isfinite(losses), losses, np.nan))
        assert line.get_xdata().tolist() == RATES
    stars = [line.get_xydata()[0].tolist() for line in axes.lines if line.get_marker() == "*"]
    assert stars == [[0.1, 0.1], [0.01, 0.02]]
    lost = [line for line in axes.lines if line.get_transform() == axes.get_xaxis_transform()]
    assert [line.get_xdata().tolist() for line in lost] == [[1.0], RATES]
    assert [line.get_marker() for line in lost] == [curves[0].get_marker(), curves[2].get_marker()]
    assert len({line.get_ydata()[0] for line in lost}) == 2
    assert min(line.get_ydata()[0] for line in lost) > 1
    assert [text.get_text() for text in axes.texts] == ["diverged"]
    assert _stays_inside(picture)


def test_a_sweep_without_divergence_does_not_speak_of_it():
    assert not _axes(rate_sweep(RATES, {"Adam": [1, 2, 3]})).texts


def test_the_sweep_ranks_with_best_rates():
    assert rate_sweep(RATES, SWEEPS).alt == (
        "Final losses for 3 learning rates from 0.01 to 1, best first: Adam 0.02 at rate 0.01; SGD 0.1 at rate 0.1, "
        "diverged at 1; wild diverged at every rate."
    )
    words = [text.get_text() for text in rate_sweep(RATES, SWEEPS).figure.legends[0].get_texts()]
    assert words == ["SGD\nbest at 0.1", "Adam\nbest at 0.01", "wild\ndiverged"]


@pytest.mark.parametrize(
    ("rates", "losses", "error", "message"),
    [
        ([0.1], {"a": [1]}, ShapeError, r"rates has shape \(1,\)\. Expected at least two"),
        ([0, 1], {"a": [1, 1]}, DomainError, r"rates are not all above 0 and increasing"),
        ([1, 0.1], {"a": [1, 1]}, DomainError, r"rates are not all above 0 and increasing"),
        ([0.1, 1], {"a": [1]}, ShapeError, r"the losses of a have shape \(1,\), the rates have shape \(2,\)"),
        ([0.1, 1], {"a": [1, -2]}, DomainError, r"a loss of a is -2\. .* Leave that rate out"),
        ([0.1, 1], {"a": [np.nan, np.inf]}, DomainError, r"no loss is finite\. .* Try smaller rates"),
        ([0.1, 1], [1, 2], DataError, r"losses is of type list"),
        ([0.1, 1], {}, DomainError, r"there are 0 optimizers"),
    ],
)
def test_the_sweep_says_what_is_wrong(rates, losses, error, message):
    with pytest.raises(error, match=rf"^rate_sweep: {message}"):
        rate_sweep(rates, losses)


# Decision boundaries.

POINTS = np.array([[-1.0, 0.0], [1.0, 0.0], [2.0, 1.0], [-2.0, 0.5]])
TRUE = [0, 1, 0, 0]


def _right_half(points):
    return points[:, 0] > 0


def test_the_regions_are_what_the_model_says_where_they_are():
    axes = _axes(decision_boundary(_right_half, POINTS, TRUE))
    image = axes.images[0]
    left, right, low, high = image.get_extent()
    np.testing.assert_allclose([left, right, low, high], [-2.32, 2.32, -0.08, 1.08])
    shades = np.asarray(image.get_array())
    half = np.linspace(left, right, shades.shape[1]) > 0
    assert len(np.unique(shades.reshape(-1, 3), axis=0)) == 2
    assert (shades[:, half] == shades[0, -1]).all()
    assert (shades[:, ~half] == shades[0, 0]).all()
    assert image.origin == "lower"


def test_points_of_each_class_and_crosses_on_the_wrong_ones():
    axes = _axes(decision_boundary(_right_half, POINTS, TRUE))
    drawn = [(line.get_marker(), line.get_xydata().tolist()) for line in axes.lines if len(line.get_xydata())]
    assert drawn == [
        ("o", POINTS[[0, 2, 3]].tolist()),
        ("o", [[2.0, 1.0]]),
        ("s", [[1.0, 0.0]]),
        ("x", [[2.0, 1.0]]),
        ("x", [[2.0, 1.0]]),
    ]


def test_eight_classes_differ_in_marker_and_in_fill():
    y = np.arange(8)
    X = np.column_stack([y, y % 3])
    picture = decision_boundary(lambda points: np.clip(points[:, 0].round(), 0, 7), X, y, classes="abcdefgh")
    assert picture.alt.endswith("None of 8 points lies on the wrong side.")
    handles = picture.figure.legends[0].legend_handles
    assert len({line.get_marker() for line in handles}) == len({line.get_markerfacecolor() for line in handles}) == 8
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == list("abcdefgh")
    assert _stays_inside(picture)


def test_the_boundary_tells_regions_and_how_many_are_wrong():
    X, y = [[-1, 0], [1, 0], [-1, 1], [1, 1]], [0, 1, 1, 0]
    assert decision_boundary(_right_half, X, y, classes=["cat", "dog"]).alt == (
        "The model says cat on 50 % of the picture and dog on 50 %. 2 of 4 points lie on the wrong side: 1 of 2 of cat "
        "and 1 of 2 of dog."
    )
    everywhere = decision_boundary(lambda points: np.zeros(len(points)), X, y)
    assert everywhere.alt == (
        "The model says class 0 on 100 % of the picture. 2 of 4 points lie on the wrong side: 2 of 2 of class 1."
    )


@pytest.mark.parametrize(
    ("predict", "X", "y", "options", "error", "message"),
    [
        (_right_half, np.ones((2, 3)), [0, 1], {}, ShapeError, r"X has shape \(2, 3\)\. Expected two numbers"),
        (_right_half, POINTS, [0], {}, ShapeError, r"X has 4 rows, y has 1"),
        (_right_half, [[np.nan, 0], [1, 1]], [0, 1], {}, DomainError, r"1 points are not finite"),
        (_right_half, np.ones((2001, 2)), np.ones(2001), {}, DomainError, r"there are 2001 points\. Expected at most"),
        (_right_half, POINTS, [0, 1, 8, 0], {}, DomainError, r"y holds the class 8\. .* from 0 to 7, so that"),
        (_right_half, POINTS, [0, 1, -1, 0], {}, DomainError, r"y holds the class -1"),
        (_right_half, POINTS, [0, 1, 0.5, 0], {}, DataError, r"y holds 0\.5\. Expected the numbers of classes"),
        (lambda p: p, POINTS, TRUE, {}, ShapeError, r"what predict returned has shape .*scores\.argmax\(axis=1\)"),
        (lambda p: p[:, 0], POINTS, TRUE, {}, DataError, r"what predict returned holds -2\.32"),
        (_right_half, POINTS, TRUE, {"classes": ["a"]}, DomainError, r"there are 1 names of classes, .* up to 1"),
        (_right_half, POINTS, TRUE, {"classes": "abcdefghi"}, DomainError, r"there are 9 names of classes"),
    ],
)
def test_the_boundary_says_what_is_wrong(predict, X, y, options, error, message):
    with pytest.raises(error, match=rf"^decision_boundary: {message}"):
        decision_boundary(predict, X, y, **options)


# Histograms of layers.

LAYERS = {"linear": SEEDED.normal(0, 2, (40, 5)), "relu": np.maximum(SEEDED.normal(0, 1, 300), 0)}


def test_bars_are_the_shares_of_all_values_but_exact_zeros():
    picture = layer_histograms(LAYERS, bins=20)
    for axes, values in zip(picture.figure.axes, LAYERS.values(), strict=True):
        shares, edges, _ = axes.patches[0].get_data()
        np.testing.assert_allclose(shares, np.histogram(values[values != 0], edges)[0] / values.size)
        assert shares.sum() == pytest.approx(np.mean(values != 0))
        assert np.isclose(edges, 0, atol=1e-12).any()
        assert 20 <= len(edges) - 1 <= 22
        assert axes.get_xlim() == picture.figure.axes[0].get_xlim() == (edges[0], edges[-1])


def test_exact_zeros_have_a_line_of_their_own_and_a_number():
    linear, relu = layer_histograms(LAYERS).figure.axes
    assert not linear.lines
    assert [line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else line.get_xdata() for line in
            relu.lines] == [[0, 0], [0]]  # fmt: skip
    share = 100 * np.mean(LAYERS["relu"] == 0)
    assert [text.get_text() for text in relu.texts] == ["relu", f"s.d. {LAYERS['relu'].std():.3g}\n{share:.3g} % zeros"]


@pytest.mark.parametrize("n", [1, 3, 12])
def test_words_of_the_layers_stay_apart(n):
    layers = {f"a layer with a long name {i}": np.r_[0.0, -1e-5, 2.34567e-5 * i, np.nan] for i in range(n)}
    assert _stays_inside(layer_histograms(layers))


def test_the_layers_tell_deviation_zeros_and_what_is_not_finite():
    layers = {"one": [-1.0, 1.0, 0.0, 0.0], "two": [3.0, np.nan, np.inf], "lost": [np.nan]}
    assert layer_histograms(layers, name="gradient").alt == (
        "Gradient in 3 layers, from −1 to 3: one s.d. 0.707, 50 % exact zeros; two s.d. 0, 2 not finite; lost 1 not "
        "finite."
    )


@pytest.mark.parametrize("values", [[0.0, 0.0], [5.0], [-3.0, -3.0], [1e100, -1e100], [1.0, 1.0 + 1e-15]])
def test_layers_of_few_or_extreme_values_can_be_drawn(values):
    (axes,) = layer_histograms({"only": values}).figure.axes
    assert axes.patches[0].get_data().values.sum() == pytest.approx(np.mean(np.array(values) != 0))


@pytest.mark.parametrize(
    ("layers", "bins", "error", "message"),
    [
        ([[1.0]], 41, DataError, r"layers is of type list\. Expected a dict"),
        ({}, 41, DomainError, r"there are 0 layers\. Expected 1 to 12"),
        ({f"{i}": [1.0] for i in range(13)}, 41, DomainError, r"there are 13 layers"),
        ({"a": []}, 41, ShapeError, r"the layer a has no values"),
        ({"a": [np.nan]}, 41, DomainError, r"no value of any layer is finite"),
        ({"a": ["x"]}, 41, DataError, r"layers\['a'\] holds text"),
        ({"a": [1.0]}, 1, DomainError, r"bins is 1\. Expected a whole number of at least 2"),
        ({"a": [1.0]}, 201, DomainError, r"bins is 201\. Expected 2 to 200"),
    ],
)
def test_the_layers_say_what_is_wrong(layers, bins, error, message):
    with pytest.raises(error, match=rf"^layer_histograms: {message}"):
        layer_histograms(layers, bins=bins)


# All of them.


@pytest.mark.parametrize(
    "draw",
    [
        lambda: surface_3d(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41), np.add.outer(W[::2] ** 2, W[::2] ** 2)),
        lambda: loss_slice(W, W**2, **PARABOLA),
        lambda: optimizer_comparison(RUNS, log=True),
        lambda: rate_sweep(RATES, SWEEPS),
        lambda: decision_boundary(_right_half, SEEDED.normal(size=(200, 2)), np.arange(200) % 2),
        lambda: layer_histograms({f"layer {i}": SEEDED.normal(size=500) for i in range(6)}),
    ],
)
def test_pictures_stay_small(draw):
    assert len(draw().png()) <= 25_000
