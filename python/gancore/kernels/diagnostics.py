"""Whether chains have converged, and what their draws are worth: R-hat, nested R-hat, effective sample size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._check import integer
from gancore.errors import ShapeError
from gancore.kernels._dispatch import call, refuse_gradients

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["effective_sample_size", "nested_r_hat", "r_hat"]


def r_hat(draws: Array) -> Any:
    r"""Split R-hat: what chains, each cut in two, disagree on, over what each half has seen.

    .. math::
        \hat R = \sqrt{\frac{\frac{n-1}{n} W + \frac{B}{n}}{W}}

    W is the mean of the halves' variances and B/n the variance of their means. Near 1 where all halves draw from
    one distribution; above 1.01 they do not yet. Chains too short to have crossed the distribution give a large value
    also when all of them together are a fair sample: see :func:`nested_r_hat`.

    Parameters
    ----------
    draws : array of shape (chains, steps, ...), float32 or float64
        At least 4 steps, of which the middle one of an odd number is left out. NumPy array or torch tensor.

    Returns
    -------
    array of shape (...), float64
        A float for one quantity. nan for a quantity that never changes; infinite where chains are stuck apart.

    Raises
    ------
    ShapeError
        If there are fewer than two axes, no chain, or fewer than 4 steps.
    DomainError
        If a draw is not finite; its chain, step and quantity are named.
    DTypeError
        If the draws are no numbers, or half precision.
    BackendError
        If the gradient of a tensor is recorded: diagnostics have none.

    Notes
    -----
    O(chains steps). Vehtari, Gelman, Simpson, Carpenter and Bürkner, *Rank-normalization, folding, and localization:
    an improved R-hat* (2021), equations 1 to 4, without the ranks: quantities must have a variance.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=(4, 1000))
    >>> round(r_hat(draws), 2), round(r_hat(draws + [[0.0], [0.0], [0.0], [3.0]]), 1)
    (1.0, 1.7)
    """
    refuse_gradients("r_hat", draws=draws)
    _two_axes(draws)
    return call("diagnostics", "r_hat", draws=draws, settings={})


def nested_r_hat(draws: Array, *, superchains: int) -> Any:
    r"""R-hat of many short chains, in groups (superchains) whose members all started at one point.

    .. math::
        \hat R_\nu = \sqrt{1 + \frac{B}{W}}

    B is the variance of the superchains' means; W is the mean over superchains of the variance of its chains' means
    plus the mean of its chains' variances. Chains may be as short as one draw: many of them make up for it. Its limit
    for chains of one draw is sqrt(1 + 1/members), so a threshold must lie above that.

    Parameters
    ----------
    draws : array of shape (chains, steps, ...), float32 or float64
        Draws after warm-up; consecutive chains form a superchain.
    superchains : int
        How many groups: at least 2, and a divisor of the number of chains.

    Returns
    -------
    array of shape (...), float64
        A float for one quantity. nan for a quantity that never changes.

    Raises
    ------
    ShapeError, DTypeError, BackendError
        As :func:`r_hat`; or if superchains hold a single draw.
    DomainError
        If a draw is not finite, or the chains cannot be grouped so.

    Notes
    -----
    O(chains steps). Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari and Gelman, *Nested R-hat: assessing the
    convergence of Markov chain Monte Carlo when running many short chains* (2024), section 2.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=(1024, 2))
    >>> round(nested_r_hat(draws, superchains=4), 2)
    1.0
    """
    refuse_gradients("nested_r_hat", draws=draws)
    integer("superchains", superchains, least=2)
    _two_axes(draws)
    return call("diagnostics", "nested_r_hat", draws=draws, settings={"superchains": int(superchains)})


def effective_sample_size(draws: Array) -> Any:
    r"""How many independent draws would estimate the mean as well as these.

    .. math::
        \mathrm{ESS} = \frac{m n}{-1 + 2 \sum_t \hat\rho_t}, \qquad
        \hat\rho_t = 1 - \frac{W - \frac1m \sum_c s_c^2 \hat\rho_{t,c}}{\widehat{\mathrm{var}}^+}

    Chains are cut in two; the sum ends by Geyer's initial monotone positive sequence. At most m n log10(m n).

    Parameters
    ----------
    draws : array of shape (chains, steps, ...), float32 or float64
        At least 4 steps. NumPy array or torch tensor.

    Returns
    -------
    array of shape (...), float64
        A float for one quantity. nan where no chain moves.

    Raises
    ------
    ShapeError, DomainError, DTypeError, BackendError
        As :func:`r_hat`.

    Notes
    -----
    O(chains steps lags) for chains that mix within 48 steps, else O(chains steps log steps) by Fourier transform;
    memory 64 bytes a draw of a quantity's chains and 192 bytes a step, a thread. Vehtari et al. (2021), equations 10 to
    13; Geyer, *Practical Markov chain Monte Carlo* (1992), section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=(4, 1000))
    >>> round(effective_sample_size(draws) / 4000, 1), round(effective_sample_size(draws.repeat(10, axis=1)) / 4000, 1)
    (1.0, 1.0)
    """
    refuse_gradients("effective_sample_size", draws=draws)
    _two_axes(draws)
    return call("diagnostics", "effective_sample_size", draws=draws, settings={})


def _two_axes(draws: Any) -> None:
    shape = np.shape(draws)
    if len(shape) < 2:
        raise ShapeError(f"`draws` must have shape (chains, steps, ...); got {shape}")
