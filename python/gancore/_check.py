"""Checks of settings: one message form for every number that a person can set."""

from __future__ import annotations

import math
from numbers import Integral, Real

from gancore.errors import DomainError, DTypeError

__all__ = ["integer", "number"]


def integer(name: str, value: object, *, least: int) -> None:
    """Require an integer of at least `least`.

    Raises
    ------
    DTypeError
        If the value is not an integer.
    DomainError
        If it is too small.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise DTypeError(f"{name}: expected an integer, got {value!r}")
    if value < least:
        raise DomainError(f"{name}: expected at least {least}, got {value}")


def number(
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> None:
    """Require a finite number with above < value, least <= value, value < below.

    Raises
    ------
    DTypeError
        If the value is not a real number.
    DomainError
        If it is nan, infinite or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise DTypeError(f"{name}: expected a number, got {value!r}")
    x = float(value)
    if math.isfinite(x) and above < x and least <= x < below:
        return
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("above", above), ("at least", least), ("below", below))
        if math.isfinite(bound)
    ]
    raise DomainError(f"{name}: expected a finite number {' and '.join(bounds)}".rstrip() + f", got {value!r}")
