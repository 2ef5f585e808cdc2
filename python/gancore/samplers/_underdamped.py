r"""One step of underdamped Langevin dynamics, split into kick, drift, friction, drift, kick (BAOAB).

.. math::
    \mathrm{d}u = v\,\mathrm{d}t, \qquad
    \mathrm{d}v = -\nabla E(u)\,\mathrm{d}t - \gamma v\,\mathrm{d}t + \sqrt{2 \gamma}\,\mathrm{d}W

over a time h = sqrt(2 eta): kicks v - (h/2) grad E(u), drifts u + (h/2) v, and friction with its noise solved exactly,
v e^(-gamma h) + sqrt(1 - e^(-2 gamma h)) xi (B. Leimkuhler and C. Matthews, "Rational construction of stochastic
numerical methods for molecular sampling", 2013, section 2). Positions of a Gaussian have its variance exactly at any
stable step. As gamma grows, positions move by -eta grad E and noise sqrt(eta / 2) (xi + xi_before): one step of size
eta of the overdamped dynamics.

Where E(u) = |u|^2 / 2 - phi(u), kicks are by grad phi alone and a drift turns (u, v) by h/2, which solves the prior's
motion exactly: where phi is constant, N(0, I) is kept at any step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gancore.samplers._langevin import State
from gancore.samplers._noise import proposal_normals

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.samplers._langevin import Energy

__all__ = ["FRICTION", "kept_velocity", "underdamped_step"]

FRICTION = 2.0
"""Critical damping of the unit oscillator that a standard normal is: nothing forgets its start faster."""


def kept_velocity(step_size: float, friction: float) -> float:
    """The share of a velocity that friction leaves after a step: e^(-gamma h)."""
    return math.exp(-friction * math.sqrt(2 * step_size))


def underdamped_step(
    energy: Energy, state: State, step_size: float, *, keep: float, split: bool, seed: int, step: int
) -> State:
    """Move every chain, velocities included; what comes may not be finite."""
    if state.v is None:
        raise TypeError("chains without velocities")
    half = 0.5 * math.sqrt(2 * step_size)
    noise = proposal_normals(
        *state.u.shape, seed=seed, step=step, first_chain=state.first_chain, device=state.u.device, dtype=state.u.dtype
    )
    v = state.v + half * _force(state.u, state.gradient, split=split)
    u, v = _drift(state.u, v, half, split=split)
    v = keep * v + math.sqrt(1 - keep**2) * noise
    u, v = _drift(u, v, half, split=split)
    value, gradient = energy.value_and_grad(u)
    return State(u, value, gradient, state.first_chain, v + half * _force(u, gradient, split=split))


def _force(u: Tensor, gradient: Tensor, *, split: bool) -> Tensor:
    return u - gradient if split else -gradient


def _drift(u: Tensor, v: Tensor, time: float, *, split: bool) -> tuple[Tensor, Tensor]:
    if not split:
        return u + time * v, v
    cosine, sine = math.cos(time), math.sin(time)
    return cosine * u + sine * v, cosine * v - sine * u
