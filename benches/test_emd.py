"""Exact transport between random points, squared distances, against POT and the assignment solvers.

Medians in seconds of process time on one thread of an AMD EPYC with AVX2, shared with other work; gancore 0.1.0 and its
rivals ran in turn on the same problems (9, 7, 3 times, and the rivals once at n = 5000). "POT" is ``ot.emd2`` with its
limit of iterations raised (with its own of 10^5 it stops before the optimum at n = 5000); the assignments are
``scipy.optimize.linear_sum_assignment`` and ``lap.lapjv``.

| n | d | masses | gancore | POT 0.9.7 | POT / gancore | scipy 1.17.1 | lapx 0.11.1 |
|---|---|---|---|---|---|---|---|
| 500 | 2 | uniform | 0.0067 | 0.0284 | 4.2 | 0.0205 | 0.0664 |
| 500 | 2 | random | 0.0075 | 0.0299 | 4.0 |  |  |
| 500 | 64 | uniform | 0.0056 | 0.0404 | 7.2 | 0.0227 | 0.0155 |
| 500 | 64 | random | 0.0089 | 0.0383 | 4.3 |  |  |
| 1000 | 2 | uniform | 0.0237 | 0.115 | 4.9 | 0.121 | 0.544 |
| 1000 | 2 | random | 0.0309 | 0.125 | 4.0 |  |  |
| 1000 | 64 | uniform | 0.0275 | 0.213 | 7.7 | 0.131 | 0.117 |
| 1000 | 64 | random | 0.0395 | 0.199 | 5.0 |  |  |
| 2000 | 2 | uniform | 0.140 | 0.559 | 4.0 | 0.727 | 4.40 |
| 2000 | 2 | random | 0.160 | 0.544 | 3.4 |  |  |
| 2000 | 64 | uniform | 0.123 | 1.16 | 9.4 | 0.856 | 0.383 |
| 2000 | 64 | random | 0.240 | 1.06 | 4.4 |  |  |
| 5000 | 2 | uniform | 1.01 | 4.55 | 4.5 | 8.24 | 71.54 |
| 5000 | 2 | random | 1.24 | 4.42 | 3.6 |  |  |
| 5000 | 64 | uniform | 1.34 | 13.15 | 9.8 | 7.60 | 7.71 |
| 5000 | 64 | random | 2.20 | 8.63 | 3.9 |  |  |

The geometric mean of POT / gancore is 5.0.

With ``GANCORE_NUM_THREADS=2`` all sides get two threads, of which none of them makes use for one problem; gancore
solves a batch side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.optimize import linear_sum_assignment

from gancore.kernels.emd import emd_cost

ot = pytest.importorskip("ot")
lap = pytest.importorskip("lap")

Solver = Callable[[Any, Any, Any], float]


def pot(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> float:
    return float(ot.emd2(a, b, cost, numItermax=10**9))


def scipy_assignment(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> float:
    return float(cost[linear_sum_assignment(cost)].mean())


def lapx_assignment(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> float:
    return float(lap.lapjv(cost)[0]) / len(cost)


ANY_MASSES: dict[str, Solver] = {"gancore": emd_cost, f"pot {ot.__version__}": pot}
EQUAL_MASSES: dict[str, Solver] = {
    f"scipy {scipy.__version__}": scipy_assignment,
    f"lapx {lap.__version__}": lapx_assignment,
}
MASSES: dict[str, dict[str, Solver]] = {"uniform": ANY_MASSES | EQUAL_MASSES, "random": ANY_MASSES}


def problem(n: int, d: int, masses: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng([n, d])
    x, y = rng.normal(size=(2, n, d))
    cost = np.maximum((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T, 0)
    a, b = np.ones((2, n)) if masses == "uniform" else rng.random((2, n))
    return a / a.sum(), b / b.sum(), cost


CASES = [(d, masses, rival) for d in (2, 64) for masses, rivals in MASSES.items() for rival in rivals]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
@pytest.mark.parametrize("n", [500, 1000, 2000, 5000])
def test_emd(benchmark: BenchmarkFixture, n: int, case: tuple[int, str, str], small: bool, threads: str) -> None:
    n = n // 50 if small else n
    d, masses, rival = case
    a, b, cost = problem(n, d, masses)
    benchmark.group = f"emd of {n} points in {d} dimensions, {masses} masses, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark.pedantic(MASSES[masses][rival], (a, b, cost), rounds=1 if small or n > 2000 else 5)
    assert value == pytest.approx(emd_cost(a, b, cost), rel=1e-10)


@pytest.mark.parametrize("rival", ANY_MASSES)
@pytest.mark.parametrize("shuffled", [False, True])
def test_costs_of_ranks(benchmark: BenchmarkFixture, shuffled: bool, rival: str, small: bool, threads: str) -> None:
    """Costs i j and equal masses: most pivots of a simplex method that starts at the wrong end are degenerate."""
    n = 40 if small else 2000
    rng = np.random.default_rng(0)
    i, j = (rng.permutation(n) if shuffled else np.arange(n) for _ in range(2))
    cost = np.outer(i, j).astype(np.float64)
    masses = np.full(n, 1 / n)
    benchmark.group = f"emd of {n} points, costs i j{', shuffled' if shuffled else ''}, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark.pedantic(ANY_MASSES[rival], (masses, masses, cost), rounds=1 if small else 3)
    assert value == pytest.approx(float(np.arange(n) @ np.arange(n)[::-1]) / n, rel=1e-10)


@pytest.mark.parametrize("rival", ANY_MASSES)
def test_batch(benchmark: BenchmarkFixture, rival: str, small: bool, threads: str) -> None:
    """Many problems at once."""
    count, n = (4, 20) if small else (32, 300)
    rng = np.random.default_rng(0)
    a, b = rng.dirichlet(np.ones(n), (2, count))
    costs = rng.random((count, n, n))

    def one_by_one(a: np.ndarray, b: np.ndarray, costs: np.ndarray) -> np.ndarray:
        return np.array([pot(*problem) for problem in zip(a, b, costs, strict=True)])

    benchmark.group = f"emd of {count} problems of {n} points, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark.pedantic(emd_cost if rival == "gancore" else one_by_one, (a, b, costs), rounds=1 if small else 5)
    np.testing.assert_allclose(value, emd_cost(a, b, costs), rtol=1e-10)
