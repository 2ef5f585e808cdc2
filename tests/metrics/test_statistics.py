"""Statistics and features in files: what other programs read and write, how they were made, and what is broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from gancore.errors import DataError, DTypeError, NotPositiveDefiniteError, ProtocolError, ProtocolWarning
from gancore.metrics import FeatureRows, FeatureStatistics, feature_rows, feature_statistics, fid

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = RNG.normal(0.3, size=(300, 4))
IMAGES = RNG.integers(0, 256, (80, 3, 6, 6), dtype=np.uint8)


class Net(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.linear = nn.Linear(108, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.flatten(1))


def quiet(real: object, fake: object, **settings: object) -> float:
    return fid(real, fake, progress=False, **settings)


def test_statistics_come_back_with_their_protocol(tmp_path: Path) -> None:
    net = Net()
    statistics = feature_statistics(IMAGES, features=net, progress=False)
    statistics.save(tmp_path / "real.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["real.npz"]
    again = FeatureStatistics.load(tmp_path / "real.npz")
    assert again.protocol == json.loads(json.dumps(statistics.protocol))
    assert {"features", "weights_sha256", "resize", "value_range", "dim", "n", "dtype", "versions"} <= set(
        again.protocol
    )
    here = quiet(IMAGES, IMAGES[::-1] // 2, features=net)
    there = quiet(tmp_path / "real.npz", IMAGES[::-1] // 2, features=net)
    assert there.value == pytest.approx(here.value, rel=1e-12)
    assert there.protocol["weights_sha256"] == here.protocol["weights_sha256"] == again.protocol["weights_sha256"]
    assert (there.n_real, there.protocol["n_real"], there.protocol["n_fake"]) == (80, 80, 80)


def test_others_read_our_statistics_and_we_read_theirs(tmp_path: Path) -> None:
    feature_statistics(X, progress=False).save(tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz") as file:
        np.testing.assert_allclose(file["mu"], X.mean(0), rtol=1e-12)
        np.testing.assert_allclose(file["sigma"], np.cov(X, rowvar=False), rtol=1e-12)
        assert file["n"] == 300
    np.savez_compressed(tmp_path / "theirs.npz", mu=X.mean(0), sigma=np.cov(X, rowvar=False))
    ours, theirs = (quiet(tmp_path / f"{name}.npz", Y) for name in ("ours", "theirs"))
    assert theirs.value == pytest.approx(ours.value, rel=1e-12)
    assert (ours.n_real, theirs.n_real) == (300, None)


def test_a_network_of_other_weights_is_refused_by_name(tmp_path: Path) -> None:
    feature_statistics(IMAGES, features=Net(), progress=False).save(tmp_path / "real.npz")
    with pytest.raises(ProtocolError, match=r"weights sha256: [0-9a-f]{8} \(real\), [0-9a-f]{8} \(fake\)"):
        quiet(tmp_path / "real.npz", IMAGES, features=Net(1))
    with pytest.raises(ProtocolError, match=r"resize: none \(real\), centre crop.* 4x4 \(fake\)"):
        quiet(tmp_path / "real.npz", IMAGES, features=Net(), resize=4)
    found = quiet(tmp_path / "real.npz", IMAGES, features=Net(1), allow_different_protocols=True)
    assert found.value > 0
    assert "weights sha256" in found.protocol["differences"][0]
    assert "(real)" in found.protocol["weights_sha256"]


def test_another_network_is_refused_before_the_fakes_are_drawn(tmp_path: Path) -> None:
    feature_statistics(IMAGES, features=Net(), progress=False).save(tmp_path / "real.npz")

    def fakes(n: int) -> torch.Tensor:
        pytest.fail("drawn")

    with pytest.raises(ProtocolError):
        quiet(tmp_path / "real.npz", fakes, features=Net(1))


def test_two_files_of_different_networks_are_refused(tmp_path: Path) -> None:
    for seed in (0, 1):
        feature_statistics(IMAGES, features=Net(seed), progress=False).save(tmp_path / f"{seed}.npz")
    with pytest.raises(ProtocolError, match="weights sha256"):
        quiet(tmp_path / "0.npz", tmp_path / "1.npz")
    assert quiet(tmp_path / "0.npz", tmp_path / "0.npz").value == pytest.approx(0, abs=1e-12)


def test_statistics_of_unknown_make_warn_where_a_network_is_known(tmp_path: Path) -> None:
    features = Net()(torch.from_numpy(IMAGES) / 127.5 - 1).detach().numpy()
    np.savez(tmp_path / "theirs.npz", mu=features.mean(0), sigma=np.cov(features, rowvar=False))
    with pytest.warns(ProtocolWarning, match="real: these statistics do not tell how they were made"):
        quiet(tmp_path / "theirs.npz", IMAGES, features=Net())


def test_features_serve_any_number_of_scores(tmp_path: Path) -> None:
    net = Net()
    rows = feature_rows(IMAGES, features=net, progress=False)
    assert (rows.x.shape, rows.x.dtype, len(rows)) == ((80, 4), np.float32, 80)
    rows.save(tmp_path / "rows.npz")
    again = FeatureRows.load(tmp_path / "rows.npz")
    assert np.array_equal(again.x, rows.x)
    expected = quiet(IMAGES, IMAGES // 2, features=net)
    for source in (rows, again, tmp_path / "rows.npz"):
        found = quiet(source, IMAGES // 2, features=net)
        assert found.value == pytest.approx(expected.value, rel=1e-12)
        assert found.interval == pytest.approx(expected.interval, rel=1e-9)
    with pytest.raises(ProtocolError):
        quiet(rows, IMAGES, features=Net(1))
    with pytest.raises(DTypeError, match="source: expected samples or features; statistics hold only"):
        feature_rows(feature_statistics(X, progress=False))


def test_broken_files_are_named_and_nothing_is_left_half_written(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(DataError, match=r"a\.npz: (no|there is no) such file"):
        quiet(path, X)
    feature_statistics(X, progress=False).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.npz: "):
        quiet(path, X)
    path.write_bytes(b"no numpy file at all")
    with pytest.raises(DataError, match="expected a NumPy file"):
        quiet(path, X)
    np.savez(path, weights=np.zeros(3), bias=np.zeros(2))
    with pytest.raises(DataError, match=r"expected the samples under .* got weights, bias"):
        quiet(path, X)
    before = path.read_bytes()
    broken = FeatureStatistics(feature_statistics(X, progress=False).moments, {"no": object()})
    with pytest.raises(TypeError):
        broken.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("count", [{}, {"n": 300}], ids=["without n", "with n"])
def test_a_covariance_that_is_none_is_refused(count: dict[str, int], tmp_path: Path) -> None:
    path, sigma = tmp_path / "a.npz", np.cov(X, rowvar=False)
    for change, error, match in (
        ((0, 1, 0.5), DataError, r"a\.npz: sigma: expected a symmetric matrix"),
        ((2, 2, -1.0), DataError, r"a\.npz: sigma: expected variances, got -1 at place 2"),
        ((3, 3, np.nan), DataError, r"a\.npz: .*finite"),
    ):
        bad = sigma.copy()
        bad[change[0], change[1]] = change[2]
        np.savez(path, mu=X.mean(0), sigma=bad, **count)
        with pytest.raises(error, match=match):
            quiet(path, Y)
    bad = np.eye(4)
    bad[0, 1] = bad[1, 0] = 2.0
    np.savez(path, mu=X.mean(0), sigma=bad, **count)
    with pytest.raises(NotPositiveDefiniteError, match="real"):
        quiet(path, Y)
    np.savez(path, mu=X.mean(0), sigma=sigma[:3, :3], **count)
    with pytest.raises(DataError, match=r"mu of shape \(d,\) and sigma \(d, d\)"):
        quiet(path, Y)


@pytest.mark.parametrize("text", ["not json", "[1, 2]"])
def test_a_protocol_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", mu=X.mean(0), sigma=np.cov(X, rowvar=False), protocol=np.array(text))
    with pytest.raises(DataError, match=r"a\.npz: protocol: expected a JSON object"):
        quiet(tmp_path / "a.npz", Y)


def test_a_score_is_printed_with_its_protocol() -> None:
    text = str(quiet(IMAGES, IMAGES // 2, features=Net(), resize=6))
    for part in ("FID ", "80 and 80 samples", "features Net", "weights ", "resize centre crop", "["):
        assert part in text
