"""Parzen windows against NumPy's matrix-product form and torch.cdist: 10,000 x 10,000 in 784 dimensions.

Narrow windows, of which few matter to a point, and wide ones, of which all do. The wide ones are bound by the product
of the two matrices in float64, which stands beside them. One thread; with ``GANCORE_NUM_THREADS=2`` all sides get two.
"""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.parzen import parzen_log_likelihood

BANDWIDTHS = {"narrow": 0.2, "wide": 5.0}


def numpy_product(samples: np.ndarray, points: np.ndarray, h: float) -> np.ndarray:
    out, norms = np.empty(len(points)), (samples**2).sum(1)
    for at in range(0, len(points), 500):
        block = points[at : at + 500]
        logs = ((block**2).sum(1)[:, None] + norms - 2 * block @ samples.T) / (-2 * h**2)
        largest = logs.max(1)
        out[at : at + 500] = largest + np.log(np.exp(logs - largest[:, None]).mean(1))
    return out - samples.shape[1] * 0.5 * math.log(2 * math.pi * h**2)


def torch_cdist(samples: np.ndarray, points: np.ndarray, h: float) -> np.ndarray:
    centres = torch.from_numpy(samples)
    out = [
        torch.logsumexp(torch.cdist(block, centres) ** 2 / (-2 * h**2), 1)
        for block in torch.from_numpy(points).split(500)
    ]
    constant = math.log(len(samples)) + samples.shape[1] * 0.5 * math.log(2 * math.pi * h**2)
    return (torch.cat(out) - constant).numpy()


def product_alone(samples: np.ndarray, points: np.ndarray, _: float) -> np.ndarray:
    for at in range(0, len(points), 500):
        points[at : at + 500] @ samples.T
    return np.empty(0)


RIVALS = {
    "gancore": parzen_log_likelihood,
    f"numpy {np.__version__}": numpy_product,
    f"torch.cdist {torch.__version__}": torch_cdist,
    f"the product alone, numpy {np.__version__}": product_alone,
}


@pytest.mark.parametrize("windows", BANDWIDTHS)
@pytest.mark.parametrize("rival", RIVALS)
def test_parzen(benchmark: BenchmarkFixture, rival: str, windows: str, small: bool, threads: str) -> None:
    n, h = 100 if small else 10_000, BANDWIDTHS[windows]
    samples, points = np.random.default_rng(0).random((2, n, 784))
    torch.set_num_threads(int(os.environ["GANCORE_NUM_THREADS"]))
    benchmark.group = f"parzen {n} x {n}, d = 784, {windows} windows, {threads}"
    benchmark.extra_info["rival"] = rival
    value = benchmark.pedantic(RIVALS[rival], (samples, points, h), rounds=1)
    if len(value):
        np.testing.assert_allclose(value, parzen_log_likelihood(samples, points, h), rtol=0, atol=1e-8)
