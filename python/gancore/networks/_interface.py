"""What a family of networks is: a maker of generators and critics for samples of any shape it can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NetworkFamily"]


class NetworkFamily(ABC):
    """Generators (n, latent_dim) -> (n, *shape) and critics (n, *shape) -> (n,), parameterised, no class a size.

    Shapes that a family cannot make raise :class:`~gancore.errors.IncompatibleChoiceError`. Images end in tanh and
    live in [-1, 1]; points (shape of one axis) end in the identity.
    """

    reference: ClassVar[str]

    @abstractmethod
    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of samples of the given shape."""

    @abstractmethod
    def critic(self, shape: tuple[int, ...]) -> nn.Module:
        """A critic of samples of the given shape."""
