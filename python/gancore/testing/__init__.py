"""Verify a divergence of your own by its laws; needs the extra ``test``, for Hypothesis."""

from __future__ import annotations

from gancore._extras import require

require("hypothesis", extra="test")

from gancore.testing.check import LawError, check_divergence
from gancore.testing.laws import LAWS
from gancore.testing.strategies import cost_matrices, distribution_pairs, distributions, spd_matrices

__all__ = [
    "LAWS",
    "LawError",
    "check_divergence",
    "cost_matrices",
    "distribution_pairs",
    "distributions",
    "spd_matrices",
]
