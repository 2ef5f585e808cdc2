"""BEGAN's game: a critic that gives up fakes in proportion, so that neither player runs away."""

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

__all__ = ["Equilibrium"]

_BALANCE = "equilibrium/balance"


@final
@dataclass(frozen=True)
class Equilibrium(Game):
    r"""Alternating steps with a proportional control of how much the critic minds fakes.

    .. math::
        \mathcal L_D = \mathcal L(x) - k_t\, \mathcal L(G(z)), \qquad \mathcal L_G = \mathcal L(G(z)), \qquad
        k_{t+1} = \bigl[k_t + \lambda\, (\gamma\, \mathcal L(x) - \mathcal L(G(z)))\bigr]_0^1

    for an autoencoder as critic, d = - L its reconstruction error with the sign changed, and the Wasserstein objective.
    k is part of checkpoints; the history has it as ``balance``, and the measure of convergence
    :math:`M = \mathcal L(x) + |\gamma \mathcal L(x) - \mathcal L(G(z))|` as ``convergence``.

    Parameters
    ----------
    gamma : float
        Error on fakes over that on real samples at the equilibrium, the diversity ratio, in (0, 1].
    rate : float
        :math:`\lambda`, positive.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    D. Berthelot, T. Schumm and L. Metz, "BEGAN: Boundary Equilibrium Generative Adversarial Networks" (2017), sections
    3.3 to 3.4.1.
    """

    gamma: float = 0.5
    rate: float = 1e-3

    reference: ClassVar[str] = """\
@misc{berthelot2017began,
  title  = {{BEGAN}: Boundary Equilibrium Generative Adversarial Networks},
  author = {Berthelot, David and Schumm, Tom and Metz, Luke},
  note   = {arXiv:1703.10717},
  year   = {2017}
}"""

    def __post_init__(self) -> None:
        _check.number("gamma", self.gamma, above=0.0)
        if self.gamma > 1:
            raise DomainError(f"gamma: expected at most 1, fakes as bad as real samples, got {self.gamma}")
        _check.number("rate", self.rate, above=0.0)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play one critic step and one generator step, then move the balance."""
        k = state.memory.setdefault(_BALANCE, torch.zeros((), device=state.device))
        errors = torch.zeros(2, device=state.device)

        def given_up(on_real: Tensor, on_fake: Tensor) -> dict[str, Tensor]:
            errors.copy_(torch.stack((-on_real.detach().mean(), -on_fake.detach().mean())))
            # The objective minds fakes fully, by their mean output.
            return {"given_up": -(1 - k.clone()) * on_fake.mean()}

        real = next_batch()
        losses = critic_step(state, real, term=given_up)
        losses["generator"] = generator_step(state, real)
        apart = self.gamma * errors[0] - errors[1]
        k.add_(self.rate * apart).clamp_(0.0, 1.0)
        return {**losses, "balance": k.clone(), "convergence": errors[0] + apart.abs()}
