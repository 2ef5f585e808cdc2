"""Judging a run: samplers x metrics, as a value, as JSON and as a report that can be sent to anybody."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gancore._extras import require

if TYPE_CHECKING:
    from gancore.evaluation._evaluate import evaluate
    from gancore.evaluation.report import write_report
    from gancore.evaluation.result import Evaluation
    from gancore.evaluation.tracking import track

__all__ = ["Evaluation", "evaluate", "track", "write_report"]

_HOMES = {"Evaluation": "result", "evaluate": "_evaluate", "track": "tracking", "write_report": "report"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gancore.evaluation' has no attribute {name!r}")
    require("torch", extra="train")
    return getattr(importlib.import_module(f"gancore.evaluation.{_HOMES[name]}"), name)
