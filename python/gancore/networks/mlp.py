"""Multilayer perceptrons, for points and for small images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from gancore import _check
from gancore.networks._dense import is_image, leaky_layers, linear
from gancore.networks._interface import NetworkFamily, Norm
from gancore.networks._minibatch import Minibatch, check_minibatch, minibatch_layer
from gancore.networks._norms import check_norm, spectrally_normalised
from gancore.networks._outputs import last
from gancore.objectives.minimax import Minimax

__all__ = ["MLP"]


@final
@dataclass(frozen=True)
class MLP(NetworkFamily):
    """Fully connected networks: ReLU in the generator, leaky ReLU of slope 0.2 in the critic, He initialisation.

    Parameters
    ----------
    width : int
        Units of each hidden layer.
    depth : int
        How many hidden layers.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic.
    critic_minibatch : {"none", "discrimination", "std"}
        Features of the whole batch before the critic's last layer.

    Raises
    ------
    DomainError
        If width or depth is not positive, or another setting is not one of these.

    References
    ----------
    I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 5 (without maxout and dropout).

    Examples
    --------
    >>> import torch
    >>> family = MLP(width=32, depth=2)
    >>> family.generator((1, 8, 8), latent_dim=16)(torch.zeros(5, 16)).shape
    torch.Size([5, 1, 8, 8])
    >>> family.critic((2,))(torch.zeros(5, 2)).shape
    torch.Size([5])
    """

    width: int = 128
    depth: int = 3
    critic_norm: Norm = "none"
    critic_minibatch: Minibatch = "none"

    reference: ClassVar[str] = Minimax.reference

    def __post_init__(self) -> None:
        _check.integer("width", self.width, least=1)
        _check.integer("depth", self.depth, least=1)
        check_norm(self.critic_norm)
        check_minibatch(self.critic_minibatch)

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of points (identity at the end) or images (tanh at the end)."""
        image = is_image(shape, "mlp")
        layers: list[nn.Module] = []
        for inputs in (latent_dim, *[self.width] * (self.depth - 1)):
            layers += [linear(inputs, self.width), nn.ReLU(inplace=True)]
        layers += [linear(self.width, math.prod(shape)), nn.Unflatten(1, shape)]
        return nn.Sequential(*layers, nn.Tanh()) if image else nn.Sequential(*layers)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        """A critic of points or images: (n,), or (n, outputs) for more than one."""
        is_image(shape, "mlp")
        hidden = leaky_layers(math.prod(shape), self.width, self.depth, self.critic_norm)
        beside, features = minibatch_layer(self.critic_minibatch, self.width)
        network = nn.Sequential(nn.Flatten(), *hidden, *beside, linear(features, outputs), *last(outputs))
        return spectrally_normalised(network) if self.critic_norm == "spectral" else network
