r"""Curves from a critic's scores to log p/q: Platt's line, isotonic steps, and the beta family.

.. math::
    \text{platt:}\; a s + b, \qquad
    \text{isotonic:}\; \mathrm{logit}\, \hat m(s), \qquad
    \text{beta:}\; a \log \sigma(s) + b \log(1 + e^{s}) + c, \quad a, b \ge 0

Platt's targets are t = (n + 1)/(n + 2) for n real scores and 1/(n + 2) for n fake ones, which keep the line finite when
the scores separate (J. Platt, "Probabilistic outputs for support vector machines", 1999). The isotonic curve m is the
monotone one nearest to the labels in squares (B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate
multiclass probability estimates", 2002), linear between scores. Where it is 0 or 1, for w samples in a row that all are
of one kind, it takes the targets' value for so many, but never one that would make it fall. Beta
calibration is logistic regression on log D and -log(1 - D), from whose fit a feature of negative weight is left out
(M. Kull, T. Silva Filho, P. Flach, "Beta calibration", 2017, section 4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from gancore.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from torch import Tensor

    Curve: TypeAlias = Callable[[Tensor], Tensor]

__all__ = ["fit_beta", "fit_isotonic", "fit_platt"]

_Floats: TypeAlias = "npt.NDArray[np.float64]"
_ITERATIONS = 100


def fit_platt(real: _Floats, fake: _Floats) -> tuple[float, float]:
    """Slope and offset of the logistic fit of real scores against fake ones.

    Raises
    ------
    ConvergenceError
        If Newton's method does not converge; the problem is convex, so this is a matter of round-off.
    """
    (slope,), offset = _logistic(np.concatenate((real, fake))[None], _smoothed(len(real), len(fake)))
    return slope, offset


def fit_beta(real: _Floats, fake: _Floats) -> Curve:
    """The curve of the beta family that fits logits of real and of fake samples best."""
    logits, targets = np.concatenate((real, fake)), _smoothed(len(real), len(fake))
    features = np.stack((-np.logaddexp(0.0, -logits), np.logaddexp(0.0, logits)))
    (a, b), c = _logistic(features, targets)
    if a < 0 or b < 0:
        kept = int(a < 0)
        (weight,), c = _logistic(features[kept : kept + 1], targets)
        a, b = (0.0, max(weight, 0.0)) if kept else (max(weight, 0.0), 0.0)
    return lambda scores: a * torch.nn.functional.logsigmoid(scores) + b * -torch.nn.functional.logsigmoid(-scores) + c


def fit_isotonic(real: _Floats, fake: _Floats) -> Curve:
    """The monotone curve that fits the labels best, by pooling adjacent violators."""
    scores = np.concatenate((real, fake))
    labels = np.concatenate((np.ones(len(real)), np.zeros(len(fake))))
    knots, places = np.unique(scores, return_inverse=True)
    weights = np.bincount(places).astype(np.float64)
    sums = np.bincount(places, weights=labels)
    blocks: list[tuple[float, float, int]] = []
    for total, weight in zip(sums.tolist(), weights.tolist(), strict=True):
        block = (total, weight, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    if blocks[0][0] == 0:
        total, weight, size = blocks[0]
        below = 1 / (weight + 2) if len(blocks) == 1 else min(1 / (weight + 2), blocks[1][0] / blocks[1][1] / 2)
        blocks[0] = (below * weight, weight, size)
    if blocks[-1][0] == blocks[-1][1]:
        total, weight, size = blocks[-1]
        above = (weight + 1) / (weight + 2)
        if len(blocks) > 1:
            above = max(above, (1 + blocks[-2][0] / blocks[-2][1]) / 2)
        blocks[-1] = (above * weight, weight, size)
    heights = np.repeat([total / weight for total, weight, _ in blocks], [size for _, _, size in blocks])

    def curve(scores: Tensor) -> Tensor:
        means = np.interp(scores.detach().double().cpu().numpy(), knots, heights)
        return torch.from_numpy(means).logit().to(scores)

    return curve


def _smoothed(n_real: int, n_fake: int) -> _Floats:
    return np.concatenate((np.full(n_real, (n_real + 1) / (n_real + 2)), np.full(n_fake, 1 / (n_fake + 2))))


def _logistic(features: _Floats, targets: _Floats) -> tuple[list[float], float]:
    """Weights and offset of logistic regression on features (k, n), by Newton's method; 0 for a constant feature."""
    centres, scales = features.mean(axis=1), features.std(axis=1)
    # No weight of a constant is better than another, and none means the prior as it is.
    told = scales > 0
    design = np.concatenate((((features - centres[:, None])[told] / scales[told, None]), np.ones((1, len(targets)))))
    weights = np.zeros(len(design))
    loss = _cross_entropy(design, targets, weights)
    for _ in range(_ITERATIONS):
        probabilities = 1 / (1 + np.exp(-np.clip(weights @ design, -700, 700)))
        gradient = design @ (probabilities - targets)
        if np.abs(gradient).max() < 1e-9 * len(targets):
            found = np.zeros(len(features))
            found[told] = weights[:-1] / scales[told]
            return found.tolist(), float(weights[-1] - found @ centres) if told.any() else 0.0
        hessian = (design * np.maximum(probabilities * (1 - probabilities), 1e-12)) @ design.T
        # Two features may say the same up to round-off; any of their best weights will do.
        step = np.linalg.lstsq(hessian, gradient, rcond=1e-12)[0]
        share = 1.0
        while share > 1e-9 and _cross_entropy(design, targets, weights - share * step) > loss:
            share /= 2
        weights = weights - share * step
        loss = _cross_entropy(design, targets, weights)
    raise ConvergenceError(f"calibrate: Newton's method did not converge in {_ITERATIONS} iterations")


def _cross_entropy(design: _Floats, targets: _Floats, weights: _Floats) -> float:
    logits = weights @ design
    return float(np.sum(np.logaddexp(0.0, logits) - targets * logits))
