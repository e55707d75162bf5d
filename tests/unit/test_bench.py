"""The benchmark of the engine: all hands do the same, one that does not is found, and the table reads well."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import engine  # noqa: E402
import measures  # noqa: E402
import steps  # noqa: E402

SMALL = [
    steps.Job(f"small {classify} {dtype} {adam}", (3, 5, 4, 2), 6, classify, dtype, adam)
    for classify in (False, True) for dtype in ("float64", "float32") for adam in (False, True)
]  # fmt: skip


@pytest.mark.parametrize("job", SMALL, ids=lambda job: job.name)
def test_all_hands_come_to_the_same_losses_and_parameters(job):
    engines = measures.engines_for(job)
    assert list(engines) == ["by hand", "textbook", "bplib", "unfused", "replay"]
    measures.hold_together(job, engines)


@pytest.mark.parametrize("name", ["textbook", "bplib"])
def test_an_engine_that_computes_something_else_is_not_timed(name):
    job = SMALL[0]
    engines = measures.engines_for(job)
    engines[name] = steps.OWN[name](replace(job, adam=True))
    with pytest.raises(engine.Disagreement, match=f"small False float64 False: the losses of {name} are"):
        measures.hold_together(job, engines)


def test_parameters_that_differ_are_found_although_the_losses_agree():
    engines = measures.engines_for(SMALL[0])
    step, parameters = engines["bplib"]
    engines["bplib"] = step, lambda: [p + 1e-3 for p in parameters()]
    with pytest.raises(engine.Disagreement, match=r"parameter 0 of bplib differs by 1\.0e-03"):
        measures.hold_together(SMALL[0], engines)


def test_the_rows_are_ratios_to_the_yardstick():
    job = SMALL[0]
    rows = engine.rows_of(job.name, measures.training_seconds(job, measures.engines_for(job), rounds=3, block=1e-4))
    by_name = {row.engine: row for row in rows}
    assert by_name["by hand"].ratio == 1.0
    assert all(row.low <= row.ratio <= row.high for row in rows)
    assert by_name["unfused"].ratio != pytest.approx(by_name["unfused"].microseconds / by_name["by hand"].microseconds)


def test_a_ratio_is_the_median_of_rounds_that_belong_together():
    seconds = {"by hand": [1.0, 2.0, 4.0], "textbook": [2.0, 2.0, 2.0], "unfused": [3.0, 2.0, 2.0]}
    rows = {row.engine: row for row in engine.rows_of("tiny SGD float64", seconds)}
    assert (rows["textbook"].ratio, rows["textbook"].microseconds) == (1.0, 2e6)
    assert (rows["unfused"].ratio, rows["unfused"].goal) == (1.0, 1.1), "to the textbook, not to the hand"
    (row,) = engine.rows_of("chain of 10,000: µs a node", {"backward": [3.0, 0.5, 0.25]})
    assert (row.ratio, row.microseconds, row.goal, row.verdict) == (0.5, 0.5, 1.5, "reached")


def test_every_process_is_a_new_one_and_gives_its_share_of_the_rounds():
    seconds = engine.measured("tiny SGD float64", rounds=6, block=1e-4, processes=2)
    assert list(seconds) == ["by hand", "textbook", "bplib", "unfused", "replay"]
    assert {len(values) for values in seconds.values()} == {6}


def test_what_goes_wrong_in_the_process_comes_out_here():
    with pytest.raises(KeyError, match="huge SGD"):
        engine.measured("huge SGD float64", rounds=1, block=1e-4, processes=1)


def test_the_loss_surface_is_the_same_in_all_hands(monkeypatch):
    rows = engine.rows_of(measures.SURFACE, measures.surface_seconds(2, points=5))
    assert [(row.engine, row.goal) for row in rows] == [("by hand", None), ("bplib", 1.15), ("own loss", 1.6)]
    ways = steps.planes(steps.JOBS["tiny"], 5)
    monkeypatch.setattr(measures, "planes", lambda job, points: ways | {"own loss": lambda: ways["bplib"]() + 1e-6})
    with pytest.raises(measures.Disagreement, match="loss surface: own loss gives other losses than by hand"):
        measures.surface_seconds(2, points=5)


@pytest.mark.parametrize("name", ["MyGrad", "autograd", "PyTorch"])
def test_other_libraries_stand_beside_where_they_are_installed(name):
    pytest.importorskip({"PyTorch": "torch"}.get(name, name.lower()))
    job = SMALL[0]
    assert name in measures.others_for("tiny SGD float64")
    engines = measures.engines_for(job, name)
    assert list(engines) == ["by hand", name]
    measures.hold_together(job, engines)


def test_numbers_one_at_a_time_and_a_chain():
    ours = engine.rows_of(measures.SCALAR, measures.seconds_for(measures.SCALAR, 2, 1e-4))[1]
    assert (ours.engine, ours.goal) == ("bplib", 9.0)
    assert [row.engine for row in engine.rows_of("chain", measures.chain_microseconds(500))] == ["forward", "backward"]
    (memory,) = engine.rows_of(measures.MEMORY, measures.seconds_for(measures.MEMORY, 1, 1e-4))
    assert 200 < memory.ratio < 500
    assert (memory.goal, memory.verdict) == (500.0, "reached")


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
    assert page.splitlines()[-1] == "| tiny SGD float64 | replay | 1.20 | 1.10 … 1.30 | 30.0 | ≤ 1.1 | not reached |"


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    return engine.main()


def test_the_command_writes_what_it_measured(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(engine, "measured", lambda name, *more: {"by hand": [1.0], "replay": [1.5]})
    monkeypatch.setattr(engine, "others_for", lambda name: [])
    monkeypatch.setattr(engine, "REPORT", tmp_path / "speed.md")
    assert run(monkeypatch, "tiny", "--json", str(tmp_path / "rows.json"), "--write") == 0
    assert "not reached" in capsys.readouterr().out
    rows = [engine.Row(*row.values()) for row in json.loads((tmp_path / "rows.json").read_text("utf-8"))]
    assert [row.job for row in rows[::2]] == engine.chosen(["tiny"], quick=False)
    assert rows[1] == engine.Row("tiny SGD float64", "replay", 1.5, 1.5, 1.5, 1.5e6, 1.1)
    assert (tmp_path / "speed.md").read_text("utf-8") == engine.as_markdown(rows)


def test_another_library_is_timed_alone_beside_the_yardstick(monkeypatch, capsys):
    def measured(name, rounds, block, processes, other=""):
        return {"by hand": [1.0], "bplib": [1.5]} if not other else {"by hand": [2.0], other: [6.0]}

    monkeypatch.setattr(engine, "measured", measured)
    monkeypatch.setattr(engine, "others_for", lambda name: ["PyTorch"])
    assert run(monkeypatch, "--quick") == 0
    lines = [line.split()[3:6] for line in capsys.readouterr().out.splitlines()]
    assert lines[-3:] == [["by", "hand", "1.00"], ["bplib", "1.50", "1.50"], ["PyTorch", "3.00", "3.00"]]


def test_an_unknown_name_a_stop_and_a_disagreement_are_told(monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit):
        run(monkeypatch, "huge")
    assert "there is no 'huge'; choose from tiny, medium" in capsys.readouterr().err

    def stops(name, *more):
        if "Adam" in name:
            raise KeyboardInterrupt
        return {"by hand": [1.0], "bplib": [1.5]}

    def differs(name, *more):
        raise measures.Disagreement("tiny: they differ")

    monkeypatch.setattr(engine, "REPORT", tmp_path / "speed.md")
    monkeypatch.setattr(engine, "measured", stops)
    assert run(monkeypatch, "--write") == 130
    out, err = capsys.readouterr()
    assert "bplib" in out
    assert err.endswith("Stopped; the rows above are complete.\n")
    monkeypatch.setattr(engine, "measured", differs)
    assert run(monkeypatch, "--write") == 1
    assert capsys.readouterr().err.endswith("tiny: they differ\n")
    assert not (tmp_path / "speed.md").exists()


def test_names_choose_the_jobs():
    assert engine.chosen(["tiny"], quick=True) == [
        "tiny SGD float64", "tiny Adam float64", "tiny SGD float32", "tiny Adam float32",
    ]  # fmt: skip
    assert engine.chosen([], quick=False) == engine.NAMES
    assert engine.chosen([], quick=True) == ["tiny SGD float64"]
    assert engine.chosen(["surface", "chain"], quick=False) == [measures.SURFACE, *measures.CHAINS, measures.MEMORY]
    assert {job for job, _ in engine.GOALS} - {job.name for job in measures.jobs()} == {
        "loss surface", "scalar network", "chain",
    }  # fmt: skip
    assert np.isfinite([goal for goal in engine.GOALS.values()]).all()


_AS_A_COMMAND = """
import os, runpy, sys
sys.argv = ["engine.py", "--help"]
try:
    runpy.run_path("engine.py", run_name="__main__")
except SystemExit:
    print(sorted(name for name in os.environ if name.startswith("OPENBLAS")), os.environ["OPENBLAS_NUM_THREADS"])
"""


def test_products_run_on_one_thread_and_as_fast_as_the_machine_allows():
    slow = {**os.environ, "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512", "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-c", _AS_A_COMMAND]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", env=slow, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['OPENBLAS_NUM_THREADS'] 1"
