"""Tokens from 1,216 rows of 5,000 logits against torch.multinomial and torch's cumsum with searchsorted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.rollout import sample_categorical

if TYPE_CHECKING:
    from collections.abc import Callable

torch.set_num_threads(1)


def inverse(logits: torch.Tensor) -> torch.Tensor:
    mass = logits.softmax(-1).cumsum(-1)
    return torch.searchsorted(mass, torch.rand(len(mass), 1) * mass[:, -1:], right=True)


SAMPLERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gancore": lambda logits: sample_categorical(logits, seed=0, step=0),
    f"torch.multinomial {torch.__version__}": lambda logits: torch.multinomial(logits.softmax(-1), 1),
    f"torch cumsum and searchsorted {torch.__version__}": inverse,
}


@pytest.mark.parametrize("rival", SAMPLERS)
def test_sample_categorical(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    rows, vocabulary = (12, 50) if small else (1_216, 5_000)
    logits = 2 * torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(0))
    benchmark.group = f"sample_categorical {rows} x {vocabulary} float32, one thread"
    benchmark.extra_info["rival"] = rival
    benchmark(SAMPLERS[rival], logits)
