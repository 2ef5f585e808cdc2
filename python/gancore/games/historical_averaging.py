"""Historical averaging: each player pays for moving away from its own past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step
from gancore.objectives.label_smoothing import LabelSmoothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from gancore.training.state import TrainingState

__all__ = ["HistoricalAveraging"]


@final
@dataclass(frozen=True)
class HistoricalAveraging(Game):
    r"""Alternating steps with a pull of each player to the mean of all its former parameters.

    .. math::
        L + \lambda \Bigl\lVert \theta - \frac1t \sum_{i=1}^{t} \theta_i \Bigr\rVert_2^2

    On games whose gradients turn about the equilibrium, the mean of a circling path is near its centre. The means are
    kept online and are part of checkpoints; they cost one more copy of each network.

    Parameters
    ----------
    weight : float
        :math:`\lambda`, not negative.
    critic_steps : int
        Critic steps, each on a batch of its own, for each generator step.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    T. Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.3.
    """

    weight: float = 1.0
    critic_steps: int = 1

    reference: ClassVar[str] = LabelSmoothing.reference

    def __post_init__(self) -> None:
        _check.number("weight", self.weight, least=0.0)
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps and one generator step, then enter both players into their means."""
        losses: dict[str, Tensor] = {}

        def history(_on_real: Tensor, _on_fake: Tensor) -> dict[str, Tensor]:
            return {"history": self._distance(state, "critic")}

        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real, term=history)
        losses["generator"] = generator_step(state, real, term=lambda _: self._distance(state, "generator"))
        for name in state.networks:
            for mean, parameter in _with_means(state, name):
                # Turn 0 has entered the start already, as the first of a mean of two.
                mean.lerp_(parameter.detach(), 1 / (state.step + 2))
        return losses

    def _distance(self, state: TrainingState, name: str) -> Tensor:
        """The weighted squared distance of a player from its mean."""
        apart = [(parameter - mean).square().sum() for mean, parameter in _with_means(state, name)]
        return self.weight * torch.stack(apart).sum()


def _with_means(state: TrainingState, name: str) -> Iterator[tuple[Tensor, nn.Parameter]]:
    """The mean of each parameter's history, which starts where the parameter does, and the parameter."""
    for key, parameter in state.networks[name].named_parameters():
        known = f"historical_averaging/{name}/{key}"
        if known not in state.memory:
            state.memory[known] = parameter.detach().clone()
        yield state.memory[known], parameter
