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

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gancore.errors import NumericalError
from gancore.kernels.langevin import langevin_step
from gancore.samplers._noise import accept_uniforms

__all__ = ["Energy", "State", "log_acceptance", "metropolis_step", "start", "unadjusted_step"]


class Energy(Protocol):
    """What chains walk on."""

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Energies, float64 (n,), and their gradient, as `u`."""


@dataclass(frozen=True)
class State:
    """Positions (n, d), energies (n,) float64 and gradients (n, d) of chains, numbered from the first."""

    u: Tensor
    energy: Tensor
    gradient: Tensor
    first_chain: int


def start(energy: Energy, u: Tensor, first_chain: int) -> State:
    """Chains at their first positions."""
    return _finite(State(u, *energy.value_and_grad(u), first_chain), "at the start", "the critic or generator")


def unadjusted_step(
    energy: Energy, state: State, step_size: float, *, seed: int, step: int, split: bool = False
) -> State:
    """Move every chain; the step size biases the distribution by its first order."""
    u = langevin_step(
        state.u,
        state.gradient,
        step_size,
        temperature=_noise(step_size, split=split),
        seed=seed,
        step=step,
        first_chain=state.first_chain,
        out=state.u,
    )
    moved = State(u, *energy.value_and_grad(u), state.first_chain)
    return _finite(moved, f"after step {step + 1}", f"the step size {step_size:g} (or Metropolis' correction off)")


def metropolis_step(
    energy: Energy, state: State, step_size: float, *, seed: int, step: int, split: bool = False
) -> tuple[State, Tensor]:
    """Propose a move of every chain and accept it or not; the new state, and acceptance probabilities (n,)."""
    noise = _noise(step_size, split=split)
    u = langevin_step(
        state.u, state.gradient, step_size, temperature=noise, seed=seed, step=step, first_chain=state.first_chain
    )
    proposal = State(u, *energy.value_and_grad(u), state.first_chain)
    log_ratio = log_acceptance(state, proposal, step_size, noise=noise)
    # A proposal from where the networks overflow is one that Metropolis turns down.
    finite = proposal.energy.isfinite() & proposal.gradient.isfinite().all(dim=1) & log_ratio.isfinite()
    log_ratio = log_ratio.masked_fill(~finite, -torch.inf)
    uniforms = accept_uniforms(len(u), seed=seed, step=step, first_chain=state.first_chain, device=state.u.device)
    accepted = uniforms.log() < log_ratio
    rows = accepted[:, None]
    moved = State(
        torch.where(rows, proposal.u, state.u),
        torch.where(accepted, proposal.energy, state.energy),
        torch.where(rows, proposal.gradient, state.gradient),
        state.first_chain,
    )
    return moved, log_ratio.clamp(max=0.0).exp()


def log_acceptance(state: State, proposal: State, step_size: float, *, noise: float = 1.0) -> Tensor:
    """The log of Metropolis' ratio of a Langevin proposal of noise variance 2 eta noise: float64 of shape (n,)."""
    old, new = state.gradient.double(), proposal.gradient.double()
    moved = proposal.u.double() - state.u.double()
    drift = 0.5 * (moved * (old + new)).sum(dim=1)
    drift = drift - step_size / 4 * ((new - old) * (new + old)).sum(dim=1)
    return state.energy - proposal.energy + drift / noise


def _noise(step_size: float, *, split: bool) -> float:
    """Variance of the noise over 2 eta."""
    return 1.0 - step_size / 2 if split else 1.0


def _finite(state: State, when: str, suspect: str) -> State:
    bad = ~(state.energy.isfinite() & state.gradient.isfinite().all(dim=1))
    if bad.any():
        raise NumericalError(
            f"critic: energy or gradient is not finite {when}, in {int(bad.sum())} of {len(bad)} chains; "
            f"look at {suspect}"
        )
    return state
