from __future__ import annotations

import numpy as np
import pytest
import torch

from gancore.errors import DomainError, DTypeError, SampleSizeWarning, ShapeError
from gancore.kernels.frechet import frechet_distance
from gancore.metrics import feature_statistics, fid, fid_infinity


def quiet(real: object, fake: object, **settings: object):
    return fid_infinity(real, fake, **({"progress": False} | settings))


def gaussians(seed: int, n: int, d: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(shift, size=(n, d))


def test_the_line_is_numpys() -> None:
    found = quiet(*gaussians(0, 900, 8), points=9, interval=False)
    slope, value = np.polyfit(1 / np.array(found.counts), found.values, 1)
    assert (found.value, found.slope) == (pytest.approx(value, abs=1e-10), pytest.approx(slope, rel=1e-9))
    assert (len(found.counts), found.counts[0], found.counts[-1]) == (9, 90, 900)
    assert list(found.counts) == sorted(found.counts)
    assert found.interval is None


def test_the_last_point_is_the_distance_itself() -> None:
    x, y = gaussians(1, 500, 4, 0.3)
    assert quiet(x, y, interval=False).values[-1] == pytest.approx(fid(x, y, progress=False).value, rel=1e-9)


def test_the_bias_of_few_samples_goes() -> None:
    """Equal normals are at distance 0; the distance of n samples is biased by about d^2/2n, the extrapolated not."""
    biased, free = [], []
    for seed in range(12):
        x, y = gaussians(seed, 600, 20)
        biased.append(fid(x, y, interval=False, progress=False).value)
        free.append(quiet(x, y, interval=False, seed=seed).value)
    error = np.std(free) / np.sqrt(len(free))
    assert np.mean(biased) > 0.25
    assert abs(np.mean(free)) < max(4 * error, 0.1 * np.mean(biased))


def test_real_statistics_are_held_fixed_and_keep_their_bias() -> None:
    """As the paper has it, where the reference is all there is: then only the fakes' half of the bias goes."""
    x, y = gaussians(3, 600, 20)
    both = quiet(x, y, interval=False)
    fixed = quiet(feature_statistics(x, progress=False), y, interval=False)
    plain = fid(x, y, interval=False, progress=False).value
    assert both.value < fixed.value < plain
    assert (both.protocol["subsampled"], fixed.protocol["subsampled"]) == ("real and fake", "fake")
    assert fixed.values[-1] == pytest.approx(plain, rel=1e-9)


def test_the_interval_covers() -> None:
    """For normals N(0, I) and N(1, I) in the plane the distance is 2."""
    covered = 0
    for seed in range(40):
        found = quiet(*gaussians(seed, 400, 2, 1.0), points=5, seed=seed)
        covered += found.interval[0] <= 2.0 <= found.interval[1]
    # 95 % of 40, within 4 standard errors below.
    assert covered >= 33


def test_the_seed_decides_the_subsets() -> None:
    x, y = gaussians(0, 200, 3)
    assert quiet(x, y) == quiet(x, y)
    assert quiet(x, y, interval=False).value != quiet(x, y, interval=False, seed=1).value


def test_it_looks_through_networks_and_says_so() -> None:
    images = torch.rand(90, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def pooled(x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))

    found = quiet(images, lambda n: images[:n] ** 3, features=pooled, points=4)
    rows = [pooled(x).numpy() for x in (images, images**3)]
    assert found.values[-1] == pytest.approx(
        frechet_distance(*((r.mean(0).astype(float), np.cov(r, rowvar=False)) for r in rows)), rel=1e-4
    )
    assert "pooled" in found.protocol["features"]
    assert (found.protocol["points"], found.n_real, found.n_fake) == (4, 90, 90)
    assert "FID-infinity" in str(found)


def test_input_that_makes_no_sense() -> None:
    x, y = gaussians(0, 100, 3)
    for real, fake, settings, error, match in (
        (x, y[:39], {}, DomainError, "at least 40 samples to extrapolate from, got 39"),
        (x[:20], y, {}, DomainError, "at least 40 samples to extrapolate from, got 20"),
        (x, y[:, :2], {}, ShapeError, "fake: expected 3 features"),
        (x, y, {"points": 1}, DomainError, "points: "),
        (x, feature_statistics(y, progress=False), {}, DTypeError, "fake: expected samples or features"),
    ):
        with pytest.raises(error, match=match):
            quiet(real, fake, **settings)
    with pytest.warns(SampleSizeWarning, match="100 samples are too few to extrapolate from with 40 features"):
        quiet(*gaussians(0, 100, 40), interval=False)
