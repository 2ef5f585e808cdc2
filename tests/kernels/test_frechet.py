"""The Fréchet distance against closed forms, SciPy where it is right, mpmath, and the torch twin."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import BackendError, DomainError, DTypeError, NotPositiveDefiniteError, ShapeError
from gancore.kernels._torch import frechet as twin
from gancore.kernels.frechet import frechet_distance, trace_sqrt_product
from gancore.kernels.moments import FeatureMoments

seeds = st.integers(0, 2**32 - 1)


def gram(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    x = rng.normal(size=(n, d))
    return x.T @ x / n


def rotation(rng: np.random.Generator, d: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


@given(seed=seeds, d=st.integers(1, 24))
def test_agrees_with_scipy_on_full_rank(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = gram(rng, 3 * d, d), gram(rng, 3 * d, d)
    expected = np.trace(scipy.linalg.sqrtm(a @ b)).real
    assert trace_sqrt_product(a, b) == pytest.approx(expected, rel=1e-8)
    assert trace_sqrt_product(b, a) == pytest.approx(trace_sqrt_product(a, b), rel=1e-12)


@pytest.mark.parametrize("condition", [6, 12])
def test_agrees_with_fifty_digits(condition: int) -> None:
    rng = np.random.default_rng(condition)
    d = 8
    a, b = ((q * np.logspace(0, -condition, d)) @ q.T for q in (rotation(rng, d), rotation(rng, d)))
    a, b = (a + a.T) / 2, (b + b.T) / 2
    with mpmath.workdps(50):
        eigenvalues = mpmath.eig(mpmath.matrix(a.tolist()) * mpmath.matrix(b.tolist()), left=False, right=False)
        expected = float(sum(mpmath.sqrt(abs(v)) for v in eigenvalues))
    assert trace_sqrt_product(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("d", [64, 256])
@pytest.mark.parametrize("rank", ["full", "deficient", "wide"])
def test_congruent_matrices_have_a_closed_form(d: int, rank: str) -> None:
    # B = T A T with T positive definite: (A B)^(1/2) is similar to A T, whatever the rank of A.
    rng = np.random.default_rng(d)
    n = {"full": 3 * d, "deficient": d // 4, "wide": d - 1}[rank]
    x = rng.normal(size=(n, d))
    t = np.eye(d) + gram(rng, d, d)
    a, b = x.T @ x / n, (x @ t).T @ (x @ t) / n
    expected = float(np.sum((x @ t) * x)) / n
    assert trace_sqrt_product(a, b) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("d", [64, 256])
def test_singular_matrices_give_the_nuclear_norm_of_their_data(d: int) -> None:
    rng = np.random.default_rng(d)
    for n, m in ((d // 4, d // 4), (d // 4, 3 * d), (1, d // 2)):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
        expected = np.linalg.norm(x @ y.T, "nuc") / np.sqrt(n * m)
        assert trace_sqrt_product(x.T @ x / n, y.T @ y / m) == pytest.approx(expected, rel=1e-10)


def test_disjoint_ranges_and_dead_features() -> None:
    rng = np.random.default_rng(0)
    a, b = np.zeros((40, 40)), np.zeros((40, 40))
    a[:20, :20], b[20:, 20:] = gram(rng, 60, 20), gram(rng, 60, 20)
    assert trace_sqrt_product(a, b) == 0.0
    live = gram(rng, 60, 20)
    b[:], b[:20, :20] = 0, live
    assert trace_sqrt_product(a, b) == pytest.approx(trace_sqrt_product(a[:20, :20], live), rel=1e-12)
    assert trace_sqrt_product(np.zeros((3, 3)), np.eye(3)) == 0.0


@given(seed=seeds, d=st.integers(1, 20), n=st.integers(2, 40))
def test_distance_to_itself_is_zero_up_to_rounding(seed: int, d: int, n: int) -> None:
    moments = FeatureMoments(d)
    moments.update(np.random.default_rng(seed).normal(size=(n, d)))
    assert 0.0 <= frechet_distance(moments, moments) <= 1e-10 * max(np.trace(moments.covariance), 1e-300)


@given(seed=seeds, d=st.integers(1, 12))
def test_commuting_gaussians_have_a_closed_form(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    q, left, right = rotation(rng, d), rng.uniform(0.1, 3, d), rng.uniform(0.1, 3, d)
    shift = rng.normal(size=d)
    expected = shift @ shift + np.sum((np.sqrt(left) - np.sqrt(right)) ** 2)
    real, fake = (np.zeros(d), (q * left) @ q.T), (shift, (q * right) @ q.T)
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@given(seed=seeds, d=st.integers(1, 16), n=st.integers(2, 40))
def test_twin_agrees_with_the_kernel(seed: int, d: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = gram(rng, n, d), gram(rng, n, d)
    expected = trace_sqrt_product(a, b)
    value = twin.trace_sqrt_product(torch.from_numpy(a), torch.from_numpy(b))
    assert value.item() == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_the_distance_is_a_float_for_arrays_and_tensors() -> None:
    a = np.eye(2, dtype=np.float32)
    assert type(trace_sqrt_product(a, a)) is float
    gaussian = (torch.zeros(2), torch.eye(2))
    assert type(frechet_distance(gaussian, gaussian)) is float


@pytest.mark.parametrize("as_kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(
    ("matrix", "error"),
    [
        ([[1.0, 0.0], [0.5, 1.0]], DomainError),
        ([[1.0, 0.0], [0.0, np.nan]], DomainError),
        ([[1.0, 0.0], [0.0, -1.0]], NotPositiveDefiniteError),
        ([[1.0, 2.0], [2.0, 1.0]], NotPositiveDefiniteError),
        ([[1.0, 0.0]], ShapeError),
        ([[1.0]], ShapeError),
    ],
)
def test_what_is_no_covariance_is_refused_by_name(as_kind, matrix, error) -> None:
    matrix, unit = as_kind(np.array(matrix)), as_kind(np.eye(2))
    with pytest.raises(error, match=r"`[ab]`"):
        trace_sqrt_product(matrix, unit)
    if as_kind is torch.as_tensor:
        with pytest.raises(error, match=r"`[ab]`"):
            twin.trace_sqrt_product(matrix, unit)


def test_kinds_and_shapes_of_gaussians_are_checked() -> None:
    with pytest.raises(DTypeError, match="`fake`"):
        frechet_distance(([0.0], [[1.0]]), "statistics")
    with pytest.raises(ShapeError, match="fake"):
        frechet_distance(([0.0], [[1.0]]), ([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]))
    with pytest.raises(BackendError, match="gradient"):
        trace_sqrt_product(torch.eye(2, requires_grad=True), torch.eye(2))


@pytest.mark.gpu
def test_cuda_statistics_are_compared_on_the_device() -> None:
    rng = np.random.default_rng(0)
    a, b = gram(rng, 50, 10), gram(rng, 50, 10)
    value = trace_sqrt_product(torch.from_numpy(a).cuda(), torch.from_numpy(b).cuda())
    assert value == pytest.approx(trace_sqrt_product(a, b), rel=1e-10)
