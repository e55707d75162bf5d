"""The layer bench as a widget: code and controls agree, both pictures share one slider, the mistake stays hidden."""

from collections.abc import Iterator

import numpy as np
import pytest

from bplib.errors import BplibError, DomainError
from bplib.widgets.layer.network import NAMES
from bplib.widgets.layer.state import NO_GUESS, PRESETS
from bplib.widgets.layer.view import LayerBench, layer_bench


@pytest.fixture
def bench() -> Iterator[LayerBench]:
    made = layer_bench(name="tried")
    yield made
    made.close()


def _displayed(bench: LayerBench) -> set[str]:
    return {one.description for one in bench.children[0].children if one.layout.display != "none"}


def test_each_picture_has_its_own_controls_and_both_have_the_slider(bench: LayerBench) -> None:
    assert _displayed(bench) == {"show", "first weights"}
    assert bench._slider.description == "update"
    bench._slider.index = 40
    bench._tabs.value = "check"
    bench.flush()
    assert _displayed(bench) == {"show", "version", "your guess", "Name it"}
    assert (bench.update, bench._slider.value, len(bench.stage.scene["panels"])) == (310, "310", 2)
    bench._slider.index = 39
    bench._tabs.value = "updates"
    bench.flush()
    assert (bench.update, bench.stage.index, len(bench.stage.scene["panels"])) == (300, 39, 5)
    assert bench._start.layout.display == "flex", "its label stands beside its buttons"


def test_controls_and_code_say_the_same(bench: LayerBench) -> None:
    bench._start.value = "zeros"
    assert (bench.start, bench.update, bench.loss) == ("zeros", 0, 8.0)
    bench.update, bench.version = 10, "D"
    bench.flush()
    assert (bench._slider.value, bench._version.value, bench._tabs.value) == ("10", "D", "check")
    assert bench._code.value == 'bench.go("zeros", 10); bench.version = "D"'
    bench._guess.value = "mean"
    assert (bench.guess, bench._reveal.disabled) == ("mean", True)
    bench._version.value = "A"
    assert (bench.guess, bench._guess.value) == (NO_GUESS, NO_GUESS)


def test_what_is_read_belongs_to_the_present_update(bench: LayerBench) -> None:
    before = bench.weights
    bench.update = 1200
    assert before.shape == bench.weights.shape == (6, 2)
    assert np.abs(before).max() < 0.3 < 9 < np.abs(bench.weights).max()
    assert (list(bench.parameters), list(bench.relative_errors), list(bench.gradient)) == ([*NAMES],) * 3
    assert bench.parameters["w32"] == bench.weights[2, 1]
    assert bench.predictions.shape == (64,)
    targets = np.array([f"{n:06b}" == f"{n:06b}"[::-1] for n in range(64)], float)
    assert bench.loss == pytest.approx(0.5 * ((bench.predictions - targets) ** 2).sum())
    np.testing.assert_allclose(bench.ratios, [[1, 1.99, 3.97]] * 2, atol=0.01)
    assert bench.solved is not None
    assert bench.relative_errors["w11"] == pytest.approx(0.9, abs=0.1)
    assert bench.relative_errors["c"] < 1e-7
    bench.weights[:] = 0
    bench.predictions[:] = 0
    assert bench.weights.any(), "what is read is a copy"
    assert bench.predictions.any()
    bench.start = "zeros"
    assert np.isnan(bench.ratios).all()


@pytest.mark.parametrize("show", ["updates", "check"])
def test_the_code_line_of_a_preset_does_the_same(bench: LayerBench, show: str) -> None:
    bench.show = show
    buttons = {one.description: one for one in bench.children[2].children}
    for name, (start, update) in PRESETS.items():
        bench.go(start, update)
        wanted, moves = bench.state, []
        bench.go("second", 10)
        bench._slider.observe(moves.append, "index")
        buttons[name].click()
        bench._slider.unobserve(moves.append, "index")
        assert bench.state == wanted
        assert len(moves) == 1, "two places within one message could come back from the browser in the wrong order"
        assert bench._code.value.startswith(f'bench.go("{start}", {update})')


def test_the_mistake_is_named_after_a_guess(bench: LayerBench) -> None:
    bench.show = "check"
    assert bench._reveal.disabled
    bench._guess.value = "sign"
    assert not bench._reveal.disabled
    assert bench.sentence.startswith("No: here output weights and output bias are exact")
    bench.flush()
    assert any(mark.get("text") == "your guess" for mark in bench.stage.scene["panels"][1]["marks"])
    bench._reveal.click()
    bench.flush()
    assert "forgets σ′" in bench.sentence
    assert bench._reveal.disabled
    assert any("should be:  delta_h" in mark.get("text", "") for mark in bench.stage.scene["panels"][1]["marks"])
    bench.reset()
    assert (bench.guess, bench.state.revealed) == (NO_GUESS, ("A",))


def test_the_static_twin_shows_the_outcome_only_where_nothing_is_asked_or_below_its_question() -> None:
    for arguments, seen in (
        ({}, "Solved in"),
        ({"start": "zeros"}, "Predict, then move the slider"),
        ({"start": "zeros", "question": "What will it answer?"}, "Update 1,200: loss 4."),
        ({"show": "check"}, "What is the mistake?"),
        ({"show": "check", "question": "Which mistake?"}, "Version A forgets σ′"),
    ):
        bench = layer_bench(**arguments, name="twin")  # type: ignore[arg-type]
        assert seen in repr(bench.picture())
        assert (bench.update, bench.state.revealed) == (0, ()), "the live bench gives nothing away"
        bench.close()


def test_once_it_is_moved_the_twin_follows_the_bench(bench: LayerBench) -> None:
    bench.update = 300
    assert "Update 300" in repr(bench.picture())


def test_another_seed_is_another_run() -> None:
    bench = layer_bench(seed=1, updates=740, update=740, name="another seed")
    assert bench.solved is not None
    assert 700 < bench.solved < 740
    assert bench._slider.value == "740"
    bench.close()


def test_what_is_refused_changes_nothing(bench: LayerBench) -> None:
    before = bench.state
    for setting in ("show", "start", "update", "version", "guess"):
        with pytest.raises(BplibError):
            setattr(bench, setting, -1)
    with pytest.raises(DomainError, match="nearest is 300"):
        bench.go("zeros", 301)
    assert bench.state == before
    with pytest.raises(DomainError, match="updates is 100000"):
        layer_bench(updates=100_000, name="never made")
