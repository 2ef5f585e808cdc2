r"""Platt's calibration of a critic: the slope and offset that turn its scores into log p/q.

.. math::
    \min_{a, b}\; -\sum_i t_i \log \sigma(a s_i + b) + (1 - t_i) \log(1 - \sigma(a s_i + b))

with Platt's smoothed targets t = (n + 1)/(n + 2) for n real scores and 1/(n + 2) for n fake ones, which keep
a and b finite when the scores separate (J. Platt, "Probabilistic outputs for support vector machines", 1999).
The slope is the inverse temperature at which the critic was right: below 1 it is overconfident, above 1 too
flat.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from gancore.datasets import as_data
from gancore.errors import ConvergenceError, DomainError, NumericalError
from gancore.samplers._noise import FRESH_CHAINS, initial_normals

if TYPE_CHECKING:
    import numpy.typing as npt

    from gancore.samplers._energy import LatentEnergy

__all__ = ["Calibration", "calibrate", "fit_platt", "set_scale"]

_Floats: TypeAlias = "npt.NDArray[np.float64]"
_FEWEST = 32
_MOST = 10_000
_TOLERANCE = 0.02
_ITERATIONS = 100


@dataclass(frozen=True)
class Calibration:
    """What was fitted on one half of reals and fakes, and what it is worth on the other; losses in nats."""

    slope: float
    offset: float
    log_loss_before: float
    log_loss_after: float
    n_real: float
    n_fake: float

    def to_dict(self) -> dict[str, float]:
        """The fields by name."""
        return asdict(self)


def calibrate(energy: LatentEnergy, real: Any, *, seed: int, batch_size: int) -> Calibration:
    """Calibrate a critic on real samples that it was not trained on, against as many fresh fakes.

    Raises
    ------
    DomainError
        If there are fewer than 32 real samples, or the critic knows nothing: its log-loss on the held-out
        half is above log 2 even after calibration.
    NumericalError
        If a score is not finite.
    """
    data = as_data(real)
    n = min(len(data), _MOST) // 2 * 2
    if n < _FEWEST:
        raise DomainError(f"calibrate: expected at least {_FEWEST} real samples, got {len(data)}")
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:n]
    reals, fakes = [], []
    with torch.no_grad():
        for start in range(0, n, batch_size):
            chunk = rows[start : start + batch_size]
            reals.append(energy.logits(data.batch(chunk).to(energy.device)))
            u = initial_normals(
                len(chunk), energy.latent_dim, seed=seed, first_chain=FRESH_CHAINS + start, device=energy.device
            )
            fakes.append(energy.logits(energy.decode(u)[1]))
    real_scores, fake_scores = (torch.cat(parts).double().cpu().numpy() for parts in (reals, fakes))
    if not (np.isfinite(real_scores).all() and np.isfinite(fake_scores).all()):
        raise NumericalError("critic: gave nan or infinite scores to samples it was to be calibrated on")
    fit, test = slice(0, n // 2), slice(n // 2, n)
    slope, offset = fit_platt(real_scores[fit], fake_scores[fit])
    before = _log_loss(real_scores[test], fake_scores[test])
    after = _log_loss(slope * real_scores[test] + offset, slope * fake_scores[test] + offset)
    if after > math.log(2.0) + _TOLERANCE:
        raise DomainError(
            f"calibrate: the critic cannot tell held-out real samples from fakes (log-loss {after:.3f}, a coin has "
            f"{math.log(2.0):.3f}), so its gradient would lead nowhere; train it further, or sample plainly"
        )
    return Calibration(slope, offset, before, after, n, n)


def set_scale(energy: LatentEnergy, real: Any, *, seed: int, batch_size: int) -> dict[str, float]:
    """Calibrate an energy in place, unless `real` is None; the calibration's fields."""
    if real is None:
        return {}
    fitted = calibrate(energy, real, seed=seed, batch_size=batch_size)
    energy.slope, energy.offset = fitted.slope, fitted.offset
    return fitted.to_dict()


def fit_platt(real: _Floats, fake: _Floats) -> tuple[float, float]:
    """Slope and offset of the logistic fit of real scores against fake ones, by Newton's method.

    Raises
    ------
    ConvergenceError
        If the gradient does not vanish; the problem is convex, so this is a matter of round-off.
    """
    scores = np.concatenate((real, fake))
    centre, scale = scores.mean(), scores.std()
    if scale == 0.0:
        # A constant critic: no slope is better than another, and none means the prior as it is.
        return 0.0, 0.0
    design = np.stack(((scores - centre) / scale, np.ones_like(scores)))
    targets = np.concatenate(
        (np.full(len(real), (len(real) + 1) / (len(real) + 2)), np.full(len(fake), 1 / (len(fake) + 2)))
    )
    weights = np.zeros(2)
    loss = _cross_entropy(design, targets, weights)
    for _ in range(_ITERATIONS):
        probabilities = 1 / (1 + np.exp(-np.clip(weights @ design, -700, 700)))
        gradient = design @ (probabilities - targets)
        if np.abs(gradient).max() < 1e-9 * len(scores):
            slope = float(weights[0] / scale)
            return slope, float(weights[1] - slope * centre)
        hessian = (design * np.maximum(probabilities * (1 - probabilities), 1e-12)) @ design.T
        step = np.linalg.solve(hessian, gradient)
        share = 1.0
        while share > 1e-9 and _cross_entropy(design, targets, weights - share * step) > loss:
            share /= 2
        weights = weights - share * step
        loss = _cross_entropy(design, targets, weights)
    raise ConvergenceError(f"calibrate: Newton's method did not converge in {_ITERATIONS} iterations")


def _cross_entropy(design: _Floats, targets: _Floats, weights: _Floats) -> float:
    logits = weights @ design
    return float(np.sum(np.logaddexp(0.0, logits) - targets * logits))


def _log_loss(real: _Floats, fake: _Floats) -> float:
    """Mean over both kinds of -log of the probability given to the truth; nats."""
    return float(0.5 * (np.logaddexp(0.0, -real).mean() + np.logaddexp(0.0, fake).mean()))
