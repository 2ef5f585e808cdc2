"""Head start: alternating steps with many more for the critic at the beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from gancore import _check
from gancore.games._interface import Game
from gancore.games.alternating import Alternating
from gancore.objectives.wasserstein import Wasserstein

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["HeadStart"]


@final
@dataclass(frozen=True)
class HeadStart(Game):
    """The alternating game, its first turns with a critic trained nearly to its optimum.

    A Wasserstein critic estimates a distance only near its optimum, and the generator's first steps follow whatever it
    says before that.

    Parameters
    ----------
    critic_steps : int
        Critic steps for each generator step.
    turns : int
        How many turns have more.
    first_steps : int
        Critic steps in those.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017; the numbers are
    those of the authors' code, which repeats such a turn every 500 steps.
    """

    critic_steps: int = 5
    turns: int = 25
    first_steps: int = 100

    reference: ClassVar[str] = Wasserstein.reference

    def __post_init__(self) -> None:
        for name in ("critic_steps", "first_steps"):
            _check.integer(name, getattr(self, name), least=1)
        _check.integer("turns", self.turns, least=0)

    def turn(self, state: TrainingState, next_batch: Callable[[], Tensor]) -> dict[str, Tensor]:
        """Play the critic steps of this turn and one generator step."""
        steps = self.first_steps if state.step < self.turns else self.critic_steps
        return Alternating(critic_steps=steps).turn(state, next_batch)
