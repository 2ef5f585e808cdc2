"""Samples of a function n -> samples, a batch at a time where that gives more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gancore.errors import DTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["drawn"]


def drawn(function: Callable[[int], Any], name: str, *, n: int, batch_size: int) -> Iterator[Any]:
    """`n` samples in batches.

    The function is called for a batch at a time, so that memory does not grow with n. One that gives the same batch
    again is seeded: it is called once more, for all n at a time.
    """
    if n == 0:
        # The share of a process, where there are more processes than samples.
        return
    size = min(batch_size, n)
    first = _called(function, size, name)
    if n == size:
        yield first
        return
    second = _called(function, size, name)
    if _same(first, second):
        whole = _called(function, n, name)
        yield from (whole[start : start + size] for start in range(0, n, size))
        return
    yield first
    yield second[: n - size]
    for start in range(2 * size, n, size):
        yield _called(function, size, name)[: n - start]


def _called(function: Callable[[int], Any], n: int, name: str) -> Any:
    found = function(n)
    found = getattr(found, "x", found)
    if not hasattr(found, "shape") or len(found) != n:
        got = f"shape {tuple(found.shape)}" if hasattr(found, "shape") else type(found).__name__
        raise DTypeError(f"{name}: expected the function to return an array of {n} samples, got {got}")
    return found


def _same(one: Any, other: Any) -> bool:
    if one.shape != other.shape:
        return False
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool((one == other).all())
