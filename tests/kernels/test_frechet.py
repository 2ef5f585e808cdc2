"""The Fréchet distance against closed forms, SciPy where it is right, mpmath, and the torch twin."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import DomainError, DTypeError, NotPositiveDefiniteError, ShapeError
from gancore.kernels._torch import frechet as twin
from gancore.kernels.frechet import (
    frechet_distance,
    frechet_distance_from_features,
    frechet_distance_report,
    sqrtm_psd,
    trace_sqrt_product,
    trace_sqrt_product_report,
)
from gancore.kernels.moments import FeatureMoments

EPS = float(np.finfo(np.float64).eps)
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
    value = twin.trace_sqrt_product(torch.from_numpy(a), torch.from_numpy(b), rounding=EPS)[0]
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
            twin.trace_sqrt_product(matrix, unit, rounding=EPS)


def test_kinds_and_shapes_of_gaussians_are_checked() -> None:
    with pytest.raises(DTypeError, match="`fake`"):
        frechet_distance(([0.0], [[1.0]]), "statistics")
    with pytest.raises(ShapeError, match="fake"):
        frechet_distance(([0.0], [[1.0]]), ([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]))


@pytest.mark.gpu
def test_cuda_statistics_are_compared_on_the_device() -> None:
    rng = np.random.default_rng(0)
    a, b = gram(rng, 50, 10), gram(rng, 50, 10)
    value = trace_sqrt_product(torch.from_numpy(a).cuda(), torch.from_numpy(b).cuda())
    assert value == pytest.approx(trace_sqrt_product(a, b), rel=1e-10)


@pytest.mark.parametrize("d", [64, 256])
@pytest.mark.parametrize("powers", [(12, 12), (12, 0), (3, 2)])
def test_commuting_matrices_of_any_condition_keep_their_digits(d: int, powers: tuple[int, int]) -> None:
    rng = np.random.default_rng(d)
    vectors = rotation(rng, d)
    left, right = (rng.permutation(np.logspace(0, -power, d)) for power in powers)
    a, b = ((vectors * values) @ vectors.T for values in (left, right))
    assert trace_sqrt_product((a + a.T) / 2, (b + b.T) / 2) == pytest.approx(np.sqrt(left * right).sum(), rel=1e-10)


def test_reports_tell_the_way_and_the_ranks() -> None:
    rng = np.random.default_rng(0)
    full, few = gram(rng, 60, 20), gram(rng, 7, 20)
    assert trace_sqrt_product_report(full, full).way == "eigenvalues"
    report = trace_sqrt_product_report(few, full)
    assert (report.way, report.rank_a, report.rank_b) == ("singular values", 7, 20)
    report = frechet_distance_report((np.zeros(20), full), (np.zeros(20), few))
    assert (report.rank_a, report.rank_b) == (20, 7)
    assert report.value == frechet_distance((np.zeros(20), full), (np.zeros(20), few))


def test_exchanging_the_arguments_changes_no_bit() -> None:
    rng = np.random.default_rng(0)
    for n, m in ((60, 60), (7, 60), (7, 9)):
        a, b = gram(rng, n, 20), gram(rng, m, 20)
        assert trace_sqrt_product(a, b) == trace_sqrt_product(b, a)


@given(seed=seeds, d=st.integers(1, 16), n=st.integers(1, 40))
def test_roots_square_to_the_matrix(seed: int, d: int, n: int) -> None:
    a = gram(np.random.default_rng(seed), n, d)
    for root in (sqrtm_psd(a), sqrtm_psd(torch.from_numpy(a)).numpy(), root_of_twin(a)):
        np.testing.assert_allclose(root @ root, a, rtol=0, atol=1e-12 * np.trace(a))
        np.testing.assert_array_equal(root, root.T)


def root_of_twin(a: np.ndarray) -> np.ndarray:
    root = twin.sqrtm_psd(torch.from_numpy(a), rounding=EPS).numpy()
    return (root + root.T) / 2


def test_roots_are_right_and_have_gradients() -> None:
    rng = np.random.default_rng(0)
    a = gram(rng, 30, 6)
    np.testing.assert_allclose(sqrtm_psd(a), scipy.linalg.sqrtm(a).real, rtol=1e-12, atol=1e-13)
    with pytest.raises(NotPositiveDefiniteError, match="`a`"):
        sqrtm_psd(-a)
    x = torch.from_numpy(rng.normal(size=(9, 4))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: sqrtm_psd(x.T @ x), (x,))


@pytest.mark.parametrize(("n", "m"), [(30, 40), (6, 40), (40, 6), (6, 5), (10, 11), (2, 2)])
def test_features_give_the_distance_of_their_gaussians(n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 10)), rng.normal(size=(m, 10)) + 1
    sides = []
    for rows in (x, y):
        moments = FeatureMoments(10)
        moments.update(rows)
        sides.append(moments)
    expected = frechet_distance(*sides)
    for value in (
        frechet_distance_from_features(x, y),
        frechet_distance_from_features(y, x),
        frechet_distance_from_features(torch.from_numpy(x), torch.from_numpy(y).requires_grad_()).item(),
    ):
        assert value == pytest.approx(expected, rel=1e-10)
    assert frechet_distance_from_features(x, x) <= 1e-10 * np.trace(sides[0].covariance)
    assert frechet_distance_from_features(x.astype(np.float32), y) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("n", "m"), [(12, 9), (4, 9), (9, 4), (5, 4)])
def test_gradients_by_features_are_those_of_finite_differences(n: int, m: int) -> None:
    # With no more samples than features the ranges differ in general position, where the distance is smooth.
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(k, 5, generator=generator, dtype=torch.float64, requires_grad=True) for k in (n, m))
    assert torch.autograd.gradcheck(frechet_distance_from_features, (x, y))


def test_gradients_by_matrices_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(9, 4, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x, y: trace_sqrt_product(x.T @ x, y.T @ y), (x, y))
    assert torch.autograd.gradcheck(lambda x, y: frechet_distance((x[0], x.T @ x), (y[0], y.T @ y)), (x, y))


def test_singular_covariances_give_finite_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    for n in (3, 40):
        x, y = (torch.randn(n, 8, generator=generator) for _ in range(2))
        # Dead features and, in the first case, fewer samples than features.
        x[:, 0], y[:, 1] = 0, 0
        y.requires_grad_()
        value = frechet_distance_from_features(x, y)
        value.backward()
        assert y.grad is not None
        assert y.grad.dtype == torch.float32
        assert y.grad.isfinite().all()
        moved = frechet_distance_from_features(x, (y - 1e-3 * y.grad).detach())
        assert moved < value.item()
    same = torch.randn(4, 8, generator=generator).requires_grad_()
    frechet_distance_from_features(same.detach(), same).backward()
    assert same.grad.isfinite().all()


def test_features_that_do_not_fit_are_refused_by_name() -> None:
    good, nan = np.eye(3), np.eye(3)
    nan[1, 2] = np.nan
    cases = [
        (np.ones((1, 3)), DomainError, "`y` must have at least 2 rows"),
        (nan, DomainError, "`y` must be finite; got .* in row 1, column 2"),
        (np.ones((4, 2)), ShapeError, "`y` must have shape"),
        (np.ones(3), ShapeError, "`y` must have shape"),
    ]
    for bad, error, words in cases:
        with pytest.raises(error, match=f"(?i){words}"):
            frechet_distance_from_features(good, bad)
        with pytest.raises(error, match=f"(?i){words}"):
            twin.frechet_distance_from_features(torch.from_numpy(good), torch.from_numpy(bad))


def test_rounding_to_single_precision_is_forgiven_where_every_number_is_of_it() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 60))
    a, exact = (x.T @ x).astype(np.float32), np.linalg.svd(x, compute_uv=False).sum()
    unit = np.eye(60, dtype=np.float32)
    # A file of float32 that was converted holds the same numbers, rounded as before.
    for one, other, precision in ((a, unit, "float32"), (a.astype(np.float64), np.eye(60), "float32 in float64")):
        for kind in (np.asarray, torch.from_numpy):
            report = trace_sqrt_product_report(kind(one), kind(other))
            assert report.value == pytest.approx(exact, rel=1e-2)
            assert report.precision == precision
    mean = np.zeros(60)
    assert frechet_distance_report((mean, a.astype(np.float64)), (mean, np.eye(60))).precision == "float32 in float64"
    longer = a.astype(np.float64)
    longer[3, 4] = longer[4, 3] = np.nextafter(longer[3, 4], 1)
    unequal = np.eye(60) / 3
    for kind in (np.asarray, torch.from_numpy):
        with pytest.raises(NotPositiveDefiniteError, match="`a`"):
            trace_sqrt_product(kind(longer), kind(unequal))
    assert trace_sqrt_product_report(unequal, unequal).precision == "float64"


@pytest.mark.parametrize("d", [1, 5, 40])
def test_the_twin_takes_the_way_of_the_kernel(d: int) -> None:
    rng = np.random.default_rng(d)
    thin = gram(rng, max(d - 1, 1), d) if d > 1 else np.zeros((1, 1))
    cases = [(gram(rng, 3 * d, d), gram(rng, 3 * d, d)), (thin, gram(rng, 3 * d, d)), (thin, thin)]
    q = rotation(rng, d)
    hard, harder = ((q * np.logspace(0, -power, d)) @ q.T for power in (6, 12))
    cases += [((x + x.T) / 2,) * 2 for x in (np.eye(d), hard, harder)]
    for a, b in cases:
        expected = trace_sqrt_product_report(a, b)
        for gradient in (False, True):
            tensors = (torch.from_numpy(x).requires_grad_(gradient) for x in (a, b))
            value, way, *ranks = twin.trace_sqrt_product(*tensors, rounding=EPS)
            assert value.item() == pytest.approx(expected.value, rel=1e-10, abs=1e-12)
            assert ranks == [expected.rank_a, expected.rank_b]
            # At a condition of 1e12 it hangs on roundings whether the eigenvalues are accurate enough.
            assert way == expected.way or a is cases[-1][0]


def test_gradients_of_both_ways_agree_and_at_equal_matrices_are_half_the_unit() -> None:
    rng = np.random.default_rng(3)
    d = 30
    a, b = (torch.from_numpy(gram(rng, 2 * d, d)).requires_grad_() for _ in range(2))
    value, way, *_ = twin.trace_sqrt_product(a, b, rounding=EPS)
    assert way == "eigenvalues"
    left, right = (torch.linalg.cholesky(x.detach()) for x in (a, b))
    other = twin._NuclearNorm.apply(a, b, left, right)
    for one, two in zip(torch.autograd.grad(value, (a, b)), torch.autograd.grad(other, (a, b)), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9)
    same = a.detach().clone().requires_grad_()
    for gradient in torch.autograd.grad(trace_sqrt_product(a, same), (a, same)):
        torch.testing.assert_close(gradient, 0.5 * torch.eye(d, dtype=torch.float64), rtol=0, atol=1e-9)
    mean = torch.zeros(d, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(frechet_distance((mean, a.detach()), (mean, same)), same)
    assert gradient.abs().max() < 1e-9
