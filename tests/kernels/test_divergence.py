"""Divergences against SciPy, their closed forms, their laws, and the torch twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon as scipy_jensen_shannon_root
from scipy.special import rel_entr

from gancore.errors import DomainError, DTypeError, GancoreError, ShapeError
from gancore.kernels import divergence
from gancore.kernels._torch import divergence as twin

FUNCTIONS = ("kl", "jensen_shannon", "total_variation")


def oracle(name: str, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    if name == "kl":
        return rel_entr(p, q).sum(-1)
    if name == "jensen_shannon":
        mean = (p + q) / 2
        return (rel_entr(p, mean) + rel_entr(q, mean)).sum(-1) / 2
    return np.abs(p - q).sum(-1) / 2


@st.composite
def pairs(draw: st.DrawFn, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=9))
    mass = st.one_of(st.just(0.0), st.floats(2**-20, 1.0, width=32))
    arrays = hnp.arrays(dtype, shape, elements=mass).filter(lambda a: bool((a.sum(-1) > 0).all()))
    return draw(arrays), draw(arrays)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_agrees_with_scipy(name: str, dtype: type, data: st.DataObject) -> None:
    p, q = data.draw(pairs(dtype))
    value = getattr(divergence, name)(p, q, normalize=True)
    expected = oracle(name, p.astype(np.float64), q.astype(np.float64))
    assert np.shape(value) == p.shape[:-1]
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


@given(pair=pairs())
def test_laws_hold_exactly(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = pair
    for name in FUNCTIONS:
        function = getattr(divergence, name)
        assert (np.asarray(function(p, p, normalize=True)) == 0).all()
        assert (np.asarray(function(p, q, normalize=True)) >= 0).all()
    jsd = divergence.jensen_shannon(p, q, normalize=True)
    assert (np.asarray(jsd) <= math.log(2)).all()
    np.testing.assert_allclose(jsd, divergence.jensen_shannon(q, p, normalize=True), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(pair=pairs())
def test_twin_agrees_with_the_kernel(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, q = map(torch.from_numpy, pair)
    expected = getattr(divergence, name)(p, q, normalize=True)
    torch.testing.assert_close(getattr(twin, name)(p, q, normalize=True), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_right_and_reach_both_arguments(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    function = getattr(divergence, name)
    assert torch.autograd.gradcheck(lambda x: function(*x.softmax(-1)), (logits,))


def test_gradient_at_an_empty_bin_is_finite() -> None:
    p = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    divergence.kl(p, torch.tensor([0.5, 0.5], dtype=torch.float64)).backward()
    assert p.grad is not None
    assert p.grad.isfinite().all()


def test_known_values() -> None:
    half, point = [0.5, 0.5], [1.0, 0.0]
    assert divergence.kl(point, half) == pytest.approx(math.log(2), abs=1e-16)
    assert divergence.kl(point, half, base=2) == pytest.approx(1.0, abs=1e-15)
    assert divergence.kl(half, point) == math.inf
    assert divergence.jensen_shannon(point, point[::-1]) == math.log(2)
    assert divergence.total_variation(point, point[::-1]) == 1.0
    root = scipy_jensen_shannon_root([0.2, 0.8], [0.6, 0.4])
    assert divergence.jensen_shannon([0.2, 0.8], [0.6, 0.4]) == pytest.approx(root**2, rel=1e-13)


def test_parallel_lines_have_the_divergences_of_disjoint_supports() -> None:
    k = 8
    p, q = np.zeros(2 * k), np.zeros(2 * k)
    p[:k] = q[k:] = 1 / k
    assert divergence.kl(p, q) == math.inf
    assert divergence.jensen_shannon(p, q) == math.log(2)
    assert divergence.total_variation(p, q) == 1.0


def test_output_kind_is_input_kind() -> None:
    p = np.full((2, 4), 0.25, dtype=np.float32)
    assert isinstance(divergence.kl(p[0], p[0]), float)
    assert divergence.kl(p, p).dtype == np.float64
    tensor = divergence.kl(torch.from_numpy(p), torch.from_numpy(p))
    assert tensor.dtype == torch.float64
    assert not tensor.requires_grad


def test_strided_and_integer_input_is_read_right() -> None:
    p = np.array([[1, 2, 3], [3, 2, 1]]).T
    expected = oracle("kl", p.astype(float), p[::-1].astype(float))
    np.testing.assert_allclose(divergence.kl(p, p[::-1], normalize=True), expected, rtol=1e-14)


@pytest.mark.parametrize("as_kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ([0.5, 0.4], DomainError, "`p` must sum to 1"),
        ([1.5, -0.5], DomainError, "`p` must have finite masses >= 0"),
        ([float("nan"), 1.0], DomainError, "`p` must have finite masses >= 0"),
        ([0.0, 0.0], DomainError, "positive total mass"),
        ([0.2, 0.3, 0.5], ShapeError, "`q` must have shape"),
        ([], ShapeError, "`p`"),
    ],
)
def test_what_is_no_distribution_is_refused_by_name(as_kind, bad, error, words) -> None:
    p, q = as_kind(np.array(bad)), as_kind(np.array([0.5, 0.5]))
    if not bad:
        q = p
    with pytest.raises(error, match=words):
        divergence.kl(p, q)
    if as_kind is torch.as_tensor:
        with pytest.raises(error, match=words):
            twin.kl(p, q, normalize=False)


def test_kinds_bases_and_dtypes_are_checked() -> None:
    half = np.array([0.5, 0.5])
    with pytest.raises(DTypeError, match="`p` must be a torch tensor"):
        divergence.kl(half, torch.from_numpy(half))
    with pytest.raises(DTypeError, match="complex"):
        divergence.kl(half.astype(complex), half)
    with pytest.raises(DTypeError, match=r"\.float\(\)"):
        divergence.kl(torch.from_numpy(half).half(), torch.from_numpy(half).half())
    for base in (1.0, 0.5, -2.0, math.nan):
        with pytest.raises(DomainError, match="`base`"):
            divergence.kl(half, half, base=base)
    assert issubclass(DTypeError, TypeError)
    assert issubclass(DTypeError, GancoreError)


@pytest.mark.gpu
@pytest.mark.parametrize("name", FUNCTIONS)
def test_cuda_tensors_stay_on_the_device(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    p, q = torch.rand(2, 6, 10, generator=generator, dtype=torch.float64)
    expected = getattr(divergence, name)(p, q, normalize=True)
    value = getattr(divergence, name)(p.cuda(), q.cuda(), normalize=True)
    assert value.is_cuda
    torch.testing.assert_close(value.cpu(), expected, rtol=1e-12, atol=1e-14)
