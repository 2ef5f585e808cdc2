"""The trace of the root of a product of order 2048 against the routes of other libraries."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
import scipy.linalg
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.frechet import trace_sqrt_product

torch.set_num_threads(1)


def torch_eigvals(a: np.ndarray, b: np.ndarray) -> float:
    return float(torch.linalg.eigvals(torch.from_numpy(a) @ torch.from_numpy(b)).sqrt().real.sum())


def cholesky_eigvalsh(a: np.ndarray, b: np.ndarray) -> float:
    lower = np.linalg.cholesky(a)
    return float(np.sqrt(np.linalg.eigvalsh(lower.T @ b @ lower)).sum())


RIVALS = {
    "gancore": trace_sqrt_product,
    f"scipy {scipy.__version__} sqrtm (pytorch-fid)": lambda a, b: np.trace(scipy.linalg.sqrtm(a @ b)).real,
    f"numpy {np.__version__} eigvals (torch-fidelity)": lambda a, b: np.sqrt(
        np.linalg.eigvals(a @ b).astype(complex)
    ).real.sum(),
    f"torch {torch.__version__} eigvals (torchmetrics)": torch_eigvals,
    f"numpy {np.__version__} cholesky + eigvalsh": cholesky_eigvalsh,
}


@pytest.mark.parametrize("rival", RIVALS)
def test_frechet(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    d = 32 if small else 2048
    rng = np.random.default_rng(0)
    a, b = (np.cov(rng.normal(size=(2 * d, d)), rowvar=False) for _ in range(2))
    benchmark.group = f"trace_sqrt_product of order {d}, one thread"
    value = benchmark.pedantic(RIVALS[rival], (a, b), rounds=3, iterations=1)
    assert value == pytest.approx(trace_sqrt_product(a, b), rel=1e-8)
