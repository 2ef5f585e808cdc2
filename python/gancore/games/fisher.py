"""Fisher game: a critic whose second moment is held at one by a multiplier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from gancore import _check
from gancore.games._interface import Game
from gancore.games._steps import critic_step, generator_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Fisher"]

_MULTIPLIER = "fisher/multiplier"


@final
@dataclass(frozen=True)
class Fisher(Game):
    r"""Alternating steps in which the critic ascends an augmented Lagrangian, and its multiplier descends it.

    .. math::
        \max_d\; E\,d(x) - E\,d(G) + \lambda (1 - \Omega) - \tfrac\rho2 (1 - \Omega)^2, \qquad
        \Omega = \tfrac12 E\,d(x)^2 + \tfrac12 E\,d(G)^2, \qquad \lambda \leftarrow \lambda - \rho\, (1 - \Omega)

    for the Wasserstein objective; the constraint says what Lipschitz bounds say elsewhere, without touching weights or
    gradients. At the optimum the gap is the square root of :math:`\sum (p - q)^2 / \tfrac12 (p + q)`. The multiplier is
    part of checkpoints. The history has :math:`\Omega` as ``second_moment``.

    Parameters
    ----------
    rho : float
        Weight of the quadratic term and rate of the multiplier, positive (the paper: 1e-6).
    critic_steps : int
        Critic steps for each generator step.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    Y. Mroueh and T. Sercu, "Fisher GAN", NeurIPS 2017, equation 9 and algorithm 1.
    """

    rho: float = 1e-6
    critic_steps: int = 2

    reference: ClassVar[str] = """\
@inproceedings{mroueh2017fisher,
  title     = {Fisher {GAN}},
  author    = {Mroueh, Youssef and Sercu, Tom},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {30},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("rho", self.rho, above=0.0)
        _check.integer("critic_steps", self.critic_steps, least=1)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps, each with one of the multiplier, and one generator step."""
        multiplier = state.memory.setdefault(_MULTIPLIER, torch.zeros((), device=state.device))
        moment = torch.zeros((), device=state.device)

        def lagrangian(on_real: Tensor, on_fake: Tensor) -> dict[str, Tensor]:
            omega = 0.5 * (on_real.square().mean() + on_fake.square().mean())
            moment.copy_(omega.detach())
            return {"constraint": -multiplier.clone() * (1 - omega) + 0.5 * self.rho * (1 - omega).square()}

        losses: dict[str, Tensor] = {}
        for _ in range(self.critic_steps):
            real = next_batch()
            losses = critic_step(state, real, term=lagrangian)
            multiplier.sub_(self.rho * (1 - moment))
        return {**losses, "second_moment": moment, "generator": generator_step(state, real)}
