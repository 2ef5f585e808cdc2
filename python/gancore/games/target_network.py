"""Target network: the generator plays against a critic that follows slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.errors import DomainError
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["TargetNetwork"]

_PREFIX = "target_network/"


@final
@dataclass(frozen=True)
class TargetNetwork(Game):
    r"""Alternating steps in which the generator's critic is a moving average of the critic that learns.

    .. math::
        \psi' \leftarrow (1 - \rho)\, \psi' + \rho\, \psi \quad \text{after each critic step}

    Actor-critic methods need it because their critics learn from their own estimates. A GAN's critic does not; here it
    only takes speed out of the game. The target's parameters are part of checkpoints; its buffers are the critic's.

    Parameters
    ----------
    rate : float
        :math:`\rho`, in (0, 1]; 1 is the alternating game.
    critic_steps : int
        Critic steps, each on a batch of its own, for each generator step.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    T. Lillicrap et al., "Continuous control with deep reinforcement learning", ICLR 2016, algorithm 1; for GANs, the
    table of D. Pfau and O. Vinyals, "Connecting Generative Adversarial Networks and Actor-Critic Methods" (2016).
    """

    rate: float = 0.1
    critic_steps: int = 1

    reference: ClassVar[str] = """\
@inproceedings{lillicrap2016continuous,
  title     = {Continuous control with deep reinforcement learning},
  author    = {Lillicrap, Timothy P. and Hunt, Jonathan J. and Pritzel, Alexander and Heess, Nicolas and Erez, Tom and
               Tassa, Yuval and Silver, David and Wierstra, Daan},
  booktitle = {International Conference on Learning Representations},
  year      = {2016}
}"""

    def __post_init__(self) -> None:
        _check.number("rate", self.rate, above=0.0)
        if self.rate > 1:
            raise DomainError(f"rate: expected at most 1, where the target is the critic itself, got {self.rate}")
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps, the target following, and one generator step against the target."""
        critic = state.critic
        target = {
            name: state.memory.setdefault(_PREFIX + name, parameter.detach().clone())
            for name, parameter in critic.named_parameters()
        }
        losses: dict[str, Tensor] = {}
        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real)
            for name, parameter in critic.named_parameters():
                target[name].lerp_(parameter.detach(), self.rate)

        def judge(samples: Tensor) -> Tensor:
            output: Tensor = torch.func.functional_call(critic, target, (samples,))
            return output

        losses["generator"] = generator_step(state, real, judge=judge)
        return losses
