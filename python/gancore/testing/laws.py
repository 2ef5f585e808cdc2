"""The laws of divergences, each as two numbers that must be in an order or equal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from gancore.kernels.divergence import total_variation
from gancore.testing.strategies import distributions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Divergence = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
    Example = dict[str, Any]

__all__ = ["LAWS", "Comparison", "Law"]


@dataclass(frozen=True)
class Comparison:
    """One thing a law asks for: left <= right, left == right, or left > right."""

    left: float
    relation: str
    right: float

    def holds(self, tolerance: float) -> bool:
        """Whether it does, up to rounding; nan holds nowhere."""
        if math.isnan(self.left) or math.isnan(self.right):
            return False
        if self.left == self.right:
            return self.relation != ">"
        if self.relation == ">":
            return self.left > self.right
        slack = tolerance * max(1.0, min(abs(self.left), abs(self.right)))
        if self.relation == "==":
            return abs(self.left - self.right) <= slack
        return self.left <= self.right + slack


@dataclass(frozen=True)
class Law:
    """A law in words, what example it speaks about, and what it asks there."""

    name: str
    words: str
    example: Callable[[st.DrawFn, int], Example]
    ask: Callable[[Divergence, Example], Iterator[Comparison]]


def _rows(*names: str) -> Callable[[st.DrawFn, int], Example]:
    return lambda draw, k: {name: draw(distributions(k)) for name in names}


def _convex(draw: st.DrawFn, k: int) -> Example:
    return {**_rows("p", "q", "r", "s")(draw, k), "weight": draw(st.integers(1, 7)) / 8}


def _channel(draw: st.DrawFn, k: int) -> Example:
    # Channels that merge outcomes break what noisy ones only blur.
    merged = st.integers(0, 2).map(lambda outcome: np.eye(3)[outcome])
    return {**_rows("p", "q")(draw, k), "channel": np.array([draw(merged | distributions(3)) for _ in range(k)])}


def _order(draw: st.DrawFn, k: int) -> Example:
    return {**_rows("p", "q")(draw, k), "order": np.array(draw(st.permutations(range(k))))}


def _non_negativity(fn: Divergence, e: Example) -> Iterator[Comparison]:
    yield Comparison(0.0, "<=", fn(e["p"], e["q"]))


def _identity(fn: Divergence, e: Example) -> Iterator[Comparison]:
    yield Comparison(fn(e["p"], e["p"]), "==", 0.0)
    if not np.array_equal(e["p"], e["q"]):
        yield Comparison(fn(e["p"], e["q"]), ">", 0.0)


def _symmetry(fn: Divergence, e: Example) -> Iterator[Comparison]:
    yield Comparison(fn(e["p"], e["q"]), "==", fn(e["q"], e["p"]))


def _joint_convexity(fn: Divergence, e: Example) -> Iterator[Comparison]:
    w = e["weight"]
    mixed = fn(w * e["p"] + (1 - w) * e["r"], w * e["q"] + (1 - w) * e["s"])
    yield Comparison(mixed, "<=", w * fn(e["p"], e["q"]) + (1 - w) * fn(e["r"], e["s"]))


def _data_processing(fn: Divergence, e: Example) -> Iterator[Comparison]:
    yield Comparison(fn(e["p"] @ e["channel"], e["q"] @ e["channel"]), "<=", fn(e["p"], e["q"]))


def _pinsker(fn: Divergence, e: Example) -> Iterator[Comparison]:
    yield Comparison(2 * total_variation(e["p"], e["q"]) ** 2, "<=", fn(e["p"], e["q"]))


def _sandwich(fn: Divergence, e: Example) -> Iterator[Comparison]:
    distance, value = total_variation(e["p"], e["q"]), fn(e["p"], e["q"])
    yield Comparison(distance**2 / 2, "<=", value)
    yield Comparison(value, "<=", distance * math.log(2))


def _triangle(fn: Divergence, e: Example) -> Iterator[Comparison]:
    def root(a: str, b: str) -> float:
        value = fn(e[a], e[b])
        return math.sqrt(max(value, 0.0)) if not math.isnan(value) else value

    yield Comparison(root("p", "r"), "<=", root("p", "q") + root("q", "r"))


def _permutation(fn: Divergence, e: Example) -> Iterator[Comparison]:
    yield Comparison(fn(e["p"][e["order"]], e["q"][e["order"]]), "==", fn(e["p"], e["q"]))


_ALL = (
    Law("non_negativity", "0 <= D(p, q)", _rows("p", "q"), _non_negativity),
    Law("identity_of_indiscernibles", "D(p, p) = 0, and D(p, q) > 0 where p != q", _rows("p", "q"), _identity),
    Law("symmetry", "D(p, q) = D(q, p)", _rows("p", "q"), _symmetry),
    Law(
        "joint_convexity", "D(w p + w' r, w q + w' s) <= w D(p, q) + w' D(r, s), w' = 1 - w", _convex, _joint_convexity
    ),
    Law("data_processing", "D(p K, q K) <= D(p, q) for every channel K", _channel, _data_processing),
    Law(
        "pinsker", "2 TV(p, q)^2 <= D(p, q), as for the Kullback-Leibler divergence in nats", _rows("p", "q"), _pinsker
    ),
    Law(
        "sandwich",
        "TV(p, q)^2 / 2 <= D(p, q) <= TV(p, q) log 2, as for the Jensen-Shannon divergence in nats",
        _rows("p", "q"),
        _sandwich,
    ),
    Law("triangle_of_root", "sqrt D(p, r) <= sqrt D(p, q) + sqrt D(q, r)", _rows("p", "q", "r"), _triangle),
    Law("permutation", "D is the same when outcomes are renamed", _order, _permutation),
)

LAWS: Mapping[str, Law] = MappingProxyType({law.name: law for law in _ALL})
"""The laws by name."""
