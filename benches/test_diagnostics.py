"""Split R-hat and effective sample size against ArviZ: the same estimators, and the ranked ones that it defaults to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.diagnostics import effective_sample_size, r_hat

if TYPE_CHECKING:
    from collections.abc import Callable


def gancore_both(draws: np.ndarray) -> object:
    return r_hat(draws), effective_sample_size(draws)


def arviz_both(methods: tuple[str, str]) -> Callable[[np.ndarray], object]:
    arviz: Any = pytest.importorskip("arviz")

    def both(draws: np.ndarray) -> object:
        data = arviz.convert_to_dataset(draws)
        return arviz.rhat(data, method=methods[0]), arviz.ess(data, method=methods[1])

    return both


RIVALS: dict[str, Callable[[], Callable[[np.ndarray], object]]] = {
    "gancore": lambda: gancore_both,
    "arviz, split and mean": lambda: arviz_both(("split", "mean")),
    "arviz, rank and bulk": lambda: arviz_both(("rank", "bulk")),
}


@pytest.mark.parametrize("rival", RIVALS)
def test_r_hat_and_effective_sample_size(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    shape = (4, 20, 2) if small else (4, 1000, 128)
    both = RIVALS[rival]()
    draws = np.random.default_rng(0).normal(size=shape)
    benchmark.group = f"R-hat and effective sample size {shape}, one thread"
    if rival.startswith("arviz"):
        benchmark.extra_info["arviz"] = pytest.importorskip("arviz").__version__
    benchmark(both, draws)
