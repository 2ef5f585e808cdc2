"""Rows of divergences against SciPy: 10,000 x 1,000 float64."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from gancore.kernels import divergence

CASES = {
    "kl": {"gancore": divergence.kl, f"scipy {scipy.__version__}": lambda p, q: entropy(p, q, axis=1)},
    "jensen_shannon": {
        "gancore": divergence.jensen_shannon,
        f"scipy {scipy.__version__}": lambda p, q: jensenshannon(p, q, axis=1) ** 2,
    },
    "total_variation": {
        "gancore": divergence.total_variation,
        f"numpy {np.__version__}": lambda p, q: 0.5 * np.abs(p - q).sum(1),
    },
}


@pytest.mark.parametrize(("name", "rival"), [(name, rival) for name in CASES for rival in CASES[name]])
def test_divergence(benchmark: BenchmarkFixture, name: str, rival: str, small: bool) -> None:
    rows = 10 if small else 10_000
    p, q = np.random.default_rng(0).dirichlet(np.ones(1000), (2, rows))
    benchmark.group = f"{name} {rows} x 1000, one thread"
    value = benchmark(CASES[name][rival], p, q)
    np.testing.assert_allclose(value, divergence.__dict__[name](p, q), rtol=1e-9)
