"""Residual networks (SNGAN), with self-attention (SAGAN) if asked for, for images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor, nn

from gancore import _check
from gancore.errors import DomainError
from gancore.networks._attention import SelfAttention
from gancore.networks._interface import NetworkFamily, Norm
from gancore.networks._minibatch import Minibatch, check_minibatch, minibatch_layer
from gancore.networks._norms import check_norm, spectrally_normalised
from gancore.networks._outputs import last
from gancore.networks._stages import Stride, stages, widths

__all__ = ["ResNet"]


@final
@dataclass(frozen=True)
class ResNet(NetworkFamily):
    """Blocks of two 3x3 convolutions beside a shortcut, each doubling or halving the image; sums over it at the end.

    The generator's blocks have batch normalisation, upsample by repetition and end in tanh; the critic's downsample by
    means. Sides must be multiples of four and may differ. Weights start by Xavier's uniform rule, with gain sqrt 2
    within the blocks.

    Parameters
    ----------
    width : int
        Channels nearest to the image; they double with every halving, up to eight times (the paper for 32 x 32: 256
        throughout in the generator, 128 in the critic).
    attention : bool
        Self-attention at half the image's resolution, in both networks; O((h w)^2) in its area.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic.
    critic_minibatch : {"none", "discrimination", "std"}
        Features of the whole batch before the critic's last layer.

    Raises
    ------
    DomainError
        If the width is not positive, or another setting is not one of these.

    References
    ----------
    T. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, appendix B.4; H. Zhang
    et al., "Self-Attention Generative Adversarial Networks", ICML 2019, section 3.

    Examples
    --------
    >>> import torch
    >>> family = ResNet(width=8, attention=True)
    >>> family.generator((3, 32, 32), latent_dim=16)(torch.zeros(2, 16)).shape
    torch.Size([2, 3, 32, 32])
    >>> family.critic((3, 32, 32))(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2])
    """

    width: int = 32
    attention: bool = False
    critic_norm: Norm = "spectral"
    critic_minibatch: Minibatch = "none"

    channels_last: ClassVar[bool] = True
    reference: ClassVar[str] = """\
@inproceedings{miyato2018spectral,
  title     = {Spectral Normalization for Generative Adversarial Networks},
  author    = {Miyato, Takeru and Kataoka, Toshiki and Koyama, Masanori and Yoshida, Yuichi},
  booktitle = {International Conference on Learning Representations},
  year      = {2018}
}"""

    def __post_init__(self) -> None:
        _check.integer("width", self.width, least=1)
        if not isinstance(self.attention, bool):
            raise DomainError(f"attention: expected True or False, got {self.attention!r}")
        check_norm(self.critic_norm)
        check_minibatch(self.critic_minibatch)

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of images, with tanh at the end."""
        channels, base, strides = stages(shape, "resnet")
        at = widths(self.width, len(strides) + 1)
        layers: list[nn.Module] = [nn.Linear(latent_dim, at[0] * math.prod(base)), nn.Unflatten(1, (at[0], *base))]
        for i, stride in enumerate(strides):
            if self.attention and i == len(strides) - 1:
                layers.append(SelfAttention(at[i]))
            layers.append(_Up(at[i], at[i + 1], stride))
        layers += [nn.BatchNorm2d(at[-1]), nn.ReLU(inplace=True), nn.Conv2d(at[-1], channels, 3, padding=1), nn.Tanh()]
        return _initialised(nn.Sequential(*layers))

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        """A critic of images: (n,), or (n, outputs) for more than one."""
        channels, _, strides = stages(shape, "resnet")
        at = widths(self.width, len(strides))[::-1]
        layers: list[nn.Module] = []
        for i, (stride, before, after) in enumerate(zip(strides[::-1], [channels, *at[:-1]], at, strict=True)):
            layers.append(_Down(before, after, stride, self.critic_norm, first=i == 0))
            if self.attention and i == 0:
                layers.append(SelfAttention(after))
        beside, features = minibatch_layer(self.critic_minibatch, at[-1])
        layers += [_Down(at[-1], at[-1], (1, 1), self.critic_norm), nn.ReLU(), _Sum(), *beside]
        network = _initialised(nn.Sequential(*layers, nn.Linear(features, outputs), *last(outputs)))
        return spectrally_normalised(network) if self.critic_norm == "spectral" else network


class _Up(nn.Module):
    """A block of the generator: normalised, activated, upsampled."""

    def __init__(self, inputs: int, outputs: int, stride: Stride) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Upsample(scale_factor=stride),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Sequential(nn.Upsample(scale_factor=stride), nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


class _Down(nn.Module):
    """A block of the critic; the first sees the image itself, so it activates nothing before its first convolution."""

    def __init__(self, inputs: int, outputs: int, stride: Stride, norm: Norm, *, first: bool = False) -> None:
        super().__init__()
        pool = nn.AvgPool2d(stride)
        self.body = nn.Sequential(
            *([] if first else [*_norm(norm, inputs), nn.ReLU()]),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            *_norm(norm, outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            pool,
        )
        # Means first where that is cheaper: both are linear, so the order does not matter.
        self.shortcut = nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


class _Sum(nn.Module):
    """Sums over the places of an image."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3))


def _norm(norm: Norm, channels: int) -> list[nn.Module]:
    if norm in ("none", "spectral"):
        return []
    return [nn.GroupNorm(1, channels) if norm == "layer" else nn.BatchNorm2d(channels)]


def _initialised(network: nn.Module) -> nn.Module:
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(module.weight, gain=math.sqrt(2) if ".body." in f".{name}" else 1.0)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
