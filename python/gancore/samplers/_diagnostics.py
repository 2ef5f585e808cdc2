"""Diagnostics of one quantity over the chains of a run, None where it says nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gancore.kernels import diagnostics

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["effective_sample_size", "split_r_hat"]

_LEAST_STEPS = 4


def split_r_hat(draws: npt.NDArray[np.float64]) -> float | None:
    """R-hat of draws (chains, steps), each chain split in two; None with fewer than four steps or no variance.

    It compares what chains disagree on with what each has seen. Chains too short to have crossed the
    distribution give a large value also when all of them together are a fair sample.
    """
    return _known(diagnostics.r_hat(draws)) if draws.shape[1] >= _LEAST_STEPS else None


def effective_sample_size(draws: npt.NDArray[np.float64]) -> float | None:
    """How many independent draws are worth draws (chains, steps); None where R-hat is."""
    return _known(diagnostics.effective_sample_size(draws)) if draws.shape[1] >= _LEAST_STEPS else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
