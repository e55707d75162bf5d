"""The table of promises: every row is measured, none can hide another, a broken promise is said, a wait is timed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "verify.py"
# Stands for the commands and for JupyterLab: notebook, kernel and slider come 0.2 s after one another.
COURSE = '''
import http.server, os, pathlib, sys, threading
assert sys.argv[1:] == ["--no-browser"]
assert os.listdir(os.environ["HOME"]) == [] and "BPLIB_PROGRESS" not in os.environ
PAGE = b"""<!doctype html><body><div role=menuitem>Run</div><div role=menuitem onclick=run()>Run All Cells</div><script>
const add = (name, text) => document.body.insertAdjacentHTML("beforeend", `<div class="${name}">${text}</div>`)
setTimeout(() => { add("jp-Notebook", '<p class="jp-Cell">saved</p>')
    setTimeout(() => add("status", "Python 3 (ipykernel) | Idle"), 200) }, 200)
function run() { add("jp-InputPrompt", "[*]"); setTimeout(() => add("noUi-handle", "slider"), 200) }
</script>"""
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)
    def do_POST(self):
        assert self.path == "/api/shutdown?token=abc"
        self.send_response(200)
        self.end_headers()
        pathlib.Path("my").mkdir()
        threading.Thread(target=server.shutdown).start()
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"Ready.\\nhttp://127.0.0.1:{server.server_port}/lab/tree/my/00.ipynb?token=abc", flush=True)
server.serve_forever()
'''


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


# -- how long a learner waits -----------------------------------------------------------------------------------------


@pytest.fixture
def first_slider(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("first_slider")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with an environment and with a learner's own work."""
    for name in ("course/my/00.ipynb", "course/.venv/pyvenv.cfg", "course/notebooks/00.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}", "utf-8")
    (tmp_path / "course" / "course.py").write_text(COURSE, "utf-8")
    return tmp_path / "course"


def test_a_wait_keeps_its_promise_up_to_the_bound(verify: ModuleType, first_slider: ModuleType) -> None:
    waits = first_slider.Waits(2.0, 1.25, 1.5, 3.0)
    text = "7.8 s: 2.0 s to the server, 1.2 s to the notebook, 1.5 s to its kernel, "
    text += "3.0 s from Run All Cells to the slider"
    assert verify.in_time(lambda root: waits, at_most=7.75) == (text, True)
    assert verify.in_time(lambda root: waits, at_most=7.7) == (text, False)


def test_what_a_machine_cannot_tell_breaks_no_promise(verify: ModuleType, first_slider: ModuleType) -> None:
    def wait(root: Path) -> None:
        raise first_slider.NotMeasured("no network")

    assert verify.in_time(wait, at_most=1.0) == ("not measured: no network", True)


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("The packages could not be fetched: nobody answers.", "NotMeasured", "^no network$"),
        ("The disk is full.", "RuntimeError", "The disk is full"),
    ],
)
def test_a_command_that_prints_no_address_says_why(
    course: Path, first_slider: ModuleType, said: str, kind: str, told: str
) -> None:
    (course / "course.py").write_text(f"import sys\nsys.exit({said!r})\n", "utf-8")
    error = getattr(first_slider, kind, RuntimeError)
    with pytest.raises(error, match=told), first_slider.fresh_copy(course) as copied, first_slider.running(copied):
        pass


def test_the_copy_is_fresh_and_leaves_nothing_behind(course: Path, first_slider: ModuleType) -> None:
    with first_slider.fresh_copy(course) as copied:
        assert sorted(path.name for path in copied.iterdir()) == ["course.py", "notebooks"]
    assert not copied.parent.exists()


def test_without_an_environment_the_second_start_is_not_measured(course: Path, first_slider: ModuleType) -> None:
    with pytest.raises(first_slider.NotMeasured, match="no environment"):
        first_slider.second_start(course / "notebooks")


@pytest.mark.parametrize(
    ("changed", "kept"),
    [({}, True), ({"median": 25.1}, False), ({"kernel_ms": 15.1}, False), ({"received": 4096.5}, False)],
)
def test_a_live_picture_keeps_up_to_the_bounds(
    verify: ModuleType, first_slider: ModuleType, monkeypatch: pytest.MonkeyPatch, changed: dict[str, float], kept: bool
) -> None:
    live_pictures = importlib.import_module("live_pictures")
    slow = live_pictures.Follow(30, 100.0, 150.0, 500.0, 180_000.0)
    live = live_pictures.Follow(120, 25.0, 40.0, 15.0, 4096.0)._replace(**changed)
    monkeypatch.setattr(live_pictures, "beside_interact", lambda root, widget: (slow, live))
    text, verdict = verify.live_picture()
    assert verdict == kept
    assert text.startswith("120 pictures, 25 ms, p95 40 ms, ")
    assert "interact: 30 pictures, 100 ms, p95 150 ms, 500.0 ms of the kernel's time, 180,000 bytes" in text


@pytest.mark.browser
def test_each_part_of_the_wait_is_timed_by_itself(course: Path, first_slider: ModuleType) -> None:
    before = sorted(course.rglob("*"))
    waits = first_slider.first_start(course)
    assert all(0 < seconds < 10 for seconds in waits), waits
    # The page shows its cells after 0.2 s, Idle after 0.2 s more; a slow browser may see both at once.
    assert waits.notebook + waits.kernel > 0.3, waits
    assert waits.slider > 0.15, waits
    assert sorted(course.rglob("*")) == before
