"""What all pages of the site share: style, scripts and the licences of those that others wrote."""

from importlib.metadata import distribution, version
from importlib.resources import files
from pathlib import Path

from commands.javascript import HTML_MANAGER, MATHJAX, REQUIREJS
from scripts.pages.page import style

__all__ = ["write_assets"]

_HERE = Path(__file__).resolve().parent
_OURS = ("page.js", "widgets.js")


def write_assets(folder: Path) -> None:
    """Write the files that the pages load, and their licences, into a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there. The JavaScript of others has been fetched before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "style.css").write_text(style(), "utf-8", newline="\n")
    for name in _OURS:
        (folder / name).write_bytes((_HERE / name).read_bytes())
    for package in (REQUIREJS, HTML_MANAGER, MATHJAX):
        content = package.path(package.members[0]).read_text("utf-8")
        # Its map is not here, and a browser that looks at the program would ask for it.
        kept = [line for line in content.split("\n") if not line.startswith("//# sourceMappingURL=")]
        (folder / Path(package.members[0]).name).write_text("\n".join(kept), "utf-8", newline="\n")
    (folder / "anywidget.js").write_bytes(files("anywidget").joinpath("nbextension", "index.js").read_bytes())
    (folder / "licences.txt").write_text(_licences(), "utf-8", newline="\n")


def _licences() -> str:
    notices = HTML_MANAGER.path(HTML_MANAGER.members[1]).read_text("utf-8")
    parts = {
        f"require.js: RequireJS {REQUIREJS.version}": (_HERE / "requirejs-LICENSE.txt").read_text("utf-8"),
        # Its archive has no licence of its own: it comes from the same source as the Python package.
        f"embed-amd.js: {HTML_MANAGER.name} {HTML_MANAGER.version}": f"{_licence('ipywidgets')}\n{notices}",
        f"anywidget.js: anywidget {version('anywidget')}": _licence("anywidget"),
        f"tex-svg-full.js: MathJax {MATHJAX.version}": MATHJAX.path(MATHJAX.members[1]).read_text("utf-8"),
    }
    return "\n".join(f"{'=' * 80}\n{name}\n{'=' * 80}\n\n{text.strip()}\n" for name, text in parts.items())


def _licence(package: str) -> str:
    found = distribution(package).read_text("licenses/LICENSE")
    assert found, f"{package} brings no licence"  # noqa: S101  (the versions are pinned: a new one is looked at)
    return found
