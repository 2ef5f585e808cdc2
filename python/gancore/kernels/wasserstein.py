"""Exact Wasserstein distances on the line and on the circle, and the distances of clouds that are built of them."""

from __future__ import annotations

from gancore.kernels._cloud import energy_distance, max_sliced_wasserstein, sliced_wasserstein
from gancore.kernels._line import coupling_1d, cramer_distance, wasserstein_1d, wasserstein_circle

__all__ = [
    "coupling_1d",
    "cramer_distance",
    "energy_distance",
    "max_sliced_wasserstein",
    "sliced_wasserstein",
    "wasserstein_1d",
    "wasserstein_circle",
]
