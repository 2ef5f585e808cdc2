"""KID against torch-fidelity: subsets of 1,000 rows of 2,048 float32, and all pairs of 10,000."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels import mmd


@pytest.mark.parametrize("who", ["gancore subsets", "gancore all pairs", "torch-fidelity subsets"])
def test_kid(benchmark: BenchmarkFixture, who: str, small: bool) -> None:
    n, d, subsets, size = (200, 32, 3, 100) if small else (10_000, 2_048, 100, 1_000)
    rng = np.random.default_rng(0)
    x, y = (np.maximum(rng.normal(size=(n, d)) * s, 0).astype(np.float32) for s in (1.0, 1.02))
    benchmark.group = f"KID, {subsets} subsets of {size} or all of {n}, d = {d}, one thread"
    if who == "gancore subsets":
        value = benchmark.pedantic(mmd.mmd2_subsets, (x, y), {"subsets": subsets, "size": size}).mean()
    elif who == "gancore all pairs":
        value = benchmark.pedantic(mmd.mmd2, (x, y))
    else:
        rival = pytest.importorskip("torch_fidelity.metric_kid", exc_type=ImportError)
        import torch

        torch.set_num_threads(1)
        benchmark.extra_info["rival"] = f"torch-fidelity {importlib.metadata.version('torch-fidelity')}"
        settings = {"kid_subsets": subsets, "kid_subset_size": size, "verbose": False}
        tensors = torch.from_numpy(x), torch.from_numpy(y)
        outcome = benchmark.pedantic(rival.kid_features_to_metric, tensors, settings)
        value = outcome["kernel_inception_distance_mean"]
    assert value == pytest.approx(mmd.mmd2(x, y), abs=0.05)
