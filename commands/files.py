"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Replace a file in one move: an interruption or a full disk leaves the old file, or none."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
