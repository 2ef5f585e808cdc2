from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gancore.errors import UnknownNameError
from gancore.kernels.divergence import F_DIVERGENCES, f_divergence
from gancore.objectives.f_divergence import FDivergence
from gancore.objectives.minimax import Minimax

Optimum = Callable[[FDivergence, np.ndarray, np.ndarray], tuple[np.ndarray, float]]
COUNTS = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=2, max_size=5).map(np.array)


@pytest.mark.parametrize("name", F_DIVERGENCES)
@given(counts=COUNTS)
@example(counts=np.array([(1, 20), (20, 1)]))
@example(counts=np.array([(1, 4), (1, 20), (11, 1)]))
@settings(max_examples=15)
def test_the_optimal_value_is_the_exact_divergence_of_the_kernel(
    tabular_optimum: Optimum, name: str, counts: np.ndarray
) -> None:
    _, loss = tabular_optimum(FDivergence(name), counts[:, 0], counts[:, 1])
    p, q = counts.T / counts.sum(axis=0)[:, None]
    assert -loss == pytest.approx(f_divergence(p, q, name), abs=1e-4)


@pytest.mark.parametrize("name", F_DIVERGENCES)
@given(counts=COUNTS, seed=st.integers(0, 1000))
def test_no_critic_passes_the_divergence(name: str, counts: np.ndarray, seed: int) -> None:
    p, q = counts.T / counts.sum(axis=0)[:, None]
    table = torch.randn(len(p), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    real, fake = (torch.repeat_interleave(table, torch.from_numpy(side)) for side in counts.T)
    assert -FDivergence(name).critic(real, fake).item() <= f_divergence(p, q, name) + 1e-9


def test_the_gan_row_is_the_minimax_game() -> None:
    real, fake = torch.randn(9), torch.randn(9)
    torch.testing.assert_close(
        FDivergence("gan").critic(real, fake), Minimax().critic(real, fake), rtol=1e-3, atol=1e-3
    )


def test_unknown_divergences_raise_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'pearson'"):
        FDivergence("pearsen")
