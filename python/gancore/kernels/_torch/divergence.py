"""Divergences in torch: the formulas of the compiled kernel, on any device, with gradients.

At a bin where a logarithm or root has no finite slope (p = 0 in p log p), the gradient is that with the empty bin held
empty: finite, and right for a softmax, whose own slope is zero there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gancore.errors import DomainError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["divergence", "mutual_information"]

_SUM_TOLERANCE = 1e-6
_LOG2 = math.log(2.0)


def divergence(p: Tensor, q: Tensor, *, measure: str, alpha: float, normalize: bool) -> Tensor:
    """Answer as the compiled kernel does."""
    p, q, d = _masses(p, q, normalize=normalize)
    if measure == "alpha":
        if not math.isfinite(alpha):
            raise DomainError(f"`alpha` must be finite; got {alpha}")
        return _alpha(p, q, d, alpha)
    if measure == "renyi":
        return _renyi(p, q, d, alpha)
    return _MEASURES[measure](p, q, d)


def mutual_information(joint: Tensor, *, normalize: bool) -> Tensor:
    """KL divergence of joint distributions on the last two axes from the product of their marginals."""
    if joint.ndim < 2 or 0 in joint.shape[-2:]:
        raise ShapeError(f"`joint` must have shape (..., a, b); got {tuple(joint.shape)}")
    flat = joint.double().flatten(-2)
    _total("joint", flat, normalize=normalize)
    joint = joint.double()
    product = joint.sum(-1, keepdim=True) * joint.sum(-2, keepdim=True) / joint.sum((-2, -1), keepdim=True)
    return _kl(*_masses(flat, product.flatten(-2), normalize=True))


def _jensen_shannon(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    mean = 0.5 * (p + q)
    return 0.5 * (_kl_terms(p, mean, 0.5 * d) + _kl_terms(q, mean, -0.5 * d)).sum(-1).clamp(max=2 * _LOG2)


def _squared_hellinger(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    empty = d == 0
    root = d / torch.where(empty, torch.ones_like(p), _root(p) + _root(q))
    return root.square().sum(-1)


def _hellinger(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    return _root(0.5 * _squared_hellinger(p, q, d)).clamp(max=1)


def _chi_square(q: Tensor, d: Tensor) -> Tensor:
    empty = (q == 0) & (d == 0)
    return (d * (d / torch.where(empty, torch.ones_like(q), q))).sum(-1)


def _cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    empty = p == 0
    return -(p * torch.where(empty, torch.ones_like(q), q).log()).sum(-1)


def _kl(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    return _kl_terms(p, q, d).sum(-1)


_MEASURES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "kl": _kl,
    "reverse_kl": lambda p, q, d: _kl(q, p, -d),
    "jensen_shannon": _jensen_shannon,
    "gan": lambda p, q, d: 2 * _jensen_shannon(p, q, d) - 2 * _LOG2,
    "total_variation": lambda _p, _q, d: 0.5 * d.abs().sum(-1),
    "squared_hellinger": _squared_hellinger,
    "hellinger": _hellinger,
    "pearson": lambda _p, q, d: _chi_square(q, d),
    "neyman": lambda p, _q, d: _chi_square(p, d),
    "entropy": lambda p, _q, _d: _cross_entropy(p, p),
    "cross_entropy": lambda p, q, _d: _cross_entropy(p, q),
}


def _alpha(p: Tensor, q: Tensor, d: Tensor, alpha: float) -> Tensor:
    if alpha < 0.5:
        p, q, d, alpha = q, p, -d, 1.0 - alpha
    excess = alpha - 1.0
    kl = _kl_terms(p, q, d)
    empty = (p == 0) | (q == 0)
    x = excess * _log_ratio(p, q, d)
    close = x.abs() < 1.0
    # Both branches get arguments at which they and their gradients are finite.
    near = torch.where(close, x, torch.zeros_like(x))
    series = torch.ones_like(x)
    for n in range(18, 2, -1):
        series = 1.0 + series * near / n
    log = _log_ratio(p, q, d)
    small = p * (0.5 * excess * log.square()) * series
    far = torch.where(close, torch.ones_like(x), x)
    root = (0.5 * far).exp()
    large = (p * root * root - p - p * far) / (excess or 1.0)
    terms = (torch.where(close, small, large) + torch.where(empty, torch.zeros_like(kl), kl)) / alpha
    alone = p / -excess if excess < 0 else torch.where(p > 0, torch.full_like(p, math.inf), torch.zeros_like(p))
    terms = torch.where(q == 0, alone, torch.where(p == 0, q / alpha, terms))
    return torch.where(d == 0, torch.zeros_like(terms), terms).sum(-1)


def _renyi(p: Tensor, q: Tensor, d: Tensor, alpha: float) -> Tensor:
    if math.isnan(alpha) or alpha < 0:
        raise DomainError(f"`alpha` must be at least 0; got {alpha}")
    if alpha == 1.0:
        return _kl(p, q, d)
    if alpha == 0.0:
        outside = torch.where(p == 0, q, torch.zeros_like(q)).sum(-1)
        within = torch.where(p > 0, q, torch.zeros_like(q)).sum(-1)
        small = outside < 0.5
        return torch.where(small, -torch.log1p(-torch.where(small, outside, torch.zeros_like(outside))), -within.log())
    log = torch.where(p == 0, torch.full_like(p, -math.inf), _log_ratio(p, q, d))
    log = torch.where((q == 0) & (p > 0), torch.full_like(p, math.inf), log)
    if math.isinf(alpha):
        return log.amax(-1)
    excess = alpha - 1.0
    moved = alpha * excess * _alpha(p, q, d, alpha)
    close = moved.abs() < 0.5
    near = torch.where(close, moved, torch.zeros_like(moved)).log1p() / excess
    # A bin without mass, in either row where alpha < 1, adds nothing to the sum.
    held = (p > 0) & (q > 0)
    weight = torch.where(held, p, torch.ones_like(p)).log() + excess * torch.where(held, log, torch.zeros_like(log))
    weight = torch.where(held, weight, torch.full_like(weight, -math.inf))
    far = torch.logsumexp(weight, -1) / excess
    if excess > 0:
        far = torch.where(((q == 0) & (p > 0)).any(-1), torch.full_like(far, math.inf), far)
    return torch.where(close, near, far).clamp(min=0)


def _kl_terms(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    """Terms p log(p/q) - p + q, with every digit where p and q almost agree."""
    s = d / torch.where(p + q == 0, torch.ones_like(p), p + q)
    close = s.abs() < 0.17
    near = d * (s + (1 + s) * _tail(torch.where(close, s, torch.zeros_like(s))))
    both = (p > 0) & (q > 0) & ~close
    ratio = torch.where(both, p, torch.ones_like(p)) / torch.where(both, q, torch.ones_like(q))
    terms = torch.where(close, near, p * ratio.log() - d)
    terms = torch.where((q == 0) & (p > 0), torch.full_like(p, math.inf), terms)
    return torch.where(p == 0, q, terms)


def _log_ratio(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    """log(p/q) where both have mass, 0 elsewhere."""
    held = (p > 0) & (q > 0)
    s = d / torch.where(held, p + q, torch.ones_like(p))
    close = s.abs() < 0.17
    near = torch.where(close & held, s, torch.zeros_like(s))
    far = held & ~close
    ratio = torch.where(far, p, torch.ones_like(p)) / torch.where(far, q, torch.ones_like(q))
    return torch.where(close, 2 * near * (1 + _tail(near)), ratio.log())


def _tail(s: Tensor) -> Tensor:
    """atanh(s)/s - 1 for |s| < 0.17."""
    z = s.square()
    total = torch.full_like(z, 1 / 23)
    for n in range(21, 1, -2):
        total = total * z + 1 / n
    return total * z


def _root(x: Tensor) -> Tensor:
    empty = x == 0
    return torch.where(empty, torch.zeros_like(x), torch.where(empty, torch.ones_like(x), x).sqrt())


def _masses(p: Tensor, q: Tensor, *, normalize: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Normalised masses, and their difference by the formula that keeps its digits where sums are alike."""
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ShapeError(f"`p` must have at least one mass on the last axis; got shape {tuple(p.shape)}")
    if p.shape != q.shape:
        raise ShapeError(f"`q` must have shape {tuple(p.shape)}, as `p` has; got {tuple(q.shape)}")
    p, q = p.double(), q.double()
    total_p, total_q = _total("p", p, normalize=normalize), _total("q", q, normalize=normalize)
    excess = (q - p).sum(-1, keepdim=True)
    exact = ((p - q) + q * (excess / total_q)) / total_p
    p, q = p / total_p, q / total_q
    alike = excess.abs() <= 0.5 * torch.minimum(total_p, total_q)
    return p, q, torch.where(alike, exact, p - q)


def _total(name: str, masses: Tensor, *, normalize: bool) -> Tensor:
    wrong = ~((masses >= 0) & masses.isfinite())
    if wrong.any():
        *row, column = wrong.nonzero()[0].tolist()
        value = masses[wrong][0].item()
        raise DomainError(
            f"`{name}` must have finite masses >= 0 on the last axis; got {value} at row {row}, index {column}"
        )
    total = masses.sum(-1, keepdim=True)
    if (total == 0).any():
        raise DomainError(f"`{name}` must have positive total mass; got 0 in a row")
    if not total.isfinite().all():
        raise DomainError(f"`{name}` must have a total mass that float64 can hold; got inf in a row")
    if not normalize and ((total - 1).abs() > _SUM_TOLERANCE).any():
        worst = total.flatten()[(total - 1).abs().argmax()].item()
        raise DomainError(f"`{name}` must sum to 1 on the last axis (or pass normalize=True); got sum {worst} in a row")
    return total
