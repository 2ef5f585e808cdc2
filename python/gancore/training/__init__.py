"""Training: one loop for every game, checkpoints that resume exactly, and the run that comes out of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gancore._extras import require

if TYPE_CHECKING:
    from gancore.training.loop import train
    from gancore.training.run import Run

__all__ = ["Run", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gancore.training' has no attribute {name!r}")
    for package in ("torch", "safetensors"):
        require(package, extra="train")
    return getattr(importlib.import_module(f"gancore.training.{'run' if name == 'Run' else 'loop'}"), name)
