"""Autoencoders as critics: the better a sample is reconstructed, the higher its output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from torch import nn

from gancore import _check
from gancore.errors import IncompatibleChoiceError
from gancore.games.equilibrium import Equilibrium
from gancore.networks._dense import is_image, leaky_layers, linear
from gancore.networks._interface import NetworkFamily, Norm
from gancore.networks._norms import check_norm, spectrally_normalised
from gancore.networks.mlp import MLP

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Autoencoder"]


@final
@dataclass(frozen=True)
class Autoencoder(NetworkFamily):
    r"""Fully connected networks whose critic is minus the reconstruction error of an autoencoder.

    .. math::
        d(x) = -\frac1{\dim x} \lVert x - \mathrm{dec}(\mathrm{enc}(x)) \rVert_1

    The generator is a multilayer perceptron.

    Parameters
    ----------
    width, depth : int
        Units and number of the hidden layers of generator, encoder and decoder.
    code : int
        Width of the bottleneck.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in encoder and decoder.

    Raises
    ------
    DomainError
        If a size is not positive, or the normalisation is not one of these.

    References
    ----------
    D. Berthelot, T. Schumm and L. Metz, "BEGAN: Boundary Equilibrium Generative Adversarial Networks" (2017),
    equation 1, there with convolutions.

    Examples
    --------
    >>> import torch
    >>> critic = Autoencoder(width=16).critic((1, 8, 8))
    >>> bool((critic(torch.randn(5, 1, 8, 8)) < 0).all())
    True
    """

    width: int = 128
    depth: int = 2
    code: int = 16
    critic_norm: Norm = "none"

    reference: ClassVar[str] = Equilibrium.reference

    def __post_init__(self) -> None:
        for name in ("width", "depth", "code"):
            _check.integer(name, getattr(self, name), least=1)
        check_norm(self.critic_norm)

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of points (identity at the end) or images (tanh at the end)."""
        is_image(shape, "autoencoder")
        return MLP(width=self.width, depth=self.depth).generator(shape, latent_dim)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        """A critic of points or images with the one output that an error is."""
        image = is_image(shape, "autoencoder")
        if outputs != 1:
            raise IncompatibleChoiceError(f"networks autoencoder give one output, the error, not {outputs} features")
        size = math.prod(shape)
        network = _Reconstruction(
            nn.Flatten(),
            *leaky_layers(size, self.width, self.depth, self.critic_norm),
            linear(self.width, self.code),
            *leaky_layers(self.code, self.width, self.depth, self.critic_norm),
            linear(self.width, size),
            nn.Unflatten(1, shape),
            *([nn.Tanh()] if image else []),
        )
        return spectrally_normalised(network) if self.critic_norm == "spectral" else network


@final
class _Reconstruction(nn.Module):
    """Minus the mean absolute error of what some layers make of each sample."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, *shape) to (n,)."""
        error: Tensor = (x - self.layers(x)).abs().flatten(1).mean(1)
        return -error
