"""Latent chains of small multilayer perceptrons in the compiled kernel: which pairs it takes, and the walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from gancore._progress import progress_bar
from gancore.errors import NumericalError
from gancore.kernels.langevin import MLPEnergy
from gancore.samplers._noise import initial_normals
from gancore.samplers._trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from gancore.samplers._energy import LatentEnergy
    from gancore.samplers._walker import Walker

    Layer = tuple[Tensor, Tensor, tuple[str, float]]

__all__ = ["WIDEST", "compiled", "walk_compiled"]

WIDEST = 256
"""Units of the widest layer that the kernel was measured to be faster on than torch, one thread each."""

_AT_LEAST = 4096
"""Chains that one call of the kernel takes: they cost it no memory, unlike those of torch."""


def compiled(energy: LatentEnergy, generator: object, critic: object, *, integrator: str) -> MLPEnergy | None:
    """The kernel's energy of a pair that it takes; None where torch must walk.

    It takes modules on the CPU whose layers are read completely: ``nn.Sequential`` of float32 ``nn.Linear``, each
    followed by at most one ReLU, LeakyReLU, Tanh, ELU or Softplus, and what changes no number in evaluation mode.
    """
    if integrator == "baoab" or energy.bend is not None or energy.kind == "probability":
        return None
    if energy.prior not in ("normal", "uniform", "sphere"):
        return None
    if not isinstance(generator, nn.Module) or not isinstance(critic, nn.Module):
        return None
    before, after = _layers(generator), _layers(critic)
    if before is None or after is None or not after or not _fit(before + after, energy.latent_dim):
        return None
    layers = before + after
    values = (tensor for weights, bias, _ in layers for tensor in (weights, bias))
    if not all(bool(tensor.isfinite().all()) for tensor in values):
        return None
    scale, shift = energy.slope / energy.temperature, energy.offset / energy.temperature
    return MLPEnergy(layers, prior=energy.prior, scale=scale, shift=shift)


def walk_compiled(
    pair: MLPEnergy,
    walker: Walker,
    energy: LatentEnergy,
    n: int,
    *,
    name: str,
    steps: int,
    seed: int,
    batch_size: int,
    progress: bool,
) -> tuple[Tensor, Tensor, Trace]:
    """What :func:`~gancore.samplers._walk.walk` gives, of chains that the kernel runs from start to end."""
    trace = Trace(n, steps)
    ends = []
    many = max(batch_size, _AT_LEAST)
    with progress_bar(name, n * steps, shown=progress) as advance:
        for first in range(0, n, many):
            u = initial_normals(
                min(many, n - first), energy.latent_dim, seed=seed, first_chain=first, device=energy.device
            )
            chains = pair.langevin(u, steps=steps, seed=seed, first_chain=first, **walker.settings)
            energy.calls.generator += len(u) * (steps + 1)
            energy.calls.critic += len(u) * (steps + 1)
            bad = chains.stopped == 0
            if bad.any():
                raise NumericalError(
                    f"critic: energy or gradient is not finite at the start, in {int(bad.sum())} of {len(bad)} chains, "
                    f"first in chain {first + int(bad.nonzero()[0])}; look at the critic or generator"
                )
            lost = (chains.stopped > 0).nonzero()[:, 0].tolist()
            walker.count(chains.accepted, len(u) * steps, {first + row: int(chains.stopped[row]) for row in lost})
            for step, energies in enumerate(chains.energies):
                trace.record(step, energies, first)
            ends += [energy.decode(part) for part in chains.states.split(batch_size)]
            advance(len(u) * steps)
    codes, samples = zip(*ends, strict=True)
    return torch.cat(codes), torch.cat(samples), trace


def _fit(layers: list[Layer], latent_dim: int) -> bool:
    """Whether each layer takes what the one before gives, the last gives one score, and none is too wide."""
    outputs = [latent_dim, *(weights.shape[0] for weights, _, _ in layers)]
    inputs = [*(weights.shape[1] for weights, _, _ in layers), 1]
    return inputs == outputs and max(inputs) <= WIDEST


def _layers(network: nn.Module) -> list[Layer] | None:
    """The dense layers of a network, None if there is anything else in it."""
    layers: list[Layer] = []
    flat = True
    for module in _modules(network):
        after = None if _has_hooks(module) else _read(module, layers, flat=flat)
        if after is None:
            return None
        flat = after
    return layers


def _read(module: nn.Module, layers: list[Layer], *, flat: bool) -> bool | None:
    """Take a module in; whether samples are rows of numbers after it, None if it is none of those that are read."""
    activation = _activation(module)
    if isinstance(module, nn.Linear):
        return True if flat and _take_linear(module, layers) else None
    if activation is not None:
        if not layers or layers[-1][2][0] != "identity":
            return None
        layers[-1] = (*layers[-1][:2], activation)
        return flat
    if type(module) is nn.Flatten:
        # A score of shape (n,), or all axes but the first in one: the layers do not see the difference.
        known = module.start_dim == 1 or (module.start_dim == 0 and _ends_in_one(layers))
        return True if known and module.end_dim == -1 else None
    if type(module) is nn.Unflatten:
        return len(module.unflattened_size) == 1 if module.dim == 1 else None
    return flat if type(module) in (nn.Identity, nn.Dropout) else None


def _take_linear(module: nn.Linear, layers: list[Layer]) -> bool:
    """Add a layer, its weight as evaluation sees it: with spectral normalisation folded in."""
    if type(module).forward is not nn.Linear.forward:
        return False
    weights = module.weight.detach()
    # torch's annotations leave out that it is None in a layer made without.
    bias = cast("Tensor | None", module.bias)
    bias = weights.new_zeros(len(weights)) if bias is None else bias.detach()
    layers.append((weights, bias, ("identity", 0.0)))
    return weights.dtype == torch.float32 and weights.device.type == "cpu"


def _ends_in_one(layers: list[Layer]) -> bool:
    return bool(layers) and layers[-1][0].shape[0] == 1


def _modules(network: nn.Module) -> Iterator[nn.Module]:
    if type(network) is nn.Sequential and not _has_hooks(network):
        for module in network:
            yield from _modules(module)
    else:
        yield network


def _has_hooks(module: nn.Module) -> bool:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return any(getattr(module, kind) for kind in kinds)


def _activation(module: nn.Module) -> tuple[str, float] | None:
    """The kernel's name of an activation whose value tells its derivative."""
    if type(module) is nn.ReLU:
        return "rectifier", 0.0
    if type(module) is nn.LeakyReLU and module.negative_slope >= 0:
        return "rectifier", module.negative_slope
    if type(module) is nn.Tanh:
        return "tanh", 0.0
    if type(module) is nn.ELU and module.alpha > 0:
        return "elu", module.alpha
    if type(module) is nn.Softplus and (module.beta, module.threshold) == (1, 20):
        return "softplus", 0.0
    return None
