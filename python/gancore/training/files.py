"""Files that are either the old one or the new one, whole, whatever happens in between."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["remove_leftovers", "write_atomically"]


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, push to disk, then rename over it.

    Raises
    ------
    OSError
        If the content cannot be written; what stood at the path still does.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what an earlier process was writing when it was killed."""
    for aside in folder.glob(".*.part"):
        aside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
