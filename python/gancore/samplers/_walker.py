"""Chains on one energy, step by step: whichever integrator, what is counted and who stops is the same."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, final

from gancore.errors import SamplingWarning
from gancore.samplers._langevin import metropolis_step, start, unadjusted_step
from gancore.samplers._noise import initial_velocities
from gancore.samplers._stops import Stops
from gancore.samplers._underdamped import underdamped_step

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.samplers._langevin import Energy, State

__all__ = ["Walker"]

_FEW, _TOO_FEW_REJECTED, _TOO_FEW_ACCEPTED = 100, 0.999, 0.01


@final
class Walker:
    """Moves blocks of chains by one integrator at one step size.

    Parameters
    ----------
    energy : Energy
        What they walk on, at temperature 1.
    sampler : str
        Whose chains, for messages.
    step_size : float
        The eta of a step.
    metropolis : bool
        Correct each step by acceptance.
    split : bool
        Solve the part of the normal prior exactly.
    keep : float or None
        Of underdamped chains, the share of a velocity that friction leaves after a step.
    seed : int
        Of all their noise.
    """

    def __init__(
        self,
        energy: Energy,
        *,
        sampler: str,
        step_size: float,
        metropolis: bool,
        split: bool,
        keep: float | None,
        seed: int,
    ) -> None:
        self._energy = energy
        self._sampler = sampler
        self._step_size = step_size
        self._metropolis = metropolis
        self._split = split
        self._keep = keep
        self._seed = seed
        self._accepted: float | Tensor = 0.0
        self._proposed = 0
        self.stops = Stops(sampler)

    def start(self, u: Tensor, first_chain: int, v: Tensor | None = None) -> State:
        """A new block of chains, with velocities where the integrator needs them."""
        self.stops.begin()
        if self._keep is not None and v is None:
            v = initial_velocities(*u.shape, seed=self._seed, first_chain=first_chain, device=u.device, dtype=u.dtype)
        return start(self._energy, u, first_chain, v)

    def step(self, state: State, number: int) -> State:
        """Move a block by the step of this number, counted from 0."""
        at = {"seed": self._seed, "step": number}
        if self._metropolis:
            moved, acceptance = metropolis_step(self._energy, state, self._step_size, split=self._split, **at)
            # A tensor, which a GPU need not be waited for.
            self._accepted = self._accepted + acceptance.sum()
            self._proposed += len(acceptance)
            return moved
        if self._keep is None:
            moved = unadjusted_step(self._energy, state, self._step_size, split=self._split, **at)
        else:
            moved = underdamped_step(self._energy, state, self._step_size, keep=self._keep, split=self._split, **at)
        return self.stops.settle(state, moved, number + 1)

    @property
    def settings(self) -> dict[str, Any]:
        """Step size, noise and whether steps are corrected, as the compiled kernel takes them."""
        noise = 1.0 - self._step_size / 2 if self._split else 1.0
        return {"step_size": self._step_size, "noise": noise, "metropolis": self._metropolis}

    def count(self, accepted: float, proposed: int, stopped: dict[int, int]) -> None:
        """Take over what chains did that were run elsewhere."""
        if self._metropolis:
            self._accepted += accepted
            self._proposed += proposed
        self.stops.include(stopped)

    @property
    def acceptance(self) -> float | None:
        """Mean acceptance probability of all steps; None without Metropolis' correction."""
        return float(self._accepted) / self._proposed if self._proposed else None

    def tell(self, n: int, *, step_size: float, chosen: bool) -> None:
        """Warn of what went wrong with n chains; a step size that the caller has not chosen is not found too small."""
        self.stops.tell(n, f"lower the step size, which was {step_size:g}, or take metropolis=True")
        if self.acceptance is None or self._proposed < _FEW:
            return
        if self.acceptance < _TOO_FEW_ACCEPTED:
            _warn(
                f"{self._sampler}: {self.acceptance:.2%} of the steps were accepted, so chains stay where they "
                f"started; lower the step size, which was {step_size:g}, or take step_size='auto'"
            )
        # A split step of this size forgets most of its state: there is nothing to gain.
        elif chosen and self.acceptance > _TOO_FEW_REJECTED and not (self._split and step_size >= 0.5):
            _warn(
                f"{self._sampler}: {self.acceptance:.2%} of the steps were accepted, so chains move less than they "
                f"could; raise the step size, which was {step_size:g}, or take step_size='auto'"
            )


def _warn(message: str) -> None:
    warnings.warn(message, SamplingWarning, stacklevel=4)
