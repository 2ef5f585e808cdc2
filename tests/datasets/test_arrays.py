from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from gancore.datasets import load
from gancore.errors import DataError, DomainError, DTypeError, IncompatibleChoiceError, ShapeError

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
POINTS = RNG.normal(size=(9, 2)) * 30


def all_of(data) -> np.ndarray:
    return data.batch(torch.arange(len(data))).numpy()


@pytest.mark.parametrize(
    "stored",
    [RGB, np.ascontiguousarray(RGB.transpose(0, 3, 1, 2)), np.asfortranarray(RGB)],
    ids=["channels last", "channels first", "fortran"],
)
def test_uint8_images_either_way(tmp_path: Path, stored: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", stored)
    data = load(tmp_path / "a.npy")
    assert data.shape == (3, 5, 4)
    np.testing.assert_array_equal(all_of(data), (RGB.astype(np.float32) / 127.5 - 1).transpose(0, 3, 1, 2))


def test_grey_images_get_a_channel_axis(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RGB[..., 0])
    assert load(tmp_path / "a.npy").shape == (1, 5, 4)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", "<f2"])
def test_points_are_taken_as_they_are(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "a.npy", POINTS.astype(dtype))
    data = load(tmp_path / "a.npy")
    assert (data.kind, data.shape) == ("points", (2,))
    np.testing.assert_array_equal(all_of(data), POINTS.astype(dtype).astype(np.float32))


@pytest.mark.parametrize("key", ["images", "x", "arr_0", "anything"])
@pytest.mark.parametrize("label_key", ["labels", "y"])
def test_npz_keys(tmp_path: Path, key: str, label_key: str) -> None:
    np.savez(tmp_path / "a.npz", **{key: RGB, label_key: np.arange(6)})
    data = load(tmp_path / "a.npz")
    assert (len(data), data.labels.tolist()) == (6, list(range(6)))


def test_an_npz_without_a_clear_array_lists_what_it_has(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=RGB, right=RGB)
    with pytest.raises(DataError, match=r"a\.npz: .*left, right"):
        load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", mu=np.zeros(3), sigma=np.eye(3))
    with pytest.raises(DataError, match="statistics"):
        load(tmp_path / "b.npz")


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}, None], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "b.npz", images=objects)
    objects.dump(tmp_path / "c.npy")
    for name in ("a.npy", "b.npz"):
        with pytest.raises(DataError, match=f"{name}: .*pickled"):
            load(tmp_path / name)
    with pytest.raises(DataError, match=r"c\.npy: expected a NumPy file"):
        load(tmp_path / "c.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_every_truncation_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    (np.save if path.suffix == ".npy" else np.savez_compressed)(path, RGB)
    whole = path.read_bytes()
    for length in [*range(0, 150, 3), *range(150, len(whole), 17), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=name):
            load(path)


def test_a_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=RGB)
    whole = path.read_bytes()
    for position in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(bytes(damaged))
        try:
            read = all_of(load(path))
        except DataError as error:
            message = str(error)
        else:
            np.testing.assert_array_equal(read, (RGB / np.float32(127.5) - 1).transpose(0, 3, 1, 2))
            message = path.name
        assert path.name in message


def test_a_header_that_promises_the_moon(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)})
    with pytest.raises(DataError, match=r"a\.npy: broken or truncated"):
        load(path)


def test_encrypted_or_foreign_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("readme.txt", "no arrays here")
    with pytest.raises((DataError, DTypeError), match=r"a\.npz"):
        load(tmp_path / "a.npz")


def test_bad_rows_are_named(tmp_path: Path) -> None:
    for bad in (np.nan, np.inf, 1e300):
        values = POINTS.copy()
        values[4, 1] = bad
        np.save(tmp_path / "a.npy", values)
        with pytest.raises(DomainError, match=r"a\.npy: .*row 4"):
            load(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("array", "error", "match"),
    [
        (RGB.astype(np.float32), DomainError, r"\[-1, 1\].*x / 127.5 - 1"),
        (RGB.astype(np.int32), DTypeError, "int32"),
        (RGB.reshape(6, -1), DTypeError, r"reshape them to \(n, h, w\)"),
        (np.zeros(5), ShapeError, r"\(5,\)"),
        (np.zeros((0, 2)), ShapeError, r"\(0, 2\)"),
        (np.zeros((2, 5, 5, 5), np.uint8), ShapeError, "neither"),
        (np.zeros((2, 3, 5, 3), np.uint8), ShapeError, "both"),
        (np.array(["a", "b"]), DTypeError, "<U1"),
    ],
)
def test_neither_images_nor_points(tmp_path: Path, array: np.ndarray, error: type, match: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(error, match=rf"a\.npy: .*{match}"):
        load(tmp_path / "a.npy")


@pytest.mark.parametrize(("labels", "error"), [(np.arange(5), ShapeError), (np.arange(6.0), DTypeError)])
def test_labels_are_checked(tmp_path: Path, labels: np.ndarray, error: type) -> None:
    np.savez(tmp_path / "a.npz", images=RGB, labels=labels)
    with pytest.raises(error, match="labels"):
        load(tmp_path / "a.npz")


def test_resizing_needs_uint8(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=RGB, labels=np.arange(6))
    data = load(tmp_path / "a.npz", image_size=8, channels=1)
    assert (data.shape, data.labels.tolist()) == ((1, 8, 8), list(range(6)))
    np.save(tmp_path / "b.npy", POINTS)
    with pytest.raises(IncompatibleChoiceError, match="uint8"):
        load(tmp_path / "b.npy", image_size=8)


def test_real_faces(data_root: Path) -> None:
    data = load(data_root / "faces" / "olivetti_64x64.npz", image_size=32)
    assert (len(data), data.shape) == (400, (1, 32, 32))
