"""The bundled digits: what is in the file, how it is split, and what happens when it is damaged."""

import gzip
import hashlib
import importlib.resources
import importlib.util
import io
import json
import re
import socket
import zipfile
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib.data import load_digits
from bplib.errors import DataError, DomainError

DATASETS = Path(bplib.__file__).parent / "datasets"
# How often 0 ... 9 occur in the test part, as UCI's own page has it.
PUBLISHED_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
# The default split begins so since it was made.
FIRST_TEST_LABELS = [6, 6, 6, 2, 5, 6, 6, 2, 2, 1, 1, 9]
# The rows at which the labels run 0 ... 9 twice, as they do where a page begins.
BEGINS = [0, 130, 256, 386, 516, 646, 776, 915, 1029, 1157, 1287, 1415, 1667]


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).parents[2] / "scripts" / "make_digits.py"
    if not path.exists():
        pytest.skip("scripts/ is only in a clone")
    spec = importlib.util.spec_from_file_location("make_digits", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _everything(digits):
    return np.concatenate([digits.X_train, digits.X_test]), np.concatenate([digits.y_train, digits.y_test])


def test_shapes_and_types(digits):
    assert digits.X_train.shape == (1348, 64)
    assert digits.X_test.shape == (449, 64)
    assert digits.X_train.dtype == digits.X_test.dtype == np.float64
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64


def test_pixels_are_sixteenths_from_zero_to_one(digits):
    X, _ = _everything(digits)
    assert X.min() == 0.0
    assert X.max() == 1.0
    np.testing.assert_array_equal(X * 16, np.round(X * 16))


def test_the_ten_digits_occur_as_often_as_published(digits):
    assert np.bincount(_everything(digits)[1]).tolist() == PUBLISHED_COUNTS


def test_the_first_image_of_the_file_is_the_well_known_zero():
    first = load_digits(split="blocks").X_train[0].reshape(8, 8) * 16
    assert first[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert first[7].tolist() == [0, 0, 6, 13, 10, 0, 0, 0]


@pytest.mark.parametrize("split", ["random", "blocks"])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_both_splits_give_each_image_once(split, fraction):
    parts = load_digits(split=split, test_fraction=fraction)
    X, _ = _everything(parts)
    assert len(parts.X_test) == round(1797 * fraction)
    assert len(np.unique(X, axis=0)) == 1797  # no two images of the file are equal


def test_the_default_split_keeps_every_digits_share(digits):
    share = np.array(PUBLISHED_COUNTS) * 449 / 1797
    assert (np.abs(np.bincount(digits.y_test) - share) < 1).all()


def test_the_default_split_is_shuffled_and_always_the_same(digits):
    again = load_digits()
    assert all(np.array_equal(a, b) for a, b in zip(digits, again, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(digits, load_digits(rng=0), strict=True))
    assert not np.array_equal(digits.y_test, load_digits(rng=1).y_test)
    # Known from when the split was made: another NumPy must not move it without a word.
    assert digits.y_test[:12].tolist() == FIRST_TEST_LABELS


def test_the_block_split_is_the_end_of_the_file():
    blocks = load_digits(split="blocks")
    with np.load(DATASETS / "digits.npz", allow_pickle=False) as arrays:
        labels = arrays["labels"]
    assert blocks.y_train.tolist() == labels[:1348].tolist()
    assert blocks.y_test.tolist() == labels[1348:].tolist()


def test_the_file_holds_page_after_page():
    with np.load(DATASETS / "digits.npz", allow_pickle=False) as arrays:
        text = "".join(map(str, arrays["labels"]))
    assert [found.start() for found in re.finditer("01234567890123456789", text)] == BEGINS


def test_pairs_and_unpacking_have_the_parts_in_place(digits):
    X_train, X_test, y_train, y_test = digits
    assert digits.train[0] is X_train
    assert digits.train[1] is y_train
    assert digits.test[0] is X_test
    assert digits.test[1] is y_test
    assert repr(digits) == "Digits(X_train (1348, 64), X_test (449, 64), y_train (1348,), y_test (449,))"


def test_unknown_split_is_refused():
    with pytest.raises(DomainError, match=r"^load_digits: split is 'writers'\. Expected 'random' .* or 'blocks'"):
        load_digits(split="writers")


@pytest.mark.parametrize("split", ["random", "blocks"])
def test_bad_fraction_is_refused(split):
    with pytest.raises(DomainError, match=r"test_fraction is 1\.0\. Expected a share between 0 and 1"):
        load_digits(split=split, test_fraction=1.0)


# The file.


def test_record_names_source_licence_and_checksum():
    record = json.loads((DATASETS / "digits.json").read_text(encoding="utf-8"))
    packed = (DATASETS / "digits.npz").read_bytes()
    assert record["sha256"] == hashlib.sha256(packed).hexdigest()
    assert record["bytes"] == len(packed) < 50_000
    assert (record["doi"], record["licence"], record["year"]) == ("10.24432/C50P49", "CC BY 4.0", 1998)
    assert record["authors"] == ["E. Alpaydin", "C. Kaynak"]


def test_file_holds_two_plain_arrays_of_bytes():
    with np.load(DATASETS / "digits.npz", allow_pickle=False) as arrays:
        assert {name: (arrays[name].dtype, arrays[name].shape) for name in arrays} == {
            "images": (np.dtype(np.uint8), (1797, 8, 8)),
            "labels": (np.dtype(np.uint8), (1797,)),
        }


def test_loading_asks_no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("load_digits opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    load_digits()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder like bplib's with its own copy of the data, which load_digits reads instead."""
    (tmp_path / "datasets").mkdir()
    for name in ("digits.npz", "digits.json"):
        (tmp_path / "datasets" / name).write_bytes((DATASETS / name).read_bytes())
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    return tmp_path / "datasets"


def test_one_changed_byte_is_noticed(copy):
    load_digits()
    packed = bytearray((copy / "digits.npz").read_bytes())
    packed[20_000] ^= 1
    (copy / "digits.npz").write_bytes(packed)
    with pytest.raises(DataError, match=r"digits\.npz is damaged\. Expected the checksum .* got .* Install"):
        load_digits()


@pytest.mark.parametrize("name", ["digits.npz", "digits.json"])
def test_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(DataError, match=r"^load_digits: .*digits\.npz or digits\.json beside it is missing\. .* Inst"):
        load_digits()


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_damaged_record_is_named(copy, text):
    (copy / "digits.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"digits\.json is damaged\. .* Install bplib again"):
        load_digits()


# The script that made the file.


def test_packing_twice_gives_the_same_bytes(script):
    with np.load(DATASETS / "digits.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    packed = script.pack(images, labels)
    assert packed == script.pack(images.copy(), labels.copy())
    with np.load(io.BytesIO(packed)) as again:
        assert np.array_equal(again["images"], images)
        assert np.array_equal(again["labels"], labels)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_record_is_what_the_script_writes(script):
    text = json.dumps(script.record((DATASETS / "digits.npz").read_bytes()), indent=2) + "\n"
    assert (DATASETS / "digits.json").read_text(encoding="utf-8") == text


def test_script_refuses_another_source_file(script, tmp_path):
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(script.MEMBER, gzip.compress(b"0,0\n", mtime=0))
    with pytest.raises(SystemExit, match=r"digits\.csv\.gz in other\.whl has sha256 .* expected 09f66e6d"):
        script.read_wheel(wheel)


def test_script_tells_packing_from_content(script, tmp_path):
    with np.load(DATASETS / "digits.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    packed = script.pack(images, labels)
    text = json.dumps(script.record(packed), indent=2) + "\n"
    (tmp_path / "digits.json").write_text(text, encoding="utf-8")
    (tmp_path / "digits.npz").write_bytes(packed)
    assert script.difference(packed, text, tmp_path) is None
    assert "record" in script.difference(packed, text + " ", tmp_path)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    assert "another zlib" in script.difference(packed, text, tmp_path)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels[::-1])
    assert "other pixels" in script.difference(packed, text, tmp_path)
