"""The JupyterLab that already runs in this folder, if one does, and what its log says."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from commands.machine import is_free
from commands.places import JUPYTER, LOG, ROOT

_TELLING = re.compile(r"^\[[EC] |^\w*(Error|Exception)\b|^\S*(Error|Exception): |^(ERROR|CRITICAL)\b|No space left")
_STRANGER = "-"


class Address(NamedTuple):
    """Where a server of this machine listens, and the token that it wants."""

    port: int
    token: str

    def ask(self, path: str, method: str = "GET") -> bool:
        """Whether the server answers this request well."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads back to this machine
        try:
            with direct.open(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError):
            return False
        except Exception:  # another program on this port answers in another language than HTTP
            return False

    def page(self, path: str) -> str:
        """The address to open in a browser."""
        return f"http://127.0.0.1:{self.port}{path}?token={self.token}"


def find() -> Address | None:
    """The server of this folder, if it answers; a record is never believed, for a killed server leaves it behind."""
    for record, address in _records():
        if is_free(address.port):
            record.unlink(missing_ok=True)
        elif address.ask("/api/status") and not Address(address.port, _STRANGER).ask("/api/status"):
            return address
    return None


def last_errors(count: int) -> list[str]:
    """The last lines of the server's log that tell of an error, without tokens and without the home folder."""
    try:
        with LOG.open("rb") as log:
            log.seek(max(0, LOG.stat().st_size - 100_000))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    telling = [line.strip() for line in lines if _TELLING.search(line.strip())]
    return [clean(line) for line in telling[-count:]]


def clean(text: str) -> str:
    """The text without tokens, and with ~ for the home folder."""
    text = re.sub(r"(?i)(token[=: '\"]+)[^\s&'\"]+", r"\1...", text)
    text = re.sub(r"\b[0-9a-f]{32,}\b", "...", text)
    for home in _homes():
        text = text.replace(home, "~")
    return text


def _homes() -> list[str]:
    try:
        homes = {Path.home(), Path.home().resolve()}
    except (OSError, RuntimeError):
        return []
    return sorted({form for home in homes if home != Path(home.anchor) for form in (str(home), home.as_posix())})


def _records() -> Iterator[tuple[Path, Address]]:
    for path in sorted((JUPYTER / "runtime").glob("jpserver-*.json")):
        try:
            record = json.loads(path.read_text("utf-8"))
            # A copy of the folder also copies the record of a server that serves the other folder.
            if Path(record["root_dir"]).resolve() == ROOT:
                yield path, Address(int(record["port"]), str(record["token"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
