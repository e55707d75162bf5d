"""The builder: one source becomes a learner and a solution notebook, and every slip of an author gets clear words."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import build
import nbformat
import pytest
import source

TITLE = '# %% [markdown] id="title"\n# # A title\n\n'
TASK = TITLE + '# %% id="t" tags=["task"]\n'


def written(folder: Path, text: str, name: str = "00_lesson") -> Path:
    path = folder / "src" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> source.Source:
    return source.read(written(folder, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", ["line 1", "before the first cell"], id="empty file"),
        pytest.param("import numpy\n" + TITLE, ["line 1", "before the first cell"], id="code before the first cell"),
        pytest.param("# ---\n# jupyter: {}\n# ---\n" + TITLE, ["line 1", "before the first cell"], id="header"),
        pytest.param(TITLE + "# %%\na = 1\n", ["line 4", "no id"], id="code without id"),
        pytest.param("# %% [markdown]\n# words\n", ["line 1", "no id"], id="markdown without id"),
        pytest.param(TITLE + '# %% id="two words"\na = 1\n', ["line 4", "'two words'", "letters"], id="bad id"),
        pytest.param(TITLE + f'# %% id="{"a" * 65}"\na = 1\n', ["line 4", "64"], id="long id"),
        pytest.param(TITLE + '# %% id=""\na = 1\n', ["line 4", "no valid cell id"], id="empty id"),
        pytest.param(TITLE + '# %% id="title"\na = 1\n', ["line 4", "'title'", "line 1"], id="id used twice"),
        pytest.param(TITLE + "# %% id=a\na = 1\n", ["line 4", "cannot read the cell marker"], id="unquoted id"),
        pytest.param(TITLE + '# %%id="a"\na = 1\n', ["line 4", "cannot read the cell marker"], id="no space"),
        pytest.param(TITLE + '#%% id="a"\na = 1\n', ["line 4", "cannot read the cell marker"], id="no space before"),
        pytest.param(TITLE + '# %% [markdwon] id="a"\n# b\n', ["[markdwon]", "Write it like"], id="typing error"),
        pytest.param(TITLE + '# %% A title id="a"\na = 1\n', ["line 4", "cannot read"], id="cell title"),
        pytest.param(TITLE + '# %% id="a" tags="core"\na = 1\n', ["line 4", "cannot read"], id="tags not a list"),
        pytest.param(TITLE + '# %% id="a" tags=["core" "slide"]\na = 1\n', ["line 4", "cannot read"], id="no comma"),
        pytest.param(TITLE + '# %% [raw] id="a"\n# b\n', ["line 4", "raw cells are not used"], id="raw cell"),
        pytest.param(TITLE + "# In[3]:\na = 1\n", ["line 4", "cannot read the cell marker"], id="foreign marker"),
        pytest.param(TITLE + '# %% id="a" tags=["tassk"]\na = 1\n', ["line 4", "Did you mean 'task'"], id="tag"),
        pytest.param(TITLE + '# %% id="a" tags=["zzz"]\na = 1\n', ["'zzz'", "Known tags: again"], id="other tag"),
        pytest.param(TITLE + '# %% id="a" tags=["core", "core"]\na = 1\n', ["line 4", "tag twice"], id="tag twice"),
        pytest.param(TITLE + '# %% id="a"\n\n# %% id="b"\nb = 1\n', ["line 4", "'a' is empty"], id="empty cell"),
        pytest.param(TITLE + '# %% id="a"\nb = (1\n', ["line 4", "'a' is not valid Python", "b = (1"], id="syntax"),
        pytest.param(TITLE + '# %% id="a"\n%matplotlib inline\n', ["'%matplotlib inline'", "plain"], id="magic"),
        pytest.param(TITLE + '# %% id="a"\n!ls\n', ["line 4", "'!ls'", "plain Python"], id="shell"),
        pytest.param(TITLE + '# %% id="a"\nb = 1\n# %timeit b\n', ["line 4", "'# %timeit b'"], id="magic as comment"),
        pytest.param(TITLE + '# %% id="a"\nb = """\n# %% id="c"\n"""\n', ["2 cells were read"], id="in string"),
        pytest.param(TITLE + '# %% id="a" tags=["solution"]\nb = 1\n', ["is for markdown"], id="code solution"),
        pytest.param('# %% [markdown] id="a" tags=["task"]\n# b\n', ["line 1", "task but not code"], id="prose task"),
        pytest.param(TASK + "a = 1\n", ["line 4", "'t' is a task without a solution"], id="no markers"),
        pytest.param(TASK + "# BEGIN SOLUTION\na = 1\n", ["line 4", "without # END SOLUTION"], id="unclosed"),
        pytest.param(TASK + "a = 1\n# END SOLUTION\n", ["without # BEGIN SOLUTION"], id="unopened"),
        pytest.param(
            TASK + "# BEGIN SOLUTION\n# BEGIN SOLUTION\na = 1\n# END SOLUTION\n", ["do not nest"], id="nested"
        ),
        pytest.param(TASK + "# BEGIN SOLUTION\n\n# END SOLUTION\n", ["has nothing between"], id="nothing between"),
        pytest.param(TASK + "# Begin solution\na = 1\n# END SOLUTION\n", ["'# Begin solution'", "exactly"], id="case"),
        pytest.param(TASK + "#BEGIN SOLUTION\na = 1\n# END SOLUTION\n", ["'#BEGIN SOLUTION'", "exactly"], id="space"),
        pytest.param(
            TITLE + '# %% id="a"\n# BEGIN SOLUTION\nb = 1\n# END SOLUTION\n', ["'a'", "but is no task"], id="no task"
        ),
        pytest.param('# %% [markdown] id="a"\n# # BEGIN SOLUTION\n', ["'a'", "but is no task"], id="marker in prose"),
        pytest.param(
            TASK + "a = [\n# BEGIN SOLUTION\n1,\n# END SOLUTION\n2]\n",
            ["as the learner gets it"],
            id="...",
        ),
    ],
)
def test_every_slip_in_a_source_is_named_with_its_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(source.SourceError) as caught:
        read(tmp_path, text)
    for word in ["00_lesson.py, line", *words]:
        assert word in str(caught.value)


def test_comments_strings_and_percent_signs_reach_the_notebook_unchanged(tmp_path: Path) -> None:
    text = '# cat pictures are nice\nshare = f"{0.5:.1%}"\ntable = """\n%d items\n"""\n\nrest = 7 % 2'
    node = read(tmp_path, TITLE + f'# %% id="a"\n{text}\n').notebook("learner")
    assert node.cells[1].source == text


def test_ids_and_tags_move_into_the_cells(tmp_path: Path) -> None:
    node = read(tmp_path, TITLE + '# %% id="a-b_1" tags=["core", "slide"]\na = 1\n').notebook("learner")
    assert [cell.id for cell in node.cells] == ["title", "a-b_1"]
    assert [dict(cell.metadata) for cell in node.cells] == [{}, {"tags": ["core", "slide"]}]
    nbformat.validate(node, relax_add_props=False)


def test_the_learner_gets_an_ellipsis_at_the_marker_and_the_solution_loses_the_markers(tmp_path: Path) -> None:
    task = "lr = 0.1\nfor i in range(2):\n    # BEGIN SOLUTION\n    a = lr * i\n    # END SOLUTION\n    print(i)\n"
    more = "# BEGIN SOLUTION\nb = 3 * lr\n\nc = b\n# END SOLUTION\n"
    parsed = read(tmp_path, TASK + task + more)
    learner, solution = (parsed.notebook(kind).cells[1].source for kind in source.KINDS)
    assert learner == "lr = 0.1\nfor i in range(2):\n    ...\n    print(i)\n..."
    assert solution == "lr = 0.1\nfor i in range(2):\n    a = lr * i\n    print(i)\nb = 3 * lr\n\nc = b"
    assert parsed.secrets == ("a = lr * i", "b = 3 * lr")


@pytest.mark.parametrize(
    ("block", "learner"),
    [
        ("largest_rate = 2 / 8", "largest_rate = ..."),
        ("# Two over the curvature.\nlargest_rate = (\n    2\n    / 8\n)", "largest_rate = ..."),
        ("largest_rate = 2 / 8\nother = 1", "..."),
        ("rates[0] = 2 / 8", "..."),
        ("a = b = 2 / 8", "..."),
        ("print(2 / 8)", "..."),
    ],
)
def test_a_single_answer_keeps_its_name_for_the_cells_that_follow(tmp_path: Path, block: str, learner: str) -> None:
    parsed = read(tmp_path, TASK + f"# BEGIN SOLUTION\n{block}\n# END SOLUTION\n")
    assert [parsed.notebook(kind).cells[1].source for kind in source.KINDS] == [learner, block]


def test_lines_that_say_nothing_or_were_shown_are_no_secrets(tmp_path: Path) -> None:
    lines = (
        "import numpy as np\nfor k in range(10):\n    pass\nx = 1\nloss.backward()  # as shown\nw = w - 0.1 * g  # down"
    )
    parsed = read(tmp_path, TASK + f"# BEGIN SOLUTION\n{lines}\n# END SOLUTION\n")
    assert parsed.secrets == ("w = w - 0.1 * g",)


def test_prose_tagged_solution_is_in_the_solution_notebook_only(tmp_path: Path) -> None:
    parsed = read(tmp_path, TITLE + '# %% [markdown] id="why" tags=["solution"]\n# Because.\n')
    assert [cell.id for cell in parsed.notebook("learner").cells] == ["title"]
    assert [cell.id for cell in parsed.notebook("solution").cells] == ["title", "why"]


def test_metadata_say_kind_and_source_and_nothing_of_the_machine(tmp_path: Path) -> None:
    path = written(tmp_path, TITLE)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert source.read(path).notebook("solution").metadata == {
        "bplib": {"kind": "solution", "source_sha256": hashlib.sha256(TITLE.encode()).hexdigest()},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_the_sample_for_authors_is_a_sound_source(tmp_path: Path) -> None:
    sample = build.__doc__.partition("::\n")[2].partition("\n- ")[0]
    text = "\n".join(line.removeprefix("    ") for line in sample.splitlines()).strip() + "\n"
    parsed = read(tmp_path, text)
    assert [cell.id for cell in parsed.cells][:2] == ["title", "imports"]
    assert parsed.secrets == ("return w - lr * grad",)


def test_built_twice_a_notebook_is_the_same_bytes_pictures_included(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [build.target(course, "00_good", kind) for kind in source.KINDS]
    runs = []
    for _ in range(2):
        for path in files:
            path.unlink()
        assert build.main(["--folder", str(course)]) == 0
        runs.append([path.read_bytes() for path in files])
    assert runs[0] == runs[1]
    assert build.check(course) == []
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["00_good", "learner"], ["00_good", "solution"]]
    assert lines[2].startswith("build: 2 notebooks written, ")

    node = nbformat.reads(runs[0][1].decode(), as_version=4)
    cells = {cell.id: cell for cell in node.cells}
    for name in ("picture", "slider"):
        assert sorted(cells[name].outputs[0].data) == ["image/png", "text/html", "text/plain"]
    assert cells["mistake"].outputs[0].traceback == ["IndexError: list index out of range"]
    assert runs[0][0].endswith(b"}\n")


def test_a_raising_cell_stops_the_build_and_writes_nothing(
    tmp_path: Path, fixtures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (fixtures / "broken" / "src" / "03_raising.py").read_text(encoding="utf-8")
    written(tmp_path, text, "03_raising")
    assert build.main(["--folder", str(tmp_path), "03"]) == 1
    shown = capsys.readouterr()
    assert "stopped" in shown.out
    first, second = shown.err.splitlines()
    assert first == "03_raising (learner): cell third-rate raised IndexError: list index out of range"
    assert second.startswith("The cell begins in line 13 of 03_raising.py. Neither notebook")
    assert not list(tmp_path.glob("**/*.ipynb"))


def test_what_a_cell_writes_to_stderr_is_refused_after_the_run(tmp_path: Path, fixtures: Path) -> None:
    text = (fixtures / "broken" / "src" / "07_stderr_output.py").read_text(encoding="utf-8")
    written(tmp_path, text, "07_stderr_output")
    with pytest.raises(build.BuildError, match=r"07_stderr_output\.ipynb: warning: stderr: .*not a number"):
        build.build(tmp_path)
    assert not list(tmp_path.glob("**/*.ipynb"))


def test_a_leaking_solution_is_refused_before_anything_runs(
    tmp_path: Path, fixtures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (fixtures / "broken" / "src" / "04_leaking_solution.py").read_text(encoding="utf-8")
    written(tmp_path, text, "04_leaking_solution")
    with pytest.raises(build.BuildError, match=r"04_leaking_solution\.ipynb: gd-step-check: solution leak"):
        build.build(tmp_path)
    assert "learner" not in capsys.readouterr().out


def test_a_duplicate_id_is_refused_with_both_lines(fixtures: Path) -> None:
    with pytest.raises(source.SourceError, match=r"05_duplicate_id\.py, line 9: the id 'rate' .* line 5"):
        source.read(fixtures / "broken" / "src" / "05_duplicate_id.py")


def test_a_run_sees_an_empty_folder_and_nothing_of_the_authors_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup = tmp_path / "startup.py"
    startup.write_text("leaked = 1\n")
    for name in ("profile_default/startup", "matplotlib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "profile_default" / "startup" / "00.py").write_text("leaked = 2\n")
    (tmp_path / "matplotlib" / "matplotlibrc").write_text("lines.linewidth: 99\n")
    monkeypatch.setenv("PYTHONSTARTUP", str(startup))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    code = (
        "import os\n\nimport bplib\nimport matplotlib\n\n"
        'print("leaked" in globals(), os.listdir(), matplotlib.rcParams["lines.linewidth"])\n'
        'print(os.environ["OPENBLAS_NUM_THREADS"], os.environ["TQDM_DISABLE"], "BPLIB_PROGRESS" in os.environ)'
    )
    folder = tmp_path / "course"
    pieces = 'import time\n\nfor word in "ab":\n    print(word, flush=True)\n    time.sleep(0.3)'
    written(folder, TITLE + f'# %% id="a"\n{code}\n\n# %% id="b"\n{pieces}\n')
    build.build(folder)
    node = nbformat.read(folder / "00_lesson.ipynb", as_version=4)
    # One output each, whatever pieces the kernel sent it in.
    assert [output.text for cell in node.cells[1:] for output in cell.outputs] == ["False [] 1.5\n1 1 True\n", "a\nb\n"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import time\n\ntime.sleep(60)", "cell slow took more than 1 s"),
        ("import os\n\nos._exit(1)", "cell slow ended its kernel"),
    ],
)
def test_a_cell_that_hangs_or_kills_its_kernel_is_named(tmp_path: Path, code: str, words: str) -> None:
    written(tmp_path, TITLE + f'# %% id="slow"\n{code}\n')
    with pytest.raises(build.BuildError, match=words):
        build.build(tmp_path, timeout=1)


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("w, b = 0.5, 0.25", "w, b = 0.5, 0.75", "00_good.ipynb: prediction: as its source: its source differs"),
        ('     "slide"', '     "widget"', "prediction: as its source: its metadata differs"),
        ('"display_name": "Python 3"', '"display_name": "Python 4"', "as its source: the metadata differ"),
        ('"kind": "learner"', '"kind": "solution"', "as its source: the metadata differ"),
        ('"id": "mse"', '"id": "mean"', "the cells differ: missing mse; not in the source mean"),
        ('"nbformat_minor": 5\n}\n', '"nbformat_minor": 5\n}', "not laid out as the build writes it"),
    ],
)
def test_check_says_which_cell_was_edited(course: Path, old: str, new: str, words: str) -> None:
    spoil(course / "00_good.ipynb", old, new)
    found = [str(finding) for finding in build.check(course)]
    assert any(words in line and line.endswith("Run: python course.py build 00") for line in found)
    assert not any(line.startswith("solutions/") for line in found)


@pytest.mark.parametrize(("old", "new"), [('"nbformat": 4', '"nbformat": 3'), ('"nbformat": 4', '"n": 4'), ("{", "[")])
def test_check_says_when_a_file_is_no_notebook(course: Path, old: str, new: str) -> None:
    spoil(course / "00_good.ipynb", old, new)
    expected = "00_good.ipynb: valid format: this is no notebook of format 4. Build it anew."
    assert [str(finding) for finding in build.check(course)] == [expected]


def test_check_notices_a_changed_source(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--check", "--folder", str(course)]) == 0
    spoil(course / "src" / "00_good.py", "Multiply, then add", "First multiply")
    assert build.main(["--check", "--folder", str(course), "00"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("check: 0 findings")
    for start in ("00_good.ipynb: ", "solutions/00_good.ipynb: "):
        assert any(line.startswith(f"{start}as its source: the source was changed since") for line in lines)
        assert any(line.startswith(f"{start}forward: as its source: its source differs") for line in lines)
    assert lines[-1].startswith("check: 4 findings")


def test_check_notices_swapped_missing_and_orphaned_notebooks(course: Path) -> None:
    path = course / "00_good.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"][0], content["cells"][2] = content["cells"][2], content["cells"][0]
    path.write_text(json.dumps(content), encoding="utf-8")
    (course / "solutions" / "00_good.ipynb").rename(course / "Untitled.ipynb")
    found = "\n".join(map(str, build.check(course)))
    assert "00_good.ipynb: as its source: the cells differ: their order or number" in found
    assert "solutions/00_good.ipynb: complete: there is no solution notebook" in found
    assert "Untitled.ipynb: complete: there is no source src/Untitled.py" in found


def test_an_unknown_number_lists_the_known_ones(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--folder", str(course), "07"]) == 1
    assert capsys.readouterr().err == "no source called 07 in course/src. There: 00_good.\n"


def test_the_command_runs_by_its_path_from_any_folder(course: Path, tmp_path: Path) -> None:
    command = [sys.executable, build.__file__, "--check", "--folder", str(course)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("check: 0 findings")
