"""The table of promises: every row is measured, none can hide another, and a broken promise is said."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "verify.py"


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "REPORT", tmp_path / "docs" / "verification.md")
    module.PROMISES.clear()
    return module


def test_all_rows_are_measured_and_the_status_tells(verify: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verify.promise("it is quick")(lambda: ("1 s", True))
    assert verify.main([]) == 0
    verify.promise("it cannot be measured")(lambda: 1 / 0)
    verify.promise("it is small | light")(lambda: ("2 MB", True))
    assert verify.main(["--write"]) == 1
    text = capsys.readouterr().out
    assert "NOT KEPT  it cannot be measured\n          ZeroDivisionError" in text
    assert "2 of 3 promises kept" in text
    page = verify.REPORT.read_text("utf-8")
    assert "| it is quick | 1 s | kept |" in page
    assert r"| it is small \| light | 2 MB | kept |" in page


def test_nothing_is_written_unless_asked(verify: ModuleType) -> None:
    verify.promise("it is quick")(lambda: ("1 s", True))
    verify.main([])
    assert not verify.REPORT.exists()


@pytest.mark.parametrize(("sizes", "classify"), [((2, 16, 16, 1), False), ((8, 12, 6, 3), True)])
def test_the_yardstick_written_by_hand_learns_the_same(
    verify: ModuleType, sizes: tuple[int, ...], classify: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    ours, by_hand = verify.step_pair(sizes, 20, classify)
    losses = [(ours(), by_hand()) for _ in range(20)]
    assert losses[-1][0] < losses[0][0]
    assert all(a == pytest.approx(b, rel=1e-12) for a, b in losses)
