from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancore.objectives.hinge import Hinge

COUNTS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=2, max_size=6).map(np.array)


@given(counts=COUNTS)
@settings(max_examples=30)
def test_no_critic_beats_the_margins_and_the_value_is_the_total_variation(counts: np.ndarray) -> None:
    """At d = sign(p - q) the loss is 2 - 2 TV(p, q), and nothing nearby is lower: the loss is convex."""
    p, q = counts.T / counts.sum(axis=0)[:, None]
    best = np.sign(p - q)

    def loss(table: np.ndarray) -> float:
        # Weighted by hand: the objective itself sees one outcome at a time.
        far = torch.tensor([1e3], dtype=torch.float64)
        outputs = torch.from_numpy(table)
        real = sum(w * Hinge().critic(d, -far).item() for w, d in zip(p, outputs.split(1), strict=True))
        fake = sum(w * Hinge().critic(far, d).item() for w, d in zip(q, outputs.split(1), strict=True))
        return float(real + fake)

    assert loss(best) == pytest.approx(2 - np.abs(p - q).sum(), abs=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert loss(best + rng.normal(scale=0.3, size=len(p))) >= loss(best) - 1e-12


def test_generator_moves_at_full_speed_everywhere() -> None:
    fake = torch.tensor([-1e3, 0.0, 5.0], requires_grad=True)
    (slope,) = torch.autograd.grad(Hinge().generator(fake), fake)
    torch.testing.assert_close(slope, torch.full((3,), -1 / 3))
