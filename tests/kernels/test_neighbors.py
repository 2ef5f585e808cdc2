"""Neighbours and counts in balls against brute force, ties and duplicates included, and the torch twin."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gancore.errors import BackendError, DomainError, ShapeError
from gancore.kernels import neighbors
from gancore.kernels._torch import neighbors as twin


def brute_knn(x: np.ndarray, k: int) -> np.ndarray:
    distances = cdist(x.astype(np.float64), x.astype(np.float64))
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, :k]


@st.composite
def grids(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Small integers far from zero: distances are exact, and full of ties and duplicates."""
    n, m, d = draw(st.integers(2, 40)), draw(st.integers(2, 40)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    offset, dtype = draw(st.sampled_from([0, 1000, 2**20])), draw(st.sampled_from([np.float32, np.float64]))
    return tuple((rng.integers(0, 4, (size, d)) + offset).astype(dtype) for size in (n, m))


@given(pair=grids(), data=st.data())
def test_ties_and_duplicates_are_exact(pair: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    x, y = pair
    k = data.draw(st.integers(1, len(x) - 1))
    assert (neighbors.knn_distances(x, k) == brute_knn(x, k)).all()
    radii, others = neighbors.knn_radii(x, k), neighbors.knn_radii(y, 1)
    distances = cdist(x.astype(np.float64), y.astype(np.float64))
    for inclusive in (True, False):
        counts = neighbors.ball_counts(x, y, x_radii=radii, y_radii=others, inclusive=inclusive)
        in_x = distances <= radii[:, None] if inclusive else distances < radii[:, None]
        in_y = distances <= others if inclusive else distances < others
        expected = in_x.sum(1), in_x.sum(0), in_y.sum(0), in_y.sum(1)
        assert all((got == want).all() for got, want in zip(counts, expected, strict=True))


@pytest.mark.parametrize(("n", "m", "d"), [(700, 300, 3), (1300, 1100, 70), (260, 2100, 300)])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_agrees_with_brute_force_over_several_blocks(n: int, m: int, d: int, shift: float) -> None:
    rng = np.random.default_rng(n)
    x, y = (rng.normal(size=(size, d)).astype(np.float32) + np.float32(shift) for size in (n, m))
    got = neighbors.knn_distances(x, 5)
    np.testing.assert_allclose(got, brute_knn(x, 5), rtol=1e-12)
    counts = neighbors.ball_counts(x, y, x_radii=got.T, y_radii=neighbors.knn_radii(y, 3))
    distances = cdist(x.astype(np.float64), y.astype(np.float64))
    for family, radii in enumerate(got.T):
        # The oracle adds in another order, but no pair of these stands within its rounding of a border.
        inside = distances <= radii[:, None]
        assert (counts.x_holds[family] == inside.sum(1)).all()
        assert (counts.y_held[family] == inside.sum(0)).all()
    assert counts.y_holds.shape == (m,)
    assert counts.x_held.shape == (n,)


def test_a_neighbour_lies_on_the_border_of_the_ball_that_it_spans() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 33)) + 50.0
    radii = neighbors.knn_radii(x, 4)
    closed = neighbors.ball_counts(x, x, x_radii=radii)
    opened = neighbors.ball_counts(x, x, x_radii=radii, inclusive=False)
    assert (closed.x_holds == 5).all()
    assert (opened.x_holds == 4).all()


def test_tight_clusters_far_from_each_other_and_identical_rows() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([1e-9 * rng.normal(size=(60, 4)), 1.0 + 1e-9 * rng.normal(size=(60, 4)), np.full((200, 4), 7.0)])
    got = neighbors.knn_radii(x, 3)
    direct = np.sqrt(np.square(x[:, None] - x[None]).sum(2))
    np.fill_diagonal(direct, np.inf)
    np.testing.assert_allclose(got, np.sort(direct, axis=1)[:, 2], rtol=1e-12)
    assert (got[120:] == 0).all()
    assert (neighbors.ball_counts(x, x, x_radii=got).x_holds[120:] == 200).all()
    assert (neighbors.ball_counts(x, x, x_radii=got, inclusive=False).x_holds[120:] == 0).all()


@pytest.mark.parametrize("scale", [1e-100, 1e-20, 1e20, 1e100])
def test_any_scale(scale: float) -> None:
    x = np.random.default_rng(2).normal(size=(50, 3)) * scale
    np.testing.assert_allclose(neighbors.knn_distances(x, 2), brute_knn(x, 2), rtol=1e-12)
    assert (neighbors.ball_counts(x, x, x_radii=neighbors.knn_radii(x, 2)).x_holds == 3).all()


@settings(max_examples=30)
@given(pair=grids())
def test_twin_agrees(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = map(torch.from_numpy, pair)
    assert torch.equal(twin.knn_distances(x, k=1), neighbors.knn_distances(x, 1))
    radii = np.ones((2, len(x)))
    radii[1] = np.sqrt(2)
    got = twin.ball_counts(x, y, x_radii=radii, y_radii=np.empty((0, len(y))))
    want = neighbors.ball_counts(x, y, x_radii=radii)
    assert all(torch.equal(a, b.flatten()) for a, b in zip(got, want, strict=True))


def test_same_results_on_any_threads() -> None:
    import gancore

    x = np.random.default_rng(3).normal(size=(2500, 8)).astype(np.float32)
    before, results = gancore.num_threads(), []
    try:
        for threads in (1, 3):
            gancore.set_num_threads(threads)
            results.append(neighbors.knn_distances(x, 4))
    finally:
        gancore.set_num_threads(before)
    assert (results[0] == results[1]).all()


def test_bad_input_is_named() -> None:
    x = np.ones((4, 2))
    bad = x.copy()
    bad[2, 1] = np.nan
    with pytest.raises(DomainError, match="`x` must be finite; got NaN in row 2, column 1"):
        neighbors.knn_radii(bad, 1)
    with pytest.raises(DomainError, match="`y` must be finite"):
        neighbors.ball_counts(x, bad, x_radii=np.ones(4))
    for k in (0, 4):
        with pytest.raises(DomainError, match="k"):
            neighbors.knn_radii(x, k)
    with pytest.raises(ShapeError, match="`y` must have shape"):
        neighbors.ball_counts(x, np.ones((4, 3)), x_radii=np.ones(4))
    with pytest.raises(ShapeError, match="`x_radii`"):
        neighbors.ball_counts(x, x, x_radii=np.ones(3))
    with pytest.raises(DomainError, match="`y_radii` must not be nan"):
        neighbors.ball_counts(x, x, y_radii=np.full(4, np.nan))
    with pytest.raises(BackendError, match="no gradient"):
        neighbors.knn_radii(torch.ones(3, 2, requires_grad=True), 1)


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    x = torch.randn(50, 4, dtype=torch.float64)
    got = neighbors.knn_radii(x.cuda(), 3)
    assert got.is_cuda
    torch.testing.assert_close(got.cpu(), neighbors.knn_radii(x, 3), rtol=1e-12, atol=0)
