"""Learning-rate schedules: what part of its rate each optimizer uses at a step, told by the step alone."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gancore.errors import ConfigError, IncompatibleChoiceError
from gancore.games.unrolled import Unrolled

if TYPE_CHECKING:
    from gancore.training.state import TrainingState

__all__ = ["Schedule"]

_FORM = re.compile(r"(linear|cosine):(\d+)-(\d+)")


@dataclass(frozen=True)
class Schedule:
    r"""A factor on the learning rates of all players.

    .. math::
        f(t) = 1 - u \ \text{(linear)}, \qquad f(t) = \tfrac12 (1 + \cos \pi u) \ \text{(cosine)}, \qquad
        u = \Bigl[\frac{t - a}{b - a}\Bigr]_0^1

    at step t = 0, 1, ..., so that the whole state of a schedule is the step, which checkpoints hold.

    Parameters
    ----------
    text : str
        ``constant``, ``linear:A-B`` or ``cosine:A-B``: from the whole rate at step A to none at step B.

    Raises
    ------
    ConfigError
        If the text is none of these, or B is not beyond A.

    Examples
    --------
    >>> [Schedule("linear:100-200").factor(step) for step in (0, 100, 150, 200)]
    [1.0, 1.0, 0.5, 0.0]
    """

    text: str = "constant"

    def __post_init__(self) -> None:
        match = _FORM.fullmatch(self.text)
        if self.text != "constant" and (match is None or int(match[2]) >= int(match[3])):
            raise ConfigError(
                f"lr_schedule: expected 'constant', 'linear:A-B' or 'cosine:A-B' with steps A < B, got {self.text!r}"
            )

    def factor(self, step: int) -> float:
        """The part of the rate that step `step` = 0, 1, ... uses."""
        match = _FORM.fullmatch(self.text)
        if match is None:
            return 1.0
        first, last = int(match[2]), int(match[3])
        progress = min(max((step - first) / (last - first), 0.0), 1.0)
        return 1.0 - progress if match[1] == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))

    def apply(self, state: TrainingState) -> None:
        """Set the rates of the state's next step.

        Raises
        ------
        IncompatibleChoiceError
            If the game looks ahead with the rates that its optimizers were built with.
        """
        if self.text == "constant":
            return
        if isinstance(state.system.game, Unrolled):
            raise IncompatibleChoiceError("lr_schedule: an unrolled game looks ahead at the critic's constant rate")
        factor = self.factor(state.step)
        for optimizer in state.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = factor * group.setdefault("initial_lr", group["lr"])
