"""MMD against its definition, its standard error against simulation, subsets, gradients and the torch twin."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import DomainError, ShapeError, UnknownNameError
from gancore.kernels import mmd
from gancore.kernels._torch import mmd as twin

KERNELS = {
    "polynomial": {"degree": 3},
    "rbf": {"bandwidth": (0.7, 2.0)},
    "rational_quadratic": {"bandwidth": [0.5, 3.0]},
}


def gram(a: np.ndarray, b: np.ndarray, kernel: str) -> np.ndarray:
    if kernel == "polynomial":
        return (a @ b.T / a.shape[1] + 1) ** 3
    squares = np.square(a[:, None] - b[None]).sum(2)
    if kernel == "rbf":
        return sum(np.exp(-squares / (2 * s * s)) for s in (0.7, 2.0))
    return sum((1 + squares / (2 * s)) ** -s for s in (0.5, 3.0))


def oracle(x: np.ndarray, y: np.ndarray, kernel: str, *, unbiased: bool) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    within = 0.0
    for side in (x, y):
        values, n = gram(side, side, kernel), len(side)
        within += (values.sum() - np.trace(values)) / (n * (n - 1)) if unbiased else values.mean()
    return float(within - 2 * gram(x, y, kernel).mean())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("kernel", KERNELS)
@given(n=st.integers(2, 30), m=st.integers(2, 30), d=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_definition(kernel, unbiased, dtype, n, m, d, seed) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(1.0, 1.0, (n, d)).astype(dtype), rng.normal(0.5, 1.2, (m, d)).astype(dtype)
    expected = oracle(x, y, kernel, unbiased=unbiased)
    scale = np.abs(gram(x.astype(float), y.astype(float), kernel)).max()
    assert mmd.mmd2(x, y, kernel=kernel, unbiased=unbiased, **KERNELS[kernel]) == pytest.approx(
        expected, rel=1e-12, abs=1e-13 * max(scale, 1)
    )


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_the_definition_over_several_blocks(kernel: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(2.0, 1.0, (1300, 11)).astype(dtype), rng.normal(2.0, 1.1, (1100, 11)).astype(dtype)
    expected = oracle(x, y, kernel, unbiased=True)
    got = mmd.mmd2(x, y, kernel=kernel, **KERNELS[kernel])
    scale = np.abs(gram(x[:100].astype(float), y[:100].astype(float), kernel)).mean()
    tolerance = 1e-9 if kernel == "polynomial" and dtype is np.float32 else 1e-13
    assert got == pytest.approx(expected, abs=tolerance * scale)


def test_of_means_when_the_kernel_is_linear() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    value = mmd.mmd2(x, y, degree=1, gamma=1.0, coef0=7.0, unbiased=False)
    assert value == pytest.approx(np.square(x.mean(0) - y.mean(0)).sum(), rel=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_biased_value_of_equal_samples_is_zero_and_never_negative(kernel: str) -> None:
    x = np.random.default_rng(2).normal(size=(30, 4))
    value = mmd.mmd2(x, x[::-1], kernel=kernel, unbiased=False)
    assert abs(value) < 1e-13
    assert mmd.mmd2(x, x[:15], kernel=kernel, unbiased=False) > 0


def direct_variance(x: np.ndarray, y: np.ndarray) -> float:
    """The variance of the estimate by its definition: unbiased means over tuples of distinct indices, one by one."""
    xx, yy, xy = (gram(a, b, "polynomial") for a, b in ((x, x), (y, y), (x, y)))
    n, m = xy.shape

    def parts(within: np.ndarray, cross: np.ndarray) -> tuple[float, float]:
        size, other = cross.shape
        triples = list(itertools.permutations(range(size), 3))
        quads = list(itertools.permutations(range(size), 4))
        apart = np.mean([within[i, j] * within[k, q] for i, j, k, q in quads])
        shared = np.mean([within[i, j] * within[i, k] for i, j, k in triples])
        square = np.mean([within[i, j] ** 2 for i, j in itertools.permutations(range(size), 2)])
        together = np.mean([within[i, j] * cross[i].mean() for i, j in itertools.permutations(range(size), 2)])
        separate = np.mean([within[i, j] * cross[k].mean() for i, j, k in triples])
        two = list(itertools.permutations(range(other), 2))
        own = np.mean([cross[i, a] * cross[i, b] for i in range(size) for a, b in two])
        rows = list(itertools.permutations(range(size), 2))
        away = np.mean([cross[i, a] * cross[j, b] for i, j in rows for a, b in two])
        first = shared - apart - 2 * (together - separate) + own - away
        return max(first, 0), max(square - 2 * shared + apart, 0)

    (first_x, second_x), (first_y, second_y) = parts(xx, xy), parts(yy, xy.T)
    pairs_n, pairs_m = list(itertools.permutations(range(n), 2)), list(itertools.permutations(range(m), 2))
    away = np.mean([xy[i, a] * xy[j, b] for i, j in pairs_n for a, b in pairs_m])
    by_x = np.mean([xy[i, a] * xy[i, b] for i in range(n) for a, b in pairs_m])
    by_y = np.mean([xy[i, a] * xy[j, a] for i, j in pairs_n for a in range(m)])
    cross = max(np.square(xy).mean() - by_x - by_y + away, 0)
    return (
        4 / n * first_x
        + 4 / m * first_y
        + 2 / (n * (n - 1)) * second_x
        + 2 / (m * (m - 1)) * second_y
        + 4 / (n * m) * cross
    )


@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 7), (7, 4)])
def test_the_error_is_its_definition_over_distinct_indices(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 2)), rng.normal(1.0, 1.0, (m, 2))
    value, error = mmd.mmd2_with_error(x, y)
    assert value == mmd.mmd2(x, y)
    assert error**2 == pytest.approx(direct_variance(x, y), rel=1e-9)


@pytest.mark.parametrize(("shift", "least", "most"), [(0.5, 0.93, 1.07), (0.0, 1.0, 1.4)])
def test_the_error_is_calibrated_and_errs_upward_where_samples_are_alike(
    shift: float, least: float, most: float
) -> None:
    rng = np.random.default_rng(4)
    draws = [
        mmd.mmd2_with_error(rng.normal(size=(40, 3)), rng.normal(shift, 1.0, (60, 3)), kernel="rbf", bandwidth=1.5)
        for _ in range(1500)
    ]
    values, errors = np.array(draws).T
    # The deviation of 1500 values is known to about 2 %, a little more where they are skewed.
    assert least <= np.sqrt(np.mean(errors**2)) / values.std() <= most


def test_subsets_are_those_of_the_seed_and_have_no_repeated_rows() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(60, 4))
    values = mmd.mmd2_subsets(x, y, subsets=7, size=20, seed=3)
    assert values.shape == (7,)
    assert (values == mmd.mmd2_subsets(x, y, subsets=7, size=20, seed=3)).all()
    assert not (values == mmd.mmd2_subsets(x, y, subsets=7, size=20, seed=4)).any()
    whole = mmd.mmd2_subsets(x, y[:50], subsets=3, size=50)
    np.testing.assert_allclose(whole, mmd.mmd2(x, y[:50]), rtol=1e-11)


@pytest.mark.parametrize("kernel", KERNELS)
def test_twin_agrees_and_gradients_are_right(kernel: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 9, 3, generator=generator, dtype=torch.float64)
    y = y[:6].clone()
    settings = KERNELS[kernel]
    value, error = mmd.mmd2_with_error(x, y, kernel=kernel, **settings)
    recorded = y.clone().requires_grad_()
    other = mmd.mmd2_with_error(x, recorded, kernel=kernel, **settings)
    assert other[0].item() == pytest.approx(value, rel=1e-10)
    assert other[1].item() == pytest.approx(error, rel=1e-8)
    assert torch.autograd.gradcheck(lambda a: mmd.mmd2(x, a, kernel=kernel, **settings), (recorded,))
    subsets = mmd.mmd2_subsets(x, recorded, subsets=2, size=5, kernel=kernel, **settings)
    torch.testing.assert_close(subsets.detach(), mmd.mmd2_subsets(x, y, subsets=2, size=5, kernel=kernel, **settings))


def test_same_bits_on_any_threads() -> None:
    import gancore

    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 2300, 5)).astype(np.float32)
    before, results = gancore.num_threads(), []
    try:
        for threads in (1, 3):
            gancore.set_num_threads(threads)
            results.append((*mmd.mmd2_with_error(x, y), *mmd.mmd2_subsets(x, y, subsets=5, size=300)))
    finally:
        gancore.set_num_threads(before)
    assert results[0] == results[1]


def test_bad_input_is_named() -> None:
    x = np.ones((5, 2))
    bad = x.copy()
    bad[3, 1] = np.inf
    with pytest.raises(DomainError, match="`y` must be finite; got inf in row 3, column 1"):
        mmd.mmd2(x, bad)
    with pytest.raises(DomainError, match="`y` must be finite"):
        twin.mmd2(torch.from_numpy(x), torch.from_numpy(bad), kernel="rbf", shape=(3, 1.0, 1.0, [1.0]), unbiased=True)
    with pytest.raises(ShapeError, match="`x` must have at least 2 rows; got 1"):
        mmd.mmd2(x[:1], x)
    with pytest.raises(ShapeError, match="`y` must have shape"):
        mmd.mmd2(x, np.ones((5, 3)))
    with pytest.raises(ShapeError, match="`x` must have shape"):
        mmd.mmd2(x[0], x)
    with pytest.raises(UnknownNameError, match="polynomial"):
        mmd.mmd2(x, x, kernel="polynomal")
    with pytest.raises(DomainError, match="`size`"):
        mmd.mmd2_subsets(x, x, subsets=2, size=6)
    with pytest.raises(DomainError, match="finite kernel values"):
        mmd.mmd2(1e120 * np.random.default_rng(0).normal(size=(5, 2)), x)
    for setting in ({"gamma": 0.0}, {"degree": 0}, {"degree": 65}, {"coef0": -1.0}, {"bandwidth": [1.0, -1.0]}):
        with pytest.raises(DomainError, match=next(iter(setting))):
            mmd.mmd2(x, x, **setting)
    assert np.isnan(mmd.mmd2_with_error(x[:3], x)[1])


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    x, y = torch.randn(2, 20, 4, dtype=torch.float64)
    got = mmd.mmd2(x.cuda(), y.cuda())
    assert got.is_cuda
    assert got.item() == pytest.approx(mmd.mmd2(x, y), rel=1e-10)
