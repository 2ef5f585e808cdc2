from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from gancore.datasets import load
from gancore.datasets.swiss_roll import swiss_roll
from gancore.errors import DomainError


def test_points_lie_about_the_spiral_at_the_distance_of_the_noise() -> None:
    data = swiss_roll(n=5_000)
    points = data.batch(torch.arange(5_000)).double()
    t = torch.linspace(1.5 * np.pi, 4.5 * np.pi, 5_000, dtype=torch.float64)
    curve = torch.stack((t * t.cos(), t * t.sin()), 1) / 7.5
    nearest = torch.cat(_nearest(points, curve))
    # Across a curve that is nearly straight at the scale of the noise, one coordinate of it is left.
    assert nearest[:, 0].square().mean().sqrt().item() == pytest.approx(0.25 / 7.5, rel=0.05)
    share = nearest[:, 1] / (len(t) - 1)
    assert kstest(share.numpy(), "uniform").statistic < 0.03


def _nearest(points: torch.Tensor, curve: torch.Tensor) -> list[torch.Tensor]:
    """Distance to the curve and position on it, by brute force."""
    return [torch.stack([v.double() for v in torch.cdist(part, curve).min(1)], 1) for part in points.split(500)]


def test_centers_cover_it() -> None:
    data = swiss_roll(n=10)
    gaps = (data.centers[1:] - data.centers[:-1]).norm(dim=1)
    assert gaps.max() < 6 * data.std, "balls of three deviations touch"
    assert data.labels is None


def test_is_known_by_name_and_seed() -> None:
    one, two = load("swiss-roll", seed=1), load("swiss-roll", seed=2)
    first = torch.arange(5)
    assert one.name == "swiss-roll"
    assert not torch.equal(one.batch(first), two.batch(first))
    with pytest.raises(DomainError, match="n"):
        swiss_roll(n=0)
