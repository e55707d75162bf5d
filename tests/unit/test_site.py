"""`site`: the command with its fetched JavaScript, and how a notebook that ran becomes a page without a kernel."""

import base64
import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest

from bplib.lessons.learning_rate import check
from bplib.widgets.loop.view import loop_stepper
from bplib.widgets.prediction_gate import PredictionGate, Question
from bplib.widgets.rate.view import rate_lab
from commands import javascript, main, site
from commands.console import Problem
from scripts.pages.cells import goals, minutes, prepared, title
from scripts.pages.page import Neighbour, article, framed, style
from scripts.pages.running import Run, run
from scripts.pages.state import alone, is_interactive, renumbered

VIEW = "application/vnd.jupyter.widget-view+json"
HERE = "in JupyterLab"
FIRST = """\
# 06 · A title & more

**Run all cells first: menu *Run*.** The pictures come alive.

45 minutes: 15 to read.

After this notebook you can

1. do one update,
2. say why."""


# ---------------------------------------------------------------- the JavaScript


def archive(members: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as packed:
        for name, text in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


class Npm:
    """Stands for npm: a program that writes the archive it is given, or fails with a message."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / "npm"
        lines = ["import pathlib, sys", f"here = pathlib.Path({str(folder)!r})"]
        lines += ["(here / 'asked').write_text(' '.join(sys.argv[1:]))", "said = (here / 'says').read_text()"]
        lines += ["if said: sys.exit(said)", "pathlib.Path('made-1.0.0.tgz').write_bytes((here / 'tgz').read_bytes())"]
        program.write_text(f"#!{sys.executable}\n" + "\n".join(lines) + "\n", "utf-8")
        program.chmod(0o755)
        self.says("")
        monkeypatch.setattr(javascript.shutil, "which", lambda name: str(program))

    def says(self, text: str) -> None:
        (self.folder / "says").write_text(text, "utf-8")

    def offers(self, content: bytes) -> None:
        (self.folder / "tgz").write_bytes(content)

    @property
    def asked(self) -> str:
        found = self.folder / "asked"
        return found.read_text("utf-8") if found.exists() else ""


@pytest.fixture
def npm(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    if os.name == "nt":
        pytest.skip("the stand-in for npm is a program with a first line that Windows does not read")
    made = Npm(tmp_path / "programs", monkeypatch)
    content = archive({"package/a.js": "let a;\n", "package/other.js": "not wanted"})
    made.offers(content)
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    package = javascript.Package("@scope/made", "1.0.0", digest, ("package/a.js",))
    monkeypatch.setattr(javascript, "PACKAGES", (package,))
    return made


def test_a_package_is_fetched_once_and_only_what_is_needed_is_kept(
    npm: Npm, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    javascript.fetch_javascript()
    assert npm.asked == "pack @scope/made@1.0.0 --ignore-scripts"
    assert [path.name for path in (project / "build").rglob("*") if path.is_file()] == ["a.js"]
    assert javascript.PACKAGES[0].path("package/a.js").read_text("utf-8") == "let a;\n"
    assert capsys.readouterr().out == "Fetching @scope/made 1.0.0 with npm\n"
    (npm.folder / "asked").unlink()
    javascript.fetch_javascript()
    assert (npm.asked, capsys.readouterr().out) == ("", "")


def test_an_archive_that_was_changed_is_refused_and_nothing_of_it_is_kept(npm: Npm, project: Path) -> None:
    npm.offers(archive({"package/a.js": "let evil;\n"}))
    with pytest.raises(Problem) as caught:
        javascript.fetch_javascript()
    assert caught.value.wrong == "What npm fetched as @scope/made 1.0.0 is not what this course was made with."
    assert not (project / "build").exists()


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("npm error code ENOTFOUND", "npm could not fetch @scope/made 1.0.0: the network does not answer."),
        ("one\nE404", "npm could not fetch @scope/made 1.0.0. The last lines were:\n    one\n    E404"),
    ],
)
def test_what_npm_says_when_it_fails_becomes_a_sentence(npm: Npm, said: str, wrong: str) -> None:
    npm.says(said)
    with pytest.raises(Problem) as caught:
        javascript.fetch_javascript()
    assert caught.value.wrong == wrong
    assert caught.value.advice.startswith(("It is needed once.", "Run the command again."))


def test_without_npm_a_sentence_says_what_to_install(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javascript.shutil, "which", lambda name: None)
    with pytest.raises(Problem) as caught:
        javascript.fetch_javascript()
    assert caught.value.wrong.startswith("The program npm is missing.")
    assert caught.value.advice == "Install Node.js, which brings npm, and run the same command again."


def test_every_package_is_pinned_to_one_archive() -> None:
    for package in javascript.PACKAGES:
        assert package.version[0].isdigit(), package.name
        assert package.version.count(".") == 2, package.name
        assert len(base64.b64decode(package.sha512)) == 64, package.name


# ---------------------------------------------------------------- the command


@pytest.fixture
def maker(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose script writes an index, or fails if there is a file `fail`."""
    script = project / "scripts" / "pages" / "make.py"
    script.parent.mkdir(parents=True)
    script.write_text(
        "import pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "folder.mkdir()\n"
        f"(folder / 'index.html').write_text({site.MARK!r})\n"
        "sys.exit(3 if pathlib.Path('fail').exists() else 0)\n",
        "utf-8",
    )
    monkeypatch.setattr(site, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setattr(site, "set_up", lambda kind: None)
    monkeypatch.setattr(site, "fetch_javascript", lambda: None)
    return project


def test_the_site_lies_in_build_and_is_made_anew_each_time(maker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["site"]) == 0
    assert capsys.readouterr().out == "Ready: build/site, 0 MB. Open build/site/index.html.\n"
    old = maker / "build" / "site" / "old.html"
    old.write_text("of a notebook that is no longer there", "utf-8")
    assert main.main(["site"]) == 0
    assert not old.exists()
    assert [path.name for path in (maker / "build").iterdir()] == ["site"]


def test_a_folder_that_is_no_site_is_left_alone(maker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (maker / "own").mkdir()
    (maker / "own" / "index.html").write_text("<p>my own page", "utf-8")
    assert main.main(["site", str(maker / "own")]) == 2
    assert capsys.readouterr().err == (
        "own is there already and is not a site of this course.\nName another folder, or remove it first.\n"
    )
    assert [path.name for path in (maker / "own").iterdir()] == ["index.html"]
    (maker / "file").write_text("a file", "utf-8")
    assert main.main(["site", str(maker / "file")]) == 2
    (maker / "empty").mkdir()
    assert main.main(["site", str(maker / "empty")]) == 0


def test_a_notebook_that_fails_leaves_the_site_as_it_was(maker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["site"]) == 0
    kept = maker / "build" / "site" / "kept.html"
    kept.write_text("", "utf-8")
    (maker / "fail").touch()
    assert main.main(["site"]) == 3
    assert kept.exists()
    assert [path.name for path in (maker / "build").iterdir()] == ["site"]


def test_an_incomplete_copy_is_told(maker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (maker / "scripts" / "pages" / "make.py").unlink()
    assert main.main(["site"]) == 2
    assert capsys.readouterr().err.startswith("The file scripts/pages/make.py is missing.")


def test_what_a_site_is_known_by_stands_in_every_index() -> None:
    assert site.MARK in framed("")


# ---------------------------------------------------------------- the state of widgets


@pytest.fixture
def models() -> Iterator[dict[str, Any]]:
    """The state of two rate labs, a loop stepper and a question, and which model each of them is."""
    before = set(ipywidgets.Widget.get_manager_state()["state"])
    question = Question("How many?", "two", "There are two.", "Because one and one make two.", ("one", "two"))
    made = [rate_lab(name="a"), rate_lab(rate=0.3, name="b"), loop_stepper(), PredictionGate(question, "c")]
    state = ipywidgets.Widget.get_manager_state()["state"]
    found = {name: model for name, model in state.items() if name not in before}
    names = dict(zip(("lab", "other", "loop", "gate"), (one.model_id for one in made), strict=True))
    yield {"models": found, **names}
    for one in made:
        one.close()


def kinds(state: dict[str, Any]) -> list[str]:
    return sorted(model["model_name"] for model in state.values() if not model["model_name"].startswith(("L", "S"))) + [
        model["model_name"] for model in state.values() if model["model_name"].startswith("Selection")
    ]


def test_of_a_lab_the_linked_slider_and_the_stage_stay(models: dict[str, Any]) -> None:
    left = alone(models["models"], models["lab"])
    assert kinds(left) == ["AnyModel", "AnyModel", "DirectionalLinkModel", "VBoxModel", "SelectionSliderModel"]
    box = left[models["lab"]]["state"]
    assert len(box["children"]) == 3
    assert all(child.removeprefix("IPY_MODEL_") in left for child in box["children"])
    assert "Button" not in json.dumps(left)


def test_a_handle_becomes_a_ring_and_the_rest_of_the_scene_stays(models: dict[str, Any]) -> None:
    whole = models["models"]

    def marks(state: dict[str, Any]) -> list[Any]:
        (scene,) = [model["state"]["scene"] for model in state.values() if "scene" in model["state"]]
        return [mark for panel in scene["panels"] for mark in panel["marks"]]

    left = alone(whole, models["lab"])
    before = [mark["kind"] for mark in marks({name: whole[name] for name in left})]
    assert before.count("handle") == 1
    assert [mark["kind"] for mark in marks(left)] == [kind.replace("handle", "points") for kind in before]


def test_every_reference_and_every_buffer_leads_somewhere(models: dict[str, Any]) -> None:
    left, names = renumbered(alone(models["models"], models["lab"]))
    text = json.dumps(left)
    assert set(names.values()) == set(left)
    assert {part.split('"')[0] for part in text.split("IPY_MODEL_")[1:]} <= set(left)
    for model in left.values():
        for buffer in model.get("buffers", ()):
            place = model["state"]
            for step in buffer["path"][:-1]:
                place = place[step]


def test_the_names_are_the_same_in_every_run(models: dict[str, Any]) -> None:
    again = rate_lab(name="d")
    try:
        other = renumbered(alone(ipywidgets.Widget.get_manager_state()["state"], again.model_id))[0]
        assert other == renumbered(alone(models["models"], models["lab"]))[0]
    finally:
        again.close()


def test_two_labs_stay_apart_and_what_has_no_slider_goes(models: dict[str, Any]) -> None:
    whole = models["models"]
    assert not set(alone(whole, models["lab"])) & set(alone(whole, models["other"]))
    assert alone(whole, models["loop"]) == alone(whole, models["gate"]) == {}
    assert is_interactive(whole, models["loop"])
    assert not is_interactive(whole, models["gate"])


# ---------------------------------------------------------------- cells and pages


def code(source: str, identity: str = "a", tags: Sequence[str] = (), **data: Any) -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("display_data", data=data)] if data else []
    return nbformat.v4.new_code_cell(source, id=identity, metadata={"tags": list(tags)}, outputs=outputs)


def notebook(*cells: nbformat.NotebookNode, first: str = FIRST) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(first, id="title"), *cells])


def shown(model: str, words: str) -> dict[str, Any]:
    return {VIEW: {"model_id": model}, "text/html": words, "text/plain": words}


def page_of(*cells: nbformat.NotebookNode, models: dict[str, Any] | None = None) -> str:
    node, left = prepared(Run(notebook(*cells), models or {}), check.__self__.exercises, HERE)
    return framed(article(node), title(node), left)


def test_the_first_cell_gives_title_minutes_and_goals() -> None:
    node = notebook()
    assert (title(node), minutes(node)) == ("06 · A title & more", "45 minutes")
    assert goals(node) == ["do one update", "say why"]
    assert minutes(notebook(first="# T")) == ""
    assert goals(notebook(first="# T")) == []


def test_a_page_says_what_it_can_do_and_not_to_run_it(models: dict[str, Any]) -> None:
    still = page_of()
    assert "Run all cells" not in still
    assert "open this notebook in JupyterLab." in still
    assert "The sliders that you see work here." not in still
    live = page_of(code("lab", **shown(models["lab"], "<img>")), models=models["models"])
    assert "The sliders that you see work here." in live


def test_each_kind_of_widget_is_shown_as_what_it_can_be(models: dict[str, Any]) -> None:
    cells = [code(name, name, **shown(models[name], f"<p>still {name}</p>")) for name in ("lab", "loop", "gate")]
    lab, loop, gate = (part.partition("</div>\n</div>\n</div>")[0] for part in page_of(
        *cells, models=models["models"]).partition("<main")[2].split("<p>still ")[1:])  # fmt: skip
    assert '"model_id": "model-1"' in lab
    assert "The other controls need a running kernel: open this notebook in JupyterLab." in lab
    assert "model_id" not in loop
    assert "The controls of this picture need a running kernel" in loop
    assert "kernel" not in gate.partition("</div>")[0]


def test_a_page_without_a_widget_that_lives_loads_no_widgets(models: dict[str, Any]) -> None:
    assert "embed-amd.js" not in page_of(code("x", **shown(models["loop"], "still")), models=models["models"])
    assert "embed-amd.js" in page_of(code("x", **shown(models["lab"], "still")), models=models["models"])


def test_a_widget_that_was_closed_is_its_picture() -> None:
    made = page_of(code("lab", **shown("gone", "<p>still</p>")))
    assert "<p>still</p>" in made
    assert "kernel" not in made.partition("<p>still</p>")[2]


def test_in_place_of_a_verdict_stand_hints_and_a_solution() -> None:
    exercise = check.__self__.exercises["gd-step"]
    verdict = {"text/html": "<p>Not attempted yet.</p>"}
    made = page_of(code('check("gd_step", gd_step)', "c", ["check"], **verdict))
    assert "Not attempted" not in made
    assert made.count("<summary>Hint ") == len(exercise.hints)
    assert "<summary>A solution</summary>" in made
    assert "return w - lr * gradient" in made.replace("&quot;", '"')
    # Another cell that checks keeps what it says.
    assert "Not attempted" in page_of(code('check("gd_step", gd_step)', "c", [], **verdict))
    assert "Not attempted" in page_of(code('check("unknown", gd_step)', "c", ["check"], **verdict))


def test_what_only_the_learner_has_is_left_out() -> None:
    made = page_of(code("progress_page()", "progress", **{"text/html": "<p>5 predictions on Monday</p>"}))
    assert "Monday" not in made
    assert "Your own progress stands here when you work in the course." in made


def test_a_state_cannot_end_its_script() -> None:
    text = "</script><script>alert(1)</script><!--"
    made = framed("", "t", {"model-1": {"state": {"value": text}}})
    assert text not in made
    state = made.partition('widget-state+json">')[2].partition("</script>")[0]
    assert json.loads(state)["state"]["model-1"]["state"]["value"] == text


def test_an_article_links_pages_wraps_tables_and_leaves_no_empty_header() -> None:
    links = "[next](07_next.ipynb#a) [words](../GLOSSARY.md) [signs](../docs/notation.md#b)"
    text = f"## Two words\n\n{links}\n\n|  | b |\n|---|---|\n| 1 | 2 |"
    made = article(notebook(nbformat.v4.new_markdown_cell(text)))
    for page in ("07_next.html#a", "glossary.html", "notation.html#b"):
        assert f'href="{page}"' in made
    assert 'id="Two-words"' in made
    assert "anchor-link" not in made
    assert made.count('<div class="wide"><table') == 1
    assert "<th></th>" not in made


def test_a_page_has_a_language_a_title_a_way_to_the_content_and_neighbours() -> None:
    made = framed("<p>x</p>", "06 <a>", None, Neighbour("05.html", "five & more"), Neighbour("07.html", "seven"))
    assert '<html lang="en">' in made
    assert "<title>06 &lt;a&gt; – Backpropagation, step by step</title>" in made
    assert '<a class="skip" href="#content">' in made
    assert made.count('<a href="05.html" rel="prev">← five &amp; more</a>') == 2
    assert made.count('<a href="07.html" rel="next">seven →</a>') == 2
    assert "<nav" not in framed("<p>x</p>")


def test_code_has_colours_for_light_and_dark() -> None:
    light, _, dark = style().rpartition("@media (prefers-color-scheme: dark)")
    assert ".highlight .k {" in light
    assert ".highlight .k {" in dark


def test_a_run_keeps_the_state_of_widgets_opens_gates_and_changes_nothing(tmp_path: Path) -> None:
    source = (
        "from bplib.lessons.learning_rate import predict_fastest, rate_lab\nlab = rate_lab()\n"
        "gate = predict_fastest(lab)\nprint(gate.state.stage, end='', flush=True)\nprint(lab.state.revealed)\nlab"
    )
    before = notebook(nbformat.v4.new_code_cell(source, id="lab"))
    ran = run(before, tmp_path)
    assert before.cells[1].outputs == []
    assert [cell.id for cell in ran.notebook.cells] == ["title", "lab"]
    stream, widget = ran.notebook.cells[1].outputs
    assert stream.text == "revealedTrue\n"
    assert widget.data[VIEW]["model_id"] in ran.models
