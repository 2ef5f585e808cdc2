"""AdaGAN: weights by their law, and a mixture that finds what its first component lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore import systems
from gancore.boosting import adagan, boosting_weights
from gancore.datasets import load
from gancore.errors import ConfigError, DomainError, ShapeError
from gancore.metrics import mode_coverage

if TYPE_CHECKING:
    from pathlib import Path

RATIOS = st.lists(st.floats(0, 1e6), min_size=1, max_size=40)


@given(RATIOS, st.floats(1e-3, 1.0))
def test_weights_are_a_distribution_that_falls_with_the_ratio(ratio: list[float], share: float) -> None:
    weights = boosting_weights(ratio, share)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0, rel=1e-9)
    order = np.argsort(ratio)
    assert (np.diff(weights[order]) <= 1e-12).all()


@given(RATIOS, st.floats(1e-3, 1.0))
def test_the_level_is_where_bisection_finds_it(ratio: list[float], share: float) -> None:
    """An independent solution of sum (lambda - (1 - beta) r)_+ = N beta."""
    r = (1 - share) * np.asarray(ratio)
    low, high = 0.0, float(r.max()) + len(r) * share + 1
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(middle - r, 0).sum() < len(r) * share else (low, middle)
    expected = np.maximum(low - r, 0) / (len(r) * share)
    np.testing.assert_allclose(boosting_weights(ratio, share), expected, atol=1e-6)


def test_a_perfect_mixture_leaves_uniform_weights() -> None:
    np.testing.assert_allclose(boosting_weights(np.ones(7), 0.3), 1 / 7)


@pytest.mark.parametrize(
    ("ratio", "share", "error"),
    [([], 0.5, ShapeError), ([-1.0], 0.5, DomainError), ([np.nan], 0.5, DomainError), ([1.0], 0.0, DomainError)],
)
def test_what_is_no_ratio_or_share_raises(ratio: list[float], share: float, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"ratio|share"):
        boosting_weights(ratio, share)


def test_components_make_up_for_each_other() -> None:
    """A generator of eight units reaches three modes of the ring (seeds 0 to 2); each further one adds others."""
    ring = load("ring")
    system = systems.get("gan")(width=8, batch_size=64, ema=0.99)
    mixture = adagan(system, ring, components=3, steps=300, judge_steps=300, seed=1, progress=False)
    assert mixture.weights == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    parts = [type(mixture)(mixture.runs[:k], (1 / k,) * k) for k in (1, 2, 3)]
    modes = [mode_coverage(part.sample(4000, seed=2), ring.centers, radius=0.3).modes for part in parts]
    assert modes[0] < modes[1] <= modes[2]
    assert modes[0] < 5
    assert modes[2] >= 7


def test_boosting_goes_on_where_it_stopped(tmp_path: Path) -> None:
    points = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    quiet = {"steps": 4, "judge_steps": 3, "seed": 5, "progress": False}
    system = systems.get("gan")(width=4, batch_size=6)
    whole = adagan(system, points, components=2, out=tmp_path / "whole", **quiet)
    adagan(system, points, components=1, out=tmp_path / "parts", **quiet)
    parts = adagan(system, points, components=2, out=tmp_path / "parts", resume=True, **quiet)
    assert torch.equal(whole.sample(50, seed=3), parts.sample(50, seed=3))
    with pytest.raises(ConfigError, match=r"resume.*out"):
        adagan(system, points, components=2, resume=True, **quiet)
