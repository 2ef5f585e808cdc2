"""BLEU from clipped matches: brevity penalty, smoothing, geometric mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from gancore.errors import UnknownNameError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SMOOTHINGS", "Smoothing", "orders_counted", "scores"]

Smoothing: TypeAlias = Literal["none", "method1", "method2", "method3", "method4", "method5", "method6", "method7"]
"""What is done about orders without a match; numbers as in Chen and Cherry (2014)."""

SMOOTHINGS: tuple[Smoothing, ...] = get_args(Smoothing)

_EPSILON = 0.1
_K = 5.0
_ALPHA = 5.0
_AVERAGING = ("method5", "method7")


def orders_counted(n: int, smoothing: str) -> int:
    """Up to which order a smoothing of BLEU-n needs matches."""
    if smoothing not in SMOOTHINGS:
        raise UnknownNameError("smoothing", smoothing, SMOOTHINGS)
    return n + (smoothing in _AVERAGING)


def scores(
    matches: npt.NDArray[np.int64],
    closest: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    n: int,
    smoothing: str,
) -> npt.NDArray[np.float64]:
    """Sentence BLEU-n of hypotheses of some lengths, from the matches of each order and the closest reference's length.

    `matches` is (hypotheses, orders), with as many orders as :func:`orders_counted` says.
    """
    orders = np.arange(matches.shape[1])
    held = np.maximum(lengths[:, None] - orders, 0).astype(np.float64)
    precision = _smooth(matches.astype(np.float64), np.maximum(held, 1.0), lengths, smoothing)
    if smoothing in _AVERAGING:
        precision = _averaged(precision, matches[:, n] / np.maximum(held[:, n], 1.0))
    elif smoothing == "method6":
        precision = _interpolated(precision, matches, held)
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
    elif smoothing in ("method4", "method7"):
        # Shorter hypotheses get less; one token has no logarithm to give, and its empty orders are left out.
        share = 0.5**rank * np.log(lengths)[:, None] / _K
        matches = np.where(missing, np.where(lengths[:, None] > 1, share, possible), matches)
    precision: npt.NDArray[np.float64] = matches / possible
    return precision


def _averaged(precision: npt.NDArray[np.float64], following: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Means of three orders: the averaged one before, the order itself, and the one after, which no method has touched.

    `precision` has one order more than is asked for, whose place `following` takes.
    """
    precision = np.column_stack((precision[:, :-1], following))
    before, found = precision[:, 0] + 1.0, []
    for order in range(precision.shape[1] - 1):
        before = (before + precision[:, order] + precision[:, order + 1]) / 3.0
        found.append(before)
    return np.stack(found, axis=1)


def _interpolated(
    precision: npt.NDArray[np.float64], matches: npt.NDArray[np.int64], held: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """From the third order on, with what the ratio of the two orders before would make of it: Gao and He (2013)."""
    precision = precision.copy()
    for order in range(2, precision.shape[1]):
        last, other = precision[:, order - 1], precision[:, order - 2]
        prior = np.divide(last * last, other, out=np.zeros_like(last), where=other > 0)
        precision[:, order] = (matches[:, order] + _ALPHA * prior) / (held[:, order] + _ALPHA)
    return precision
