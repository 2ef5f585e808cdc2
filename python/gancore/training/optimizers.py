"""Optimizer settings as values: what a system says, built when the parameters exist.

Those that are :class:`Unrollable` can also take steps as differentiable functions, for games that look ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import torch

from gancore import _check

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

    Memory = dict[str, list[Tensor]]

__all__ = ["SGD", "Adam", "RMSProp", "Unrollable"]

_EPS = 1e-8
"""Adam's, as torch has it."""


@runtime_checkable
class Unrollable(Protocol):
    """Settings whose optimizer can be differentiated through."""

    def memory(self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> Memory:
        """Copies of what an optimizer of these settings remembers of its parameters."""

    def unrolled(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory
    ) -> tuple[list[Tensor], Memory]:
        """Parameters and memory after one step, differentiable in parameters and gradients."""


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
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=_EPS, fused=True)

    def memory(self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> Memory:
        """Step count and both moments; zeros before the first step."""
        known = [optimizer.state.get(p, {}) for p in parameters]
        return {
            "step": [s["step"].clone() if s else torch.zeros(()) for s in known],
            "first": [
                s["exp_avg"].clone() if s else torch.zeros_like(p) for s, p in zip(known, parameters, strict=True)
            ],
            "second": [
                s["exp_avg_sq"].clone() if s else torch.zeros_like(p) for s, p in zip(known, parameters, strict=True)
            ],
        }

    def unrolled(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory
    ) -> tuple[list[Tensor], Memory]:
        """Kingma and Ba 2015, algorithm 1."""
        step = [t + 1 for t in memory["step"]]
        first = [self.beta1 * m + (1 - self.beta1) * g for m, g in zip(memory["first"], gradients, strict=True)]
        second = [self.beta2 * v + (1 - self.beta2) * g * g for v, g in zip(memory["second"], gradients, strict=True)]
        moved = []
        for p, m, v, t in zip(parameters, first, second, step, strict=True):
            # The root's slope is infinite where a parameter has never had a gradient; there the step is zero anyway.
            root = torch.where(v > 0, v, 1.0).sqrt() * (v > 0)
            scale = 1 - self.beta2 ** t.to(p)
            moved.append(p - self.lr * (m / (1 - self.beta1 ** t.to(p))) / (root / scale.sqrt() + _EPS))
        return moved, {"step": step, "first": first, "second": second}


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
    weight_decay : float
        Multiple of the parameters added to their gradient, not negative.

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
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check.number("lr", self.lr, above=0.0)
        _check.number("alpha", self.alpha, least=0.0, below=1.0)
        _check.number("weight_decay", self.weight_decay, least=0.0)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters."""
        return torch.optim.RMSprop(
            parameters, lr=self.lr, alpha=self.alpha, weight_decay=self.weight_decay, foreach=True
        )


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

    def memory(self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> Memory:
        """The last step of each parameter; zero before the first."""
        buffers = [optimizer.state.get(p, {}).get("momentum_buffer") for p in parameters]
        return {
            "last": [
                torch.zeros_like(p) if buffer is None else buffer.clone()
                for p, buffer in zip(parameters, buffers, strict=True)
            ]
        }

    def unrolled(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory
    ) -> tuple[list[Tensor], Memory]:
        """Descent along the gradient and a share of the last step."""
        last = [self.momentum * b + g for b, g in zip(memory["last"], gradients, strict=True)]
        return [p - self.lr * step for p, step in zip(parameters, last, strict=True)], {"last": last}
