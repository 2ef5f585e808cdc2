"""Log-likelihood under Gaussian Parzen windows, and the choice of their width.

The protocol of Goodfellow et al., *Generative adversarial nets* (2014), section 5: draw 10,000 samples from the
generator, choose the bandwidth of ten between 0.1 and 1 (evenly spaced in the logarithm) on validation data, report
mean and standard error of the log-likelihood of the test data::

    bandwidth = select_bandwidth(samples, validation, np.logspace(-1, 0, 10))
    values = parzen_log_likelihood(samples, test, bandwidth)
    mean, error = values.mean(), values.std() / np.sqrt(len(values))

It says little about how samples look: Theis, van den Oord and Bethge, *A note on the evaluation of generative models*
(2016) show samples of k-means beating the data's own distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._check import number
from gancore.errors import DomainError, ShapeError
from gancore.kernels._dispatch import call

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["parzen_log_likelihood", "select_bandwidth"]


def parzen_log_likelihood(samples: Array, points: Array, bandwidth: float | Sequence[float]) -> Any:
    r"""Log-density of points under the average of Gaussians of one width around samples.

    .. math::
        \log p_h(x) = \log \frac1n \sum_i \mathcal N(x; s_i, h^2 I)

    Parameters
    ----------
    samples : array of shape (n, d), float32 or float64
        Centres of the windows. NumPy arrays, or torch tensors on one device (differentiable).
    points : array of shape (m, d)
        Where the density is asked for.
    bandwidth : float or sequence of float
        Standard deviation h of the windows, in the units of the data, above 0; several share one pass over the
        distances.

    Returns
    -------
    array of shape (m,), or (len(bandwidth), m), float64
        Nats.

    Raises
    ------
    ShapeError
        If an array is not two-dimensional or is empty, or the numbers of columns differ.
    DomainError
        If a number is nan or infinite, or a bandwidth is not positive; the message names argument, row and column.
    DTypeError
        If the arrays are not numeric, or of different kinds.

    Notes
    -----
    O(n m d), in blocks: memory beyond the input is a float64 copy of the samples and one block of distances a thread.
    The error in nats is about 1e-10, or 1e-12 of the exponent |x - s|^2 / (2 h^2) where that is more.
    Breuleux, Bengio and Vincent, *Quickly generating representative samples from an RBM-derived process* (2011), eq. 2.

    Examples
    --------
    >>> parzen_log_likelihood([[0.0], [2.0]], [[1.0]], 1.0).round(6).tolist()
    [-1.418939]
    >>> parzen_log_likelihood([[0.0], [2.0]], [[1.0], [5.0]], [0.5, 1.0]).shape
    (2, 2)
    """
    several = isinstance(bandwidth, Sequence) or np.ndim(bandwidth) == 1
    widths = _widths(bandwidth if several else [bandwidth])
    values = call("parzen", "parzen_log_likelihood", samples=samples, points=points, settings={"bandwidths": widths})
    return values if several else values[0]


def select_bandwidth(samples: Array, validation: Array, bandwidths: Sequence[float]) -> float:
    """Bandwidth under which validation points have the highest mean log-likelihood.

    Parameters
    ----------
    samples : array of shape (n, d), float32 or float64
        Centres of the windows.
    validation : array of shape (m, d)
        Points that are neither samples nor those whose likelihood will be reported: a sample among them pulls the
        choice towards 0.
    bandwidths : sequence of float
        Candidates, each above 0; of equally good ones the first is chosen.

    Returns
    -------
    float
        One of the candidates.

    Raises
    ------
    ShapeError, DomainError, DTypeError
        As :func:`parzen_log_likelihood`.

    Notes
    -----
    O(n m d), one pass for all candidates. Goodfellow et al., *Generative adversarial nets* (2014), section 5.

    Examples
    --------
    >>> select_bandwidth([[0.0], [2.0]], [[0.5], [1.5]], [0.1, 0.5, 10.0])
    0.5
    """
    widths = _widths(bandwidths)
    values = parzen_log_likelihood(samples, validation, widths)
    return widths[int(values.mean(-1).argmax())]


def _widths(bandwidths: Any) -> list[float]:
    if np.ndim(bandwidths) != 1 or len(bandwidths) == 0:
        raise ShapeError(f"`bandwidth` must be a number or a sequence of numbers; got shape {np.shape(bandwidths)}")
    for at, width in enumerate(bandwidths):
        number(f"`bandwidth` at index {at}", width, above=0.0)
        if float(width) ** 2 < 1e-307:
            raise DomainError(f"`bandwidth` at index {at}: expected a number whose square does not vanish, got {width}")
    return [float(width) for width in bandwidths]
