"""The same features give the scores of the packages that people compare with, where those are right."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from gancore.metrics import feature_statistics, fid, inception_score

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(32, 32)) / 6
REAL = np.maximum(RNG.normal(size=(900, 32)) @ MIX + 0.3, 0)
FAKE = np.maximum(RNG.normal(size=(700, 32)) @ MIX.T + 0.1, 0)


@pytest.fixture(autouse=True)
def _their_warnings() -> Iterator[None]:
    """Peers call what SciPy and torch have announced to remove."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def ours(real: object = REAL, fake: object = FAKE, **settings: object) -> float:
    return fid(real, fake, interval=False, progress=False, **settings).value


def statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.mean(axis=0), np.cov(x, rowvar=False)


def test_torch_fidelity() -> None:
    peer = pytest.importorskip("torch_fidelity.metric_fid")
    theirs = [peer.fid_features_to_statistics(torch.from_numpy(x)) for x in (REAL, FAKE)]
    found = peer.fid_statistics_to_metric(*theirs, verbose=False)
    assert ours() == pytest.approx(found["frechet_inception_distance"], rel=1e-6)


def test_pytorch_fid(tmp_path: Path) -> None:
    """Its function, and its files on one side or both."""
    peer = pytest.importorskip("pytorch_fid.fid_score")
    try:
        expected = peer.calculate_frechet_distance(*statistics(REAL), *statistics(FAKE))
    except TypeError:
        pytest.skip("pytorch-fid does not run with this SciPy")
    for name, x in (("real", REAL), ("fake", FAKE)):
        mu, sigma = statistics(x)
        np.savez_compressed(tmp_path / f"{name}.npz", mu=mu, sigma=sigma)
    real, fake = tmp_path / "real.npz", tmp_path / "fake.npz"
    for pair in ((REAL, FAKE), (real, FAKE), (REAL, fake), (real, fake)):
        assert ours(*pair) == pytest.approx(expected, rel=1e-6)


def test_pytorch_fid_reads_our_statistics(tmp_path: Path) -> None:
    peer = pytest.importorskip("pytorch_fid.fid_score")
    feature_statistics(REAL, progress=False).save(tmp_path / "real.npz")
    mu, sigma = peer.compute_statistics_of_path(str(tmp_path / "real.npz"), None, 1, 32, "cpu")
    np.testing.assert_allclose(mu, REAL.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(sigma, np.cov(REAL, rowvar=False), rtol=1e-10, atol=1e-15)


class Pooled(nn.Module):
    """A feature network of the kind that torchmetrics takes: 8-bit images in, features out."""

    num_features = 12

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.double()
        x = x / 127.5 - 1 if x.max() > 1 else x
        return torch.cat((x.mean(dim=(2, 3)), x.amax(dim=(2, 3)), x.std(dim=(2, 3)), x[:, :, 0, 0]), dim=1)


def test_torchmetrics() -> None:
    peer = pytest.importorskip("torchmetrics.image.fid")
    images = torch.from_numpy(RNG.integers(0, 256, (2, 300, 3, 6, 6), dtype=np.uint8))
    images[1] //= 2
    metric = peer.FrechetInceptionDistance(feature=Pooled(), input_img_size=(3, 6, 6)).set_dtype(torch.float64)
    for real, side in zip((True, False), images, strict=True):
        for batch in side.split(70):
            metric.update(batch, real=real)
    assert ours(*images, features=Pooled()) == pytest.approx(float(metric.compute()), rel=1e-5)


def test_inception_score_of_torch_fidelity() -> None:
    peer = pytest.importorskip("torch_fidelity.metric_isc")
    logits = torch.from_numpy(RNG.normal(size=(400, 9)) * 2)
    theirs = peer.isc_features_to_metric(logits, splits=8, shuffle=False)
    mean, std = inception_score(logits.softmax(dim=1), splits=8)
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-6)
    assert std == pytest.approx(theirs["inception_score_std"], rel=1e-6)


def test_where_they_lose_digits_the_closed_form_decides() -> None:
    """Features that never fire and a commuting pair of condition number 1e10: tr (AB)^(1/2) = sum sqrt(a b)."""
    peer = pytest.importorskip("torch_fidelity.metric_fid")
    a = np.concatenate((np.logspace(-10, 0, 24), np.zeros(8)))
    b = np.roll(a[:24], 7)
    turn = np.linalg.qr(RNG.normal(size=(32, 32)))[0]
    from gancore.kernels.frechet import frechet_distance

    spectra = (a, np.concatenate((b, np.zeros(8))))
    exact = sum(s.sum() for s in spectra) - 2 * np.sqrt(spectra[0] * spectra[1]).sum()
    covariances = [(turn * s) @ turn.T for s in spectra]
    pairs = [(np.zeros(32), (c + c.T) / 2) for c in covariances]
    found = frechet_distance(*pairs)
    theirs = peer.fid_statistics_to_metric(
        *({"mu": mean, "sigma": covariance} for mean, covariance in pairs), verbose=False
    )["frechet_inception_distance"]
    assert found == pytest.approx(exact, rel=1e-9)
    assert abs(found - exact) <= abs(theirs - exact) + 1e-14


def test_real_statistics_of_published_networks(data_root: Path) -> None:
    peer = pytest.importorskip("pytorch_fid.fid_score")
    files = []
    for path in sorted(data_root.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            if {"mu", "sigma"} <= set(file.files) and file["mu"].shape == (2048,):
                files.append(path)
    if len(files) < 2:
        pytest.skip("there are no two files of 2048-dimensional statistics")
    pairs = []
    for path in files[:2]:
        with np.load(path, allow_pickle=False) as file:
            pairs += [file["mu"].astype(float), file["sigma"].astype(float)]
    try:
        expected = peer.calculate_frechet_distance(*pairs)
    except TypeError:
        pytest.skip("pytorch-fid does not run with this SciPy")
    assert ours(*files[:2]) == pytest.approx(expected, rel=1e-5)
