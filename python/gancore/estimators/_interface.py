"""What an estimator is: a loss of the generator whose gradient is what it should descend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Estimator"]


class Estimator(ABC):
    """A way to differentiate what the critic says of tokens in the generator's parameters.

    Estimators are final, frozen dataclasses.
    """

    @abstractmethod
    def losses(self, state: TrainingState) -> dict[str, Tensor]:
        """The loss to descend under ``generator``, with whatever else should be recorded, detached."""

    @abstractmethod
    def settle(self, state: TrainingState) -> None:
        """What has to follow a round of the adversarial game, such as an update of the roll-out policy."""
