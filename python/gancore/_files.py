"""Files written aside, fsynced and renamed: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_write", "remove_leftovers"]


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a path in the same folder to write to; what was written takes the wanted name when the block ends.

    If the block raises, the file of the wanted name stays as it was and nothing is left aside. The path has the
    wanted suffix, for writers that choose a format by it.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomic_write(target) as aside:
    ...     _ = aside.write_text("whole")
    >>> target.read_text(), len(list(target.parent.iterdir()))
    ('whole', 1)
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield aside
        _flush_to_disk(aside)
        aside.replace(path)
        if os.name == "posix":
            # The new name is an entry of the folder: it outlives a power cut only when the folder is on disk too.
            _flush_to_disk(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def remove_leftovers(folder: Path, pattern: str) -> None:
    """Remove what a killed process had begun to write under names that match a pattern, such as ``step-*.bin``."""
    wanted = Path(pattern)
    for aside in folder.glob(f".{wanted.stem}.*.part{wanted.suffix}"):
        aside.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
