"""Langevin steps, mixtures and chains in torch: the compiled kernel's formulas and noise, on any device."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.kernels._torch import _philox
from gancore.kernels._torch._mlp import mlp_langevin, mlp_value_and_grad

__all__ = [
    "langevin_step",
    "mixture_energy",
    "mixture_gradient",
    "mixture_langevin",
    "mixture_sample",
    "mixture_underdamped",
    "mlp_langevin",
    "mlp_value_and_grad",
    "philox_normal",
    "philox_uniform",
]

_PROPOSAL, _ACCEPT, _INITIAL, _COMPONENT = range(4)
_Counter: TypeAlias = tuple[int, int, int]
_Parts: TypeAlias = tuple[Any, Any, Any]


def langevin_step(
    z: Tensor, grad: Tensor, *, out: Tensor | None, pace: tuple[float, float], counter: _Counter
) -> Tensor:
    """One step of chains, the rows of `z`, into `out`, which may be `z`."""
    if z.ndim == 0:
        raise ShapeError("`z` must have shape (n, ...); got ()")
    if z.dtype not in (torch.float32, torch.float64):
        raise DTypeError(f"`z` must be a float32 or float64 tensor; got {z.dtype}")
    for name, tensor in (("grad", grad), ("out", z if out is None else out)):
        if tensor.shape != z.shape:
            raise ShapeError(f"`{name}` must have shape {tuple(z.shape)}, as `z` has; got {tuple(tensor.shape)}")
        if tensor.dtype != z.dtype:
            raise DTypeError(f"`{name}` must be a {z.dtype} tensor, as `z` is; got {tensor.dtype}")
    _check_pace(*pace)
    rows, slopes = _rows(z), _rows(grad)
    _refuse_non_finite("grad", slopes)
    _refuse_non_finite("z", rows)
    moved = _propose(rows.double(), slopes.double(), pace, counter).to(z.dtype).reshape(z.shape)
    return moved if out is None else out.copy_(moved)


def philox_normal(
    shape: tuple[int, ...], *, dtype: str, device: torch.device, stream: int, counter: _Counter
) -> Tensor:
    """Standard normals; the first axis counts chains."""
    draws = _philox.normals(shape[0], math.prod(shape[1:]), stream=stream, counter=counter, device=device)
    return draws.to(getattr(torch, dtype)).reshape(shape)


def philox_uniform(
    shape: tuple[int, ...], *, dtype: str, device: torch.device, stream: int, counter: _Counter
) -> Tensor:
    """Uniform numbers in (0, 1), one a chain."""
    return _philox.uniforms(shape[0], stream=stream, counter=counter, device=device).to(getattr(torch, dtype))


def mixture_energy(x: Tensor, *, parts: _Parts) -> Tensor:
    """Energy of points, their coordinates on the last axis."""
    means, precisions, offsets = _constants(parts, x.device)
    return -_logits(_points("x", x, means), means, precisions, offsets).logsumexp(-1)


def mixture_gradient(x: Tensor, *, parts: _Parts) -> Tensor:
    """Gradient of the energy at points, their coordinates on the last axis."""
    means, precisions, offsets = _constants(parts, x.device)
    gradient = _gradient(_points("x", x, means), means, precisions, offsets).to(x.dtype)
    wrong = ~gradient.reshape(-1, x.shape[-1]).isfinite().all(-1)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise DomainError(f"`x` must be so near the means that squared distances are finite; got row {row}")
    return gradient


def mixture_sample(shape: tuple[int, int], *, dtype: str, device: torch.device, parts: _Parts, seed: int) -> Tensor:
    """Draws from a mixture."""
    means, stds, weights = (torch.tensor(part, device=device) for part in parts)
    cumulative = (weights / weights.sum()).cumsum(0).clamp(max=1.0)
    cumulative[-1] = 1.0
    counter = (seed, 0, 0)
    u = _philox.uniforms(shape[0], stream=_COMPONENT, counter=counter, device=device)
    k = torch.searchsorted(cumulative, u)
    noise = _philox.normals(*shape, stream=_INITIAL, counter=counter, device=device)
    return (means[k] + stds[k, None] * noise).to(getattr(torch, dtype))


@torch.no_grad()
def mixture_langevin(
    initial: Tensor,
    *,
    parts: _Parts,
    pace: tuple[float, float],
    counter: _Counter,
    plan: tuple[int, bool, bool],
) -> tuple[Tensor, int, Tensor]:
    """Final states, accepted proposals, and mean energies by step of chains on a mixture."""
    (steps, metropolis, record_energy), (step_size, temperature) = plan, pace
    seed, first_step, first_chain = counter
    _check_pace(step_size, temperature)
    if metropolis and temperature == 0.0:
        raise DomainError("`temperature` must be positive where metropolis is; got 0")
    if len(initial) == 0:
        raise ShapeError("`initial` must have at least one row; got none")
    constants = _constants(parts, initial.device)
    z = _points("initial", initial, constants[0])
    energy, gradient = -_logits(z, *constants).logsumexp(-1), _gradient(z, *constants)
    if not energy.isfinite().all():
        row = int((~energy.isfinite()).nonzero()[0])
        raise DomainError(f"`initial` must be so near the means that squared distances are finite; got row {row}")
    accepted = torch.zeros((), dtype=torch.int64, device=z.device)
    energies = torch.empty(steps if record_energy else 0, dtype=torch.float64, device=z.device)
    for step in range(steps):
        at = (seed, first_step + step, first_chain)
        there = _propose(z, gradient, pace, at)
        new, slope = -_logits(there, *constants).logsumexp(-1), _gradient(there, *constants)
        if metropolis:
            half = 0.5 * (there - z) - 0.25 * step_size * (slope - gradient)
            log_ratio = ((energy - new) + (half * (slope + gradient)).sum(-1)) / temperature
            uniform = _philox.uniforms(len(z), stream=_ACCEPT, counter=at, device=z.device)
            taken = uniform.log() < log_ratio
            rows = taken[:, None]
            z, gradient = torch.where(rows, there, z), torch.where(rows, slope, gradient)
            energy = torch.where(taken, new, energy)
            accepted += taken.sum()
        else:
            z, gradient, energy = there, slope, new
            accepted += len(z)
            _refuse_lost(energy, step_size, step)
        if record_energy:
            energies[step] = energy.mean()
    return z.to(initial.dtype), int(accepted), energies


@torch.no_grad()
def mixture_underdamped(
    initial: Tensor,
    velocity: Tensor,
    *,
    parts: _Parts,
    pace: tuple[float, float],
    friction: float,
    counter: _Counter,
    plan: tuple[int, bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Final states and velocities, and mean energies by step, of chains with velocities on a mixture."""
    (steps, record_energy), (step_size, temperature) = plan, pace
    seed, first_step, first_chain = counter
    _check_pace(step_size, temperature)
    if not 0.0 < friction < math.inf:
        raise DomainError(f"`friction` must be finite and positive; got {friction}")
    if temperature == 0.0:
        raise DomainError("`temperature` must be positive where chains have velocities; got 0")
    if len(initial) == 0:
        raise ShapeError("`initial` must have at least one row; got none")
    constants = _constants(parts, initial.device)
    z, v = _points("initial", initial, constants[0]), _points("velocity", velocity, constants[0])
    time = math.sqrt(2.0 * step_size)
    half, root, keep = 0.5 * time, math.sqrt(temperature), math.exp(-friction * time)
    gradient = _gradient(z, *constants)
    energies = torch.empty(steps if record_energy else 0, dtype=torch.float64, device=z.device)
    for step in range(steps):
        at = (seed, first_step + step, first_chain)
        noise = _philox.normals(*z.shape, stream=_PROPOSAL, counter=at, device=z.device)
        v = v - half / root * gradient
        z = z + half * root * v
        v = keep * v + math.sqrt(1.0 - keep * keep) * noise
        z = z + half * root * v
        energy, gradient = -_logits(z, *constants).logsumexp(-1), _gradient(z, *constants)
        v = v - half / root * gradient
        _refuse_lost(energy, step_size, step)
        if record_energy:
            energies[step] = energy.mean()
    return z.to(initial.dtype), v.to(initial.dtype), energies


def _refuse_lost(energy: Tensor, step_size: float, step: int) -> None:
    lost = ~energy.isfinite()
    if lost.any():
        raise DomainError(
            "`step_size` must be so small that no chain leaves the finite numbers; "
            f"got {step_size}: the chain of row {int(lost.nonzero()[0])} is lost at step {step}"
        )


def _check_pace(step_size: float, temperature: float) -> None:
    if not 0.0 < step_size < math.inf:
        raise DomainError(f"`step_size` must be finite and positive; got {step_size}")
    if not 0.0 <= temperature < math.inf:
        raise DomainError(f"`temperature` must be finite and >= 0; got {temperature}")


def _propose(z: Tensor, gradient: Tensor, pace: tuple[float, float], counter: _Counter) -> Tensor:
    step_size, temperature = pace
    noise = _philox.normals(*z.shape, stream=_PROPOSAL, counter=counter, device=z.device)
    return (z - step_size * gradient) + math.sqrt(2.0 * step_size * temperature) * noise


def _constants(parts: _Parts, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Means, 1 / s^2, and what of the components' log densities does not depend on x."""
    means, stds, weights = (torch.tensor(part, device=device) for part in parts)
    offsets = (weights / weights.sum()).log() - means.shape[1] * (stds.log() + 0.5 * math.log(2.0 * math.pi))
    return means, 1.0 / (stds * stds), offsets


def _logits(x: Tensor, means: Tensor, precisions: Tensor, offsets: Tensor) -> Tensor:
    square = (x[..., None, :] - means).square().sum(-1)
    return offsets - 0.5 * precisions * square


def _gradient(x: Tensor, means: Tensor, precisions: Tensor, offsets: Tensor) -> Tensor:
    share = _logits(x, means, precisions, offsets).softmax(-1) * precisions
    return (share[..., None] * (x[..., None, :] - means)).sum(-2)


def _points(name: str, x: Tensor, means: Tensor) -> Tensor:
    if x.dtype not in (torch.float32, torch.float64):
        raise DTypeError(f"`{name}` must be float32 or float64; got {x.dtype}")
    if x.ndim == 0 or x.shape[-1] != means.shape[1]:
        raise ShapeError(f"`{name}` must have shape (..., {means.shape[1]}); got {tuple(x.shape)}")
    _refuse_non_finite(name, x.reshape(-1, x.shape[-1]))
    return x.double()


def _rows(x: Tensor) -> Tensor:
    return x[:, None] if x.ndim == 1 else x.flatten(1)


def _refuse_non_finite(name: str, rows: Tensor) -> None:
    wrong = ~rows.isfinite()
    if wrong.any():
        row, coordinate = wrong.nonzero()[0].tolist()
        value = rows[row, coordinate].item()
        raise DomainError(f"`{name}` must be finite; got {value} in row {row}, coordinate {coordinate}")
