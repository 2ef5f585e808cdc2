"""Alternating game: some critic steps, then one generator step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step
from gancore.objectives.minimax import Minimax

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Alternating"]


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
        losses["generator"] = generator_step(state, real)
        return losses
