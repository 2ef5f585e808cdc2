"""Train, sample from and judge adversarial and energy-based models: PyTorch games on compiled Rust kernels.

``import gancore`` needs NumPy alone. What trains or samples networks lives behind extras
(``pip install 'gancore[train]'``) and is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gancore._rust import __version__, build_info, num_threads, set_num_threads
from gancore.errors import GancoreError

if TYPE_CHECKING:
    from gancore import (
        datasets,
        evaluation,
        features,
        figures,
        games,
        kernels,
        metrics,
        networks,
        objectives,
        priors,
        regularizers,
        samplers,
        systems,
        training,
    )
    from gancore.training import Run, train

__all__ = [
    "GancoreError",
    "Run",
    "__version__",
    "build_info",
    "datasets",
    "evaluation",
    "features",
    "figures",
    "games",
    "kernels",
    "metrics",
    "networks",
    "num_threads",
    "objectives",
    "priors",
    "regularizers",
    "samplers",
    "set_num_threads",
    "systems",
    "train",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in {"train", "Run"}:
        return getattr(importlib.import_module("gancore.training"), name)
    if name in __all__:
        return importlib.import_module(f"gancore.{name}")
    raise AttributeError(f"module 'gancore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
