"""Arrays in files: .npy and .npz, never pickled objects.

An .npz holds its samples under ``images``, ``x`` or ``arr_0``, or as the only array besides the labels, and
its labels, if any, under ``labels`` or ``y``. What an array's element type and shape mean is the rule of
:func:`~gancore.datasets.as_data`.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore.datasets._pixels import parse_channels, parse_size
from gancore.datasets._tensors import from_array
from gancore.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gancore.datasets._memory import InMemory
    from gancore.datasets._pixels import ImageSize

__all__ = ["ARRAY_SUFFIXES", "arrays", "read_arrays"]

ARRAY_SUFFIXES = (".npy", ".npz")

_Array = np.ndarray[Any, Any]
_SAMPLES = ("images", "x", "arr_0")
_LABELS = ("labels", "y")


def arrays(
    path: str | Path,
    *,
    image_size: ImageSize | None = None,
    channels: int | None = None,
    name: str | None = None,
) -> InMemory:
    """Images or points of an .npy or .npz file.

    Parameters
    ----------
    path : path
        The file.
    image_size : int or (int, int), optional
        Resize uint8 images to this side, or (height, width).
    channels : {1, 3}, optional
        Bring uint8 images to grey or RGB.
    name : str, optional
        What to call the data; the path if not given.

    Returns
    -------
    Data
        Images in [-1, 1] or points as they are.

    Raises
    ------
    DataError
        If the file is absent, broken, pickled, or holds no array that is clearly the samples.
    ShapeError, DTypeError, DomainError
        If its array is neither images nor points; the message names the file and the array.
    IncompatibleChoiceError
        If a size or a number of channels is asked of anything but uint8 images.
    """
    size, channels = parse_size(image_size), parse_channels(channels)
    path = Path(path)
    members = read_arrays(path)
    key = _samples_key(members, path)
    label_key = next((k for k in _LABELS if k in members and k != key), None)
    return from_array(
        members[key],
        labels=None if label_key is None else members[label_key],
        name=name or str(path),
        where=str(path) if path.suffix == ".npy" else f"{path}[{key}]",
    ).fitted(size, channels)


def read_arrays(path: Path) -> dict[str, _Array]:
    """All arrays of an .npz file, or the one of an .npy file under ``arr_0``.

    Raises
    ------
    DataError
        If the file is absent, broken or pickled.
    """
    try:
        # Opened here, because np.load leaves a broken file open.
        with path.open("rb") as file:
            magic = file.read(6)
            file.seek(0)
            if magic[:2] == b"PK":
                with np.load(file, allow_pickle=False) as members:
                    return {key: np.asarray(members[key]) for key in members.files}
        if magic == b"\x93NUMPY":
            # Mapping checks the header's promise against the file's length before any memory is asked for.
            return {"arr_0": np.array(np.load(path, mmap_mode="r", allow_pickle=False))}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path}: {_reason(error)}") from error
    except (zipfile.BadZipFile, zlib.error, SyntaxError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: broken or truncated: {error}") from error
    raise DataError(f"{path}: expected a NumPy file, .npy or .npz; its first bytes are {magic!r}")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if "pickle" in text or "Object arrays" in text or "Python objects" in text:
        return "holds pickled Python objects, which are never loaded; save plain numeric arrays"
    return f"broken or truncated: {text}"


def _samples_key(members: Mapping[str, _Array], path: Path) -> str:
    for key in _SAMPLES:
        if key in members:
            return key
    if {"mu", "sigma"} <= members.keys():
        raise DataError(f"{path}: holds feature statistics (mu, sigma), not samples")
    rest = [key for key in members if key not in _LABELS]
    if len(rest) != 1:
        raise DataError(
            f"{path}: expected the samples under {', '.join(_SAMPLES)} or as the only array, got "
            f"{', '.join(members) or 'no arrays'}"
        )
    return rest[0]
