from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from gancore.objectives.wasserstein import Wasserstein

POINTS = st.lists(st.integers(-10, 10), min_size=1, max_size=12)


@given(POINTS, POINTS)
@settings(max_examples=30)
def test_best_lipschitz_critic_on_the_line_gives_the_wasserstein_distance(x: list[int], y: list[int]) -> None:
    """Kantorovich-Rubinstein: minus the critic's loss, at its best over 1-Lipschitz critics, is W1.

    On sorted points a critic is 1-Lipschitz if its slope between neighbours is. The loss is linear in the slopes, so
    the best slope is the sign of its gradient.
    """
    support = np.unique([*x, *y])
    gaps = torch.from_numpy(np.diff(support).astype(np.float64))
    real, fake = (torch.from_numpy(np.searchsorted(support, points)) for points in (x, y))

    def loss(slopes: torch.Tensor) -> torch.Tensor:
        heights = torch.cat([torch.zeros(1, dtype=torch.float64), (slopes * gaps).cumsum(0)])
        return Wasserstein().critic(heights[real], heights[fake])

    slopes = torch.zeros(len(gaps), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(slopes), slopes)
    assert -loss(-gradient.sign()).item() == pytest.approx(wasserstein_distance(x, y), abs=1e-9)


def test_losses_do_not_see_an_offset_of_the_critic() -> None:
    real, fake = torch.randn(5), torch.randn(5)
    torch.testing.assert_close(Wasserstein().critic(real + 3, fake + 3), Wasserstein().critic(real, fake))
    torch.testing.assert_close(Wasserstein().generator(fake + 3), Wasserstein().generator(fake) - 3)
