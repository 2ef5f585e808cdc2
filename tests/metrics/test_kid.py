from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from gancore.errors import DataError, DomainError, DTypeError, ProtocolError, ShapeError
from gancore.metrics import KIDResult, feature_rows, feature_statistics, kid

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(300, 5)), RNG.normal(0.4, size=(260, 5))


def gram(x: np.ndarray, y: np.ndarray, degree: int, gamma: float | None, coef0: float) -> np.ndarray:
    return (x @ y.T * (1 / x.shape[1] if gamma is None else gamma) + coef0) ** degree


def unbiased(x: np.ndarray, y: np.ndarray, degree: int = 3, gamma: float | None = None, coef0: float = 1.0) -> float:
    """The definition, over pairs of distinct samples."""
    xx, yy, xy = (gram(a, b, degree, gamma, coef0) for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    return float((xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1)) - 2 * xy.mean())


def quiet(real: object, fake: object, **settings: object) -> KIDResult:
    return kid(real, fake, **({"progress": False, "subsets": 20, "subset_size": 100} | settings))


@pytest.mark.parametrize("settings", [{}, {"degree": 2, "gamma": 0.5, "coef0": 0.0}])
def test_all_pairs_are_the_definition(settings: dict[str, float]) -> None:
    found = quiet(X, Y, **settings)
    assert found.unbiased == pytest.approx(unbiased(X, Y, **settings), rel=1e-9)
    assert found.interval[0] < found.unbiased < found.interval[1]
    assert found.interval[1] - found.unbiased == pytest.approx(1.959964 * found.standard_error, rel=1e-5)
    assert (found.n_real, found.n_fake) == (300, 260)


def test_one_subset_of_everything_is_all_pairs() -> None:
    found = quiet(X[:200], Y[:200], subsets=1, subset_size=200)
    assert (found.mean, found.std) == (pytest.approx(found.unbiased, rel=1e-9), 0.0)


def test_subsets_scatter_about_all_pairs() -> None:
    found = quiet(X, Y, subsets=200)
    assert abs(found.mean - found.unbiased) < 5 * found.std / 200**0.5
    assert found.mean == quiet(X, Y, subsets=200).mean != quiet(X, Y, subsets=200, seed=1).mean
    assert found.unbiased == quiet(X, Y, subsets=20, seed=7).unbiased


def test_the_protocol_says_kernel_and_subsets() -> None:
    protocol = quiet(X, Y, degree=2).protocol
    assert protocol["metric"] == "kid"
    assert protocol["kernel"] == "polynomial, degree 2, gamma 1/d, coef0 1"
    assert (protocol["subsets"], protocol["subset_size"], protocol["subset_seed"]) == (20, 100, 0)
    assert "KID" in str(quiet(X, Y))


def test_images_through_a_network_and_features_of_two_precisions() -> None:
    images = torch.rand(150, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def pooled(x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))

    found = quiet(images, images**3, features=pooled)
    rows = [pooled(x).numpy() for x in (images, images**3)]
    assert found.unbiased == pytest.approx(unbiased(*(r.astype(float) for r in rows)), rel=1e-3)
    assert quiet(rows[0], rows[1].astype(np.float64)).unbiased == pytest.approx(found.unbiased, rel=1e-4)
    kept = feature_rows(images, features=pooled, progress=False)
    assert quiet(kept, images**3, features=pooled).unbiased == found.unbiased


def test_input_that_makes_no_sense(tmp_path: Path) -> None:
    for real, fake, settings, error, match in (
        (X, Y, {"subset_size": 261}, DomainError, "subset_size: expected at most the 260 samples of fake, got 261"),
        (X[:50], Y, {}, DomainError, "subset_size: expected at most the 50 samples of real"),
        (X, Y[:, :3], {}, ShapeError, "fake: expected 5 features"),
        (X, Y, {"subsets": 0}, DomainError, "subsets: "),
        (X, Y, {"subset_size": 1}, DomainError, "subset_size: "),
        (X, Y, {"degree": 0}, DomainError, "degree: "),
        (X, Y, {"gamma": 0.0}, DomainError, "gamma: "),
        (X, Y, {"coef0": -1.0}, DomainError, "coef0: "),
        (X, np.where(np.arange(260)[:, None] == 259, np.nan, Y), {}, DomainError, "fake: .* row 259$"),
        (feature_statistics(X, progress=False), Y, {}, DTypeError, "real: expected samples or features"),
        (tmp_path / "none.npz", Y, {}, DataError, r"none\.npz"),
    ):
        with pytest.raises(error, match=match):
            quiet(real, fake, **settings)


def test_features_of_two_networks_are_refused() -> None:
    rows = [feature_rows(x, features=None, progress=False) for x in (X, Y)]
    for side, name in zip(rows, ("A", "B"), strict=True):
        side.protocol["features"] = name
    with pytest.raises(ProtocolError, match=r"features: A \(real\), B \(fake\)"):
        quiet(*rows)
    assert quiet(*rows, allow_different_protocols=True).protocol["differences"] == ["features: A (real), B (fake)"]


def test_torch_fidelity_and_torchmetrics_agree() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_kid")
    torchmetrics = pytest.importorskip("torchmetrics.image.kid")
    x, y = (RNG.normal(m, size=(400, 16)).astype(np.float32) for m in (0.0, 0.3))
    ours = kid(x, y, subsets=1, subset_size=400, progress=False)
    settings = {"kid_subsets": 1, "kid_subset_size": 400, "rng_seed": 0, "verbose": False}
    theirs = fidelity.kid_features_to_metric(torch.from_numpy(x), torch.from_numpy(y), **settings)
    # They sum in float32.
    assert ours.unbiased == pytest.approx(theirs[fidelity.KEY_METRIC_KID_MEAN], rel=1e-3)
    double = fidelity.kid_features_to_metric(torch.from_numpy(x).double(), torch.from_numpy(y).double(), **settings)
    assert ours.unbiased == pytest.approx(double[fidelity.KEY_METRIC_KID_MEAN], rel=1e-6)
    assert ours.mean == pytest.approx(ours.unbiased, rel=1e-7)
    pair = [torch.from_numpy(side).double() for side in (x, y)]
    found = torchmetrics.poly_mmd(*pair)
    assert ours.unbiased == pytest.approx(float(found), rel=1e-6)


def test_without_a_seed_of_their_own_subsets_scatter_as_theirs() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_kid")
    x, y = (RNG.normal(m, size=(800, 8)) for m in (0.0, 0.2))
    ours = kid(x, y, subsets=300, subset_size=100, progress=False)
    theirs = fidelity.kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subsets=300, kid_subset_size=100, rng_seed=0, verbose=False
    )
    spread = ours.std / 300**0.5
    assert abs(ours.mean - theirs[fidelity.KEY_METRIC_KID_MEAN]) < 6 * spread
    assert ours.std == pytest.approx(theirs[fidelity.KEY_METRIC_KID_STD], rel=0.25)
