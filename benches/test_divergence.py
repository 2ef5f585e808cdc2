"""Rows of divergences against SciPy and NumPy: 10,000 x 1,000 float64.

One thread; with ``GANCORE_NUM_THREADS=2`` all sides get two (SciPy and NumPy's sums use one all the same). The bound of
the total variation is memory: reading both arrays once, which a product of vectors does.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from gancore.kernels import divergence

READING = f"reading both once, numpy {np.__version__} dot"

CASES = {
    "kl": {"gancore": divergence.kl, f"scipy {scipy.__version__}": lambda p, q: entropy(p, q, axis=1)},
    "jensen_shannon": {
        "gancore": divergence.jensen_shannon,
        f"scipy {scipy.__version__}": lambda p, q: jensenshannon(p, q, axis=1) ** 2,
    },
    "total_variation": {
        "gancore": divergence.total_variation,
        f"numpy {np.__version__}": lambda p, q: 0.5 * np.abs(p - q).sum(1),
        READING: lambda p, q: np.dot(p.ravel(), q.ravel()),
    },
}


@pytest.mark.parametrize(("name", "rival"), [(name, rival) for name in CASES for rival in CASES[name]])
def test_divergence(benchmark: BenchmarkFixture, name: str, rival: str, small: bool, threads: str) -> None:
    rows = 10 if small else 10_000
    p, q = np.random.default_rng(0).dirichlet(np.ones(1000), (2, rows))
    benchmark.group = f"{name} {rows} x 1000, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark(CASES[name][rival], p, q)
    if rival != READING:
        np.testing.assert_allclose(value, divergence.__dict__[name](p, q), rtol=1e-9)
