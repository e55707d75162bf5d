"""The benchmark of the engine: all hands do the same, one that does not is found, and the table reads well."""

import json
import platform
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import engine  # noqa: E402
import steps  # noqa: E402

SMALL = [
    steps.Job(f"small {classify} {dtype} {adam}", (3, 5, 4, 2), 6, classify, dtype, adam)
    for classify in (False, True) for dtype in ("float64", "float32") for adam in (False, True)
]  # fmt: skip


@pytest.mark.parametrize("job", SMALL, ids=lambda job: job.name)
def test_all_hands_come_to_the_same_losses_and_parameters(job):
    engines = engine.engines_for(job)
    assert set(engines) >= {"by hand", "textbook", "bplib", "unfused", "replay"}
    engine.hold_together(job, engines)


@pytest.mark.parametrize("name", ["textbook", "bplib"])
def test_an_engine_that_computes_something_else_is_not_timed(name):
    job = SMALL[0]
    engines = engine.engines_for(job)
    engines[name] = steps.MAKERS[name](replace(job, adam=True))
    with pytest.raises(engine.Disagreement, match=f"small False float64 False: the losses of {name} are"):
        engine.hold_together(job, engines)


def test_parameters_that_differ_are_found_although_the_losses_agree():
    engines = engine.engines_for(SMALL[0])
    step, parameters = engines["bplib"]
    engines["bplib"] = step, lambda: [p + 1e-3 for p in parameters()]
    with pytest.raises(engine.Disagreement, match=r"parameter 0 of bplib differs by 1\.0e-03"):
        engine.hold_together(SMALL[0], engines)


def test_the_rows_are_ratios_to_the_yardstick():
    rows = engine.training_rows(SMALL[0], rounds=3, block=1e-4)
    by_name = {row.engine: row for row in rows}
    assert by_name["by hand"].ratio == 1.0
    assert all(row.low <= row.ratio <= row.high for row in rows)
    assert by_name["unfused"].ratio != pytest.approx(by_name["unfused"].microseconds / by_name["by hand"].microseconds)


def test_the_loss_surface_is_the_same_in_all_hands(monkeypatch):
    rows = engine.surface_rows(2, points=5)
    assert [(row.engine, row.goal) for row in rows] == [("by hand", None), ("bplib", 1.15), ("own loss", 1.6)]
    ways = steps.planes(steps.JOBS["tiny"], 5)
    monkeypatch.setattr(engine, "planes", lambda job, points: ways | {"own loss": lambda: ways["bplib"]() + 1e-6})
    with pytest.raises(engine.Disagreement, match="loss surface: own loss gives other losses than by hand"):
        engine.surface_rows(2, points=5)


@pytest.mark.parametrize("name", ["MyGrad", "autograd", "PyTorch"])
def test_other_libraries_stand_beside_where_they_are_installed(name):
    pytest.importorskip({"PyTorch": "torch"}.get(name, name.lower()))
    job = SMALL[0]
    engine.hold_together(job, {"by hand": steps.by_hand(job), name: steps.MAKERS[name](job)})


def test_numbers_one_at_a_time_and_a_chain():
    ours = engine.scalar_rows(2)[1]
    assert (ours.engine, ours.goal) == ("bplib", 9.0)
    rows = engine.chain_rows((500,))
    assert [row.engine for row in rows] == ["forward", "backward", "memory"]
    assert rows[0].job == "chain of 500: µs a node"


ROWS = [
    engine.Row("tiny SGD float64", "by hand", 1.0, 1.0, 1.0, 25.0, None),
    engine.Row("tiny SGD float64", "bplib", 1.5, 1.45, 1.62, 37.5, 1.55),
    engine.Row("tiny SGD float64", "replay", 1.2, 1.1, 1.3, 30.0, 1.10),
]


def test_the_table_reads_well():
    assert engine.as_text(ROWS).splitlines()[1:] == [
        "tiny SGD float64                 by hand       1.00    1.00 … 1.00       25.0          ",
        "tiny SGD float64                 bplib         1.50    1.45 … 1.62       37.5    1.55  reached",
        "tiny SGD float64                 replay        1.20    1.10 … 1.30       30.0     1.1  not reached",
    ]
    page = engine.as_markdown(ROWS)
    assert f"Measured with Python {platform.python_version()}, NumPy {np.__version__}" in page
    assert page.splitlines()[-1] == (
        "| tiny SGD float64 | replay | 1.20 | 1.10 … 1.30 | 30.0 | ≤ 1.1 | not reached |"
    )


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    return engine.main()


def test_the_command_writes_what_it_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(engine, "measured", lambda *options: iter([ROWS]))
    monkeypatch.setattr(engine, "REPORT", tmp_path / "speed.md")
    assert run(monkeypatch, "tiny", "--json", str(tmp_path / "rows.json"), "--write") == 0
    assert "not reached" in capsys.readouterr().out
    assert json.loads((tmp_path / "rows.json").read_text("utf-8"))[1]["ratio"] == 1.5
    assert (tmp_path / "speed.md").read_text("utf-8") == engine.as_markdown(ROWS)


def test_an_unknown_name_a_stop_and_a_disagreement_are_told(monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit):
        run(monkeypatch, "huge")
    assert "there is no 'huge'; choose from tiny, medium" in capsys.readouterr().err

    def stops(*options):
        yield ROWS
        raise KeyboardInterrupt

    def differs(*options):
        raise engine.Disagreement("tiny: they differ")
        yield

    monkeypatch.setattr(engine, "REPORT", tmp_path / "speed.md")
    monkeypatch.setattr(engine, "measured", stops)
    assert run(monkeypatch, "--write") == 130
    out, err = capsys.readouterr()
    assert "bplib" in out
    assert err == "Stopped; the rows above are complete.\n"
    monkeypatch.setattr(engine, "measured", differs)
    assert run(monkeypatch, "--write") == 1
    assert capsys.readouterr().err == "tiny: they differ\n"
    assert not (tmp_path / "speed.md").exists()


def test_names_choose_the_jobs():
    wanted = [job.name for job in engine.jobs() if engine._wanted(job.name, ["tiny"])]
    assert wanted == ["tiny SGD float64", "tiny Adam float64", "tiny SGD float32", "tiny Adam float32"]
    assert all(engine._wanted(job.name, []) for job in engine.jobs())
    assert {job for job, _ in engine.GOALS} - {job.name for job in engine.jobs()} == {
        "loss surface", "scalar network", "chain",
    }  # fmt: skip
    assert np.isfinite([goal for goal in engine.GOALS.values()]).all()
