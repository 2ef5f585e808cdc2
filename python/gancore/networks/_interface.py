"""What a family of networks is: a maker of generators and critics for samples of any shape it can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from torch import nn

    from gancore.networks._minibatch import Minibatch

__all__ = ["NetworkFamily", "Norm"]

Norm = Literal["none", "layer", "batch", "spectral"]
"""Normalisation: none, of hidden layers over each sample's features or over the batch, or of every weight matrix."""


class NetworkFamily(ABC):
    """Generators (n, latent_dim) -> (n, *shape) and critics (n, *shape) -> (n,) or (n, outputs); no class a size.

    Shapes that a family cannot make raise :class:`~gancore.errors.IncompatibleChoiceError`. Images end in tanh and
    live in [-1, 1]; points (shape of one axis) end in the identity. Families are final, frozen dataclasses.

    Attributes
    ----------
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic; penalties on per-sample gradients exclude "batch".
    critic_minibatch : {"none", "discrimination", "std"}
        Features of the batch that the critic sees beside a sample's own; the same penalties exclude them.
    discrete : bool
        Whether samples are tokens: ids int64 (n, length) of shape (length, number of token ids) as one-hot vectors.
    channels_last : bool
        Whether weights of convolutions, and the images that the critic is shown, are laid out in memory with the
        channels last, which is faster. A forward pass that calls ``view`` on what convolutions give must leave it off.
    """

    critic_norm: Norm
    critic_minibatch: Minibatch = "none"
    reference: ClassVar[str]
    discrete: ClassVar[bool] = False
    channels_last: ClassVar[bool] = False

    @abstractmethod
    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of samples of the given shape."""

    @abstractmethod
    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        """A critic of samples of the given shape, with one output (n,) or several (n, outputs)."""
