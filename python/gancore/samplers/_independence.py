"""Metropolis chains whose proposals are fresh samples of the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gancore._progress import progress_bar
from gancore.datasets import as_data
from gancore.errors import ShapeError
from gancore.samplers._noise import accept_uniforms, initial_normals, proposal_normals
from gancore.samplers._trace import Trace
from gancore.samplers._unscored import Unscored

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.datasets import Data
    from gancore.samplers._energy import LatentEnergy

__all__ = ["independence_chains"]


def independence_chains(
    energy: LatentEnergy, n: int, *, initial: Any, steps: int, seed: int, batch_size: int, progress: bool
) -> tuple[Tensor, Tensor, Trace, float, int, Unscored]:
    """Codes and samples of n chains, energies on the way, mean acceptance, and which chains or proposals had no luck.

    The last two are how many chains never moved, and the proposals that have no score.
    """
    unscored = Unscored("metropolis_hastings")
    data = None if initial is None else as_data(initial)
    order = None if data is None else torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    trace = Trace(n, steps)
    codes, samples = [], []
    accepted, stuck_ones = 0.0, 0
    with progress_bar("metropolis_hastings", n * steps, shown=progress) as advance:
        for first in range(0, n, batch_size):
            many = min(batch_size, n - first)
            chains = _Chains(energy, many, unscored, seed=seed, first_chain=first)
            if data is None or order is None:
                chains.score = energy.scores(chains.x, first=first)
            else:
                chains.score = _scores(energy, data, order[(torch.arange(many) + first) % len(data)], chains.x)
            trace.record(0, -chains.score, first)
            for step in range(steps):
                accepted += chains.step(step)
                trace.record(step + 1, -chains.score, first)
                advance(many)
            stuck = ~chains.moved
            stuck_ones += int(stuck.sum())
            if data is not None and stuck.any():
                # From the generator's own sample, which is still in place: all chains step, the stuck ones move.
                chains.score = torch.where(stuck, chains.scored(chains.x, steps), chains.score)
                for step in range(steps, 2 * steps):
                    chains.step(step, only=stuck)
            codes.append(chains.z)
            samples.append(chains.x)
    return torch.cat(codes), torch.cat(samples), trace, accepted / (n * steps), stuck_ones, unscored


def _scores(energy: LatentEnergy, data: Data, rows: Tensor, like: Tensor) -> Tensor:
    real = data.batch(rows)
    if real.shape != like.shape:
        raise ShapeError(
            f"initial: expected samples of shape {tuple(like.shape[1:])} as the generator's, got {data.shape}"
        )
    return energy.scores(real.to(like))


class _Chains:
    """A block of chains at samples of the generator, whose scores are set from outside."""

    def __init__(self, energy: LatentEnergy, n: int, unscored: Unscored, *, seed: int, first_chain: int) -> None:
        self._energy = energy
        self._unscored = unscored
        self._numbered = torch.arange(first_chain, first_chain + n, device=energy.device)
        self._numbers: dict[str, Any] = {"seed": seed, "first_chain": first_chain, "device": energy.device}
        self.z, self.x = energy.decode(initial_normals(n, energy.latent_dim, **self._numbers))
        self.score = torch.zeros(n, dtype=torch.float64, device=energy.device)
        self.moved = torch.zeros(n, dtype=torch.bool, device=energy.device)

    def scored(self, x: Tensor, step: int) -> Tensor:
        """Scores of samples, those without one turned down."""
        return self._unscored.turned_down(self._energy.raw_scores(x), self._numbered, step)

    def step(self, step: int, only: Tensor | None = None) -> float:
        """One proposal a chain; the sum of the acceptance probabilities."""
        n = len(self.z)
        z, x = self._energy.decode(proposal_normals(n, self._energy.latent_dim, step=step, **self._numbers))
        score = self.scored(x, step)
        # Where neither state has a score, there is no ratio either, and the chain stays.
        log_ratio = (score - self.score).nan_to_num(nan=-torch.inf)
        accepted = accept_uniforms(n, step=step, **self._numbers).log() < log_ratio
        if only is not None:
            accepted &= only
        self.z = torch.where(accepted[:, None], z, self.z)
        self.x = torch.where(accepted.reshape(-1, *[1] * (x.ndim - 1)), x, self.x)
        self.score = torch.where(accepted, score, self.score)
        self.moved |= accepted
        return float(log_ratio.clamp(max=0.0).exp().sum())
