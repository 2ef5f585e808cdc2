"""Latent chains from the prior to their samples, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore._progress import progress_bar
from gancore.samplers._noise import initial_normals
from gancore.samplers._trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.samplers._energy import LatentEnergy
    from gancore.samplers._walker import Walker

__all__ = ["walk"]


def walk(
    walker: Walker, energy: LatentEnergy, n: int, *, name: str, steps: int, seed: int, batch_size: int, progress: bool
) -> tuple[Tensor, Tensor, Trace]:
    """Codes and samples at the ends of n chains that start at the prior, and the energies on the way."""
    trace = Trace(n, steps)
    ends = []
    with progress_bar(name, n * steps, shown=progress) as advance:
        for first in range(0, n, batch_size):
            many = min(batch_size, n - first)
            u = initial_normals(many, energy.latent_dim, seed=seed, first_chain=first, device=energy.device)
            state = walker.start(u, first)
            trace.record(0, state.energy, first)
            for step in range(steps):
                if not walker.stops.all_held:
                    state = walker.step(state, step)
                trace.record(step + 1, state.energy, first)
                advance(many)
            ends.append(energy.decode(state.u))
    codes, samples = zip(*ends, strict=True)
    return torch.cat(codes), torch.cat(samples), trace
