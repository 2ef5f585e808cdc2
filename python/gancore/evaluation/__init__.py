"""Judging a run: samplers x metrics, as a value, as JSON and as a report that can be sent to anybody."""

from __future__ import annotations

from gancore.evaluation.evaluate import evaluate
from gancore.evaluation.report import write_report
from gancore.evaluation.result import Evaluation
from gancore.evaluation.tracking import track

__all__ = ["Evaluation", "evaluate", "track", "write_report"]
