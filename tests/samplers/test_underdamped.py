"""BAOAB against linear recursions whose stationary law is exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.linalg import solve_discrete_lyapunov
from torch import Tensor

from gancore.errors import DomainError, IncompatibleChoiceError, ShapeError, UnknownNameError
from gancore.kernels.langevin import GaussianMixture, philox_normal
from gancore.samplers import ddls, langevin

N = 20_000


def identity(z: Tensor) -> Tensor:
    return z


def gaussian(z: Tensor) -> Tensor:
    """N(0, 1/4) in each coordinate."""
    return 2 * z.square().sum(dim=1)


def assert_variance(x: Tensor, variance: float) -> None:
    values = x.double().flatten()
    assert values.mean().item() == pytest.approx(0, abs=4 * math.sqrt(variance / len(values)))
    assert values.square().mean().item() == pytest.approx(variance, abs=4 * variance * math.sqrt(2 / len(values)))


def stationary_variance(c: float, eta: float, friction: float) -> float:
    """Of u, for phi = -c |u|^2 / 2 by kicks, rotations and friction, from the Lyapunov equation."""
    h = math.sqrt(2 * eta)
    kick = np.array([[1, 0], [-c * h / 2, 1]])
    turn = np.array([[math.cos(h / 2), math.sin(h / 2)], [-math.sin(h / 2), math.cos(h / 2)]])
    keep = math.exp(-friction * h)
    after = kick @ turn
    whole = after @ np.diag([1, keep]) @ turn @ kick
    noise = after @ np.array([[0], [math.sqrt(1 - keep**2)]])
    return float(solve_discrete_lyapunov(whole, noise @ noise.T)[0, 0])


@pytest.mark.parametrize("step_size", [0.05, 0.9, 3.0])
@pytest.mark.parametrize(("prior", "law"), [("normal", stats.norm.cdf), ("uniform", stats.uniform(-1, 2).cdf)])
def test_a_constant_critic_gives_the_prior_at_any_step(prior: str, law: object, step_size: float) -> None:
    z = ddls(
        identity, lambda x: 0 * x[:, 0], 4000, latent_dim=2, prior=prior, integrator="baoab", step_size=step_size,
        steps=15, batch_size=4096,
    ).z  # fmt: skip
    for coordinate in z.double().numpy().T:
        assert stats.kstest(coordinate, law).pvalue > 1e-3


@pytest.mark.parametrize(("step_size", "friction"), [(0.05, 2.0), (0.2, 2.0), (0.2, 0.5), (0.1, 1e6)])
def test_the_latent_chain_has_the_variance_of_its_recursion(step_size: float, friction: float) -> None:
    samples = ddls(
        identity, lambda x: -1.5 * x.square().sum(dim=1), N, latent_dim=2, integrator="baoab", step_size=step_size,
        friction=friction, steps=80, batch_size=N,
    )  # fmt: skip
    expected = stationary_variance(3.0, step_size, friction)
    assert_variance(samples.x, expected)
    # Second order in h: already near the exact 1/4 where Euler's step of this size gives 1/4 / (1 - 2 eta).
    assert expected == pytest.approx(0.25, rel=0.35 * step_size)
    assert samples.info.critic_calls == N * 81


@pytest.mark.parametrize("temperature", [0.25, 4.0])
@pytest.mark.parametrize("step_size", [0.05, 0.3])
def test_positions_of_a_gaussian_are_exact(step_size: float, temperature: float) -> None:
    """Euler's variance at these steps is 11 % and 150 % too large."""
    settings = {"steps": 100, "integrator": "baoab", "step_size": step_size, "temperature": temperature}
    assert_variance(langevin(gaussian, torch.zeros(N, 2), friction=4.0, **settings).x, temperature * 0.25)


def test_a_mixture_is_sampled_from_its_own_energy() -> None:
    mixture = GaussianMixture([[0.0, 0.0]], 0.5)
    assert_variance(langevin(mixture, torch.zeros(N, 2), steps=100, integrator="baoab", step_size=0.1).x, 0.25)


def test_a_large_friction_leaves_the_overdamped_step() -> None:
    """u' = u - eta grad E + sqrt(eta / 2) (xi + xi_before), whose gradient sits in the middle of the noise."""
    eta, w = 0.3, torch.tensor([1.0, -2.0])
    noise = [torch.from_numpy(philox_normal((5, 2), seed=3, stream="proposal", step=k)) for k in (0, 1)]
    v = torch.from_numpy(philox_normal((5, 2), seed=3, stream="initial", step=1))
    settings = {"integrator": "baoab", "step_size": eta, "friction": 1e9, "seed": 3}
    found = langevin(lambda z: z @ w, torch.zeros(5, 2), steps=2, **settings).x
    half = math.sqrt(eta / 2)
    first = -eta / 2 * w + half * (v + noise[0])
    torch.testing.assert_close(found, first - eta * w + half * (noise[0] + noise[1]), rtol=1e-5, atol=1e-6)


def test_a_run_continues_from_its_velocity() -> None:
    start = torch.zeros(6, 2)
    settings = {"integrator": "baoab", "step_size": 0.1, "temperature": 2.0, "seed": 2}
    whole = langevin(gaussian, start, steps=8, **settings)
    half = langevin(gaussian, start, steps=4, **settings)
    rest = langevin(gaussian, half.x, steps=4, first_step=4, velocity=half.velocity, **settings)
    assert torch.equal(rest.x, whole.x)
    assert torch.equal(rest.velocity, whole.velocity)
    assert torch.equal(langevin(gaussian, start[:2], steps=8, **settings).x, whole.x[:2])


def test_the_step_is_tuned_and_chains_do_not_depend_on_blocks() -> None:
    settings = {"latent_dim": 2, "integrator": "baoab", "steps": 5}
    whole = ddls(identity, lambda x: 3 * x[:, 0], 20, **settings)
    assert 0 < whole.info.step_size <= 0.1
    assert torch.equal(ddls(identity, lambda x: 3 * x[:, 0], 20, batch_size=7, **settings).z, whole.z)


def test_what_makes_no_sense() -> None:
    with pytest.raises(IncompatibleChoiceError, match="metropolis"):
        ddls(identity, lambda x: x[:, 0], 2, latent_dim=2, integrator="baoab", metropolis=True)
    start = torch.zeros(2, 2)
    for settings, error, match in (
        ({"integrator": "baoab", "metropolis": True}, IncompatibleChoiceError, "metropolis"),
        ({"velocity": start}, IncompatibleChoiceError, "velocity"),
        ({"integrator": "baoab", "velocity": start[:1]}, ShapeError, "velocity"),
        ({"integrator": "baoab", "friction": 0.0}, DomainError, "friction"),
        ({"integrator": "boaba"}, UnknownNameError, "integrator"),
    ):
        with pytest.raises(error, match=match):
            langevin(gaussian, start, steps=1, **settings)
