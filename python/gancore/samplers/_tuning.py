"""Step sizes by dual averaging: Hoffman and Gelman, "The No-U-Turn Sampler" (2014), section 3.2.1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from gancore.samplers._langevin import metropolis_step, start
from gancore.samplers._noise import PILOT_CHAINS, initial_normals

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.samplers._energy import LatentEnergy
    from gancore.samplers._langevin import Energy

__all__ = ["PILOT_SIZE", "TARGET_ACCEPTANCE", "DualAveraging", "tuned_latent_step", "tuned_step_size"]

PILOT_SIZE = 64
"""How many chains a step size is tuned on."""

_PILOT_STEPS = 150

TARGET_ACCEPTANCE = 0.574
"""The optimal acceptance of MALA: Roberts and Rosenthal, "Optimal scaling of discrete approximations" (1998)."""

_SHRINKAGE, _DELAY, _FORGETTING = 0.05, 10.0, 0.75


@final
class DualAveraging:
    """A step size that drives the mean acceptance to a target.

    One update a step, on the mean over all chains: an update for every chain would multiply the gain by their
    number.

    Parameters
    ----------
    initial : float
        First step size, and the value that others are shrunk towards.
    """

    def __init__(self, initial: float) -> None:
        self._anchor = math.log(initial)
        self._error = 0.0
        self._log_step = self._anchor
        self._log_average = 0.0
        self._updates = 0

    @property
    def step_size(self) -> float:
        """The step size to try next."""
        return math.exp(self._log_step)

    @property
    def average(self) -> float:
        """The averaged step size, to be frozen at the end."""
        return math.exp(self._log_average)

    def update(self, acceptance: float) -> None:
        """Learn from the mean acceptance probability of one step."""
        self._updates += 1
        t = self._updates
        rate = 1 / (t + _DELAY)
        self._error += rate * (TARGET_ACCEPTANCE - acceptance - self._error)
        self._log_step = self._anchor - math.sqrt(t) / _SHRINKAGE * self._error
        weight = t**-_FORGETTING
        self._log_average += weight * (self._log_step - self._log_average)


def tuned_step_size(energy: Energy, u: Tensor, *, seed: int, split: bool = False) -> float:
    """The step size at which Metropolis-adjusted pilot chains from `u` accept the optimal share.

    That of the split step is at most 1, where it forgets its state.
    """
    most = 1.0 if split else math.inf
    state = start(energy, u, PILOT_CHAINS)
    tuning = DualAveraging(1.0 / u.shape[1] ** (1 / 3))
    for step in range(_PILOT_STEPS):
        step_size = min(tuning.step_size, most)
        state, acceptance = metropolis_step(energy, state, step_size, seed=seed, step=step, split=split)
        tuning.update(float(acceptance.mean()))
    return min(tuning.average, most)


def tuned_latent_step(energy: LatentEnergy, *, seed: int, split: bool = False) -> float:
    """The tuned step size of chains that start at the prior."""
    pilot = initial_normals(PILOT_SIZE, energy.latent_dim, seed=seed, first_chain=PILOT_CHAINS, device=energy.device)
    return tuned_step_size(energy, pilot, seed=seed, split=split)
