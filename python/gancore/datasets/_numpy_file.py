"""NumPy's files, read without pickle; what is broken is named."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gancore.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ARRAY_SUFFIXES", "LABEL_KEYS", "read_arrays", "samples_key"]

ARRAY_SUFFIXES = (".npy", ".npz")

LABEL_KEYS = ("labels", "y")
"""Where an .npz may hold its labels."""

_SAMPLE_KEYS = ("images", "x", "arr_0")

_Array: TypeAlias = np.ndarray[Any, Any]


def read_arrays(path: Path, *, mapped: bool = False) -> dict[str, _Array]:
    """All arrays of an .npz file, or the one of an .npy file under ``arr_0``; if `mapped`, this one is left on disk.

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
            found = np.load(path, mmap_mode="c", allow_pickle=False)
            return {"arr_0": found if mapped else np.array(found)}
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


def samples_key(members: Mapping[str, _Array], path: Path) -> str:
    """Which member holds the samples.

    Raises
    ------
    DataError
        If that is not clear.
    """
    for key in _SAMPLE_KEYS:
        if key in members:
            return key
    if {"mu", "sigma"} <= members.keys():
        raise DataError(f"{path}: holds feature statistics (mu, sigma), not samples")
    rest = [key for key in members if key not in LABEL_KEYS]
    if len(rest) != 1:
        raise DataError(
            f"{path}: expected the samples under {', '.join(_SAMPLE_KEYS)} or as the only array, got "
            f"{', '.join(members) or 'no arrays'}"
        )
    return rest[0]
