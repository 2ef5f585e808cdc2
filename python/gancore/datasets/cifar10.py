"""CIFAR-10's binary version: records of one label byte and 3 x 32 x 32 pixel bytes, nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from gancore.datasets._memory import InMemory
from gancore.datasets._pixels import parse_channels, parse_size
from gancore.errors import DataError, DomainError

if TYPE_CHECKING:
    from gancore.datasets._pixels import ImageSize
    from gancore.datasets.idx import Split

__all__ = ["cifar10", "named_cifar10"]

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32
_FILES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def cifar10(
    folder: str | Path,
    *,
    split: Split = "train",
    image_size: ImageSize | None = None,
    channels: int | None = None,
    name: str | None = None,
) -> InMemory:
    """Images and labels of a folder with CIFAR-10's ``data_batch_1.bin`` to ``..._5.bin`` and ``test_batch.bin``.

    Parameters
    ----------
    folder : path
        Where the files lie, or the ``cifar-10-batches-bin`` in it.
    split : {"train", "test"}
        50,000 or 10,000 images in the original; a training split may be shorter by whole files.
    image_size : int or (int, int), optional
        Resize to this side, or (height, width).
    channels : {1, 3}, optional
        Grey or RGB (as they are).
    name : str, optional
        What to call the data; the folder if not given.

    Returns
    -------
    Data
        Images of shape (3, 32, 32) in [-1, 1], kept as uint8.

    Raises
    ------
    DataError
        If there is no such file, or one is not whole records of labels from 0 to 9; the message names it.
    DomainError
        If a split, a size or a number of channels cannot be had.

    References
    ----------
    A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).
    """
    if split not in _FILES:
        raise DomainError(f"split: expected 'train' or 'test', got {split!r}")
    size, channels = parse_size(image_size), parse_channels(channels)
    folder = Path(folder)
    inner = folder / "cifar-10-batches-bin"
    where = inner if inner.is_dir() else folder
    found = [where / file for file in _FILES[split] if (where / file).is_file()]
    if not found:
        raise DataError(f"{where}: no {_FILES[split][0]} of CIFAR-10's binary version in this folder")
    records = np.concatenate([_read(path) for path in found])
    images = torch.from_numpy(records[:, 1:].reshape(-1, *_SHAPE))
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    return InMemory(images, name=name or str(folder), labels=labels, label_names=_CLASSES).fitted(size, channels)


def named_cifar10() -> Path:
    """Where the data set that is known by name must lie; nothing is ever downloaded.

    Raises
    ------
    DataError
        If GANCORE_DATA does not say where.
    """
    root = os.environ.get("GANCORE_DATA")
    if root is None:
        raise DataError(
            "cifar10: expected data_batch_1.bin and its companions in $GANCORE_DATA/cifar10, but GANCORE_DATA is not "
            "set; nothing is downloaded"
        )
    return Path(root) / "cifar10"


def _read(path: Path) -> np.ndarray:
    """The records of one file: uint8 (n, 3073)."""
    try:
        values = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(values) == 0 or len(values) % _RECORD:
        raise DataError(f"{path}: expected records of {_RECORD} bytes, got {len(values)} bytes")
    records = values.reshape(-1, _RECORD)
    if records[:, 0].max() > 9:
        bad = int(np.flatnonzero(records[:, 0] > 9)[0])
        raise DataError(f"{path}: expected labels from 0 to 9, got {records[bad, 0]} in record {bad}")
    return records
