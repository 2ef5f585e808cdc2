"""Proposals that the critic has no number for: they are turned down, counted, and the first of them is named."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, final

import torch

from gancore.errors import NumericalError, SamplingWarning

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Unscored"]


@final
class Unscored:
    """The count of proposals whose score was nan or infinite.

    Parameters
    ----------
    sampler : str
        Whose proposals, for messages.
    """

    def __init__(self, sampler: str) -> None:
        self._sampler = sampler
        self._first = (0, 0)
        self._proposals = 0
        self.count = 0

    def turned_down(self, scores: Tensor, chains: Tensor, step: int) -> Tensor:
        """Scores (n,) of the proposals of chains (n,) at a step, minus infinity for those that are no numbers."""
        self._proposals += len(scores)
        bad = ~scores.isfinite()
        lost = int(bad.sum())
        if not lost:
            return scores
        if not self.count:
            self._first = (int(chains[bad][0]), step)
        self.count += lost
        return scores.masked_fill(bad, -torch.inf)

    def tell(self) -> None:
        """Warn if some of the proposals have no score.

        Raises
        ------
        NumericalError
            If none has one.
        """
        if not self.count:
            return
        chain, step = self._first
        found = (
            f"{self._sampler}: the critic's score was nan or infinite for {self.count} of {self._proposals} proposals, "
            f"first in chain {chain} at step {step}"
        )
        if self.count == self._proposals:
            raise NumericalError(f"{found}; look at the critic or generator")
        warnings.warn(
            f"{found}; these were turned down (info.unscored counts them): look at the critic or generator",
            SamplingWarning,
            stacklevel=3,
        )
