"""BLEU from clipped matches: brevity penalty, smoothing, geometric mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from gancore.errors import UnknownNameError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SMOOTHINGS", "Smoothing", "scores"]

Smoothing: TypeAlias = Literal["none", "method1", "method2", "method3", "method4"]
"""What is done about orders without a match; numbers as in Chen and Cherry (2014)."""

SMOOTHINGS: tuple[Smoothing, ...] = ("none", "method1", "method2", "method3", "method4")

_EPSILON = 0.1
_K = 5.0


def scores(
    matches: npt.NDArray[np.int64], closest: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], smoothing: str
) -> npt.NDArray[np.float64]:
    """Sentence BLEU of hypotheses of some lengths, from matches (hypotheses, n) and the closest reference's length."""
    if smoothing not in SMOOTHINGS:
        raise UnknownNameError("smoothing", smoothing, SMOOTHINGS)
    orders = np.arange(matches.shape[1])
    possible = np.maximum(lengths[:, None] - orders, 1).astype(np.float64)
    precision = _smooth(matches.astype(np.float64), possible, lengths, smoothing)
    with np.errstate(divide="ignore"):
        mean = np.exp(np.log(precision).mean(axis=1))
    brevity = np.exp(np.minimum(0.0, 1.0 - closest / lengths))
    return np.where(matches[:, 0] == 0, 0.0, brevity * mean)


def _smooth(
    matches: npt.NDArray[np.float64],
    possible: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    smoothing: str,
) -> npt.NDArray[np.float64]:
    missing = matches == 0
    rank = missing.cumsum(axis=1)
    if smoothing == "method1":
        matches = np.where(missing, _EPSILON, matches)
    elif smoothing == "method2":
        # One more match and one more n-gram for all orders but the first: Lin and Och (2004).
        matches, possible = matches.copy(), possible.copy()
        matches[:, 1:] += 1.0
        possible[:, 1:] += 1.0
    elif smoothing == "method3":
        matches = np.where(missing, 0.5**rank, matches)
    elif smoothing == "method4":
        # Shorter hypotheses get less; one token has no logarithm to give, and its empty orders are left out.
        share = 0.5**rank * np.log(lengths)[:, None] / _K
        matches = np.where(missing, np.where(lengths[:, None] > 1, share, possible), matches)
    precision: npt.NDArray[np.float64] = matches / possible
    return precision
