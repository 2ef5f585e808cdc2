"""Where samplers get their randomness: counters, so that a draw depends on seed, chain and step alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.kernels.langevin import philox_normal, philox_uniform

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "FRESH_CHAINS",
    "PILOT_CHAINS",
    "accept_uniforms",
    "initial_normals",
    "initial_velocities",
    "proposal_normals",
]

PILOT_CHAINS = 1 << 30
"""First chain of the runs that tune a step size."""

FRESH_CHAINS = 1 << 31
"""First chain of the fakes that a critic is calibrated on."""


def initial_normals(n: int, dim: int, *, seed: int, first_chain: int, device: torch.device) -> Tensor:
    """Where chains start: N(0, I), float32 of shape (n, dim)."""
    draws: Tensor = philox_normal((n, dim), seed=seed, stream="initial", first_chain=first_chain, device=device)
    return draws


def accept_uniforms(n: int, *, seed: int, step: int, first_chain: int, device: torch.device) -> Tensor:
    """What acceptance probabilities are compared with: U(0, 1), float64 of shape (n,)."""
    draws: Tensor = philox_uniform(n, seed=seed, stream="accept", step=step, first_chain=first_chain, device=device)
    return draws


def proposal_normals(
    n: int,
    dim: int,
    *,
    seed: int,
    step: int,
    first_chain: int,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Fresh normals for a step, or points for independent proposals: N(0, I), of shape (n, dim)."""
    draws: Tensor = philox_normal(
        (n, dim), seed=seed, stream="proposal", step=step, first_chain=first_chain, device=device, dtype=_name(dtype)
    )
    return draws


def initial_velocities(
    n: int, dim: int, *, seed: int, first_chain: int, device: torch.device, dtype: torch.dtype = torch.float32
) -> Tensor:
    """How fast underdamped chains start: N(0, I), of shape (n, dim), independent of where they do."""
    draws: Tensor = philox_normal(
        (n, dim), seed=seed, stream="initial", step=1, first_chain=first_chain, device=device, dtype=_name(dtype)
    )
    return draws


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
