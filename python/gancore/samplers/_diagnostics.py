"""Split R-hat and effective sample size of one quantity over many chains.

Gelman et al., *Bayesian Data Analysis*, 3rd edition (2013), sections 11.4 and 11.5; the sum of
autocorrelations ends by Geyer's initial monotone positive sequence (1992).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["effective_sample_size", "split_r_hat"]

_Floats: TypeAlias = "npt.NDArray[np.float64]"


def split_r_hat(draws: _Floats) -> float | None:
    """R-hat of draws (chains, steps), each chain split in two; None with fewer than four steps or no variance.

    It compares what chains disagree on with what each has seen. Chains too short to have crossed the
    distribution give a large value also when all of them together are a fair sample.
    """
    halves = _split(draws)
    if halves is None:
        return None
    n = halves.shape[1]
    within, between = _variances(halves)
    if within == 0.0:
        return None
    return float(np.sqrt(((n - 1) / n * within + between / n) / within))


def effective_sample_size(draws: _Floats) -> float | None:
    """How many independent draws are worth draws (chains, steps); None where R-hat is."""
    halves = _split(draws)
    if halves is None:
        return None
    m, n = halves.shape
    within, between = _variances(halves)
    if within == 0.0:
        return None
    total = (n - 1) / n * within + between / n
    centred = halves - halves.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n=2 * n, axis=1)
    autocovariance = np.fft.irfft(np.abs(spectrum) ** 2, n=2 * n, axis=1)[:, :n].mean(axis=0) / n
    correlation = 1 - (within - autocovariance * n / (n - 1)) / total
    pairs = correlation[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    pairs = pairs[: negative[0]] if len(negative) else pairs
    time = -1 + 2 * float(np.minimum.accumulate(pairs).sum())
    # Antithetic chains beat independent draws, but no estimate from a finite run should promise much of that.
    return float(m * n / max(time, 1 / np.log10(m * n)))


def _split(draws: _Floats) -> _Floats | None:
    half = draws.shape[1] // 2
    return None if half < 2 else np.concatenate((draws[:, :half], draws[:, -half:]))


def _variances(draws: _Floats) -> tuple[float, float]:
    """Mean variance within chains, and n times the variance of their means."""
    n = draws.shape[1]
    return float(draws.var(axis=1, ddof=1).mean()), float(n * draws.mean(axis=1).var(ddof=1))
