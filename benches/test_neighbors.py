"""Precision, recall, density and coverage of 10,000 + 10,000 float32 rows, k = 5, against prdc."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.neighbors import ball_counts, knn_radii


def ours(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    counts = ball_counts(real, fake, x_radii=knn_radii(real, 5), y_radii=knn_radii(fake, 5), inclusive=False)
    return {
        "precision": float((counts.y_held > 0).mean()),
        "recall": float((counts.x_held > 0).mean()),
        "density": float(counts.y_held.mean() / 5),
        "coverage": float((counts.x_holds > 0).mean()),
    }


@pytest.mark.parametrize("who", ["gancore", "prdc"])
@pytest.mark.parametrize("d", [64, 2048])
def test_prdc(benchmark: BenchmarkFixture, who: str, d: int, small: bool) -> None:
    n = 200 if small else 10_000
    real, fake = np.random.default_rng(0).normal(size=(2, n, d)).astype(np.float32)
    benchmark.group = f"PRDC, {n} + {n}, d = {d}, one thread"
    if who == "gancore":
        value = benchmark.pedantic(ours, (real, fake))
    else:
        rival = pytest.importorskip("prdc")
        benchmark.extra_info["rival"] = f"prdc {importlib.metadata.version('prdc')}"
        value = benchmark.pedantic(rival.compute_prdc, (real, fake), {"nearest_k": 5})
    for name, expected in ours(real, fake).items():
        assert value[name] == pytest.approx(expected, rel=1e-3)
