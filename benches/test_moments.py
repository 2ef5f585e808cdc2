"""Mean and covariance of 20,000 x 2048 float32 features against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.moments import FeatureMoments


def ours(x: np.ndarray, batch: int) -> np.ndarray:
    moments = FeatureMoments(x.shape[1])
    for start in range(0, len(x), batch):
        moments.update(x[start : start + batch])
    return moments.covariance


RIVALS = {
    "gancore, batches of 50": lambda x: ours(x, 50),
    "gancore, batches of 500": lambda x: ours(x, 500),
    f"numpy {np.__version__} cov": lambda x: np.cov(x, rowvar=False, dtype=np.float64),
}


@pytest.mark.parametrize("rival", RIVALS)
def test_moments(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    n, d = (200, 16) if small else (20_000, 2048)
    x = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    benchmark.group = f"moments of {n} x {d} float32, one thread"
    value = benchmark.pedantic(RIVALS[rival], (x,), rounds=3, iterations=1)
    np.testing.assert_allclose(value[0], ours(x, 1000)[0], rtol=1e-6, atol=1e-9)
