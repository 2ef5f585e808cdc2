"""An LSTM that writes sequences of tokens, and a convolutional critic that reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, final, get_args

from gancore import _check
from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.networks._interface import NetworkFamily, Norm
from gancore.networks._lstm import LSTMGenerator
from gancore.networks._text_cnn import TextCNN

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Sequence"]

CriticSize = Literal["small", "published"]

_PUBLISHED = dict(
    zip((*range(1, 11), 15, 20), (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160), strict=True)
)
_MAPS = MappingProxyType({"small": dict.fromkeys((2, 3, 4, 5), 32), "published": _PUBLISHED})
_EMBEDDING = MappingProxyType({"small": 32, "published": 64})


@final
@dataclass(frozen=True)
class Sequence(NetworkFamily):
    """Networks for tokens: the generator's codes are one number a token, so ``latent_dim`` is the length.

    Parameters
    ----------
    width : int
        Units of the generator's LSTM.
    embedding : int
        Width of the generator's embedding.
    critic_size : {"small", "published"}
        Convolutions of widths 2 to 5 with 32 maps each; or the twelve widths up to 20 of SeqGAN with 1,720 maps.
    ends : bool
        Whether token 0 ends a sequence, which may then have any length; else it is a token like the others.

    Raises
    ------
    DomainError
        If a setting is out of range.

    References
    ----------
    L. Yu, W. Zhang, J. Wang and Y. Yu, "SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient", AAAI 2017,
    equations 9 to 15; the widths are those of its code. Its critic has two outputs under a softmax, here is one logit;
    its penalty on the output layer is the game's ``output_decay``.

    Examples
    --------
    >>> import torch
    >>> family = Sequence(width=8)
    >>> x = family.generator((12, 50), latent_dim=12)(torch.randn(5, 12))
    >>> x.shape, x.dtype
    (torch.Size([5, 12]), torch.int64)
    >>> family.critic((12, 50))(x).shape
    torch.Size([5])
    """

    width: int = 32
    embedding: int = 32
    critic_size: CriticSize = "small"
    ends: bool = True
    critic_norm: Norm = field(default="none", init=False, repr=False)

    discrete: ClassVar[bool] = True
    reference: ClassVar[str] = """\
@inproceedings{yu2017seqgan,
  title     = {{SeqGAN}: Sequence Generative Adversarial Nets with Policy Gradient},
  author    = {Yu, Lantao and Zhang, Weinan and Wang, Jun and Yu, Yong},
  booktitle = {AAAI Conference on Artificial Intelligence},
  year      = {2017}
}"""

    def __post_init__(self) -> None:
        _check.integer("width", self.width, least=1)
        _check.integer("embedding", self.embedding, least=1)
        if self.critic_size not in get_args(CriticSize):
            raise DomainError(f"critic_size: expected 'small' or 'published', got {self.critic_size!r}")
        if not isinstance(self.ends, bool):
            raise DomainError(f"ends: expected True or False, got {self.ends!r}")

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        """A generator of sequences of shape (length, number of token ids)."""
        length, size = _sequence(shape)
        if latent_dim != length:
            raise IncompatibleChoiceError(
                f"latent_dim: sequences of {length} tokens have codes of {length} numbers, got {latent_dim}"
            )
        return LSTMGenerator(size, length, embedding=self.embedding, width=self.width, ends=self.ends)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        """A critic of sequences: (n,), or (n, outputs) for more than one."""
        length, size = _sequence(shape)
        kind = self.critic_size
        return TextCNN(size, length, embedding=_EMBEDDING[kind], maps=_MAPS[kind], outputs=outputs)


def _sequence(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) != 2:
        raise IncompatibleChoiceError(
            f"networks sequence make tokens, of shape (length, number of token ids), not shape {shape}"
        )
    return shape[0], shape[1]
