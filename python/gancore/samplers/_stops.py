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
        self._held: Tensor | None = None
        self.steps: dict[int, int] = {}

    def begin(self) -> None:
        """A new block of chains, none of which has stopped."""
        self._held = None

    def settle(self, old: State, new: State, step: int) -> State:
        """The new state, but the old one of chains that stop here or have stopped before."""
        held = self.hold(new.finite(), old.first_chain, step)
        return new if held is None else chosen(~held, new, old)

    def hold(self, finite: Tensor, first_chain: int, step: int) -> Tensor | None:
        """All chains of the block that have stopped, bool of shape (n,), those of this step included; None for none."""
        lost = ~finite
        if self._held is not None:
            lost &= ~self._held
        if lost.any():
            self._held = lost if self._held is None else self._held | lost
            self.steps |= {first_chain + row: step for row in lost.nonzero()[:, 0].tolist()}
        return self._held

    @property
    def all_held(self) -> bool:
        """Whether no chain of the block goes on."""
        return self._held is not None and bool(torch.all(self._held))

    def tell(self, n: int, advice: str) -> None:
        """Warn if some of n chains have stopped.

        Raises
        ------
        NumericalError
            If all have: there are no samples.
        """
        if not self.steps:
            return
        chain, step = next(iter(sorted(self.steps.items())))
        found = (
            f"{self._sampler}: energy or gradient became nan or infinite in {len(self.steps)} of {n} chains, first in "
            f"chain {chain} after step {step}"
        )
        if len(self.steps) == n:
            raise NumericalError(f"{found}; {advice}")
        warnings.warn(
            f"{found}; these stopped and return their last finite states (info.stopped names them): {advice}",
            SamplingWarning,
            stacklevel=3,
        )
