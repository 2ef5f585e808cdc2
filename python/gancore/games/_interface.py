"""What a game is: who steps when. Only a game calls ``backward()`` and ``optimizer.step()``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["Game"]


class Game(ABC):
    """A schedule of turns, written once for every objective, regulariser and network it can carry.

    Games are final, frozen dataclasses. A game never waits for the device: what it returns stays there.

    Attributes
    ----------
    discrete : bool
        Whether it plays for tokens, through which no gradient passes, and for nothing else.
    """

    reference: ClassVar[str]
    discrete: ClassVar[bool] = False

    @abstractmethod
    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> Mapping[str, Tensor]:
        """Play one generator step with all that belongs to it; return the losses as detached scalars.

        `state` holds networks, optimizers, the system and the source of latent codes, and is changed in place.
        `next_batch` returns the next batch of real samples, on the device, every time it is called.
        """
