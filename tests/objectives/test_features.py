"""Objectives that compare features: against double loops, exact maxima and exact expectations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gancore import systems
from gancore.errors import DomainError, IncompatibleChoiceError, ShapeError, UnknownNameError
from gancore.objectives.covariance_matching import CovarianceMatching
from gancore.objectives.energy_distance import EnergyDistance
from gancore.objectives.mean_matching import MeanMatching
from gancore.objectives.mmd import MMD
from gancore.regularizers.r1 import R1

ROWS = st.integers(2, 6).flatmap(lambda n: hnp.arrays(np.float64, (n, 3), elements=st.floats(-5, 5)))


def rbf(x: np.ndarray, y: np.ndarray) -> float:
    return sum(math.exp(-float(np.sum((x - y) ** 2)) / (2 * s * s)) for s in (1, 2, 4, 8, 16))


def rational_quadratic(x: np.ndarray, y: np.ndarray) -> float:
    return sum((1 + float(np.sum((x - y) ** 2)) / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5))


def distance(x: np.ndarray, y: np.ndarray) -> float:
    return -float(np.linalg.norm(x - y))


@pytest.mark.parametrize(
    ("objective", "kernel"),
    [
        (MMD(outputs=3, kernel="rbf"), rbf),
        (MMD(outputs=3, kernel="rational_quadratic"), rational_quadratic),
        (EnergyDistance(outputs=3), distance),
    ],
    ids=["rbf", "rational_quadratic", "energy"],
)
@given(real=ROWS, fake=ROWS)
def test_agrees_with_loops_over_pairs_of_distinct_samples(
    objective: MMD | EnergyDistance, kernel: object, real: np.ndarray, fake: np.ndarray
) -> None:
    """The energy distance is the discrepancy of the kernel -|x - y|."""

    def within(rows: np.ndarray) -> float:
        return float(np.mean([kernel(x, y) for x, y in itertools.permutations(rows, 2)]))

    expected = within(real) + within(fake) - 2 * float(np.mean([kernel(x, y) for x in real for y in fake]))
    got = objective.generator(torch.from_numpy(real), torch.from_numpy(fake)).item()
    assert got == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("objective", [MMD(outputs=1), EnergyDistance(outputs=1)], ids=["mmd", "energy"])
def test_gradients_of_batches_are_unbiased(objective: MMD | EnergyDistance) -> None:
    """Over every batch of two fakes from three atoms, the mean gradient is that of the population's distance."""
    real = torch.tensor([[0.0], [1.0], [1.5]], dtype=torch.float64)
    atoms = torch.tensor([[0.3], [0.9], [2.4]], dtype=torch.float64)
    batches = list(itertools.product(range(3), repeat=2))
    theta = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    mean = torch.stack([objective.generator(real, atoms[list(b)] + theta) for b in batches]).mean()
    (gradient,) = torch.autograd.grad(mean, theta)

    def population(shift: float) -> float:
        # Terms among real samples, and among fakes that shift together, do not change with the shift.
        moved = atoms + shift
        if isinstance(objective, EnergyDistance):
            return 2 * (real - moved.T).abs().mean().item()
        scales = torch.tensor([1.0, 2, 4, 8, 16], dtype=torch.float64)
        kernel = (-(real - moved.T).square().unsqueeze(-1) / (2 * scales**2)).exp().sum(-1)
        return -2 * kernel.mean().item()

    step = 1e-5
    slope = (population(0.2 + step) - population(0.2 - step)) / (2 * step)
    assert gradient.item() == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(("norm", "dual"), [("l1", "linf"), ("l2", "l2"), ("linf", "l1")])
@given(real=ROWS, fake=ROWS)
def test_mean_matching_is_the_best_linear_critic(norm: str, dual: str, real: np.ndarray, fake: np.ndarray) -> None:
    """The supremum over the dual ball: reached at one of its extreme points, or in the direction itself."""
    difference = real.mean(0) - fake.mean(0)
    if dual == "linf":
        best = max(float(np.dot(signs, difference)) for signs in itertools.product((-1, 1), repeat=3))
    elif dual == "l1":
        best = max(float(sign * d) for d in difference for sign in (-1, 1))
    else:
        best = math.sqrt(float(difference @ difference))
    got = MeanMatching(outputs=3, norm=norm).generator(torch.from_numpy(real), torch.from_numpy(fake)).item()
    assert got == pytest.approx(best, abs=1e-9)


@given(real=ROWS, fake=ROWS, k=st.integers(1, 3), seed=st.integers(0, 100))
def test_covariance_matching_is_no_less_than_any_directions_give(
    real: np.ndarray, fake: np.ndarray, k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    difference = real.T @ real / len(real) - fake.T @ fake / len(fake)
    got = CovarianceMatching(outputs=3, rank=k).generator(torch.from_numpy(real), torch.from_numpy(fake)).item()
    u, _, vt = np.linalg.svd(difference)
    for _ in range(5):
        left, right = (np.linalg.qr(rng.normal(size=(3, k)))[0] for _ in range(2))
        assert np.trace(left.T @ difference @ right) <= got + 1e-9
    assert np.trace(u[:, :k].T @ difference @ vt[:k].T) == pytest.approx(got, abs=1e-9)


def test_settings_and_batches_that_do_not_do() -> None:
    with pytest.raises(UnknownNameError, match="rbf"):
        MMD(kernel="gaussian")
    with pytest.raises(UnknownNameError, match="l2"):
        MeanMatching(norm="l3")
    with pytest.raises(DomainError, match="rank"):
        CovarianceMatching(outputs=2, rank=3)
    with pytest.raises(ShapeError, match="at least 2"):
        EnergyDistance().critic(torch.zeros(1, 16), torch.zeros(3, 16))


def test_penalties_of_one_output_and_samplers_that_follow_it_are_refused() -> None:
    from dataclasses import replace

    from gancore.training import train

    system = systems.get("cramer_gan")(networks="mlp", width=4, batch_size=6)
    with pytest.raises(IncompatibleChoiceError, match=r"r1.*one output.*16 features"):
        replace(system, regularizers=(R1(),))
    run = train(system, torch.randn(12, 2), steps=1, progress=False)
    assert run.sample(3).x.shape == (3, 2)
    with pytest.raises(IncompatibleChoiceError, match=r"ddls.*features"):
        run.sample(3, sampler="ddls")
    found = run.evaluate(torch.randn(20, 2), samplers=["plain", "ddls"], progress=False)
    assert "features" in found.failures["ddls"]
