"""The history of a run: one JSON object a line for every logged step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gancore._files import atomic_write
from gancore.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["History", "read_history"]


class History:
    """Losses and metrics by step, in memory and, if there is a file, on disk as soon as they are known.

    Parameters
    ----------
    path : Path or None
        The file of JSON lines; lines beyond `step` are cut off.
    step : int
        The step that training starts from.
    """

    def __init__(self, path: Path | None, *, step: int) -> None:
        self._path = path
        stored = read_history(path) if path is not None else []
        self.entries = [entry for entry in stored if entry["step"] <= step]
        if path is not None:
            with atomic_write(path) as aside:
                aside.write_text("".join(map(_line, self.entries)), encoding="utf-8")

    def append(self, entry: dict[str, float]) -> None:
        """Add the entry of one step."""
        self.entries.append(entry)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(entry))


def read_history(path: Path) -> list[dict[str, float]]:
    """The entries of a file, none if it is absent; a last line that was cut off is left out.

    Raises
    ------
    DataError
        If a line before the last is not JSON.
    """
    if not path.exists():
        return []
    # What follows the last line's end is empty, or the beginning of a line that was never finished.
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    return [_entry(path, number, line) for number, line in enumerate(lines, start=1)]


def _entry(path: Path, number: int, line: str) -> dict[str, float]:
    try:
        entry: dict[str, float] = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: line {number} is not JSON ({error.msg})") from error
    return entry


def _line(entry: dict[str, float]) -> str:
    return json.dumps(entry, allow_nan=False) + "\n"
