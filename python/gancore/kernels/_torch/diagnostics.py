"""Convergence diagnostics in torch: the formulas of the compiled kernel, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

__all__ = ["effective_sample_size", "nested_r_hat", "r_hat"]


def r_hat(draws: Tensor) -> Tensor:
    """Split R-hat of draws (chains, steps, ...)."""
    _, within, total = _spread(_halves(draws))
    return (total / within).sqrt()


def nested_r_hat(draws: Tensor, *, superchains: int) -> Tensor:
    """Nested R-hat of draws (chains, steps, ...) in groups of consecutive chains."""
    draws = _checked(draws, least_steps=1)
    chains, steps = draws.shape[:2]
    if superchains < 2 or chains % superchains:
        raise DomainError(
            f"`superchains` must be at least 2 and divide the number of chains, {chains}; got {superchains}"
        )
    members = chains // superchains
    if members == 1 and steps == 1:
        raise ShapeError("`draws` must have two chains or two steps in each superchain; got one of each")
    groups = (draws - draws[:1, :1]).reshape(superchains, members, *draws.shape[1:])
    means = groups.mean(2)
    within = torch.zeros_like(means[:, 0])
    if members > 1:
        within = within + means.var(1)
    if steps > 1:
        within = within + groups.var(2).mean(1)
    return (1.0 + means.mean(1).var(0) / within.mean(0)).sqrt()


def effective_sample_size(draws: Tensor) -> Tensor:
    """Effective sample size of draws (chains, steps, ...)."""
    halves = _halves(draws)
    m, n = halves.shape[:2]
    centred, within, total = _spread(halves)
    spectrum = torch.fft.rfft(centred, n=2 * n, dim=1)
    products = torch.fft.irfft(spectrum.abs().square(), n=2 * n, dim=1)[:, :n].sum(0)
    correlation = 1.0 - (within - products / (m * (n - 1))) / total
    pairs = correlation[: n // 2 * 2].unflatten(0, (-1, 2)).sum(1)
    positive = (pairs >= 0).cumprod(0)
    time = 2.0 * (pairs.cummin(0).values * positive).sum(0) - 1.0
    limit = 1.0 / torch.tensor(float(m * n), dtype=torch.float64, device=draws.device).log10()
    return torch.where(within > 0, m * n / torch.maximum(time, limit), torch.nan)


def _halves(draws: Tensor) -> Tensor:
    draws = _checked(draws, least_steps=4)
    half = draws.shape[1] // 2
    return torch.cat((draws[:, :half], draws[:, -half:]))


def _spread(halves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Halves less their means, mean variance within them, and the estimate of the whole variance."""
    n = halves.shape[1]
    # Measured from the first number, what does not vary is exactly 0.
    moved = halves - halves[:, :1]
    centred = moved - moved.mean(1, keepdim=True)
    within = centred.square().sum(1).mean(0) / (n - 1)
    return centred, within, (n - 1) / n * within + (halves - halves[:1, :1]).mean(1).var(0)


def _checked(draws: Tensor, *, least_steps: int) -> Tensor:
    if len(draws) == 0 or draws.shape[1] < least_steps:
        raise ShapeError(
            f"`draws` must have shape (chains, steps, ...) with at least 1 chain of {least_steps} steps; "
            f"got {len(draws)} chains of {draws.shape[1]} steps"
        )
    wrong = ~draws.reshape(*draws.shape[:2], -1).isfinite()
    if wrong.any():
        chain, step, quantity = wrong.nonzero()[0].tolist()
        value = draws.reshape(*draws.shape[:2], -1)[chain, step, quantity].item()
        raise DomainError(f"`draws` must be finite; got {value} in chain {chain}, step {step}, quantity {quantity}")
    return draws.double()
