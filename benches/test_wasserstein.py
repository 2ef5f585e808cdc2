"""Transport on the line and sliced distances against SciPy, POT and two NumPy sorts.

One thread; with ``GANCORE_NUM_THREADS=2`` all sides get two (SciPy and NumPy's sort use one all the same).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.stats import wasserstein_distance

from gancore.kernels.wasserstein import sliced_wasserstein, wasserstein_1d

ot = pytest.importorskip("ot")

SCIPY, POT, NUMPY = f"scipy {scipy.__version__}", f"pot {ot.__version__}", f"numpy {np.__version__}"
Rival = Callable[..., Any]
LINE: dict[str, Rival] = {
    "gancore": lambda x, y, a, b: wasserstein_1d(x, y, x_weights=a, y_weights=b),
    f"{SCIPY} wasserstein_distance": wasserstein_distance,
    f"{POT} wasserstein_1d": ot.wasserstein_1d,
    f"{POT} emd2_1d": lambda x, y, a, b: ot.emd2_1d(x, y, a, b, metric="cityblock"),
    f"{NUMPY} two sorts and a mean": lambda x, y, _a, _b: np.abs(np.sort(x) - np.sort(y)).mean(),
}


CASES = [(n, weighted) for n in (100_000, 1_000_000) for weighted in (False, True)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'weighted' if case[1] else 'alike'}")
@pytest.mark.parametrize("rival", LINE)
def test_line(benchmark: BenchmarkFixture, rival: str, case: tuple[int, bool], small: bool, threads: str) -> None:
    n, weighted = case
    if weighted and rival.startswith(NUMPY):
        pytest.skip("sorts alone carry no weights")
    n = n // 1000 if small else n
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, n))
    a, b = rng.dirichlet(np.ones(n), 2) if weighted else (None, None)
    benchmark.group = f"wasserstein_1d of {n} points, {'random' if weighted else 'no'} weights, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark(LINE[rival], x, y, a, b)
    assert value == pytest.approx(wasserstein_1d(x, y, x_weights=a, y_weights=b), rel=1e-6)


SLICED: dict[str, Rival] = {
    "gancore": lambda x, y, k: sliced_wasserstein(x, y, n_projections=k),
    f"{POT} sliced_wasserstein_distance": lambda x, y, k: ot.sliced_wasserstein_distance(x, y, n_projections=k, seed=0),
}


@pytest.mark.parametrize("rival", SLICED)
def test_sliced(benchmark: BenchmarkFixture, rival: str, small: bool, threads: str) -> None:
    n, k = (100, 100) if small else (10_000, 1000)
    x, y = np.random.default_rng(0).normal(size=(2, n, 64))
    y += 0.5
    benchmark.group = f"sliced W_2 of {n} points of dimension 64, {k} projections, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark.pedantic(SLICED[rival], (x, y, k), rounds=1 if not small else 3)
    assert value == pytest.approx(sliced_wasserstein(x, y, n_projections=k), rel=0.2 if small else 0.05)
