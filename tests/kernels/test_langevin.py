"""Langevin steps, mixtures and chains against SciPy, closed forms, their laws, and the torch twin."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp

import gancore
from gancore import _rust
from gancore.errors import (
    BackendError,
    DomainError,
    DTypeError,
    IncompatibleChoiceError,
    ShapeError,
    UnknownNameError,
)
from gancore.kernels._torch import langevin as twin
from gancore.kernels.langevin import GaussianMixture, langevin_step, philox_normal

seeds = st.integers(0, 2**64 - 1)
steps = st.integers(0, 2**56 - 2**10)


@st.composite
def mixtures(draw: st.DrawFn) -> GaussianMixture:
    components, dim = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    weights = rng.dirichlet(np.ones(components))
    # The kernel takes another way where components lie apart.
    spacing = draw(st.sampled_from([2.0, 100.0]))
    return GaussianMixture(
        rng.normal(0, spacing, (components, dim)), rng.uniform(0.3, 2, components), weights / weights.sum()
    )


def points(mixture: GaussianMixture, n: int, dtype: type = np.float64) -> np.ndarray:
    rng = np.random.default_rng(n)
    places = mixture.means[rng.integers(len(mixture.means), size=n)]
    return (places + rng.normal(0, 3, places.shape)).astype(dtype)


def scipy_energy(mixture: GaussianMixture, x: np.ndarray) -> np.ndarray:
    logs = [
        math.log(weight) + stats.multivariate_normal(mean, std**2 * np.eye(len(mean))).logpdf(x)
        for mean, std, weight in zip(mixture.means, mixture.stds, mixture.weights, strict=True)
    ]
    return -np.asarray(logsumexp(logs, axis=0))


# Steps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    seed=seeds,
    step=steps,
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    step_size=st.floats(1e-6, 10),
    temperature=st.one_of(st.just(0.0), st.floats(1e-6, 10)),
)
def test_a_step_is_its_formula(
    dtype: type, seed: int, step: int, shape: list[int], step_size: float, temperature: float
) -> None:
    rng = np.random.default_rng(step % 1000)
    z, grad = rng.normal(size=(2, *shape)).astype(dtype)
    at = {"temperature": temperature, "seed": seed, "step": step, "first_chain": 3}
    moved = langevin_step(z, grad, step_size, **at)
    drawn = {"seed": seed, "stream": "proposal", "step": step, "first_chain": 3}
    xi = philox_normal(tuple(shape), dtype=np.dtype(dtype).name, **drawn)
    np.testing.assert_allclose(xi, philox_normal(tuple(shape), dtype="float64", **drawn), rtol=0, atol=2e-6)
    assert moved.dtype == dtype
    # In the arithmetic of the states, multiplications and additions apart.
    exact = (z - dtype(step_size) * grad) + dtype(math.sqrt(2 * step_size * temperature)) * xi
    assert np.array_equal(moved, exact)
    tensors = {"z": torch.from_numpy(z), "grad": torch.from_numpy(grad)}
    pair = {"pace": (step_size, temperature), "counter": (seed, step, 3)}
    tolerance = 1e-5 if dtype is np.float32 else 1e-13
    np.testing.assert_allclose(twin.langevin_step(**tensors, out=None, **pair).numpy(), moved, tolerance, tolerance)


@pytest.mark.parametrize("as_kind", [np.array, torch.tensor])
def test_a_step_in_place_keeps_the_memory(as_kind) -> None:
    z, grad = as_kind([[1.0, 2.0], [3.0, 4.0]]), as_kind([[0.5, 0.5], [0.5, 0.5]])
    expected = langevin_step(z, grad, 0.1, seed=1, step=2)
    other = as_kind([[0.0, 0.0], [0.0, 0.0]])
    assert langevin_step(z, grad, 0.1, seed=1, step=2, out=other) is other
    assert (other == expected).all()
    assert (z == as_kind([[1.0, 2.0], [3.0, 4.0]])).all()
    view = z[:]
    assert langevin_step(z, grad, 0.1, seed=1, step=2, out=view) is view
    assert (z == expected).all()
    moved = twin.langevin_step(
        torch.as_tensor(z), torch.as_tensor(grad), out=torch.as_tensor(z), pace=(0.1, 0.0), counter=(0, 0, 0)
    )
    assert moved.data_ptr() == torch.as_tensor(z).data_ptr()


def test_autograd_hears_of_a_step_in_place() -> None:
    z = torch.ones(3, 2)
    weight = torch.ones(2, requires_grad=True)
    loss = (z * weight).sum()
    langevin_step(z, torch.ones(3, 2), 0.1, seed=0, step=0, out=z)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_step_refuses_to_be_differentiated() -> None:
    z = torch.ones(3, 2, requires_grad=True)
    grad = torch.ones(3, 2)
    with pytest.raises(BackendError, match=r"`z` requires one; detach it, or call under torch\.no_grad"):
        langevin_step(z, grad, 0.1, seed=0, step=0)
    with torch.no_grad():
        langevin_step(z, grad, 0.1, temperature=0.0, seed=0, step=0, out=z)
    assert torch.equal(z.detach(), torch.full((3, 2), 0.9))
    assert z.requires_grad


@pytest.mark.parametrize("kind", ["numpy", "torch", "twin"])
@pytest.mark.parametrize(
    ("z", "grad", "pace", "error", "words"),
    [
        ([[1.0], [2.0]], [[0.0], [math.nan]], (0.1, 1.0), DomainError, "`grad` must be finite; got NaN in row 1"),
        ([[1.0, -math.inf]], [[0.0, 0.0]], (0.1, 1.0), DomainError, "`z` must be finite; got -inf in row 0, coor"),
        ([[1.0]], [[0.0]], (0.0, 1.0), DomainError, "`step_size` must be finite and positive; got 0"),
        ([[1.0]], [[0.0]], (math.inf, 1.0), DomainError, "`step_size`"),
        ([[1.0]], [[0.0]], (0.1, -1.0), DomainError, "`temperature` must be finite and >= 0; got -1"),
        ([[1.0]], [[0.0, 0.0]], (0.1, 1.0), ShapeError, "`grad` must have shape"),
        (1.0, 0.0, (0.1, 1.0), ShapeError, "`z` must have shape"),
    ],
)
def test_what_a_step_cannot_do_is_refused_by_name(kind: str, z, grad, pace, error, words) -> None:
    z, grad = np.array(z), np.array(grad)
    before = z.copy()
    if kind != "numpy":
        z, grad = torch.from_numpy(z), torch.from_numpy(grad)
    step = partial(langevin_step, step_size=pace[0], temperature=pace[1], seed=0, step=0)
    if kind == "twin":
        step = partial(twin.langevin_step, pace=pace, counter=(0, 0, 0))
    with pytest.raises(error, match=f"(?i){words}"):
        step(z, grad, out=z)
    assert np.array_equal(np.asarray(z), before)


def test_where_a_step_writes_is_checked() -> None:
    z, grad = np.ones((4, 2)), np.ones((4, 2))
    go = {"step_size": 0.1, "seed": 0, "step": 0}
    with pytest.raises(ShapeError, match="overlaps `grad`"):
        langevin_step(z, grad, **go, out=grad)
    long = np.ones((5, 2))
    with pytest.raises(ShapeError, match="overlaps `z`"):
        langevin_step(long[:4], grad, **go, out=long[1:])
    with pytest.raises(ShapeError, match="`out` must be C-contiguous"):
        langevin_step(z, grad, **go, out=np.ones((2, 4)).T)
    with pytest.raises(DTypeError, match="`out` must be a float64 array; got float32"):
        langevin_step(z, grad, **go, out=np.ones((4, 2), np.float32))
    with pytest.raises(DTypeError, match="`grad` must be a float32 array; got float64"):
        langevin_step(z.astype(np.float32), grad, **go)
    with pytest.raises(DTypeError, match="`grad` must be a torch tensor"):
        langevin_step(torch.from_numpy(z), grad, **go)
    with pytest.raises(DTypeError, match=r"\.float\(\)"):
        langevin_step(torch.ones(2, 2).half(), torch.ones(2, 2).half(), **go)
    frozen = np.ones((4, 2))
    frozen.flags.writeable = False
    with pytest.raises(ShapeError, match="`out` must be writable"):
        langevin_step(frozen, grad, **go, out=frozen)


# Mixtures


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(mixture=mixtures(), n=st.integers(1, 70))
def test_energy_agrees_with_scipy(dtype: type, mixture: GaussianMixture, n: int) -> None:
    x = points(mixture, n, dtype)
    energy = mixture.energy(x)
    assert energy.dtype == np.float64
    np.testing.assert_allclose(energy, scipy_energy(mixture, x.astype(float)).reshape(n), rtol=1e-11, atol=1e-11)
    assert np.array_equal(mixture.log_prob(x), -energy)
    np.testing.assert_allclose(twin.mixture_energy(torch.from_numpy(x), parts=mixture._parts), energy, rtol=1e-12)


@given(mixture=mixtures(), n=st.integers(1, 20))
def test_gradient_is_that_of_the_energy(mixture: GaussianMixture, n: int) -> None:
    x = torch.from_numpy(points(mixture, n)).requires_grad_()
    (expected,) = torch.autograd.grad(mixture.energy(x).sum(), x)
    np.testing.assert_allclose(mixture.grad(x.detach()), expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(
        twin.mixture_gradient(x.detach(), parts=mixture._parts), expected, rtol=1e-11, atol=1e-11
    )
    single = mixture.grad(x.detach().float())
    assert single.dtype == torch.float32


def test_mixtures_are_differentiable_twice() -> None:
    mixture = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], [0.5, 0.8], [0.3, 0.7])
    x = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(mixture.energy, (x,))
    assert torch.autograd.gradcheck(mixture.grad, (x,))


def test_energy_far_from_every_mode_is_that_of_the_nearest() -> None:
    mixture = GaussianMixture([[0.0], [1.0]], 0.05, [0.25, 0.75])
    exact = 0.5 * (999_999 / 0.05) ** 2 - math.log(0.75) + math.log(0.05 * math.sqrt(2 * math.pi))
    assert mixture.energy([1e6]) == pytest.approx(exact, rel=1e-14)
    assert mixture.grad([1e6])[0] == pytest.approx(999_999 / 0.05**2, rel=1e-14)
    assert mixture.energy([1e200]) == math.inf
    for gradient in (mixture.grad, lambda x: twin.mixture_gradient(torch.from_numpy(x), parts=mixture._parts)):
        with pytest.raises(DomainError, match="so near the means"):
            gradient(np.array([1e200]))


def test_batch_axes_and_kinds() -> None:
    mixture = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], 0.5)
    x = points(mixture, 12)
    flat = mixture.energy(x)
    assert np.array_equal(mixture.energy(x.reshape(3, 4, 2)), flat.reshape(3, 4))
    assert np.array_equal(mixture.grad(x.reshape(3, 4, 2)), mixture.grad(x).reshape(3, 4, 2))
    assert mixture.energy(x[0]) == flat[0]
    assert torch.equal(mixture.energy(torch.from_numpy(x)), torch.from_numpy(flat))
    assert mixture.sample(3, 0, device="cpu").dtype == torch.float64
    with pytest.raises(ValueError, match="read-only"):
        mixture.means[0] = 0.0


@pytest.mark.parametrize("draw", ["kernel", "twin"])
def test_draws_have_the_frequencies_and_moments_of_the_mixture(draw: str) -> None:
    mixture = GaussianMixture([[-20.0, 0.0], [0.0, 0.0], [20.0, 5.0]], [1.0, 2.0, 0.5], [0.2, 0.5, 0.3])
    n = 40_000
    if draw == "kernel":
        x = mixture.sample(n, 7)
    else:
        settings = {"device": torch.device("cpu"), "parts": mixture._parts, "seed": 7}
        x = twin.mixture_sample((n, 2), dtype="float64", **settings).numpy()
        np.testing.assert_allclose(x, mixture.sample(n, 7), rtol=0, atol=1e-12)
    modes = np.abs(x[:, :1] - mixture.means[:, 0]).argmin(1)
    assert stats.chisquare(np.bincount(modes), n * mixture.weights).pvalue > 1e-4
    for k, (mean, std) in enumerate(zip(mixture.means, mixture.stds, strict=True)):
        assert stats.kstest(((x[modes == k] - mean) / std).ravel(), "norm").pvalue > 1e-4


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        (([0.0, 1.0], 1.0), ShapeError, "`means` must have shape"),
        ((np.zeros((0, 2)), 1.0), ShapeError, "`means` must have shape"),
        (([[math.nan]], 1.0), DomainError, "`means` must be finite"),
        (([[0.0]], [1.0, 1.0]), ShapeError, "`stds` must have shape"),
        (([[0.0]], 0.0), DomainError, "`stds` must be between"),
        (([[0.0], [1.0]], 1.0, [1.0, 0.0]), DomainError, "`weights` must be positive"),
        (([[0.0], [1.0]], 1.0, [0.5, 0.6]), DomainError, "`weights` must sum to 1"),
        (([[0.0], [1.0]], 1.0, [1.0]), ShapeError, "`weights` must have shape"),
        ((["a"], 1.0), DTypeError, "`means`"),
    ],
)
def test_what_is_no_mixture_is_refused_by_name(parameters: tuple, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        GaussianMixture(*parameters)


@pytest.mark.parametrize("kind", ["numpy", "twin"])
def test_points_that_do_not_fit_are_refused(kind: str) -> None:
    mixture = GaussianMixture([[0.0, 0.0]], 1.0)
    energy = mixture.energy if kind == "numpy" else lambda x: twin.mixture_energy(torch.tensor(x), parts=mixture._parts)
    with pytest.raises(ShapeError, match=r"`x` must have shape \(\.\.\., 2\)"):
        energy([0.0, 1.0, 2.0])
    with pytest.raises(DomainError, match="`x` must be finite; got inf in row 0, coordinate 1"):
        energy([[0.0, math.inf]])


# Chains


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(mixture=mixtures(), seed=seeds, n=st.integers(1, 40))
def test_chains_of_the_twin_are_those_of_the_kernel(
    metropolis: bool, dtype: type, mixture: GaussianMixture, seed: int, n: int
) -> None:
    initial = points(mixture, n, dtype)
    settings = {"steps": 4, "step_size": 0.05, "temperature": 0.7, "metropolis": metropolis, "seed": seed}
    chains = mixture.langevin(initial, **settings, first_step=5, first_chain=2)
    states, accepted, energies = twin.mixture_langevin(
        torch.from_numpy(initial),
        parts=mixture._parts,
        pace=(0.05, 0.7),
        counter=(seed, 5, 2),
        plan=(4, metropolis, True),
    )
    assert chains.states.dtype == dtype
    if dtype is np.float64:
        np.testing.assert_allclose(states, chains.states, 1e-9, 1e-9)
        np.testing.assert_allclose(energies, chains.energies, rtol=1e-9, atol=1e-9)
        assert chains.acceptance == (accepted / (4 * n) if metropolis else None)
        return
    # The kernel walks in float32: a ratio that lies as near as that to its uniform may go the other way.
    apart = ~np.isclose(states, chains.states, 2e-5, 2e-5).all(axis=1)
    assert apart.sum() <= (1 if metropolis else 0)
    if not apart.any():
        np.testing.assert_allclose(energies, chains.energies, rtol=2e-5, atol=2e-5)


@given(mixture=mixtures(), seed=seeds, n=st.integers(1, 200), length=st.integers(0, 5))
def test_plain_chains_are_loops_of_steps(mixture: GaussianMixture, seed: int, n: int, length: int) -> None:
    z = points(mixture, n)
    chains = mixture.langevin(z, steps=length, step_size=0.02, seed=seed)
    for step in range(length):
        z = langevin_step(z, mixture.grad(z), 0.02, seed=seed, step=step)
        assert chains.energies[step] == pytest.approx(mixture.energy(z).mean(), rel=1e-12, abs=1e-12)
    assert np.array_equal(chains.states, z)


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(mixture=mixtures(), seed=seeds, cut=st.integers(1, 249), pause=st.integers(0, 150))
def test_chains_do_not_depend_on_batches_threads_or_pauses(
    dtype: type, metropolis: bool, mixture: GaussianMixture, seed: int, cut: int, pause: int
) -> None:
    z = points(mixture, 250, dtype)
    settings = {"step_size": 0.1, "metropolis": metropolis, "seed": seed}
    whole = mixture.langevin(z, steps=150, **settings).states
    before = gancore.num_threads()
    try:
        gancore.set_num_threads(3)
        left = mixture.langevin(z[:cut], steps=150, **settings).states
        right = mixture.langevin(z[cut:], steps=pause, first_chain=cut, **settings).states
        right = mixture.langevin(right, steps=150 - pause, first_step=pause, first_chain=cut, **settings).states
    finally:
        gancore.set_num_threads(before)
    assert np.array_equal(np.concatenate([left, right]), whole)


def squares(s: float, temperature: float, *, metropolis: bool, step_size: float, dtype: type) -> np.ndarray:
    """Means of the square over 64 batches of chains at times between which chains forget where they were."""
    mixture = GaussianMixture([[0.0]], s)
    pace = {"step_size": step_size, "temperature": temperature, "metropolis": metropolis, "record_energy": False}
    # As far from stationarity as it gets, so that a burn-in that is too short shows.
    states, means = np.zeros((6400, 1), dtype), []
    for round_ in range(12):
        states = mixture.langevin(states, steps=60, seed=11, first_step=60 * round_, **pace).states
        means.append((states.astype(float) ** 2).reshape(64, -1).mean(1))
    return np.mean(means[2:], axis=0)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stationary_variance_is_that_of_theory(temperature: float, metropolis: bool, dtype: type) -> None:
    s, step_size = 0.3, 0.02
    bias = 1.0 if metropolis else 1.0 / (1.0 - step_size / (2 * s**2))
    means = squares(s, temperature, metropolis=metropolis, step_size=step_size, dtype=dtype)
    standard_error = means.std(ddof=1) / math.sqrt(len(means))
    assert abs(means.mean() - temperature * s**2 * bias) < 4 * standard_error
    # The test tells the two apart.
    if metropolis:
        assert abs(means.mean() - temperature * s**2 / (1 - step_size / (2 * s**2))) > 8 * standard_error


def test_float32_chains_far_from_every_mode_have_the_energy_of_float64() -> None:
    mixture = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], 0.05, [0.2, 0.8])
    far = np.array([[300.0, -200.0], [-7.0, 9.0]], np.float32)
    tiny = {"steps": 1, "step_size": 1e-12, "temperature": 0.0, "seed": 0}
    for row in far:
        chains = mixture.langevin(row[None], **tiny)
        assert chains.energies[0] == pytest.approx(mixture.energy(chains.states)[0], rel=1e-9)


def test_float32_chains_on_a_mixture_beyond_float32_are_float64_ones() -> None:
    mixture = GaussianMixture([[0.0], [1e-9]], 1e-10)
    z = np.full((5, 1), 5e-10, np.float32)
    go = {"steps": 3, "step_size": 1e-21, "seed": 0}
    exact = mixture.langevin(z.astype(np.float64), **go).states
    assert np.array_equal(mixture.langevin(z, **go).states, exact.astype(np.float32))


def test_metropolis_gives_two_modes_their_weights() -> None:
    mixture = GaussianMixture([[-1.0], [1.0]], 0.5, [0.2, 0.8])
    chains = mixture.langevin(np.full((20_000, 1), -1.0), steps=500, step_size=0.2, metropolis=True, seed=3)
    assert chains.acceptance is not None
    assert 0.5 < chains.acceptance < 1.0
    expected = 0.2 * stats.norm.cdf(2.0) + 0.8 * stats.norm.cdf(-2.0)
    share = (chains.states < 0).mean()
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / 20_000)


def test_moves_and_their_reverses_are_equally_frequent() -> None:
    """Detailed balance: of chains at stationarity as many go from A to B in a step as from B to A."""
    mixture = GaussianMixture([[-1.0], [0.6]], [0.5, 0.4], [0.4, 0.6])
    start = mixture.sample(200_000, 1)
    end = mixture.langevin(start, steps=1, step_size=0.3, metropolis=True, seed=2).states
    edges = [-1.0, 0.0, 0.7]
    flow = np.histogram2d(*(np.digitize(x[:, 0], edges) for x in (start, end)), bins=np.arange(5) - 0.5)[0]
    total = flow + flow.T
    moved = total > 0
    assert (np.abs(flow - flow.T)[moved] < 4.5 * np.sqrt(total[moved])).all()
    # Unadjusted, the same chains are far from balance.
    end = mixture.langevin(start, steps=1, step_size=0.3, seed=2).states
    flow = np.histogram2d(*(np.digitize(x[:, 0], edges) for x in (start, end)), bins=np.arange(5) - 0.5)[0]
    assert (np.abs(flow - flow.T) > 8 * np.sqrt(flow + flow.T + 1)).any()


@pytest.mark.parametrize("kind", ["numpy", "twin"])
@pytest.mark.parametrize(
    ("initial", "changes", "error", "words"),
    [
        ([[0.0]], {"step_size": 0.0}, DomainError, "`step_size` must be finite and positive"),
        ([[0.0]], {"temperature": -1.0}, DomainError, "`temperature` must be finite and >= 0"),
        ([[0.0]], {"temperature": 0.0, "metropolis": True}, DomainError, "`temperature` must be positive where"),
        ([[0.0], [math.nan]], {}, DomainError, "`initial` must be finite; got nan in row 1"),
        ([[1e200]], {}, DomainError, "`initial` must be so near"),
        ([[0.0, 0.0]], {}, ShapeError, r"`initial` must have shape \(\.\.\., 1\)"),
        (np.zeros((0, 1)), {}, ShapeError, "`initial` must have at least one row"),
        (
            [[0.0]] * 9,
            {"step_size": 9.0, "steps": 400},
            DomainError,
            r"`step_size`.* 9(\.0)?: the chain of row \d is lost",
        ),
    ],
)
def test_what_chains_cannot_do_is_refused_by_name(kind: str, initial, changes, error, words) -> None:
    mixture = GaussianMixture([[0.0]], 1.0)
    settings = {"steps": 3, "step_size": 0.1, "temperature": 1.0, "metropolis": False, **changes}
    plan = (settings.pop("steps"), settings.pop("metropolis"), False)
    pace = (settings.pop("step_size"), settings.pop("temperature"))
    z = np.array(initial)
    twin_run = partial(twin.mixture_langevin, torch.from_numpy(z))
    run = twin_run if kind == "twin" else partial(_rust.mixture_langevin, z)
    with pytest.raises(error, match=f"(?i){words}"):
        run(parts=mixture._parts, pace=pace, counter=(0, 0, 0), plan=plan)


def test_chains_check_what_both_implementations_leave_to_the_door() -> None:
    mixture = GaussianMixture([[0.0]], 1.0)
    go = {"step_size": 0.1, "seed": 0}
    with pytest.raises(ShapeError, match=r"`initial` must have shape \(n, 1\)"):
        mixture.langevin(np.zeros(3), steps=1, **go)
    with pytest.raises(DomainError, match="steps"):
        mixture.langevin(np.zeros((3, 1)), steps=-1, **go)
    with pytest.raises(DomainError, match="step: expected"):
        mixture.langevin(np.zeros((3, 1)), steps=2, first_step=2**56 - 1, **go)
    with pytest.raises(BackendError, match="`initial` requires one"):
        mixture.langevin(torch.zeros(3, 1, requires_grad=True), steps=1, **go)
    chains = mixture.langevin(torch.zeros(3, 1), steps=2, record_energy=False, **go)
    assert isinstance(chains.states, torch.Tensor)
    assert chains.energies.shape == (0,)
    # Too large a step is no error where Metropolis' test turns it down.
    stuck = mixture.langevin(np.zeros((9, 1)), steps=400, step_size=1e6, metropolis=True, seed=0)
    assert stuck.acceptance == 0.0
    assert (stuck.states == 0).all()


@pytest.mark.gpu
def test_cuda_tensors_stay_on_the_device() -> None:
    mixture = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], 0.5)
    z = mixture.sample(1000, 0)
    on_gpu = mixture.sample(1000, 0, device="cuda")
    torch.testing.assert_close(on_gpu.cpu().numpy(), z, rtol=0, atol=1e-12)
    step = langevin_step(on_gpu, mixture.grad(on_gpu), 0.1, seed=1, step=2)
    assert step.is_cuda
    np.testing.assert_allclose(step.cpu(), langevin_step(z, mixture.grad(z), 0.1, seed=1, step=2), rtol=0, atol=1e-12)
    assert langevin_step(on_gpu, mixture.grad(on_gpu), 0.1, seed=1, step=2, out=on_gpu) is on_gpu
    assert torch.equal(on_gpu, step)
    chains = mixture.langevin(step, steps=20, step_size=0.05, seed=4)
    expected = mixture.langevin(step.cpu(), steps=20, step_size=0.05, seed=4)
    assert chains.states.is_cuda
    torch.testing.assert_close(chains.states.cpu(), expected.states, rtol=0, atol=1e-9)
    with pytest.raises(BackendError, match="`means` must be on the CPU"):
        GaussianMixture(torch.zeros(1, 2, device="cuda"), 1.0)


# Chains with velocities


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(mixture=mixtures(), seed=seeds, n=st.integers(1, 150), friction=st.floats(0.1, 10))
def test_chains_with_velocities_are_those_of_the_twin(
    dtype: type, mixture: GaussianMixture, seed: int, n: int, friction: float
) -> None:
    initial, velocity = points(mixture, n, dtype), points(mixture, n + 1, dtype)[1:]
    pace = {"step_size": 0.05, "temperature": 0.7, "friction": friction}
    go = {"steps": 4, "seed": seed, "first_step": 5, "first_chain": 2, "integrator": "baoab"}
    chains = mixture.langevin(initial, velocity=velocity, **pace, **go)
    states, velocities, energies = twin.mixture_underdamped(
        torch.from_numpy(initial),
        torch.from_numpy(velocity),
        parts=mixture._parts,
        pace=(0.05, 0.7),
        friction=friction,
        counter=(seed, 5, 2),
        plan=(4, True),
    )
    assert chains.states.dtype == chains.velocity.dtype == dtype
    assert chains.acceptance is None
    tolerance = 1e-4 if dtype is np.float32 else 1e-9
    np.testing.assert_allclose(chains.states, states, tolerance, tolerance)
    np.testing.assert_allclose(chains.velocity, velocities, tolerance, tolerance)
    np.testing.assert_allclose(chains.energies, energies, tolerance, tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(mixture=mixtures(), seed=seeds, cut=st.integers(1, 129), pause=st.integers(1, 19))
def test_chains_with_velocities_do_not_depend_on_batches_threads_or_pauses(
    dtype: type, mixture: GaussianMixture, seed: int, cut: int, pause: int
) -> None:
    z = points(mixture, 130, dtype)
    settings = {"step_size": 0.02, "seed": seed, "integrator": "baoab"}
    whole = mixture.langevin(z, steps=20, **settings)
    before = gancore.num_threads()
    try:
        gancore.set_num_threads(3)
        left = mixture.langevin(z[:cut], steps=20, **settings)
        right = mixture.langevin(z[cut:], steps=pause, first_chain=cut, **settings)
        settings |= {"first_step": pause, "first_chain": cut, "velocity": right.velocity}
        right = mixture.langevin(right.states, steps=20 - pause, **settings)
    finally:
        gancore.set_num_threads(before)
    assert np.array_equal(np.concatenate([left.states, right.states]), whole.states)
    assert np.array_equal(np.concatenate([left.velocity, right.velocity]), whole.velocity)


@pytest.mark.parametrize("temperature", [0.25, 4.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_positions_with_velocities_have_the_exact_variance_of_a_gaussian(temperature: float, dtype: type) -> None:
    """At a step where the plain one is off by a ninth; velocities are standard normals."""
    s, step_size, n = 0.3, 0.02, 20_000
    mixture = GaussianMixture([[1.0]], s)
    chains = mixture.langevin(
        np.ones((n, 1), dtype),
        steps=150,
        step_size=step_size,
        temperature=temperature,
        integrator="baoab",
        friction=2.0 / s,
        seed=4,
    )
    error = 4 * math.sqrt(2 / n)
    positions = chains.states.astype(float)
    assert abs(positions.var() / (temperature * s**2) - 1) < error
    assert abs(positions.mean() - 1) < error * s * math.sqrt(temperature)
    velocities = chains.velocity.astype(float)
    # Kicked at the ends of a step, they are those of the Gaussian of variance 1 - (h / 2 s)^2.
    assert abs(velocities.var() / (1 - step_size / (2 * s**2)) - 1) < error


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"metropolis": True}, IncompatibleChoiceError, "metropolis"),
        ({"integrator": "verlet"}, UnknownNameError, "integrator"),
        ({"integrator": "euler", "velocity": np.zeros((2, 1))}, IncompatibleChoiceError, "velocity"),
        ({"velocity": np.zeros((3, 1))}, ShapeError, "`velocity` must have shape"),
        ({"velocity": np.full((2, 1), math.nan)}, DomainError, "`velocity` must be finite"),
        ({"friction": 0.0}, DomainError, "`friction` must be finite and positive"),
        ({"temperature": 0.0}, DomainError, "`temperature` must be positive"),
        ({"step_size": 9.0, "steps": 400}, DomainError, "`step_size`.* is lost at step"),
    ],
)
def test_what_chains_with_velocities_cannot_do_is_refused(changes: dict, error: type[Exception], words: str) -> None:
    settings = {"steps": 3, "step_size": 0.1, "integrator": "baoab", "seed": 0, **changes}
    with pytest.raises(error, match=words):
        GaussianMixture([[0.0]], 1.0).langevin(np.zeros((2, 1)), **settings)
