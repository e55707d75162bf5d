"""What Binder reads of this project: the image it would build, the script that starts it, the link that leads there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest.mock import Mock

import pytest
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from traitlets.config import PyFileConfigLoader

from commands import environment

ROOT = Path(__file__).resolve().parents[2]
README = " ".join((ROOT / "README.md").read_text("utf-8").split())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ADDRESS = PROJECT["tool"]["course"]["repository"]
NOT_PUBLISHED = "/OWNER/" in ADDRESS
BASH = pytest.mark.skipif(os.name == "nt", reason="Binder's scripts are for bash, on Linux")
# A container's home folder is new: Jupyter's own files need not be kept apart from anybody's.
NEW_HOME = {"IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"}

# As Binder does it, up to the Dockerfile, which needs no engine: the first build pack that recognises the folder.
RENDER = """
import json
from repo2docker.app import Repo2Docker
app = Repo2Docker()
packs = (pack(base_image=app.base_image) for pack in app.buildpacks)
pack = next(pack for pack in packs if pack.detect())
pack.platform = "linux/amd64"
text = pack.render({"NB_USER": "jovyan", "NB_UID": "1000"})
print(json.dumps([type(pack).__name__, pack.python_version, text]))
"""
SHOW_ENVIRONMENT = "import json, os; print(json.dumps([os.getpid(), dict(os.environ)]))"


def render(folder: Path) -> tuple[str, str, list[str]]:
    """The build pack, its Python, and the lines of the Dockerfile."""
    command = [sys.executable, "-c", RENDER]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ValueError(ran.stderr)
    pack, version, text = json.loads(ran.stdout)
    return pack, version, text.splitlines()


def pins_are_cached(lines: list[str]) -> bool:
    """Whether the packages are installed before the project comes in, so that a new commit need not install them."""
    install, project = (
        next(number for number, line in enumerate(lines) if re.match(pattern, line))
        for pattern in (r"RUN .*pip install", r"COPY .* src/ ")
    )
    return install < project


@pytest.fixture
def altered(tmp_path: Path) -> Path:
    """A project that consists of the folder `binder` alone, to be broken."""
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    return tmp_path


# -- the image --------------------------------------------------------------------------------------------------------


def test_the_image_has_our_python_our_pins_and_our_scripts() -> None:
    pack, version, lines = render(ROOT)
    assert (pack, version) == ("PythonBuildPack", "3.11")
    assert 'RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"' in lines
    assert pins_are_cached(lines)
    assert "RUN ./binder/postBuild" in lines
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in lines
    assert sum("pip install" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("text", "told"), [("python=3.11", "Invalid runtime.txt"), ("python-3.15", "3.15 on linux-64 is not supported")]
)
def test_a_python_that_binder_does_not_have_is_refused(altered: Path, text: str, told: str) -> None:
    (altered / "binder" / "runtime.txt").write_text(f"{text}\n", "utf-8")
    with pytest.raises(ValueError, match=told):
        render(altered)


def test_another_runtime_file_would_give_another_python(altered: Path) -> None:
    (altered / "binder" / "runtime.txt").write_text("python-3.12\n", "utf-8")
    assert render(altered)[1] == "3.12"


def test_a_reference_to_the_other_file_would_install_everything_at_each_commit(altered: Path) -> None:
    (altered / "binder" / "requirements.txt").write_text("-r ../requirements.txt\n", "utf-8")
    assert not pins_are_cached(render(altered)[2])


# -- the start --------------------------------------------------------------------------------------------------------


def start(folder: Path, *command: str, **variables: str) -> tuple[int, str]:
    """Run the script as a container does, and give its process and what the command printed."""
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    script = str(folder / "binder" / "start")
    with subprocess.Popen([script, *command], env=bare | variables, stdout=subprocess.PIPE, text=True) as process:
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return process.pid, printed


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course that the table of variables takes for its own; the path has a space and an umlaut."""
    folder = tmp_path / "Mein Kürs"
    (folder / "binder").mkdir(parents=True)
    shutil.copy(ROOT / "binder" / "start", folder / "binder" / "start")
    monkeypatch.setattr(environment, "ROOT", folder)
    monkeypatch.setattr(environment, "MY", folder / "my")
    return folder


@BASH
def test_the_start_sets_what_every_other_start_sets(course: Path) -> None:
    _, printed = start(course, sys.executable, "-c", SHOW_ENVIRONMENT)
    expected = {name: value for name, value in environment.lab_run().items() if name not in NEW_HOME}
    found = json.loads(printed)[1]
    assert {name: found.get(name) for name in expected} == expected
    assert (course / "my").is_dir(), "the file of the progress needs its folder"


@BASH
def test_the_server_takes_the_place_of_the_start(course: Path) -> None:
    pid, printed = start(course, sys.executable, "-c", SHOW_ENVIRONMENT)
    assert json.loads(printed)[0] == pid


@BASH
def test_arguments_and_settings_of_the_hub_come_through(course: Path) -> None:
    code = "import os, sys; print(os.environ['JUPYTER_CONFIG_PATH'], sys.argv[1:])"
    _, printed = start(course, sys.executable, "-c", code, "--a=*", "b c", JUPYTER_CONFIG_PATH="/hub")
    assert printed == f"{course / 'binder' / 'jupyter'}:/hub ['--a=*', 'b c']\n"


@BASH
def test_the_server_starts_even_where_nothing_can_be_kept(course: Path) -> None:
    (course / "my").write_text("not a folder", "utf-8")
    _, printed = start(course, sys.executable, "-c", "print('started')")
    assert printed == "started\n"


@BASH
@pytest.mark.parametrize("name", ["start", "postBuild"])
def test_the_scripts_are_marked_as_programs(name: str) -> None:
    assert os.access(ROOT / "binder" / name, os.X_OK), f"git update-index --chmod=+x binder/{name}"


# -- the server -------------------------------------------------------------------------------------------------------


def test_the_kernels_messages_are_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = PyFileConfigLoader("jupyter_server_config.py", path=str(ROOT / "binder" / "jupyter"))
    connection_class = loader.load_config().ServerApp.kernel_websocket_connection_class
    done: list[object] = []
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: done.append("connected") or "future")
    handler = Mock(spec=KernelWebsocketHandler)
    handler.set_nodelay.side_effect = done.append
    connection = connection_class(websocket_handler=handler)
    assert connection.connect() == "future"
    assert done == [True, "connected"]


def test_the_server_of_the_course_connects_that_way() -> None:
    command = [sys.executable, "-m", "jupyterlab", "--show-config"]
    shown = subprocess.run(command, env=environment.child(environment.lab_run()), capture_output=True, text=True)
    assert re.search(r"\.kernel_websocket_connection_class = .*PromptConnection", shown.stdout), shown.stderr


# -- the link ---------------------------------------------------------------------------------------------------------


def test_the_badge_leads_to_the_first_notebook_of_this_version() -> None:
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", ADDRESS)
    assert found, ADDRESS
    first = min((ROOT / "notebooks").glob("*.ipynb")).relative_to(ROOT).as_posix()
    tag = f"v{PROJECT['project']['version']}"
    wanted = f"https://mybinder.org/v2/gh/{found[1]}/{tag}?urlpath=lab/tree/{first}"
    links = re.findall(r"\((https://mybinder\.org/v2/[^)]*)\)", README)
    badge = f"[![Open on Binder](https://mybinder.org/badge_logo.svg)]({wanted})"
    assert set(links) == {wanted}, f"The README's badge is: {badge}"


def test_citation_and_library_name_the_version_that_the_badge_opens() -> None:
    version = PROJECT["project"]["version"]
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text("utf-8").splitlines()
    assert f'__version__ = "{version}"' in (ROOT / "bplib" / "__init__.py").read_text("utf-8").splitlines()


def test_the_readme_says_what_binder_does_not_keep() -> None:
    assert "lost when the session ends" in README


def test_the_badge_says_so_for_as_long_as_it_leads_nowhere() -> None:
    assert ("once the course is published" in README) is NOT_PUBLISHED
