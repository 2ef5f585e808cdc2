"""Freezing: the critic rests while it wins by far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step, perturbed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Freezing"]

_RESTS = "freezing/rests"


@final
@dataclass(frozen=True)
class Freezing(Game):
    r"""Alternating steps in which the critic stops learning while its accuracy is high.

    Its accuracy is the mean of the shares of real samples with d > 0 and of fakes with d < 0, on the batch of the turn.
    Above `upper` it rests from the next turn on, below `lower` it plays again; between them it goes on as it is. The
    generator steps in every turn. Whether the critic rests is part of checkpoints; the history has the accuracy, and
    the critic's loss also where it rests. To decide, the game waits for the device once a turn.

    Parameters
    ----------
    upper, lower : float
        Accuracies, 0 < lower <= upper <= 1.

    Raises
    ------
    DomainError
        If they are out of range.
    IncompatibleChoiceError
        When a turn is played with an objective whose critic gives no logits: without a sign nothing is accurate.

    References
    ----------
    D. Pfau and O. Vinyals, "Connecting Generative Adversarial Networks and Actor-Critic Methods" (2016), section 4,
    on what stabilises both; the rule with two thresholds is common practice.
    """

    upper: float = 0.9
    lower: float = 0.7

    reference: ClassVar[str] = """\
@misc{pfau2016connecting,
  title  = {Connecting Generative Adversarial Networks and Actor-Critic Methods},
  author = {Pfau, David and Vinyals, Oriol},
  note   = {arXiv:1610.01945},
  year   = {2016}
}"""

    def __post_init__(self) -> None:
        _check.number("lower", self.lower, above=0.0)
        _check.number("upper", self.upper, above=0.0)
        if not self.lower <= self.upper <= 1:
            raise DomainError(f"upper: expected an accuracy from lower={self.lower} to 1, got {self.upper}")

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play a critic step unless it rests, and one generator step."""
        if state.system.objective.critic_kind != "logit":
            raise IncompatibleChoiceError(
                "game: freezing needs a critic whose sign says real or fake, the logit of a "
                f"cross-entropy; this objective's gives a {state.system.objective.critic_kind}"
            )
        rests = state.memory.setdefault(_RESTS, torch.zeros((), dtype=torch.bool, device=state.device))
        accuracy = torch.zeros((), device=state.device)

        def look(on_real: Tensor, on_fake: Tensor) -> dict[str, Tensor]:
            right = torch.stack(((on_real > 0).float().mean(), (on_fake < 0).float().mean()))
            accuracy.copy_(right.mean())
            return {}

        real = next_batch()
        losses = _watched(state, real, look) if rests.item() else critic_step(state, real, term=look)
        rests.copy_(torch.where(rests, accuracy >= self.lower, accuracy > self.upper))
        losses["generator"] = generator_step(state, real)
        return {**losses, "accuracy": accuracy}


def _watched(
    state: TrainingState, real: Tensor, look: Callable[[Tensor, Tensor], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """The critic's loss without a step."""
    with torch.no_grad(), state.autocast():
        fake = perturbed(state, state.forward["generator"](state.latents(len(real))))
        judge = state.forward["critic"]
        on_real, on_fake = judge(perturbed(state, real)).float(), judge(fake).float()
    on_real, on_fake = state.processes.whole(on_real, on_fake)
    look(on_real, on_fake)
    return {"critic": state.system.objective.critic(on_real, on_fake).detach()}
