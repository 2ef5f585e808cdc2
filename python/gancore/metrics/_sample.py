"""A random sample of a stream's rows, of bounded size: what the interval of a score of moments is estimated from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from gancore.metrics._distributed import gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gancore.metrics._look import Rows

__all__ = ["RowSample", "sample_size", "sampled"]


def sample_size(dim: int) -> int:
    """How many rows are kept: 2^21 numbers' worth, but 1024 to 16384 rows."""
    return max(1024, min(16384, 2**21 // dim))


@final
class RowSample:
    """The rows whose random keys are the least; how rows are cut into batches does not decide which.

    Parameters
    ----------
    size : int
        Rows to keep.
    seed : sequence of int
        Decides the keys.
    """

    def __init__(self, size: int, seed: Sequence[int]) -> None:
        self._size = size
        self._random = np.random.default_rng(seed)
        self._keys: list[np.ndarray[Any, Any]] = []
        self._rows: list[Rows] = []
        self._held, self._bound = 0, np.inf

    def update(self, rows: Rows) -> None:
        """See rows."""
        keys = self._random.random(len(rows))
        chosen = keys < self._bound
        if chosen.any():
            # Indexing copies, so that a batch is not kept alive by a few of its rows.
            self._keys.append(keys[chosen])
            self._rows.append(rows[chosen])
            self._held += int(chosen.sum())
        if self._held >= self._size + max(self._size // 4, 1):
            self._prune()

    def rows(self) -> Rows | None:
        """The sample in the order of its keys, so that its first rows are one too; None if there are none."""
        if not self._rows:
            return None
        self._prune()
        return self._rows[0]

    def _prune(self) -> None:
        keys = np.concatenate(self._keys)
        rows: Any = np.concatenate(self._rows)
        least = np.argsort(keys)[: self._size]
        self._keys, self._rows, self._held = [keys[least]], [rows[least]], len(least)
        if self._held == self._size:
            self._bound = float(keys[least[-1]])


def sampled(rows: Rows | None, count: int, size: int, world: int) -> Rows | None:
    """A sample of all processes' rows, from each by its count; the same on all of them."""
    if world == 1:
        return rows
    parts = [(n, part) for n, part in gathered((count, rows), world) if n and part is not None]
    total = sum(n for n, _ in parts)
    if not parts:
        return None
    return np.concatenate([part[: round(min(size, total) * n / total)] for n, part in parts])
