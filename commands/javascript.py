"""The JavaScript that the pages of the site bring along: fetched once with npm, checked, kept in `build`."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from commands.console import Problem, say
from commands.files import write
from commands.places import ROOT

_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network", re.IGNORECASE)
_AGAIN = "and run the same command again."


class Package(NamedTuple):
    """A package in one exact version: the SHA-512 of its archive, and what is needed of its files."""

    name: str
    version: str
    sha512: str
    members: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its files lie once they are fetched; another version never passes for this one."""
        return ROOT / "build" / "javascript" / f"{self.name.replace('/', '+')}-{self.version}"

    def path(self, member: str) -> Path:
        """Where one of its files lies."""
        return self.folder / Path(member).name


REQUIREJS = Package(
    "requirejs",
    "2.3.8",
    "7/cTSLOdYkNBNJcDMWf+luFvMriVm7eYxp4BcFCsAX0wF421Vyce5SXP17c+Jd5otXKGNehIonFlyQXSowL6Mw==",
    ("package/require.js",),
)
HTML_MANAGER = Package(
    "@jupyter-widgets/html-manager",
    "1.0.15",
    "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
    ("package/dist/embed-amd.js", "package/dist/embed.js.LICENSE.txt"),
)
# Its SVG variant has the shapes of all letters in the one file: a browser may refuse to load fonts from a folder.
MATHJAX = Package(
    "mathjax",
    "3.2.2",
    "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
    ("package/es5/tex-svg-full.js", "package/LICENSE"),
)
PACKAGES = (REQUIREJS, HTML_MANAGER, MATHJAX)


def fetch_javascript() -> None:
    """Fetch what is not there yet of the packages."""
    for package in PACKAGES:
        if not all(package.path(member).exists() for member in package.members):
            say(f"Fetching {package.name} {package.version} with npm")
            _fetch(package)


def _fetch(package: Package) -> None:
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
        archive = _pack(package, Path(folder))
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != package.sha512:
            raise Problem(
                f"What npm fetched as {package.name} {package.version} is not what this course was made with.",
                f"A proxy or a mirror may have changed it. Check where npm fetches from, {_AGAIN}",
            )
        package.folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as packed:
            for member in package.members:
                content = packed.extractfile(member)
                write(package.path(member), content.read() if content else b"")


def _pack(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise Problem(
            "The program npm is missing. It fetches the JavaScript that the pages of the site need, once.",
            f"Install Node.js, which brings npm, {_AGAIN}",
        )
    ran = subprocess.run(
        [npm, "pack", f"{package.name}@{package.version}", "--ignore-scripts"],
        cwd=folder,
        # Nothing is left behind in the home folder.
        env={**os.environ, "npm_config_update_notifier": "false", "npm_config_cache": str(folder / "npm")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    archives = sorted(folder.glob("*.tgz"))
    if ran.returncode or not archives:
        raise _failed(package, ran.stderr or ran.stdout)
    return archives[0]


def _failed(package: Package, said: str) -> Problem:
    wrong = f"npm could not fetch {package.name} {package.version}"
    if _NETWORK.search(said):
        return Problem(f"{wrong}: the network does not answer.", f"It is needed once. Check the connection {_AGAIN}")
    last = "".join(f"\n    {line}" for line in said.strip().splitlines()[-6:])
    return Problem(f"{wrong}. The last lines were:{last}", "Run the command again. If it stays, show these lines.")
