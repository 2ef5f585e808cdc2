"""A simultaneous step of both players on losses that may contain the players' own gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.errors import IncompatibleChoiceError
from gancore.games._descend import descend
from gancore.games._steps import perturbed, project
from gancore.objectives._interface import PairedObjective
from gancore.regularizers._interface import Penalty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["play", "squared_norm"]


def squared_norm(gradient: Iterable[Tensor]) -> Tensor:
    """The squared Euclidean norm of a gradient over all parameters."""
    return torch.stack([part.square().sum() for part in gradient]).sum()


def play(
    state: TrainingState, real: Tensor, *, extra: Callable[[dict[str, list[Tensor]]], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Step both players on one batch, each on its loss plus what `extra` makes of both players' gradients.

    The networks are called as they are, not compiled, and in float32: compiled graphs have no second derivative, and
    squared gradients lose theirs in bfloat16.
    """
    if state.precision != "float32":
        raise IncompatibleChoiceError("precision: games on gradients need float32, for they differentiate twice")
    if state.backward is not torch.autograd.backward:
        raise IncompatibleChoiceError("backward: games on gradients call none, and differentiate twice")
    objective, critic = state.system.objective, state.critic
    real, fake = perturbed(state, real), perturbed(state, state.generator(state.latents(len(real))))
    on_real, on_fake = state.processes.whole(critic(real), critic(fake))
    losses = {"critic": objective.critic(on_real, on_fake)}
    for regularizer in state.system.regularizers:
        if isinstance(regularizer, Penalty):
            losses[regularizer.name] = regularizer.penalty(critic, real, fake.detach(), state.random)
    owed = {
        "critic": torch.stack(list(losses.values())).sum(),
        "generator": objective.generator(on_real.detach(), on_fake)
        if isinstance(objective, PairedObjective)
        else objective.generator(on_fake),
    }
    losses["generator"] = owed["generator"]
    parameters = {
        name: [p for p in network.parameters() if p.requires_grad] for name, network in state.networks.items()
    }
    gradients = {
        name: state.processes.mean(torch.autograd.grad(loss, parameters[name], create_graph=True))
        for name, loss in owed.items()
    }
    for name, term in extra(gradients).items():
        more = torch.autograd.grad(term, parameters[name], retain_graph=True, materialize_grads=True)
        gradients[name] = [g + m for g, m in zip(gradients[name], state.processes.mean(more), strict=True)]
    for name, optimizer in state.optimizers.items():
        descend(optimizer, parameters[name], gradients[name])
    project(state)
    told = state.processes.mean([loss.detach() for loss in losses.values()])
    return dict(zip(losses, told, strict=True))
