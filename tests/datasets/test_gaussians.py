from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gancore.datasets.gaussians import GaussianModes, grid, ring
from gancore.errors import DomainError


def points(data: GaussianModes) -> torch.Tensor:
    return data.batch(torch.arange(len(data)))


def test_ring_has_eight_different_angles() -> None:
    centers = ring(n=1).centers.double()
    angles = torch.atan2(centers[:, 1], centers[:, 0]).sort().values
    gaps = angles.diff()
    assert len(centers) == 8
    torch.testing.assert_close(gaps, torch.full_like(gaps, 2 * math.pi / 8), atol=1e-6, rtol=0)
    torch.testing.assert_close(centers.norm(dim=1), torch.full((8,), 2.0, dtype=torch.float64))


def test_grid_is_five_by_five_with_spacing_two() -> None:
    centers = {tuple(center) for center in grid(n=1).centers.tolist()}
    assert centers == {(x, y) for x in (-4.0, -2.0, 0.0, 2.0, 4.0) for y in (-4.0, -2.0, 0.0, 2.0, 4.0)}


@pytest.mark.parametrize("make", [ring, grid])
def test_points_are_the_mixture(make) -> None:
    data = make(seed=3)
    assert len(data) == 100_000
    residual = ((points(data) - data.centers[data.labels]) / data.std).double().numpy()
    assert stats.kstest(residual.ravel(), "norm").pvalue > 1e-3
    counts = np.bincount(data.labels.numpy(), minlength=len(data.centers))
    assert stats.chisquare(counts).pvalue > 1e-3
    # Nothing ties the noise to the mode or the two coordinates to each other.
    assert abs(np.corrcoef(residual.T)[0, 1]) < 4 / math.sqrt(len(data))


def test_a_seed_is_a_data_set() -> None:
    assert torch.equal(points(ring(n=50, seed=1)), points(ring(n=50, seed=1)))
    assert not torch.equal(points(ring(n=50, seed=1)), points(ring(n=50, seed=2)))


def test_needs_points() -> None:
    with pytest.raises(DomainError, match="n: expected at least 1"):
        ring(n=0)
