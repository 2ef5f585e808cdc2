"""Chains whose energy is no number any more: they stop, are named, and the others go on."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, final

import torch

from gancore.errors import NumericalError, SamplingWarning
from gancore.samplers._langevin import State, chosen

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Stops"]


@final
class Stops:
    """Which chains have stopped, by number, and at which step.

    Parameters
    ----------
    sampler : str
        Whose chains, for messages.
    """

    def __init__(self, sampler: str) -> None:
        self._sampler = sampler
        self._when: Tensor | None = None
        self._first_chain = 0
        self._steps: dict[int, int] = {}

    def begin(self) -> None:
        """A new block of chains, none of which has stopped."""
        self._steps, self._when = self.steps, None

    def settle(self, old: State, new: State, step: int) -> State:
        """The new state, but the old one of chains that stop here or have stopped before."""
        # A GPU is not waited for: there the choice between old and new is cheaper than knowing that none is needed.
        if self._when is None and not new.energy.is_cuda and new.all_finite():
            return new
        finite = new.finite()
        if self._when is None:
            self._when = torch.zeros(len(finite), dtype=torch.int64, device=finite.device)
            self._first_chain = old.first_chain
        self._when = self._when.masked_fill((self._when == 0) & ~finite, step)
        return chosen(self._when == 0, new, old)

    def include(self, stopped: dict[int, int]) -> None:
        """Count chains that stopped where they were run, and when."""
        self._steps = self._steps | stopped

    @property
    def all_held(self) -> bool:
        """Whether it is known that no chain of the block goes on."""
        return self._when is not None and not self._when.is_cuda and bool((self._when > 0).all())

    @property
    def steps(self) -> dict[int, int]:
        """The step after which each chain stopped, by the chain's number."""
        if self._when is None:
            return self._steps
        lost = {self._first_chain + row: step for row, step in enumerate(self._when.tolist()) if step}
        return self._steps | lost

    def tell(self, n: int, advice: str) -> None:
        """Warn if some of n chains have stopped.

        Raises
        ------
        NumericalError
            If all have: there are no samples.
        """
        steps = self.steps
        if not steps:
            return
        chain, step = min(steps.items())
        found = (
            f"{self._sampler}: energy or gradient became nan or infinite in {len(steps)} of {n} chains, first in "
            f"chain {chain} after step {step}"
        )
        if len(steps) == n:
            raise NumericalError(f"{found}; {advice}")
        warnings.warn(
            f"{found}; these stopped and return their last finite states (info.stopped names them): {advice}",
            SamplingWarning,
            stacklevel=3,
        )
