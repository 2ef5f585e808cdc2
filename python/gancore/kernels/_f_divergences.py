"""The table of f-divergences: one piece of data for the kernel, for games that are played with them, and for the docs.

With a convex f, its conjugate f*(t) = sup_u (ut - f(u)) and a critic T = activation(v) of any real output v,

    D_f(p, q) = sum_x q f(p/q) >= E_p T - E_q f*(T),   with equality at T = f'(p/q)

(Nguyen, Wainwright and Jordan 2010; Nowozin, Cseke and Tomioka, *f-GAN* (2016), eq. 4 and tables 1, 2, 5 and 6). The
generators are scaled so that D_f is the divergence that table 1 writes: Jensen-Shannon carries its factor 1/2, in f,
f* and activation alike. f(1) = 0, so D_f(p, p) = 0, for all but `gan`, whose f(1) = -log 4.

Callables take NumPy arrays, floats or torch tensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore.kernels._dispatch import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["TABLE", "FDivergence"]

_LOG2 = math.log(2.0)


@dataclass(frozen=True)
class FDivergence:
    """One row of the table.

    Attributes
    ----------
    name : str
        Its name in :data:`gancore.kernels.divergence.F_DIVERGENCES`.
    generator : callable
        f(u) for u > 0.
    conjugate : callable
        f*(t) on the domain.
    activation : callable
        Maps a critic's output, any real number, into the domain; increasing.
    penalty : callable
        f*(activation(v)), in a form that neither overflows nor cancels for large outputs.
    critic : callable
        T*(r) = f'(r): the optimal critic where p/q = r > 0.
    domain : tuple of float
        Ends of the open interval on which f* is finite and increasing (for `pearson`, finite).
    equation : str
        The divergence as table 1 writes it.
    at_one : float
        f(1).
    limit : float
        Outputs are best bent towards this bound: exponentials of it and of its double are finite in float32, and no
        ratio p/q is larger. Infinite where there are no exponentials, for there outputs grow as the ratio does.
    """

    name: str
    generator: Callable[[Any], Any]
    conjugate: Callable[[Any], Any]
    activation: Callable[[Any], Any]
    penalty: Callable[[Any], Any]
    critic: Callable[[Any], Any]
    domain: tuple[float, float]
    equation: str
    at_one: float = 0.0
    limit: float = 40.0


def _apply(name: str, x: Any) -> Any:
    if is_tensor(x):
        import torch

        return getattr(torch, name)(x)
    return getattr(np, name)(x)


def _log(x: Any) -> Any:
    return _apply("log", x)


def _exp(x: Any) -> Any:
    return _apply("exp", x)


def _softplus(x: Any) -> Any:
    if is_tensor(x):
        import torch

        return torch.logaddexp(x, torch.zeros_like(x))
    return np.logaddexp(x, 0.0)


def _gan(u: Any) -> Any:
    return u * _log(u) - (u + 1) * _log(u + 1)


_ROWS = (
    FDivergence(
        "kl",
        generator=lambda u: u * _log(u),
        conjugate=lambda t: _exp(t - 1),
        activation=lambda v: v,
        penalty=lambda v: _exp(v - 1),
        critic=lambda r: 1 + _log(r),
        domain=(-math.inf, math.inf),
        equation="sum p log(p/q)",
    ),
    FDivergence(
        "reverse_kl",
        generator=lambda u: -_log(u),
        conjugate=lambda t: -1 - _log(-t),
        activation=lambda v: -_exp(-v),
        penalty=lambda v: v - 1,
        critic=lambda r: -1 / r,
        domain=(-math.inf, 0.0),
        equation="sum q log(q/p)",
    ),
    FDivergence(
        "pearson",
        generator=lambda u: (u - 1) ** 2,
        conjugate=lambda t: t * t / 4 + t,
        activation=lambda v: v,
        penalty=lambda v: v * v / 4 + v,
        critic=lambda r: 2 * (r - 1),
        domain=(-math.inf, math.inf),
        equation="sum (p - q)^2 / q",
        limit=math.inf,
    ),
    FDivergence(
        "neyman",
        generator=lambda u: (1 - u) ** 2 / u,
        conjugate=lambda t: 2 - 2 * _apply("sqrt", 1 - t),
        activation=lambda v: 1 - _exp(-v),
        penalty=lambda v: 2 - 2 * _exp(-v / 2),
        critic=lambda r: 1 - 1 / (r * r),
        domain=(-math.inf, 1.0),
        equation="sum (p - q)^2 / p",
    ),
    FDivergence(
        "squared_hellinger",
        generator=lambda u: (_apply("sqrt", u) - 1) ** 2,
        conjugate=lambda t: t / (1 - t),
        activation=lambda v: 1 - _exp(-v),
        penalty=lambda v: _apply("expm1", v),
        critic=lambda r: 1 - 1 / _apply("sqrt", r),
        domain=(-math.inf, 1.0),
        equation="sum (sqrt p - sqrt q)^2",
    ),
    FDivergence(
        "jensen_shannon",
        generator=lambda u: 0.5 * (_gan(u) + (u + 1) * _LOG2),
        conjugate=lambda t: -0.5 * _log(2 - _exp(2 * t)),
        activation=lambda v: 0.5 * (_LOG2 - _softplus(-v)),
        penalty=lambda v: 0.5 * (_softplus(v) - _LOG2),
        critic=lambda r: 0.5 * _log(2 * r / (r + 1)),
        domain=(-math.inf, 0.5 * _LOG2),
        equation="sum (p log(2p/(p+q)) + q log(2q/(p+q))) / 2",
    ),
    FDivergence(
        "gan",
        generator=_gan,
        conjugate=lambda t: -_log(-_apply("expm1", t)),
        activation=lambda v: -_softplus(-v),
        penalty=_softplus,
        critic=lambda r: _log(r / (r + 1)),
        domain=(-math.inf, 0.0),
        equation="sum (p log(2p/(p+q)) + q log(2q/(p+q))) - log 4",
        at_one=-2.0 * _LOG2,
    ),
    FDivergence(
        "total_variation",
        generator=lambda u: 0.5 * abs(u - 1),
        conjugate=lambda t: t,
        activation=lambda v: 0.5 * _apply("tanh", v),
        penalty=lambda v: 0.5 * _apply("tanh", v),
        critic=lambda r: 0.5 * _apply("sign", r - 1),
        domain=(-0.5, 0.5),
        equation="sum |p - q| / 2",
    ),
)

TABLE: Mapping[str, FDivergence] = MappingProxyType({row.name: row for row in _ROWS})
"""The rows by name."""
