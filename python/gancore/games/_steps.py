"""The two steps that most games are made of: the critic's and the generator's."""

from __future__ import annotations

from contextlib import contextmanager
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import torch

from gancore.objectives._interface import PairedObjective
from gancore.regularizers._interface import Penalty, Perturbation, Projection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor
    from torch.optim import Optimizer

    from gancore.training.state import TrainingState

__all__ = ["critic_step", "frozen", "generator_step", "perturbed", "project", "step"]


def critic_step(
    state: TrainingState,
    real: Tensor,
    *,
    term: Callable[[Tensor, Tensor], dict[str, Tensor]] | None = None,
    fakes: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """One step of the critic on its loss and all penalties, projected; the losses, detached.

    `term` makes further losses, by name, of the outputs on real and fake samples. `fakes` makes of fresh fakes those
    that the critic is shown.
    """
    system = state.system
    with state.autocast():
        with torch.no_grad():
            fake = state.forward["generator"](state.latents(len(real)))
            if fakes is not None:
                fake = fakes(fake)
            real, fake = perturbed(state, real), perturbed(state, fake)
        penalties = [r for r in system.regularizers if isinstance(r, Penalty)]
        points = [penalty.points(real.float(), fake.float(), state.random) for penalty in penalties]
        on_real, on_fake, squares = state.look(state.critic, real, fake, points, together=system.judges_alone)
    on_real, on_fake = state.processes.whole(on_real, on_fake)
    losses = {"critic": system.objective.critic(on_real, on_fake)}
    if term is not None:
        losses |= term(on_real, on_fake)
    losses |= {penalty.name: penalty.cost(square) for penalty, square in zip(penalties, squares, strict=True)}
    told = step(state, "critic", losses)
    project(state)
    return told


def generator_step(
    state: TrainingState,
    real: Tensor,
    *,
    judge: Callable[[Tensor], Tensor] | None = None,
    term: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """One step of the generator through the critic as it stands; the loss, detached.

    `judge` stands in for the critic; `term` makes a further loss of the fakes.
    """
    objective = state.system.objective
    judge = state.forward["critic"] if judge is None else judge
    with frozen(state.optimizers["critic"]):
        with state.autocast():
            fake = state.forward["generator"](state.latents(len(real)))
            on_fake = judge(perturbed(state, fake))
        (on_fake,) = state.processes.whole(on_fake.float())
        if isinstance(objective, PairedObjective):
            with state.autocast(), torch.no_grad():
                on_real = judge(perturbed(state, real))
            (on_real,) = state.processes.whole(on_real.float())
            loss = objective.generator(on_real, on_fake)
        else:
            loss = objective.generator(on_fake)
        if term is not None:
            loss = loss + term(fake)
        return step(state, "generator", {"generator": loss})["generator"]


def perturbed(state: TrainingState, samples: Tensor) -> Tensor:
    """What the critic sees of samples."""
    for regularizer in state.system.regularizers:
        if isinstance(regularizer, Perturbation):
            samples = regularizer.perturb(samples, state.random, step=state.step)
    return samples


def project(state: TrainingState) -> None:
    """Apply all projections to the critic."""
    for regularizer in state.system.regularizers:
        if isinstance(regularizer, Projection):
            regularizer.project(state.critic, step=state.step)


def step(state: TrainingState, player: str, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """One step of a player on the sum of its losses; the losses over all processes, detached."""
    optimizer = state.optimizers[player]
    for group in optimizer.param_groups:
        # What zero_grad does, without its entry in the profiler, which costs as much as a small layer.
        for parameter in group["params"]:
            parameter.grad = None
    state.backward(reduce(add, losses.values()))
    told = state.processes.average_gradients(optimizer, losses)
    optimizer.step()
    return told


@contextmanager
def frozen(optimizer: Optimizer) -> Iterator[None]:
    """Let gradients pass through a network without computing those of the parameters that are optimized."""
    trainable = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
