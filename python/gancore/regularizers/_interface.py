"""What a regulariser can be: a penalty on the critic's loss, a projection after its step, or what it sees instead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from gancore.regularizers._input_gradient import squared_gradient_norms

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

__all__ = ["Penalty", "Perturbation", "Projection", "Regularizer"]


class Penalty(ABC):
    """A term added to the critic's loss before its one backward pass: a cost of how steep the critic is somewhere.

    Computed in float32 under autocast too. Where to look is drawn first, so that what follows, the critic's slopes and
    their cost, can be compiled. Penalties and projections are final, frozen dataclasses; settings out of range raise
    :class:`~gancore.errors.DomainError` when they are made.
    """

    reference: ClassVar[str]
    equations: ClassVar[tuple[str, ...]]
    excludes_batch_norm: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Its name in the registry, and of its loss in the history."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def points(self, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """Where to look: samples (n, ...) from float32 ones; `generator` is the source of randomness."""

    @abstractmethod
    def cost(self, squared_norms: Tensor) -> Tensor:
        """The weighted penalty, a scalar, of the squared norms of the critic's gradient at each point: (n,)."""

    def penalty(self, critic: nn.Module, real: Tensor, fake: Tensor, generator: Generator) -> Tensor:
        """The weighted penalty: a float32 scalar. `real` and `fake` have the same shape (n, ...), `fake` no graph."""
        points = self.points(real.float(), fake.float(), generator)
        return self.cost(squared_gradient_norms(critic, points))


class Projection(ABC):
    """A map of the critic's parameters onto a feasible set, applied in place after each critic step."""

    reference: ClassVar[str]
    equations: ClassVar[tuple[str, ...]]

    @abstractmethod
    def project(self, critic: nn.Module, *, step: int) -> None:
        """Move the parameters into the feasible set, in place; `step` counts the generator's steps before this one."""


class Perturbation(ABC):
    """A random map of samples, real and fake alike, before the critic sees them; gradients pass through it.

    Penalties look at perturbed samples, for the critic knows no others.
    """

    reference: ClassVar[str]
    equations: ClassVar[tuple[str, ...]]

    @abstractmethod
    def perturb(self, samples: Tensor, generator: Generator, *, step: int) -> Tensor:
        """What the critic sees of samples (n, ...) in a step; `generator` is the source of randomness."""


Regularizer = Penalty | Projection | Perturbation
