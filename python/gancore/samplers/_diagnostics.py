"""Diagnostics of one quantity over the chains of a run, None where it says nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gancore.kernels import diagnostics

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["effective_sample_size", "nested_r_hat", "split_r_hat"]

_LEAST_STEPS = 4
_SUPERCHAINS, _LEAST_MEMBERS = 16, 8


def split_r_hat(draws: npt.NDArray[np.float64]) -> float | None:
    """R-hat of draws (chains, steps), each chain split in two; None with fewer than four steps or no variance.

    It compares what chains disagree on with what each has seen. Chains too short to have crossed the
    distribution give a large value also when all of them together are a fair sample.
    """
    return _known(diagnostics.r_hat(draws)) if draws.shape[1] >= _LEAST_STEPS else None


def nested_r_hat(draws: npt.NDArray[np.float64], starts: npt.NDArray[np.float64]) -> float | None:
    """Nested R-hat of draws (chains, steps), however few steps; None with fewer than 16 chains or no variance.

    Chains whose starts (chains,) had neighbouring values are one superchain, in 16 groups or as many as have 8 members:
    those that have forgotten where they began agree, but for chance, which with m members gives sqrt(1 + 1/m) at most
    on average (1.015 for 512 chains). One start a superchain, as the paper has it, would take chains of its own.
    """
    superchains = min(_SUPERCHAINS, len(draws) // _LEAST_MEMBERS)
    if superchains < 2:
        return None
    chains = len(draws) // superchains * superchains
    order = np.argsort(starts[:chains], kind="stable")
    return _known(diagnostics.nested_r_hat(draws[:chains][order], superchains=superchains))


def effective_sample_size(draws: npt.NDArray[np.float64]) -> float | None:
    """How many independent draws are worth draws (chains, steps); None where R-hat is."""
    return _known(diagnostics.effective_sample_size(draws)) if draws.shape[1] >= _LEAST_STEPS else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
