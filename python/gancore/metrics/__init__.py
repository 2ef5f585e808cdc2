"""How good samples are; each file is one metric. Importing needs NumPy alone."""

from __future__ import annotations

from gancore.metrics.density_coverage import DensityCoverage, density_coverage
from gancore.metrics.fid import FIDResult, fid
from gancore.metrics.inception_score import InceptionScore, inception_score
from gancore.metrics.mode_coverage import ModeCoverage, mode_coverage
from gancore.metrics.precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "DensityCoverage",
    "FIDResult",
    "InceptionScore",
    "ModeCoverage",
    "PrecisionRecall",
    "density_coverage",
    "fid",
    "inception_score",
    "mode_coverage",
    "precision_recall",
]
