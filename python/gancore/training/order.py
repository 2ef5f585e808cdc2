"""The order of the data: an endless walk over random permutations, so that any position in it can be told at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gancore.training.randomness import derive

__all__ = ["DataOrder"]


class DataOrder:
    """Sample indices 0, ..., n - 1 in a new random order each epoch, one epoch after the other.

    The order of an epoch follows from (seed, epoch) alone, so the whole state of the walk is its position. Batches
    are always full: one may end an epoch and begin the next.

    Parameters
    ----------
    n : int
        How many samples there are.
    seed : int

    Examples
    --------
    >>> order = DataOrder(5, seed=0)
    >>> sorted(order.indices(5, 5).tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(self, n: int, seed: int) -> None:
        self._n = n
        self._seed = seed
        self._epoch = -1
        self._permutation = torch.empty(0, dtype=torch.int64)

    def indices(self, position: int, count: int) -> Tensor:
        """The `count` indices from a position on: int64 of shape (count,)."""
        parts = []
        while count:
            epoch, offset = divmod(position, self._n)
            part = self._order(epoch)[offset : offset + count]
            parts.append(part)
            position += len(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _order(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            random = np.random.default_rng([derive(self._seed, "order"), epoch])
            self._permutation = torch.from_numpy(random.permutation(self._n))
            self._epoch = epoch
        return self._permutation
