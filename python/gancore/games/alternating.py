"""Alternating game: some critic steps, then one generator step."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.games._interface import Game
from gancore.objectives._interface import PairedObjective
from gancore.objectives.minimax import Minimax
from gancore.regularizers._interface import Penalty, Projection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from gancore.training.state import TrainingState

__all__ = ["Alternating", "critic_step"]


@final
@dataclass(frozen=True)
class Alternating(Game):
    """Stochastic gradient descent of critic and generator in turn, each on its own loss.

    A critic step takes one backward pass of its objective and all penalties together, steps, then projects. The
    generator step differentiates through the critic but computes no gradient of its parameters. Each step draws
    fresh latent codes; a generator's loss that looks at real samples sees those of the last critic step. Objectives
    and penalties are computed in float32 under autocast too.

    Parameters
    ----------
    critic_steps : int
        Critic steps, each on a batch of its own, for each generator step.

    Raises
    ------
    DomainError
        If there is not at least one critic step.

    References
    ----------
    I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, algorithm 1.
    """

    critic_steps: int = 1

    reference: ClassVar[str] = Minimax.reference

    def __post_init__(self) -> None:
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps and one generator step; return the losses of the last step of each."""
        losses: dict[str, Tensor] = {}
        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real)
        losses["generator"] = _generator_step(state, real)
        return losses


def critic_step(state: TrainingState, real: Tensor) -> dict[str, Tensor]:
    """One step of the critic on its loss and all penalties, projected; the losses, detached."""
    critic, system = state.critic, state.system
    with state.autocast():
        with torch.no_grad():
            fake = state.forward["generator"](state.latents(len(real)))
        judge = state.forward["critic"]
        on_real, on_fake = judge(real), judge(fake)
    losses = {"critic": system.objective.critic(on_real.float(), on_fake.float())}
    for regularizer in system.regularizers:
        if isinstance(regularizer, Penalty):
            # The module itself, not its compiled form: compiled graphs have no second derivative.
            losses[regularizer.name] = regularizer.penalty(critic, real, fake, state.random)
    _step(state.optimizers["critic"], torch.stack(list(losses.values())).sum())
    for regularizer in system.regularizers:
        if isinstance(regularizer, Projection):
            regularizer.project(critic)
    return {name: loss.detach() for name, loss in losses.items()}


def _generator_step(state: TrainingState, real: Tensor) -> Tensor:
    objective, judge = state.system.objective, state.forward["critic"]
    with _frozen(state.critic):
        with state.autocast():
            fake = state.forward["generator"](state.latents(len(real)))
            on_fake = judge(fake)
        if isinstance(objective, PairedObjective):
            with state.autocast(), torch.no_grad():
                on_real = judge(real)
            loss = objective.generator(on_real.float(), on_fake.float())
        else:
            loss = objective.generator(on_fake.float())
        _step(state.optimizers["generator"], loss)
    return loss.detach()


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without computing those of its parameters."""
    trainable = [p for p in network.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
