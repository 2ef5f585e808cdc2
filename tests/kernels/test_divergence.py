"""Divergences against SciPy, their closed forms, their laws, and the torch twin."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import jensenshannon as scipy_jensen_shannon_root
from scipy.special import rel_entr

from gancore.errors import DomainError, DTypeError, GancoreError, ShapeError, UnknownNameError
from gancore.kernels import divergence
from gancore.kernels._f_divergences import TABLE
from gancore.kernels._torch import divergence as twin

FUNCTIONS = ("kl", "jensen_shannon", "total_variation")
PAIRS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(divergence, name) for name in ("reverse_kl", "hellinger", "chi_square", "neyman", "cross_entropy")
    },
    **{name: getattr(divergence, name) for name in FUNCTIONS},
    **{f"f:{name}": functools.partial(divergence.f_divergence, name=name) for name in divergence.F_DIVERGENCES},
    **{f"renyi {a}": functools.partial(divergence.renyi, alpha=a) for a in (0, 0.3, 1, 2, 30, math.inf)},
    **{f"alpha {a}": functools.partial(divergence.alpha_divergence, alpha=a) for a in (-1, 0, 0.3, 0.5, 1, 2, 3.5)},
}


def twin_of(name: str, p: torch.Tensor, q: torch.Tensor) -> Any:
    """The twin, by way of the gradient that only it has."""
    return PAIRS[name](p.clone().requires_grad_(), q.clone().requires_grad_(), normalize=True).detach()


def exact(name: str, p: list[Any], q: list[Any]) -> mpmath.mpf:
    """The definitions at 60 digits."""
    total_p, total_q = mpmath.fsum(map(mpmath.mpf, p)), mpmath.fsum(map(mpmath.mpf, q))
    pairs = [(mpmath.mpf(a) / total_p, mpmath.mpf(b) / total_q) for a, b in zip(p, q, strict=True)]
    kind, _, order = name.partition(" ")
    if kind in ("renyi", "alpha"):
        a = mpmath.mpf(order)
        if a == 1:
            return exact("kl", p, q)
        if a == 0 and kind == "alpha":
            return exact("kl", q, p)
        if a == mpmath.inf:
            return max(mpmath.log(x / y) for x, y in pairs)
        total = mpmath.fsum(x**a * y ** (1 - a) for x, y in pairs)
        return mpmath.log(total) / (a - 1) if kind == "renyi" else (total - 1) / (a * (a - 1))
    terms = {
        "kl": lambda x, y: x * mpmath.log(x / y),
        "reverse_kl": lambda x, y: y * mpmath.log(y / x),
        "jensen_shannon": lambda x, y: (x * mpmath.log(2 * x / (x + y)) + y * mpmath.log(2 * y / (x + y))) / 2,
        "total_variation": lambda x, y: abs(x - y) / 2,
        "squared_hellinger": lambda x, y: (mpmath.sqrt(x) - mpmath.sqrt(y)) ** 2,
        "chi_square": lambda x, y: (x - y) ** 2 / y,
        "neyman": lambda x, y: (x - y) ** 2 / x,
        "cross_entropy": lambda x, y: -x * mpmath.log(y),
    }
    aliases = {"f:pearson": "chi_square"}
    if name == "hellinger":
        return mpmath.sqrt(exact("squared_hellinger", p, q) / 2)
    if name == "f:gan":
        return 2 * exact("jensen_shannon", p, q) - mpmath.log(4)
    return mpmath.fsum(terms[aliases.get(name, name.removeprefix("f:"))](x, y) for x, y in pairs)


@st.composite
def pairs(draw: st.DrawFn, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=9))
    mass = st.one_of(st.just(0.0), st.floats(2**-20, 1.0, width=32))
    arrays = hnp.arrays(dtype, shape, elements=mass).filter(lambda a: bool((a.sum(-1) > 0).all()))
    return draw(arrays), draw(arrays)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("gap", [1e-12, 1e-6, 0.1, 5.0])
def test_agrees_with_sixty_digits_however_close_the_rows_are(name: str, gap: float) -> None:
    generator = np.random.default_rng(7)
    p = generator.dirichlet(np.ones(12))
    q = p * (1 + gap * generator.random(12))
    with mpmath.workdps(60):
        expected = float(exact(name, p.tolist(), q.tolist()))
    if name == "renyi 0":
        expected = 0.0
    value = PAIRS[name](p, q, normalize=True)
    assert value == pytest.approx(expected, rel=1e-9, abs=0)
    assert twin_of(name, torch.from_numpy(p), torch.from_numpy(q)).item() == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("name", PAIRS)
@given(data=st.data())
def test_the_twin_of_every_measure_agrees(name: str, data: st.DataObject) -> None:
    p, q = map(torch.from_numpy, data.draw(pairs()))
    expected = PAIRS[name](p, q, normalize=True)
    torch.testing.assert_close(twin_of(name, p, q), expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("q", [[0.7, 0.0], [0.82460195, 0.0], [1 / 3, 0.0]])
def test_order_zero_is_infinite_on_disjoint_supports_whatever_the_scale(q: list[float]) -> None:
    """One minus the rest of the mass would be a rounding error, and its logarithm a plausible number."""
    assert divergence.renyi([0.0, 1.0], q, 0.0, normalize=True) == math.inf


@pytest.mark.parametrize("name", [name for name in PAIRS if name not in ("renyi 0", "renyi inf")])
def test_every_gradient_is_right_and_finite_at_empty_bins(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: PAIRS[name](*x.softmax(-1)), (logits,))
    shared = torch.tensor([[0.0, 0.3, 0.7], [0.0, 0.4, 0.6]], dtype=torch.float64, requires_grad=True)
    PAIRS[name](*shared).backward()
    assert shared.grad is not None
    assert shared.grad.isfinite().all()
    same = torch.tensor([0.25, 0.75], dtype=torch.float64, requires_grad=True)
    PAIRS[name](same, same.detach().clone()).backward()
    assert same.grad is not None
    assert same.grad.isfinite().all()


@pytest.mark.parametrize("name", divergence.F_DIVERGENCES)
@pytest.mark.parametrize("as_kind", [np.asarray, torch.as_tensor])
def test_the_table_is_consistent(name: str, as_kind: Callable[[Any], Any]) -> None:
    row = TABLE[name]
    ratios = as_kind(np.exp(np.linspace(-6, 6, 41)))
    critic = row.critic(ratios)
    # Fenchel and Young: f(u) + f*(t) >= ut, with equality at t = f'(u).
    gap = np.asarray(row.generator(ratios) + row.conjugate(critic) - ratios * critic)
    np.testing.assert_allclose(gap, 0, atol=1e-9 * float(ratios.max()) ** 2)
    outputs = as_kind(np.linspace(-8, 8, 33))
    values = row.activation(outputs)
    low, high = row.domain
    assert bool(((values >= low) & (values <= high)).all())
    assert bool((np.diff(np.asarray(values)) > 0).all())
    np.testing.assert_allclose(
        np.asarray(row.conjugate(values)), np.asarray(row.penalty(outputs)), rtol=1e-9, atol=1e-9
    )
    slack = np.asarray(row.generator(ratios[:, None]) + row.conjugate(values) - ratios[:, None] * values)
    assert slack.min() >= -1e-9
    assert float(row.generator(as_kind(np.array(1.0)))) == pytest.approx(row.at_one, abs=1e-15)
    p, q = np.array([0.1, 0.4, 0.5]), np.array([0.3, 0.3, 0.4])
    assert divergence.f_divergence(p, q, name) == pytest.approx(float((q * row.generator(p / q)).sum()), abs=1e-14)
    assert row.equation


# f'(1), the level that parts what the critic takes for real, and the ends of the domain of f*: Nowozin, Cseke and
# Tomioka (2016), table 6; for Jensen-Shannon half of what the table has, as its generator here is half of theirs.
LEVEL_AND_DOMAIN = {
    "kl": (1.0, (-math.inf, math.inf)),
    "reverse_kl": (-1.0, (-math.inf, 0.0)),
    "pearson": (0.0, (-math.inf, math.inf)),
    "neyman": (0.0, (-math.inf, 1.0)),
    "squared_hellinger": (0.0, (-math.inf, 1.0)),
    "jensen_shannon": (0.0, (-math.inf, math.log(2) / 2)),
    "gan": (-math.log(2), (-math.inf, 0.0)),
    "total_variation": (0.0, (-0.5, 0.5)),
}


def largest(function: Callable[[float], float], low: float, high: float) -> float:
    """The supremum of a unimodal function."""
    grid = np.linspace(low, high, 401)
    at = int(np.argmax([function(v) for v in grid]))
    around = grid[max(at - 1, 0)], grid[min(at + 1, 400)]
    found = minimize_scalar(lambda v: -function(v), bounds=around, method="bounded", options={"xatol": 1e-10})
    return max(-found.fun, function(grid[at]))


@pytest.mark.parametrize("name", divergence.F_DIVERGENCES)
def test_the_conjugate_is_the_supremum_and_its_conjugate_the_generator(name: str) -> None:
    row = TABLE[name]
    for t in np.asarray(row.activation(np.linspace(-3.0, 3.0, 13))):
        numeric = largest(lambda v, t=t: math.exp(v) * t - float(row.generator(np.exp(v))), -30.0, 12.0)
        if name == "pearson" and t < -2:
            # Over u >= 0 the supremum is -f(0); the table goes on as if u could be negative, which no critic needs.
            assert numeric == pytest.approx(-1.0, abs=1e-9)
            continue
        assert float(row.conjugate(t)) == pytest.approx(numeric, rel=1e-7, abs=1e-7)
    for u in np.exp(np.linspace(-1.5, 1.5, 12)):
        numeric = largest(lambda v, u=u: float(u * row.activation(v) - row.penalty(v)), -30.0, 30.0)
        assert float(row.generator(u)) == pytest.approx(numeric, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("name", divergence.F_DIVERGENCES)
def test_the_optimal_critic_is_the_slope_of_the_generator(name: str) -> None:
    row, (level, domain) = TABLE[name], LEVEL_AND_DOMAIN[name]
    ratios = torch.linspace(-3, 3, 20, dtype=torch.float64).exp().requires_grad_()
    (slope,) = torch.autograd.grad(row.generator(ratios).sum(), ratios)
    torch.testing.assert_close(row.critic(ratios), slope, rtol=1e-10, atol=1e-12)
    assert float(row.critic(np.array(1.0))) == pytest.approx(level, abs=1e-15)
    assert row.domain == pytest.approx(domain)
    # The activation reaches all of the domain and nothing else.
    ends = row.activation(np.array([-700.0, 700.0]))
    for end, bound in zip(ends, domain, strict=True):
        assert abs(end) >= 300 if math.isinf(bound) else end == pytest.approx(bound, abs=1e-12)


@pytest.mark.parametrize("kind", [np.array, functools.partial(torch.tensor, dtype=torch.float64)])
def test_what_breaks_others_does_not_break_us(kind: Callable[[Any], Any]) -> None:
    tiny = 5e-324
    # scipy.spatial.distance.jensenshannon gives inf here, and nan for rows that are almost equal.
    point, almost = kind([1.0, 0.0]), kind([1.0, tiny])
    assert float(divergence.jensen_shannon(point, almost)) == pytest.approx(0.0, abs=1e-300)
    assert float(divergence.jensen_shannon(kind([tiny, 1.0]), kind([1.0, tiny]))) == pytest.approx(math.log(2))
    # torch.nn.functional.kl_div gives nan for p = q = 0.
    assert float(divergence.kl(point, point)) == 0.0
    assert float(divergence.kl(kind([0.5, 0.5]), almost)) == pytest.approx(-math.log(2) - math.log(tiny) / 2, rel=1e-12)
    assert float(divergence.kl(kind([0.5, 0.5]), kind([4.0, tiny]), normalize=True)) < math.inf
    # scipy.stats.entropy gives negative divergences for bases below 1.
    with pytest.raises(DomainError, match="`base`"):
        divergence.entropy(point, base=0.5)
    with pytest.raises(DomainError, match="`p` must have finite masses"):
        divergence.kl(kind([-0.1, 1.1]), point)


def test_orders_names_and_joints_are_checked() -> None:
    half = np.array([0.5, 0.5])
    with pytest.raises(DomainError, match="alpha"):
        divergence.alpha_divergence(half, half, math.inf)
    with pytest.raises(DomainError, match="alpha"):
        divergence.renyi(half, half, -1.0)
    with pytest.raises(UnknownNameError, match="pearson"):
        divergence.f_divergence(half, half, "pearsons")
    with pytest.raises(ShapeError, match="`joint`"):
        divergence.mutual_information(half)
    with pytest.raises(DomainError, match="`joint` must sum to 1 on the last two axes"):
        divergence.mutual_information(np.ones((2, 2)))


@given(joint=hnp.arrays(np.float64, (3, 4), elements=st.floats(2**-20, 1)))
def test_mutual_information_is_what_entropies_leave(joint: np.ndarray) -> None:
    joint = joint / joint.sum()
    left = divergence.entropy(joint.sum(1)) + divergence.entropy(joint.sum(0)) - divergence.entropy(joint.ravel())
    value = divergence.mutual_information(joint)
    assert value >= 0
    assert value == pytest.approx(left, abs=1e-13)
    recorded = torch.tensor(joint, requires_grad=True)
    assert divergence.mutual_information(recorded).item() == pytest.approx(value, rel=1e-9, abs=1e-15)


def oracle(name: str, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    if name == "kl":
        return rel_entr(p, q).sum(-1)
    if name == "jensen_shannon":
        mean = (p + q) / 2
        return (rel_entr(p, mean) + rel_entr(q, mean)).sum(-1) / 2
    return np.abs(p - q).sum(-1) / 2


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
    torch.testing.assert_close(
        twin.divergence(p, q, measure=name, alpha=0.0, normalize=True), expected, rtol=1e-10, atol=1e-12
    )


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
            twin.divergence(p, q, measure="kl", alpha=0.0, normalize=False)


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
