from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from gancore.datasets import load
from gancore.datasets.idx import idx
from gancore.errors import DataError, DomainError, IncompatibleChoiceError

if TYPE_CHECKING:
    from pathlib import Path


def encode(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
LABELS = np.arange(7, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(encode(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(encode(LABELS))
    return tmp_path


def all_of(data) -> np.ndarray:
    return data.batch(torch.arange(len(data))).numpy()


def test_reads_every_value(folder: Path) -> None:
    data = load(folder)
    assert (data.kind, data.shape, data.labels.tolist()) == ("image", (1, 5, 4), LABELS.tolist())
    np.testing.assert_array_equal(all_of(data)[:, 0], IMAGES.astype(np.float32) / 127.5 - 1)


def test_gzip_and_the_other_spelling_read_the_same(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "t10k-images.idx3-ubyte.gz").write_bytes(gzip.compress(encode(IMAGES[:3])))
    data = load(other, split="test")
    np.testing.assert_array_equal(all_of(data), all_of(load(folder))[:3])
    assert data.labels is None


def test_a_gz_file_that_was_unpacked_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(encode(IMAGES))
    assert len(idx(tmp_path)) == 7


def test_every_truncation_is_named(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    whole = path.read_bytes()
    for length in (0, 3, 4, 15, 16, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"train-images-idx3-ubyte: "):
            idx(folder)


def test_every_truncation_of_a_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    whole = gzip.compress(encode(IMAGES))
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"ubyte\.gz: "):
            idx(tmp_path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (encode(IMAGES) + b"\0", "got more"),
        (encode(IMAGES.astype(">f4"))[:2] + b"\x0d\x03" + encode(IMAGES)[4:], "magic number 00000803"),
        (encode(IMAGES.reshape(7, 20)), "magic number"),
        (bytes((0, 0, 8, 3)) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1), "promises"),
        (bytes((0, 0, 8, 3)) + struct.pack(">3I", 0, 28, 28), "empty array"),
        (b"\x1f\x8b not gzip at all", "cannot be read"),
        (gzip.compress(encode(IMAGES))[:-8] + b"\0" * 8, "cannot be read"),
    ],
)
def test_broken_files_are_named(folder: Path, content: bytes, match: str) -> None:
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=f"train-images-idx3-ubyte: .*{match}"):
        idx(folder)


def test_labels_must_fit(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").write_bytes(encode(LABELS[:-1]))
    with pytest.raises(DataError, match="6 labels for the 7 images"):
        idx(folder)


def test_a_split_that_is_not_there(folder: Path) -> None:
    with pytest.raises(DataError, match="no t10k-images"):
        load(folder, split="test")
    with pytest.raises(DomainError, match="split"):
        idx(folder, split="validation")
    with pytest.raises(IncompatibleChoiceError, match="split"):
        load("digits", split="test")


def test_a_known_name_says_where_its_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANCORE_DATA", raising=False)
    with pytest.raises(DataError, match="GANCORE_DATA is not set"):
        load("fashion-mnist")
    monkeypatch.setenv("GANCORE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"\$GANCORE_DATA/mnist, but .*mnist has none"):
        load("mnist")


def test_real_mnist(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANCORE_DATA", str(data_root))
    train, test = load("mnist"), load("mnist", split="test")
    assert (len(train), len(test), train.shape) == (60_000, 10_000, (1, 28, 28))
    # The published class counts of the training part.
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert torch.bincount(train.labels).tolist() == counts
    # The published mean and standard deviation, 0.1307 and 0.3081 on the scale [0, 1].
    pixels = (train.batch(torch.arange(60_000)).double() + 1) / 2
    assert pixels.mean().item() == pytest.approx(0.1307, abs=1e-4)
    assert pixels.std().item() == pytest.approx(0.3081, abs=1e-4)
