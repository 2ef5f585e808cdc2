"""What an objective is: two losses over batches of critic outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AnyObjective", "CriticKind", "Objective", "PairedObjective"]

CriticKind = Literal["logit", "probability", "hinge", "wasserstein", "features"]
"""How a critic's output reads: as log p/q, as D in (0, 1), as a score that ranks samples and tends to sign(p - q), as a
potential of unknown scale, or as a vector of features in which distributions are compared. A sampler can follow all but
the last; the third and fourth say nothing of how much likelier a sample is until they are calibrated."""


class _TwoLosses(ABC):
    """What all value functions share: the critic's loss, and how its outputs read."""

    critic_kind: ClassVar[CriticKind]
    reference: ClassVar[str]
    equations: ClassVar[tuple[str, ...]]
    outputs: int = 1
    """Numbers that the critic gives for a sample: losses see (n,) if it is one, (n, outputs) if more."""

    @abstractmethod
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss that the critic minimises: a scalar from outputs of shape (n,) on real and fake samples."""


class Objective(_TwoLosses):
    """A value function of a game between a critic and a generator.

    Each player minimises its own loss. Losses see whole batches of raw critic outputs, never networks, so an
    objective can be tested on numbers and joined with any network, regulariser and game. Concrete objectives are
    final, frozen dataclasses; settings out of range raise :class:`~gancore.errors.DomainError` when they are made.
    """

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """The loss that the generator minimises: a scalar from critic outputs of shape (n,) on fake samples."""


class PairedObjective(_TwoLosses):
    """A value function in which the generator's loss compares fakes with real samples; else as :class:`Objective`."""

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss that the generator minimises: a scalar from outputs of shape (n,), the real ones without a graph."""


AnyObjective = Objective | PairedObjective
