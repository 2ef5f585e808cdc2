"""Parzen windows against NumPy's matrix-product form and torch.cdist: 10,000 x 10,000 in 784 dimensions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.parzen import parzen_log_likelihood

BANDWIDTH = 0.2


def numpy_product(samples: np.ndarray, points: np.ndarray) -> np.ndarray:
    out, norms = np.empty(len(points)), (samples**2).sum(1)
    for at in range(0, len(points), 500):
        block = points[at : at + 500]
        logs = ((block**2).sum(1)[:, None] + norms - 2 * block @ samples.T) / (-2 * BANDWIDTH**2)
        largest = logs.max(1)
        out[at : at + 500] = largest + np.log(np.exp(logs - largest[:, None]).mean(1))
    return out - samples.shape[1] * 0.5 * math.log(2 * math.pi * BANDWIDTH**2)


def torch_cdist(samples: np.ndarray, points: np.ndarray) -> np.ndarray:
    centres = torch.from_numpy(samples)
    out = [
        torch.logsumexp(torch.cdist(block, centres) ** 2 / (-2 * BANDWIDTH**2), 1)
        for block in torch.from_numpy(points).split(500)
    ]
    constant = math.log(len(samples)) + samples.shape[1] * 0.5 * math.log(2 * math.pi * BANDWIDTH**2)
    return (torch.cat(out) - constant).numpy()


RIVALS = {
    "gancore": lambda samples, points: parzen_log_likelihood(samples, points, BANDWIDTH),
    f"numpy {np.__version__}": numpy_product,
    f"torch.cdist {torch.__version__}": torch_cdist,
}


@pytest.mark.parametrize("rival", RIVALS)
def test_parzen(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    n = 100 if small else 10_000
    samples, points = np.random.default_rng(0).random((2, n, 784))
    torch.set_num_threads(1)
    benchmark.group = f"parzen {n} x {n}, d = 784, one thread"
    benchmark.extra_info["rival"] = rival
    value = benchmark.pedantic(RIVALS[rival], (samples, points), rounds=1)
    np.testing.assert_allclose(value, parzen_log_likelihood(samples, points, BANDWIDTH), rtol=0, atol=1e-8)
