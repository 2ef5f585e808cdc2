"""Gumbel-softmax: choices become points on the simplex, through which the critic can be differentiated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from gancore import _check
from gancore._at_rest import at_rest
from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.estimators._interface import Estimator
from gancore.networks._lstm import LSTMGenerator
from gancore.objectives._interface import PairedObjective

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["GumbelSoftmax"]


@final
@dataclass(frozen=True)
class GumbelSoftmax(Estimator):
    r"""The pathwise gradient of a relaxed sample: biased, of low variance, and without roll-outs.

    .. math::
        y = \mathrm{softmax}\bigl((\ell + g) / \tau\bigr), \qquad g = -\log(-\log u), \qquad \nabla L_G(d(y))

    Parameters
    ----------
    temperature : float
        :math:`\tau`, positive; the bias falls and the variance grows as it goes to zero.
    hard : bool
        The critic reads one-hot choices, and the gradient is that of the softmax (straight-through).

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    E. Jang, S. Gu and B. Poole, "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, section 2.
    """

    temperature: float = 1.0
    hard: bool = True

    def __post_init__(self) -> None:
        _check.number("temperature", self.temperature, above=0.0)
        if not isinstance(self.hard, bool):
            raise DomainError(f"hard: expected True or False, got {self.hard!r}")

    def losses(self, state: TrainingState) -> dict[str, Tensor]:
        """The objective's loss of relaxed samples."""
        generator, objective = state.generator, state.system.objective
        assert isinstance(generator, LSTMGenerator)  # noqa: S101 - the game has made sure
        if isinstance(objective, PairedObjective):
            raise IncompatibleChoiceError("objective: Gumbel-softmax needs a generator's loss of fakes alone")
        shape = (state.system.batch_size, generator.length, generator.size)
        noise = torch.rand(shape, generator=state.random, device=state.device)
        with state.autocast(), at_rest(state.critic):
            outputs = state.critic(generator.relaxed(noise, temperature=self.temperature, hard=self.hard))
        return {"generator": objective.generator(outputs.float())}

    def settle(self, state: TrainingState) -> None:
        """Nothing is kept."""
