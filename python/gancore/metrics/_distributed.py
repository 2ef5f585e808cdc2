"""Several processes, each with its share of the samples: their statistics merged, their failures told to all.

Sums over processes are taken of centred matrices, so that no digits are lost, and by one collective of the size of a
covariance each: nothing grows with the number of processes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gancore.errors import BackendError, ShapeError
from gancore.kernels.moments import FeatureMoments

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["gathered", "merged", "share_of", "together"]

_T = TypeVar("_T")


def share_of(*, distributed: bool) -> tuple[int, int]:
    """Rank and number of the processes that work together: (0, 1) for one alone."""
    torch = sys.modules.get("torch")
    if not (
        distributed and torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized()
    ):
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def gathered(value: _T, world: int) -> list[_T]:
    """What each process has, in the order of ranks."""
    if world == 1:
        return [value]
    import torch.distributed

    values: list[Any] = [None] * world
    torch.distributed.all_gather_object(values, value)
    return values


def together(work: Callable[[], _T], share: tuple[int, int]) -> _T:
    """What `work` returns; where it fails on one process, all fail, rather than wait for it for ever.

    Raises
    ------
    BackendError
        If it failed on another process; the message says which, and why.
    """
    rank, world = share
    if world == 1:
        return work()
    failure: str | None = "interrupted"
    try:
        result = work()
        failure = None
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        raise
    finally:
        failures: list[str | None] = gathered(failure, world)
    for other, text in enumerate(failures):
        if text is not None and other != rank:
            raise BackendError(f"process {other} failed: {text}")
    return result


def merged(moments: FeatureMoments, share: tuple[int, int]) -> FeatureMoments:
    """The moments over all processes, the same on all of them."""
    _, world = share
    if world == 1:
        return moments
    mean = np.asarray(moments.mean) if moments.count else np.zeros(moments.dim)
    parts = gathered((moments.count or 0, mean), world)
    dims = [len(mean) for _, mean in parts]
    if len(set(dims)) > 1:
        raise ShapeError(f"features: expected as many on every process, got {dims}")
    return _merged(moments, parts)


def _merged(own: FeatureMoments, parts: list[tuple[int, Any]]) -> FeatureMoments:
    count = sum(n for n, _ in parts)
    if not count:
        return own
    # Differences from one mean rather than means themselves, which may be far larger.
    origin = next(mean for n, mean in parts if n)
    mean = origin + sum(n * (other - origin) for n, other in parts if n) / count
    scatter = np.zeros((own.dim, own.dim))
    mine = own.count or 0
    if mine:
        apart = np.asarray(own.mean) - mean
        scatter += mine * np.outer(apart, apart)
    if mine > 1:
        scatter += np.asarray(own.covariance) * (mine - 1)
    return FeatureMoments.from_dict(
        {"count": count, "mean": mean, "scatter": np.tril(_summed(scatter)), "pending": np.zeros((0, own.dim))}
    )


def _summed(matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import torch

    # NCCL knows the memory of its device alone.
    device = "cuda" if "nccl" in torch.distributed.get_backend() else "cpu"
    values = torch.from_numpy(matrix).to(device)
    torch.distributed.all_reduce(values)
    return np.asarray(values.cpu().numpy())
