"""The normalisations that a critic can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gancore.errors import DomainError
from gancore.networks._interface import Norm

if TYPE_CHECKING:
    from typing import TypeVar

    M = TypeVar("M", bound=nn.Module)

__all__ = ["check_norm", "spectrally_normalised"]


def check_norm(norm: str) -> None:
    """Require the name of a normalisation.

    Raises
    ------
    DomainError
        If there is no such normalisation.
    """
    if norm not in get_args(Norm):
        raise DomainError(f"critic_norm: expected {', '.join(get_args(Norm))}, got {norm!r}")


def spectrally_normalised(network: M) -> M:
    r"""Divide every weight by its largest singular value, estimated by one power iteration a forward pass in training.

    .. math::
        \bar W = W / \sigma(W), \qquad \sigma(W) \approx u^\top W v

    A convolution counts as the matrix of its output channels. T. Miyato et al., "Spectral Normalization for Generative
    Adversarial Networks", ICLR 2018, equation 8 and algorithm 1.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            spectral_norm(module)
    return network
