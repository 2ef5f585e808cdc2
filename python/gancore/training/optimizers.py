"""Optimizer settings as values: what a system says, built when the parameters exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from gancore import _check

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SGD", "Adam", "RMSProp"]


@final
@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015).

    Parameters
    ----------
    lr : float
        Learning rate, positive.
    beta1, beta2 : float
        Decay of the first and second moment, in [0, 1).

    Raises
    ------
    DomainError
        If a setting is out of range.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.zeros(1))
    >>> type(Adam(lr=1e-4, beta1=0.0, beta2=0.9).build([weight])).__name__
    'Adam'
    """

    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        _check.number("lr", self.lr, above=0.0)
        _check.number("beta1", self.beta1, least=0.0, below=1.0)
        _check.number("beta2", self.beta2, least=0.0, below=1.0)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)


@final
@dataclass(frozen=True)
class RMSProp:
    """RMSProp (Tieleman and Hinton 2012), as WGAN uses it because momentum unsettles a clipped critic.

    Parameters
    ----------
    lr : float
        Learning rate, positive.
    alpha : float
        Decay of the second moment, in [0, 1).

    Raises
    ------
    DomainError
        If a setting is out of range.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.zeros(1))
    >>> type(RMSProp().build([weight])).__name__
    'RMSprop'
    """

    lr: float = 5e-5
    alpha: float = 0.99

    def __post_init__(self) -> None:
        _check.number("lr", self.lr, above=0.0)
        _check.number("alpha", self.alpha, least=0.0, below=1.0)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters."""
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.alpha, foreach=True)


@final
@dataclass(frozen=True)
class SGD:
    """Gradient descent, with momentum (Polyak 1964) if asked for.

    Parameters
    ----------
    lr : float
        Learning rate, positive.
    momentum : float
        Share of the last step that is taken again, in [0, 1).

    Raises
    ------
    DomainError
        If a setting is out of range.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.zeros(1))
    >>> type(SGD(lr=0.1).build([weight])).__name__
    'SGD'
    """

    lr: float = 0.1
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _check.number("lr", self.lr, above=0.0)
        _check.number("momentum", self.momentum, least=0.0, below=1.0)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters."""
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, fused=True)
