"""Public numeric functions on NumPy arrays and torch tensors; each module is one kernel."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gancore.kernels import (
        divergence,
        emd,
        frechet,
        langevin,
        mmd,
        moments,
        neighbors,
        ngram,
        parzen,
        rollout,
        wasserstein,
    )

__all__ = [
    "divergence",
    "emd",
    "frechet",
    "langevin",
    "mmd",
    "moments",
    "neighbors",
    "ngram",
    "parzen",
    "rollout",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"gancore.kernels.{name}")
    raise AttributeError(f"module 'gancore.kernels' has no attribute {name!r}")
