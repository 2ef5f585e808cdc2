"""How good samples are; each file is one metric. Importing needs NumPy alone."""

from __future__ import annotations

from gancore.metrics._extract import feature_rows, feature_statistics
from gancore.metrics._statistics import FeatureRows, FeatureStatistics
from gancore.metrics.density_coverage import DensityCoverage, density_coverage
from gancore.metrics.fid import FIDResult, fid
from gancore.metrics.fid_infinity import FIDInfinityResult, fid_infinity
from gancore.metrics.inception_score import InceptionScore, inception_score
from gancore.metrics.kid import KIDResult, kid
from gancore.metrics.mode_coverage import ModeCoverage, mode_coverage
from gancore.metrics.prdc import PRDC, prdc
from gancore.metrics.precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "PRDC",
    "DensityCoverage",
    "FIDInfinityResult",
    "FIDResult",
    "FeatureRows",
    "FeatureStatistics",
    "InceptionScore",
    "KIDResult",
    "ModeCoverage",
    "PrecisionRecall",
    "density_coverage",
    "feature_rows",
    "feature_statistics",
    "fid",
    "fid_infinity",
    "inception_score",
    "kid",
    "mode_coverage",
    "prdc",
    "precision_recall",
]
