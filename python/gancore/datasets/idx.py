"""IDX folders: MNIST, Fashion-MNIST and everything that copies their four files, gzip-compressed or not.

The format: two zero bytes, a type byte (8 = uint8), the number of axes, each axis as a big-endian 32-bit
integer, then the values and nothing after them.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from gancore.datasets._memory import InMemory
from gancore.datasets._pixels import parse_channels, parse_size
from gancore.errors import DataError, DomainError

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.datasets._pixels import ImageSize

__all__ = ["Split", "idx", "is_idx_folder", "named_folder"]

Split = Literal["train", "test"]

_PREFIXES = {"train": "train", "test": "t10k"}
_UINT8 = 8
_PIECE = 1 << 24


def idx(
    folder: str | Path,
    *,
    split: Split = "train",
    image_size: ImageSize | None = None,
    channels: int | None = None,
    name: str | None = None,
) -> InMemory:
    """Images and labels of a folder of IDX files.

    Parameters
    ----------
    folder : path
        Holds ``train-images-idx3-ubyte`` and, if there are labels, ``train-labels-idx1-ubyte`` (``t10k-...``
        for the test split), each with or without ``.gz``; a dot in place of the second hyphen is understood
        too.
    split : {"train", "test"}
        Which of the two pairs of files to read.
    image_size : int or (int, int), optional
        Resize to this side, or (height, width).
    channels : {1, 3}, optional
        Grey (as they are) or RGB.
    name : str, optional
        What to call the data; the folder if not given.

    Returns
    -------
    Data
        Images of shape (1, h, w) in [-1, 1], kept as uint8.

    Raises
    ------
    DataError
        If a file is absent, broken, or not what its format promises; the message names it.
    DomainError
        If a split, a size or a number of channels cannot be had.
    """
    if split not in _PREFIXES:
        raise DomainError(f"split: expected 'train' or 'test', got {split!r}")
    size, channels = parse_size(image_size), parse_channels(channels)
    folder = Path(folder)
    path = _find(folder, split, "images", 3)
    if path is None:
        raise DataError(f"{folder}: no {_PREFIXES[split]}-images-idx3-ubyte (or .gz) in this folder")
    images = _read(path, axes=3)
    labels = None
    label_path = _find(folder, split, "labels", 1)
    if label_path is not None:
        labels = _read(label_path, axes=1)
        if len(labels) != len(images):
            raise DataError(f"{label_path}: {len(labels)} labels for the {len(images)} images of {path.name}")
    return InMemory(images[:, None], name=name or str(folder), labels=None if labels is None else labels.long()).fitted(
        size, channels
    )


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds the images of either split."""
    return any(_find(folder, split, "images", 3) for split in _PREFIXES)


def named_folder(name: str) -> Path:
    """Where a data set that is known by name must lie; nothing is ever downloaded."""
    root = os.environ.get("GANCORE_DATA")
    folder = Path(root or ".") / name
    if root is None or not is_idx_folder(folder):
        raise DataError(
            f"{name}: expected train-images-idx3-ubyte[.gz] and its companions in $GANCORE_DATA/{name}, "
            + ("but GANCORE_DATA is not set" if root is None else f"but {folder} has none")
            + "; put the files there, or give the folder that has them; nothing is downloaded"
        )
    return folder


def _find(folder: Path, split: str, what: str, axes: int) -> Path | None:
    stem = f"{_PREFIXES[split]}-{what}"
    names = [f"{stem}{mark}idx{axes}-ubyte{suffix}" for mark in "-." for suffix in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read(path: Path, *, axes: int) -> Tensor:
    """The values of one IDX file, every byte accounted for."""
    try:
        # Some servers unpack on the way and keep the name, so the content decides, not the suffix.
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            header = file.read(4 + 4 * axes)
            shape = _shape(header, axes, path)
            body = bytearray()
            # Piece by piece: a header may promise more than memory holds. One byte more shows a surplus.
            while len(body) <= prod(shape) and (piece := file.read(min(_PIECE, prod(shape) + 1 - len(body)))):
                body += piece
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {str(error) or type(error).__name__}") from error
    if len(body) != prod(shape):
        got = "more" if len(body) > prod(shape) else f"{len(body)}"
        raise DataError(f"{path}: the header promises {prod(shape)} bytes for shape {shape}, got {got}")
    return torch.frombuffer(body, dtype=torch.uint8).reshape(shape)


def _shape(header: bytes, axes: int, path: Path) -> tuple[int, ...]:
    expected = bytes((0, 0, _UINT8, axes))
    if header[:4] != expected:
        raise DataError(
            f"{path}: expected the magic number {expected.hex()} of an IDX file of uint8 with {axes} axes, "
            f"got {header[:4].hex() or 'an empty file'}"
        )
    if len(header) != 4 + 4 * axes:
        raise DataError(f"{path}: ends inside the header, after {len(header)} bytes")
    shape = struct.unpack(f">{axes}I", header[4:])
    if 0 in shape:
        raise DataError(f"{path}: the header promises an empty array of shape {shape}")
    return shape
