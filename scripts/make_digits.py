"""Make `bplib/datasets/digits.npz` and its record `digits.json` from the scikit-learn wheel.

Run once, at development time; learners never need it:

    python scripts/make_digits.py                  # download the pinned wheel with pip, write both files
    python scripts/make_digits.py --wheel PATH     # the same from a wheel that is already here
    python scripts/make_digits.py --check          # write nothing, compare with the committed files

The two files come out the same, byte for byte, however often the script runs: the archive
carries a fixed date, and no clock or machine name enters the record. (Another zlib may pack
the same pixels into other bytes; `--check` then says that only the packing differs.)
"""

import argparse
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

WHEEL = "scikit-learn==1.7.2"
MEMBER = "sklearn/datasets/data/digits.csv.gz"
MEMBER_SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
SHAPE = (1797, 8, 8)
BRIGHTEST = 16  # each pixel counts the dark dots of a 4 x 4 block
# How often 0 ... 9 occur in UCI's test part, from the data set's own page.
CLASS_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
OLDEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
DATASETS = Path(__file__).resolve().parent.parent / "bplib" / "datasets"


def download(folder: Path) -> Path:
    """Fetch the pinned wheel with pip into `folder` and return its path."""
    pip = [sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", str(folder)], check=True)  # noqa: S603 - a constant command, no shell
    return next(folder.glob("scikit_learn-*.whl"))


def read_wheel(wheel: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (1797, 8, 8) and labels (1797,) of the wheel, both uint8, checked."""
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != MEMBER_SHA256:
        raise SystemExit(f"{MEMBER} in {wheel.name} has sha256 {found}, expected {MEMBER_SHA256}.")
    table = np.loadtxt(io.BytesIO(gzip.decompress(packed)), delimiter=",")
    images, labels = table[:, :-1].reshape(SHAPE).astype(np.uint8), table[:, -1].astype(np.uint8)
    if images.max() != BRIGHTEST or not np.array_equal(table[:, :-1], images.reshape(len(table), -1)):
        raise SystemExit("A pixel is not a whole number from 0 to 16.")
    if np.bincount(labels).tolist() != CLASS_COUNTS:
        raise SystemExit(f"The ten digits occur {np.bincount(labels).tolist()} times, expected {CLASS_COUNTS}.")
    return images, labels


def pack(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Return a compressed npz of both arrays; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in (("images", images), ("labels", labels)):
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=OLDEST_ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Windows would write 0 and change the bytes
            archive.writestr(info, member.getvalue(), compresslevel=9)
    return buffer.getvalue()


def record(packed: bytes) -> dict[str, object]:
    """Return what `digits.json` says about the packed file: source, licence, changes, checksum."""
    return {
        "file": "digits.npz",
        "sha256": hashlib.sha256(packed).hexdigest(),
        "bytes": len(packed),
        "arrays": {
            "images": "uint8, shape (1797, 8, 8), values 0 (white) to 16 (dark)",
            "labels": "uint8, shape (1797,), values 0 to 9",
        },
        "title": "Optical Recognition of Handwritten Digits",
        "authors": ["E. Alpaydin", "C. Kaynak"],
        "year": 1998,
        "publisher": "UCI Machine Learning Repository",
        "doi": "10.24432/C50P49",
        "licence": "CC BY 4.0",
        "licence_text": "https://creativecommons.org/licenses/by/4.0/",
        "part": "the test part, 1,797 images by 13 writers, in the order of the original file",
        "taken_from": {"package": WHEEL, "member": MEMBER, "sha256": MEMBER_SHA256},
        "changes": "Text turned into two arrays of bytes. No pixel, label or row order was changed.",
        "made_by": "scripts/make_digits.py",
    }


def build(wheel: Path | None) -> tuple[bytes, str]:
    """Return the packed arrays and the text of their record."""
    with tempfile.TemporaryDirectory() as folder:
        packed = pack(*read_wheel(wheel or download(Path(folder))))
    return packed, json.dumps(record(packed), indent=2) + "\n"


def difference(packed: bytes, text: str, folder: Path) -> str | None:
    """Say how the files in `folder` differ from the ones just built; None if they do not."""
    if (folder / "digits.npz").read_bytes() == packed:
        same_record = (folder / "digits.json").read_text(encoding="utf-8") == text
        return None if same_record else "digits.json differs from the record this script writes."
    with np.load(folder / "digits.npz") as committed, np.load(io.BytesIO(packed)) as fresh:
        if all(np.array_equal(committed[name], fresh[name]) for name in ("images", "labels")):
            return "digits.npz holds the same arrays, packed by another zlib."
    return "digits.npz holds other pixels or labels."


def main() -> None:
    """Read the command line, then write the two files or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wheel", type=Path, help=f"a wheel of {WHEEL} that is already here")
    parser.add_argument("--folder", type=Path, default=DATASETS, help="where the two files are (bplib/datasets)")
    parser.add_argument("--check", action="store_true", help="write nothing, compare with the files in the folder")
    options = parser.parse_args()
    packed, text = build(options.wheel)
    if options.check:
        if found := difference(packed, text, options.folder):
            raise SystemExit(found)
        print("digits.npz and digits.json are what this script writes.")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "digits.npz").write_bytes(packed)
    (options.folder / "digits.json").write_text(text, encoding="utf-8", newline="\n")
    print(f"digits.npz: {len(packed):,} bytes, sha256 {hashlib.sha256(packed).hexdigest()}")


if __name__ == "__main__":
    main()
