"""What a system is: one choice for each axis, said once, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gancore.games._interface import Game
    from gancore.networks._interface import NetworkFamily
    from gancore.objectives._interface import Objective
    from gancore.regularizers._interface import Regularizer
    from gancore.training.optimizers import Adam, RMSProp

__all__ = ["System"]


@dataclass(frozen=True, kw_only=True)
class System:
    """A published recipe: objective x regularisers x networks x game, with the settings it is known by.

    Choices that exclude each other raise :class:`~gancore.errors.IncompatibleChoiceError` when the system is made.
    """

    name: str
    objective: Objective
    networks: NetworkFamily
    game: Game
    regularizers: tuple[Regularizer, ...] = ()
    latent_dim: int = 64
    prior: str = "normal"
    generator_optimizer: Adam | RMSProp
    critic_optimizer: Adam | RMSProp
    batch_size: int = 64
    ema: float | None = None
    reference: str
    choices: dict[str, object]
