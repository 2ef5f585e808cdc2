r"""One step of Langevin dynamics for a block of chains, unadjusted or with Metropolis' correction (MALA).

.. math::
    u' = u - \eta \nabla E(u) + \sqrt{2 \eta}\, \xi

Given the proposal, the log of the acceptance ratio is written so that nothing large cancels:

.. math::
    \log r = E(u) - E(u') + \tfrac12 \langle u' - u, g + g' \rangle
             - \tfrac{\eta}{4} (\lVert g' \rVert^2 - \lVert g \rVert^2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gancore.errors import NumericalError
from gancore.kernels.langevin import langevin_step
from gancore.samplers._noise import accept_uniforms

if TYPE_CHECKING:
    from gancore.samplers._energy import LatentEnergy

__all__ = ["State", "log_acceptance", "metropolis_step", "start", "unadjusted_step"]


@dataclass(frozen=True)
class State:
    """Positions (n, d) float32, energies (n,) float64 and gradients (n, d) float32 of chains, numbered from first."""

    u: Tensor
    energy: Tensor
    gradient: Tensor
    first_chain: int


def start(energy: LatentEnergy, u: Tensor, first_chain: int) -> State:
    """Chains at their first positions."""
    return _finite(State(u, *energy.value_and_grad(u), first_chain), "at the start", "the critic or generator")


def unadjusted_step(energy: LatentEnergy, state: State, step_size: float, *, seed: int, step: int) -> State:
    """Move every chain; the step size biases the distribution by its first order."""
    u = langevin_step(
        state.u,
        state.gradient,
        step_size,
        seed=seed,
        step=step,
        first_chain=state.first_chain,
        out=state.u,
    )
    moved = State(u, *energy.value_and_grad(u), state.first_chain)
    return _finite(moved, f"after step {step + 1}", f"the step size {step_size:g} (or Metropolis' correction off)")


def metropolis_step(
    energy: LatentEnergy, state: State, step_size: float, *, seed: int, step: int
) -> tuple[State, Tensor]:
    """Propose a move of every chain and accept it or not; the new state, and acceptance probabilities (n,)."""
    u = langevin_step(state.u, state.gradient, step_size, seed=seed, step=step, first_chain=state.first_chain)
    proposal = State(u, *energy.value_and_grad(u), state.first_chain)
    log_ratio = log_acceptance(state, proposal, step_size)
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


def log_acceptance(state: State, proposal: State, step_size: float) -> Tensor:
    """The log of Metropolis' ratio of a Langevin proposal: float64 of shape (n,)."""
    old, new = state.gradient.double(), proposal.gradient.double()
    moved = proposal.u.double() - state.u.double()
    drift = 0.5 * (moved * (old + new)).sum(dim=1)
    return state.energy - proposal.energy + drift - step_size / 4 * ((new - old) * (new + old)).sum(dim=1)


def _finite(state: State, when: str, suspect: str) -> State:
    bad = ~(state.energy.isfinite() & state.gradient.isfinite().all(dim=1))
    if bad.any():
        raise NumericalError(
            f"critic: energy or gradient is not finite {when}, in {int(bad.sum())} of {len(bad)} chains; "
            f"look at {suspect}"
        )
    return state
