r"""Inception score: how sure a classifier is of each sample, and how evenly the classes are used.

.. math::
    \mathrm{IS} = \exp\bigl(\mathbb{E}_x\, \mathrm{KL}(p(y \mid x) \,\Vert\, p(y))\bigr)

T. Salimans et al., "Improved Techniques for Training GANs" (2016), section 4. From 1 to the number of classes; larger
is better.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, final

import numpy as np

from gancore import _check
from gancore.errors import DomainError
from gancore.kernels.divergence import kl
from gancore.metrics._groups import quantile
from gancore.metrics._look import as_rows

__all__ = ["InceptionScore", "inception_score"]


class _MeanAndStd(NamedTuple):
    mean: float
    std: float


@final
class InceptionScore(_MeanAndStd):
    """The score of the splits, a tuple (mean, std).

    Attributes
    ----------
    mean, std : float
        Mean over the splits, and their standard deviation (divided by their number).
    interval : (float, float) or None
        95 % interval of the mean at this size of a split, by Student's t over the splits; None for a single one.
    """

    interval: tuple[float, float] | None

    def __new__(cls, mean: float, std: float, interval: tuple[float, float] | None = None) -> InceptionScore:
        """A tuple of two with an attribute beside it, for the score has always been a pair."""
        score = super().__new__(cls, mean, std)
        score.interval = interval
        return score

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.mean, self.std, self.interval


def inception_score(probabilities: Any, splits: int = 10) -> InceptionScore:
    """Inception score of class probabilities.

    Parameters
    ----------
    probabilities : array or tensor of shape (n, c)
        Each row what a classifier makes of one sample: c probabilities that sum to 1.
    splits : int
        Into how many consecutive parts to split, as the original does; each has its own marginal p(y), so the order
        of samples matters: shuffle samples that are sorted.

    Returns
    -------
    InceptionScore
        The mean over the parts and their standard deviation, a tuple (mean, std), with the mean's interval.

    Raises
    ------
    ShapeError, DTypeError, DomainError
        If the rows are not distributions, or fewer than the splits.

    Examples
    --------
    >>> import numpy as np
    >>> inception_score(np.tile(np.eye(4), (50, 1)), splits=5).mean
    4.0
    """
    rows = as_rows(probabilities, "probabilities").astype(np.float64)
    _check.integer("splits", splits, least=1)
    if len(rows) < splits:
        raise DomainError(f"splits: expected at most one for each of {len(rows)} samples, got {splits}")
    sums = rows.sum(axis=1)
    wrong = np.flatnonzero((rows < 0).any(axis=1) | (np.abs(sums - 1) > 1e-4))
    if len(wrong):
        raise DomainError(
            f"probabilities: expected rows of non-negative numbers that sum to 1, row {wrong[0]} sums to "
            f"{sums[wrong[0]]:g} with a smallest entry of {rows[wrong[0]].min():g}"
        )
    # Probabilities in float32 sum to 1 only to their own precision.
    rows /= sums[:, None]
    scores = []
    for part in np.array_split(rows, splits):
        marginal = np.broadcast_to(part.mean(axis=0), part.shape)
        scores.append(float(np.exp(np.mean(kl(part, marginal, normalize=True)))))
    mean, std = float(np.mean(scores)), float(np.std(scores))
    if splits == 1:
        return InceptionScore(mean, std)
    half = quantile(splits - 1) * std / math.sqrt(splits - 1)
    return InceptionScore(mean, std, (mean - half, mean + half))
