"""W_1 of a million points on each side against SciPy and POT."""

from __future__ import annotations

import numpy as np
import ot
import pytest
import scipy
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.stats import wasserstein_distance

from gancore.kernels.wasserstein import wasserstein_1d

RIVALS = {
    "gancore": wasserstein_1d,
    f"scipy {scipy.__version__}": wasserstein_distance,
    f"pot {ot.__version__}": ot.wasserstein_1d,
}


@pytest.mark.parametrize("rival", RIVALS)
def test_wasserstein(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    n = 1000 if small else 1_000_000
    x, y = np.random.default_rng(0).normal(size=(2, n))
    benchmark.group = f"wasserstein_1d of {n} points, one thread"
    value = benchmark(RIVALS[rival], x, y)
    assert value == pytest.approx(wasserstein_1d(x, y), rel=1e-6)
