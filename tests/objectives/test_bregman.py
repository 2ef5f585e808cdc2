from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import UnknownNameError
from gancore.objectives.bregman import Bregman, ratio

COUNTS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=2, max_size=6).map(np.array)


@pytest.mark.parametrize("f", ["pearson", "kl"])
@given(counts=COUNTS, away=st.floats(1e-3, 20))
def test_the_optimal_critic_is_the_density_ratio(f: str, counts: np.ndarray, away: float) -> None:
    """The loss of each outcome falls up to the ratio and rises beyond it, and the generator's is the f-divergence."""
    p, q = torch.from_numpy(counts.T / counts.sum(axis=0)[:, None])
    best = output_of(p / q)
    for step in (-away, 0.0, away):
        table = (best + step).requires_grad_()
        real = sum(w * Bregman(f=f).critic(d, none(d)) for w, d in zip(p, table.split(1), strict=True))
        fake = sum(w * Bregman(f=f).critic(none(d), d) for w, d in zip(q, table.split(1), strict=True))
        (slope,) = torch.autograd.grad(real + fake, table)
        if step == 0:
            torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-12)
        else:
            assert (slope * step > 0).all()
    divergence = {"pearson": ((p - q) ** 2 / q).sum() / 2, "kl": (p * (p / q).log()).sum()}[f]
    paid = sum(w * Bregman(f=f).generator(d) for w, d in zip(q, best.split(1), strict=True))
    torch.testing.assert_close(torch.as_tensor(paid), divergence)


def output_of(r: torch.Tensor) -> torch.Tensor:
    return torch.where(r > 1, r - 1, r.log())


def none(like: torch.Tensor) -> torch.Tensor:
    """An output on which the loss is known and has no slope: a ratio of one."""
    return torch.zeros_like(like, requires_grad=False)


@given(st.floats(-30, 1e6))
def test_the_ratio_is_positive_increasing_and_one_at_zero(output: float) -> None:
    at, above = ratio(torch.tensor([output, output + 1e-3 * (1 + abs(output))], dtype=torch.float64))
    assert 0 < at < above
    assert ratio(torch.zeros(1)).item() == 1.0


@pytest.mark.parametrize("f", ["pearson", "kl"])
def test_slopes_where_the_two_branches_meet(f: str) -> None:
    """At d = 0, r = 1 and dr/dd = 1, so both sides' slopes are f''(1) = 1: real samples pull up, fakes down."""
    real, fake = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    slopes = torch.autograd.grad(Bregman(f=f).critic(real, fake), (real, fake))
    assert [slope.item() for slope in slopes] == [-1.0, 1.0]


def test_unknown_functions_raise() -> None:
    with pytest.raises(UnknownNameError, match="'pearson'"):
        Bregman(f="pearsom")
