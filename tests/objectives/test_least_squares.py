from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancore.errors import DomainError
from gancore.objectives.least_squares import LeastSquares

Optimum = Callable[[LeastSquares, np.ndarray, np.ndarray], tuple[np.ndarray, float]]
COUNTS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=2, max_size=6).map(np.array)


@given(counts=COUNTS)
@settings(max_examples=30)
def test_at_the_optimal_critic_the_generator_pays_half_the_pearson_divergence(
    tabular_optimum: Optimum, counts: np.ndarray
) -> None:
    """Mao et al. 2017, equation 8: with b - c = 1 and b - a = 2, 2 C = chi^2(p + q, 2 q).

    2 C is E_p (d - c)^2 + E_q (d - c)^2, of which the generator can change the second.
    """
    table, _ = tabular_optimum(LeastSquares(), counts[:, 0], counts[:, 1])
    p, q = counts.T / counts.sum(axis=0)[:, None]
    np.testing.assert_allclose(table, (p - q) / (p + q), atol=1e-5)
    twice = sum(
        2 * weight * LeastSquares().generator(torch.tensor([output])).item()
        for side in (p, q)
        for weight, output in zip(side, table, strict=True)
    )
    assert twice == pytest.approx(np.sum((p + q - 2 * q) ** 2 / (p + q)), abs=1e-4)


def test_labels_are_regressed_as_given() -> None:
    objective = LeastSquares(fake_label=0.0, real_label=1.0, target=1.0)
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])
    assert objective.critic(real, fake).item() == pytest.approx((0 + 4) / 4 + (0 + 4) / 4)
    assert objective.generator(fake).item() == pytest.approx((1 + 1) / 4)


@pytest.mark.parametrize("labels", [{"real_label": -1.0}, {"target": -2.0}, {"fake_label": float("nan")}])
def test_labels_in_another_order_raise(labels: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(labels))):
        LeastSquares(**labels)
