"""Deep convolutional networks (DCGAN) for images of any channels and any size that is a multiple of four."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from gancore import _check
from gancore.networks._interface import NetworkFamily, Norm
from gancore.networks._minibatch import Minibatch, check_minibatch, minibatch_layer
from gancore.networks._norms import check_norm, spectrally_normalised
from gancore.networks._outputs import last
from gancore.networks._stages import Stride, stages, widths

__all__ = ["DCGAN"]


@final
@dataclass(frozen=True)
class DCGAN(NetworkFamily):
    """Strided convolutions: batch norm and ReLU in the generator, leaky ReLU of slope 0.2 in the critic.

    Each side is halved while it is even and at least four are left; sides may differ. Weights start from N(0, 0.02),
    scales of norms from N(1, 0.02).

    Parameters
    ----------
    width : int
        Channels of the hidden layer nearest to the image; they double with every halving, up to eight times.
    extra_layers : int
        Further 3x3 convolutions at the hidden resolution nearest to the image, in both networks.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation of the critic's hidden layers but the first.
    critic_minibatch : {"none", "discrimination", "std"}
        Features of the whole batch before the critic's last layer.

    Raises
    ------
    DomainError
        If the width is not positive, the extra layers are negative, or another setting is not one of these.

    References
    ----------
    A. Radford, L. Metz and S. Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks", ICLR 2016. The extra layers are those of the code of "Wasserstein GAN" (2017).

    Examples
    --------
    >>> import torch
    >>> family = DCGAN(width=8)
    >>> family.generator((3, 12, 40), latent_dim=16)(torch.zeros(5, 16)).shape
    torch.Size([5, 3, 12, 40])
    >>> family.critic((3, 12, 40))(torch.zeros(5, 3, 12, 40)).shape
    torch.Size([5])
    """

    width: int = 32
    extra_layers: int = 2
    critic_norm: Norm = "batch"
    critic_minibatch: Minibatch = "none"

    channels_last: ClassVar[bool] = True
    reference: ClassVar[str] = """\
@inproceedings{radford2016unsupervised,
  title     = {Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks},
  author    = {Radford, Alec and Metz, Luke and Chintala, Soumith},
  booktitle = {International Conference on Learning Representations},
  year      = {2016}
}"""

    def __post_init__(self) -> None:
        _check.integer("width", self.width, least=1)
        _check.integer("extra_layers", self.extra_layers, least=0)
        check_norm(self.critic_norm)
        check_minibatch(self.critic_minibatch)

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of images, with tanh at the end."""
        channels, base, strides = stages(shape, "dcgan")
        channels_at = widths(self.width, len(strides))
        size = (channels_at[0], *base)
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, math.prod(size), bias=False),
            nn.Unflatten(1, size),
            *_norm("batch", channels_at[0]),
            nn.ReLU(inplace=True),
        ]
        for stride, inputs, outputs in zip(strides[:-1], channels_at[:-1], channels_at[1:], strict=True):
            layers += [_up(inputs, outputs, stride, bias=False), *_norm("batch", outputs), nn.ReLU(inplace=True)]
        for _ in range(self.extra_layers):
            layers += [_same(self.width, bias=False), *_norm("batch", self.width), nn.ReLU(inplace=True)]
        layers += [_up(self.width, channels, strides[-1], bias=True), nn.Tanh()]
        return _initialised(nn.Sequential(*layers))

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        """A critic of images: (n,), or (n, outputs) for more than one."""
        channels, base, strides = stages(shape, "dcgan")
        channels_at = widths(self.width, len(strides))[::-1]
        bias = self.critic_norm in ("none", "spectral")
        layers: list[nn.Module] = [_down(channels, self.width, strides[-1], bias=True), _leaky()]
        for _ in range(self.extra_layers):
            layers += [_same(self.width, bias=bias), *_norm(self.critic_norm, self.width), _leaky()]
        for stride, narrow, wide in zip(strides[-2::-1], channels_at[:-1], channels_at[1:], strict=True):
            layers += [_down(narrow, wide, stride, bias=bias), *_norm(self.critic_norm, wide), _leaky()]
        beside, features = minibatch_layer(self.critic_minibatch, channels_at[-1] * math.prod(base))
        layers += [nn.Flatten(), *beside, nn.Linear(features, outputs), *last(outputs)]
        network = _initialised(nn.Sequential(*layers))
        return spectrally_normalised(network) if self.critic_norm == "spectral" else network


def _kernel(stride: Stride) -> tuple[int, int]:
    # With padding 1 a kernel of 4 halves or doubles a side exactly, a kernel of 3 keeps it.
    return 4 if stride[0] == 2 else 3, 4 if stride[1] == 2 else 3


def _up(inputs: int, outputs: int, stride: Stride, *, bias: bool) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, _kernel(stride), stride, 1, bias=bias)


def _down(inputs: int, outputs: int, stride: Stride, *, bias: bool) -> nn.Module:
    return nn.Conv2d(inputs, outputs, _kernel(stride), stride, 1, bias=bias)


def _same(channels: int, *, bias: bool) -> nn.Module:
    return nn.Conv2d(channels, channels, 3, padding=1, bias=bias)


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def _norm(norm: Norm, channels: int) -> list[nn.Module]:
    if norm in ("none", "spectral"):
        return []
    return [nn.GroupNorm(1, channels) if norm == "layer" else nn.BatchNorm2d(channels)]


def _initialised(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return network
