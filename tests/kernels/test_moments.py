"""Streaming moments against NumPy, in any batches, merged in any order, through files and dictionaries."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gancore.errors import DataError, DomainError, DTypeError, ShapeError
from gancore.kernels._torch.moments import Moments as Twin
from gancore.kernels.moments import FeatureMoments

features = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 40), st.integers(1, 6)), elements=st.floats(-100, 100, width=32)
)


def moments_of(x: np.ndarray, batch: int = 10_000) -> FeatureMoments:
    moments = FeatureMoments(x.shape[1])
    for start in range(0, len(x), batch):
        moments.update(x[start : start + batch])
    return moments


def covariance_of(x: np.ndarray) -> np.ndarray:
    return np.cov(x.astype(np.float64), rowvar=False).reshape(x.shape[1], x.shape[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(x=features, batch=st.integers(1, 12), shift=st.sampled_from([0.0, 1e4]))
def test_agrees_with_numpy_in_any_batches(dtype: type, x: np.ndarray, batch: int, shift: float) -> None:
    x = (x + shift).astype(dtype)
    moments = moments_of(x, batch)
    assert moments.count == len(x)
    np.testing.assert_allclose(moments.mean, x.mean(0, dtype=np.float64), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(moments.covariance, covariance_of(x), rtol=1e-9, atol=1e-9)


def test_a_mean_a_million_deviations_away_costs_no_digits() -> None:
    x = np.round(np.random.default_rng(0).normal(size=(3000, 8)) * 4096) / 4096
    near, far = covariance_of(x), moments_of(x + 1e6, 77).covariance
    assert np.linalg.norm(far - near) <= 1e-12 * np.linalg.norm(near)


@given(x=features, cuts=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_merging_is_seeing_all_rows(x: np.ndarray, cuts: tuple[int, int]) -> None:
    low, high = sorted(cuts)
    a, b, c = (moments_of(part) for part in (x[:low], x[low:high], x[high:]))
    merged = a.merge(b).merge(c)
    assert merged.count == len(x)
    np.testing.assert_allclose(merged.covariance, covariance_of(x), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(a.merge(b.merge(c)).covariance, merged.covariance, rtol=1e-12, atol=1e-10)
    assert a.count == min(low, len(x))


def test_merging_with_itself_does_not_lock() -> None:
    x = np.arange(6.0).reshape(3, 2)
    moments = moments_of(x)
    assert moments.merge(moments).count == 6


@given(x=features)
def test_twin_agrees_with_the_kernel(x: np.ndarray) -> None:
    twin = Twin(x.shape[1], torch.device("cpu"))
    for part in np.array_split(x, 3):
        twin.insert(torch.from_numpy(part))
    ours = moments_of(x)
    np.testing.assert_allclose(twin.mean().numpy(), ours.mean, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(twin.covariance().numpy(), ours.covariance, rtol=1e-9, atol=1e-9)


def test_a_dictionary_goes_on_as_the_statistics_it_came_from() -> None:
    x = np.random.default_rng(0).normal(size=(2500, 3))
    whole = moments_of(x, 100)
    half = FeatureMoments.from_dict(pickle.loads(pickle.dumps(moments_of(x[:1300], 100).to_dict())))
    half.update(x[1300:])
    assert np.array_equal(half.covariance, whole.covariance)
    with pytest.raises(DomainError, match="pending missing"):
        FeatureMoments.from_dict({"count": 0, "mean": np.zeros(1), "scatter": np.zeros((1, 1))})


def test_files_are_those_of_pytorch_fid_and_say_how_many(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    path = tmp_path / "stats.npz"
    moments_of(x).save(path)
    with np.load(path, allow_pickle=False) as file:
        np.testing.assert_allclose(file["mu"], x.mean(0))
        np.testing.assert_allclose(file["sigma"], np.cov(x, rowvar=False))
        assert file["n"] == 50
    again = FeatureMoments.load(path)
    again.update(x)
    np.testing.assert_allclose(again.covariance, np.cov(np.concatenate([x, x]), rowvar=False), rtol=1e-12)

    np.savez_compressed(path, mu=x.mean(0), sigma=np.cov(x, rowvar=False))
    foreign = FeatureMoments.load(path)
    assert foreign.count is None
    np.testing.assert_array_equal(foreign.mean, x.mean(0))
    for refused in (lambda: foreign.update(x), lambda: foreign.merge(again), lambda: again.merge(foreign)):
        with pytest.raises(DomainError, match="without `n`"):
            refused()


def test_broken_files_are_named(tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    moments_of(np.eye(3)).save(good)
    packed = tmp_path / "packed.npz"
    np.savez_compressed(packed, mu=np.zeros(50), sigma=np.random.default_rng(0).normal(size=(50, 50)))
    damaged = bytearray(packed.read_bytes())
    damaged[2000:2100] = bytes(100)
    cases = {
        "damaged.npz": bytes(damaged),
        "truncated.npz": good.read_bytes()[:200],
        "text.npz": b"not a zip archive",
        "empty.npz": b"",
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
    np.savez(tmp_path / "keys.npz", mu=np.zeros(2))
    np.savez(tmp_path / "shapes.npz", mu=np.zeros(2), sigma=np.eye(3))
    np.savez(tmp_path / "nan.npz", mu=np.zeros(1), sigma=np.full((1, 1), np.nan))
    np.savez(tmp_path / "n.npz", mu=np.zeros(1), sigma=np.ones((1, 1)), n=np.asarray(1))
    np.savez(tmp_path / "pickle.npz", mu=np.array([{}], dtype=object), sigma=np.ones((1, 1)))
    np.save(tmp_path / "single.npy", np.zeros(3))
    for name in (*cases, "keys.npz", "shapes.npz", "nan.npz", "n.npz", "pickle.npz", "single.npy", "absent.npz"):
        with pytest.raises(DataError, match=name):
            FeatureMoments.load(tmp_path / name)


def test_what_it_cannot_take_is_refused_by_name_and_nothing_of_it_taken() -> None:
    moments = moments_of(np.eye(2))
    with pytest.raises(DomainError, match="NaN in row 1, column 0"):
        moments.update(np.array([[1.0, 2.0], [np.nan, 0.0]]))
    for shape in ((3,), (2, 3), (1, 2, 2)):
        with pytest.raises(ShapeError, match="`features`"):
            moments.update(np.zeros(shape))
    with pytest.raises(DTypeError, match="`features`"):
        moments.update(np.zeros((1, 2), dtype=complex))
    assert moments.count == 2
    with pytest.raises(ShapeError, match="`other`"):
        moments.merge(FeatureMoments(3))
    with pytest.raises(DomainError, match="at least 2"):
        _ = moments_of(np.ones((1, 2))).covariance
    for dim in (0, 2**40):
        with pytest.raises(DomainError, match="`dim`"):
            FeatureMoments(dim)


@pytest.mark.gpu
def test_cuda_features_are_summed_on_the_device() -> None:
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    moments = FeatureMoments(4)
    for part in x.cuda().split(30):
        moments.update(part)
    assert moments.covariance.is_cuda
    np.testing.assert_allclose(moments.covariance.cpu().numpy(), covariance_of(x.numpy()), rtol=1e-10)


def test_files_keep_their_precision(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    path = tmp_path / "stats.npz"
    moments_of(x).save(path)
    assert FeatureMoments.load(path).rounding == np.finfo(np.float64).eps
    np.savez(path, mu=x.mean(0), sigma=np.cov(x, rowvar=False).astype(np.float32))
    rounded = FeatureMoments.load(path)
    assert rounded.rounding == np.finfo(np.float32).eps
    rounded.save(path)
    again = FeatureMoments.load(path)
    assert again.rounding == rounded.rounding, "a matrix that was rounded once stays known as such"
    np.testing.assert_array_equal(again.covariance, rounded.covariance)


def test_pytorch_fid_reads_the_files(tmp_path: Path) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    path = tmp_path / "stats.npz"
    moments = moments_of(np.random.default_rng(0).normal(size=(20, 3)))
    moments.save(path)
    mean, covariance = fid_score.compute_statistics_of_path(str(path), None, 1, 3, "cpu")
    np.testing.assert_array_equal(mean, moments.mean)
    np.testing.assert_array_equal(covariance, moments.covariance)


def test_a_dictionary_of_sums_is_enough() -> None:
    x = np.random.default_rng(0).normal(size=(30, 3))
    scatter = np.tril((x - x.mean(0)).T @ (x - x.mean(0)))
    moments = FeatureMoments.from_dict(
        {"count": 30, "mean": x.mean(0), "scatter": scatter, "pending": np.zeros((0, 3))}
    )
    np.testing.assert_allclose(
        moments.merge(moments_of(x)).covariance, covariance_of(np.concatenate([x, x])), rtol=1e-12
    )
