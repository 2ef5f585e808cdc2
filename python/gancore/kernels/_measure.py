"""What divergences of masses share: the call of the kernel, the base, the order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gancore._check import number
from gancore.errors import DomainError
from gancore.kernels._dispatch import call

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["check_base", "in_base", "measure", "order"]


def in_base(name: str, p: Array, q: Array, *, alpha: float = 0.0, base: float, normalize: bool) -> Any:
    """A measure in nats, told to another base."""
    check_base(base)
    nats = measure(name, p, q, alpha=alpha, normalize=normalize)
    return nats if base == math.e else nats / math.log(base)


def measure(name: str, p: Array, q: Array, *, alpha: float = 0.0, normalize: bool) -> Any:
    """A measure by the kernel's name of it."""
    settings = {"measure": name, "alpha": alpha, "normalize": normalize}
    return call("divergence", "divergence", p=p, q=q, settings=settings)


def check_base(base: float) -> None:
    """Refuse what is no base of a logarithm.

    Raises
    ------
    DomainError
        If it is not finite and above 1.
    """
    if not (math.isfinite(base) and base > 1.0):
        raise DomainError(f"`base` must be a finite number above 1; got {base}")


def order(alpha: float) -> float:
    """An order as the kernel takes it: a finite number, or inf.

    Raises
    ------
    DTypeError
        If it is not a number.
    DomainError
        If it is nan or -inf.
    """
    if alpha != math.inf:
        number("alpha", alpha)
    return float(alpha)
