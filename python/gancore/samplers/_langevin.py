r"""One step of Langevin dynamics for a block of chains, unadjusted or with Metropolis' correction (MALA).

.. math::
    u' = u - \eta \nabla E(u) + \sqrt{2 \eta}\, \xi

Given the proposal, the log of the acceptance ratio is written so that nothing large cancels:

.. math::
    \log r = E(u) - E(u') + \tfrac12 \langle u' - u, g + g' \rangle
             - \tfrac{\eta}{4} (\lVert g' \rVert^2 - \lVert g \rVert^2)

Where :math:`E(u) = \lVert u \rVert^2 / 2 - \phi(u)`, the Ornstein-Uhlenbeck part can be solved exactly and only
:math:`\nabla \phi` held still over the step. With :math:`\eta = 1 - e^{-h}` that is

.. math::
    u' = e^{-h} u + (1 - e^{-h}) \nabla \phi(u) + \sqrt{1 - e^{-2h}}\, \xi
       = u - \eta \nabla E(u) + \sqrt{2 \eta (1 - \eta / 2)}\, \xi,

the same step with less noise: it keeps N(0, I) exactly where phi is constant, for any eta, and its acceptance
does not fall with dimension (S. Cotter, G. Roberts, A. Stuart, D. White, "MCMC methods for functions", 2013,
section 4.3). The last two terms of log r are then divided by 1 - eta / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from gancore.errors import NumericalError
from gancore.kernels.langevin import langevin_step
from gancore.samplers._noise import accept_uniforms, proposal_normals

__all__ = ["Energy", "State", "chosen", "log_acceptance", "metropolis_step", "start", "unadjusted_step"]


class Energy(Protocol):
    """What chains walk on."""

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Energies, float64 (n,), and their gradient, as `u`."""


@dataclass(frozen=True)
class State:
    """Positions (n, d), energies (n,) float64, gradients and velocities (n, d) of chains, numbered from the first."""

    u: Tensor
    energy: Tensor
    gradient: Tensor
    first_chain: int
    v: Tensor | None = None

    def finite(self) -> Tensor:
        """Chains whose energy and gradient are numbers: bool of shape (n,)."""
        return self.energy.isfinite() & self.gradient.isfinite().all(dim=1)

    def all_finite(self) -> bool:
        """Whether the sums of energies and gradients are numbers, and so surely every term of them."""
        return math.isfinite(float(self.energy.sum() + self.gradient.sum()))


def start(energy: Energy, u: Tensor, first_chain: int, v: Tensor | None = None) -> State:
    """Chains at their first positions; there is nowhere else to begin, so that all must be finite."""
    state = State(u, *energy.value_and_grad(u), first_chain, v)
    bad = ~state.finite()
    if bad.any():
        raise NumericalError(
            f"critic: energy or gradient is not finite at the start, in {int(bad.sum())} of {len(bad)} chains, first "
            f"in chain {first_chain + int(bad.nonzero()[0])}; look at the critic or generator"
        )
    return state


def unadjusted_step(
    energy: Energy, state: State, step_size: float, *, seed: int, step: int, split: bool = False
) -> State:
    """Move every chain; the step size biases the distribution by its first order. What comes may not be finite."""
    u = _moved(state, step_size, _noise(step_size, split=split), seed=seed, step=step)
    return State(u, *energy.value_and_grad(u), state.first_chain)


def metropolis_step(
    energy: Energy, state: State, step_size: float, *, seed: int, step: int, split: bool = False
) -> tuple[State, Tensor]:
    """Propose a move of every chain and accept it or not; the new state, and acceptance probabilities (n,)."""
    noise = _noise(step_size, split=split)
    u = _moved(state, step_size, noise, seed=seed, step=step)
    proposal = State(u, *energy.value_and_grad(u), state.first_chain)
    log_ratio = log_acceptance(state, proposal, step_size, noise=noise)
    # A proposal from where the networks overflow is one that Metropolis turns down.
    log_ratio = log_ratio.masked_fill(~(proposal.finite() & log_ratio.isfinite()), -torch.inf)
    uniforms = accept_uniforms(len(u), seed=seed, step=step, first_chain=state.first_chain, device=state.u.device)
    return chosen(uniforms.log() < log_ratio, proposal, state), log_ratio.clamp(max=0.0).exp()


def chosen(taken: Tensor, new: State, old: State) -> State:
    """The new state of the chains that are taken, the old one of the others."""
    rows = taken[:, None]
    return State(
        torch.where(rows, new.u, old.u),
        torch.where(taken, new.energy, old.energy),
        torch.where(rows, new.gradient, old.gradient),
        old.first_chain,
        None if new.v is None or old.v is None else torch.where(rows, new.v, old.v),
    )


def log_acceptance(state: State, proposal: State, step_size: float, *, noise: float = 1.0) -> Tensor:
    """The log of Metropolis' ratio of a Langevin proposal of noise variance 2 eta noise: float64 of shape (n,)."""
    old, new = state.gradient.double(), proposal.gradient.double()
    moved = proposal.u.double() - state.u.double()
    drift = 0.5 * (moved * (old + new)).sum(dim=1)
    drift = drift - step_size / 4 * ((new - old) * (new + old)).sum(dim=1)
    return state.energy - proposal.energy + drift / noise


def _moved(state: State, step_size: float, noise: float, *, seed: int, step: int) -> Tensor:
    """Where the chains go, by noise of variance 2 eta noise; the state stays as it is."""
    at: dict[str, Any] = {"seed": seed, "step": step, "first_chain": state.first_chain}
    if not state.u.is_cuda:
        moved: Tensor = langevin_step(state.u, state.gradient, step_size, temperature=noise, **at)
        return moved
    # The public step looks whether all is finite, for which the CPU would wait at every step; here `Stops` knows.
    draws = proposal_normals(*state.u.shape, device=state.u.device, dtype=state.u.dtype, **at)
    return torch.add(state.u, state.gradient, alpha=-step_size).add_(draws, alpha=math.sqrt(2 * step_size * noise))


def _noise(step_size: float, *, split: bool) -> float:
    """Variance of the noise over 2 eta."""
    return 1.0 - step_size / 2 if split else 1.0
