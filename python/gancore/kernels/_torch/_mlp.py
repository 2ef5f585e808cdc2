"""The energy of a generator-critic pair of dense layers in torch: the compiled kernel's formulas and noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from gancore.errors import DomainError
from gancore.kernels._torch import _philox
from gancore.priors import push_forward

if TYPE_CHECKING:
    _Pair: TypeAlias = tuple[Any, str, float, float]

__all__ = ["mlp_langevin", "mlp_value_and_grad"]

_PROPOSAL, _ACCEPT = range(2)


def mlp_value_and_grad(u: Tensor, *, pair: _Pair) -> tuple[Tensor, Tensor]:
    """Energies, float64 (n,), and their gradient, as `u`."""
    layers, prior, scale, shift = pair
    leaf = u.detach().requires_grad_()
    with torch.enable_grad():
        x = push_forward(leaf, prior)
        for weights, bias, (name, value) in layers:
            x = functional.linear(x, torch.tensor(weights, device=u.device), torch.tensor(bias, device=u.device))
            x = _bend(x, name, value)
        (slope,) = torch.autograd.grad(scale * x.sum(), leaf)
    score = x.detach()[:, 0].double()
    return 0.5 * u.detach().double().square().sum(1) - (scale * score + shift), u.detach() - slope


@torch.no_grad()
def mlp_langevin(
    initial: Tensor,
    *,
    pair: _Pair,
    pace: tuple[float, float],
    counter: tuple[int, int, int],
    plan: tuple[int, bool],
) -> tuple[Tensor, Tensor, float, Tensor]:
    """Final states, energies by step, accepted steps, and where chains stopped."""
    (step_size, noise), (seed, first_step, first_chain), (steps, metropolis) = pace, counter, plan
    if not 0.0 < step_size < math.inf:
        raise DomainError(f"`step_size` must be finite and positive; got {step_size}")
    u = initial.detach().clone()
    energy, gradient = mlp_value_and_grad(u, pair=pair)
    energies, accepted = [energy], 0.0
    stopped = torch.where(_finite(energy, gradient), -1, 0)
    for step in range(steps):
        at = (seed, first_step + step, first_chain)
        xi = _philox.normals(*u.shape, stream=_PROPOSAL, counter=at, device=u.device).to(u.dtype)
        there = (u - step_size * gradient) + math.sqrt(2.0 * step_size * noise) * xi
        new, slope = mlp_value_and_grad(there, pair=pair)
        finite = _finite(new, slope)
        if metropolis:
            change = slope.double() - gradient.double()
            half = 0.5 * (there.double() - u.double()) - 0.25 * step_size * change
            log_ratio = energy - new + (half * (slope.double() + gradient.double())).sum(1) / noise
            log_ratio = log_ratio.masked_fill(~(finite & log_ratio.isfinite()), -math.inf)
            uniform = _philox.uniforms(len(u), stream=_ACCEPT, counter=at, device=u.device)
            taken = uniform.log() < log_ratio
            accepted += float(log_ratio.clamp(max=0.0).exp().sum())
        else:
            stopped = torch.where((stopped < 0) & ~finite, step + 1, stopped)
            taken = stopped < 0
            accepted += float(taken.sum())
        rows = taken[:, None]
        u, gradient = torch.where(rows, there, u), torch.where(rows, slope, gradient)
        energy = torch.where(taken, new, energy)
        energies.append(energy)
    return u, torch.stack(energies), accepted, stopped


def _bend(x: Tensor, name: str, value: float) -> Tensor:
    if name == "rectifier":
        return functional.leaky_relu(x, value)
    if name == "elu":
        return functional.elu(x, value)
    if name == "softplus":
        return functional.softplus(x)
    return x.tanh() if name == "tanh" else x


def _finite(energy: Tensor, gradient: Tensor) -> Tensor:
    return energy.isfinite() & gradient.isfinite().all(1)
