"""Langevin chains on energies whose distribution is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gancore.errors import BackendError, DomainError, DTypeError, NumericalError, ShapeError
from gancore.kernels.langevin import GaussianMixture, philox_normal
from gancore.samplers import langevin


def gaussian(z: Tensor) -> Tensor:
    """N(0, 1/4) in each coordinate."""
    return 2 * z.square().sum(dim=1)


def zeros(n: int = 10_000, d: int = 2) -> Tensor:
    return torch.zeros(n, d)


def assert_variance(x: Tensor, variance: float) -> None:
    n = x.numel()
    assert x.double().square().mean().item() == pytest.approx(variance, abs=4 * variance * math.sqrt(2 / n))


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_variance_scales_with_temperature_and_has_the_known_bias(temperature: float) -> None:
    settings = {"steps": 80, "step_size": 0.1, "temperature": temperature}
    assert_variance(langevin(gaussian, zeros(), **settings).x, temperature * 0.25 / (1 - 0.1 / 0.5))
    exact = langevin(gaussian, zeros(), metropolis=True, **settings)
    assert_variance(exact.x, temperature * 0.25)
    assert exact.info.energies[-1] == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize(("a", "b"), [(0.01, 0.1), (0.005, 0.1), (0.01, math.sqrt(0.02))])
def test_a_public_loop_has_the_temperature_of_its_noise(a: float, b: float) -> None:
    z, noise = zeros(5) + 0.5, torch.from_numpy(philox_normal((5, 2), seed=3, stream="proposal", step=0))
    got = langevin(gaussian, z, steps=1, step_size=a, temperature=b**2 / (2 * a), seed=3).x
    torch.testing.assert_close(got, z - a * 4 * z + b * noise, rtol=1e-5, atol=1e-6)


def test_tuning_holds_for_any_scale_and_temperature() -> None:
    for scale, temperature in ((1.0, 1.0), (1e4, 1.0), (1.0, 1e-3)):
        start = zeros(2000, 4)
        chains = langevin(
            lambda z, c=scale: c * gaussian(z), start, steps=150, metropolis=True, temperature=temperature
        )
        assert_variance(chains.x, temperature * 0.25 / scale)
        assert chains.info.acceptance == pytest.approx(0.574, abs=0.1)
        assert not start.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_mixture_and_its_torch_twin_walk_alike(dtype: torch.dtype) -> None:
    mixture = GaussianMixture([[-2.0, 0.0], [2.0, 0.0]], 0.5, [0.3, 0.7])

    def twin(z: Tensor) -> Tensor:
        means = torch.tensor(mixture.means, dtype=z.dtype)
        exponents = torch.tensor(mixture.weights, dtype=z.dtype).log() - 2 * (z[:, None] - means).square().sum(dim=2)
        return -(exponents.logsumexp(dim=1) - math.log(2 * math.pi * 0.25))

    settings = {"steps": 20, "step_size": 0.05, "metropolis": True, "seed": 4}
    ours, theirs = (langevin(e, zeros(50).to(dtype), **settings) for e in (mixture, twin))
    torch.testing.assert_close(ours.x, theirs.x, rtol=1e-3, atol=1e-4)
    assert ours.x.dtype == dtype
    whole = mixture.langevin(zeros(50).double(), **settings)
    assert ours.info.acceptance == pytest.approx(whole.acceptance, abs=0.02)


def test_mode_weights_are_right_from_a_wrong_start() -> None:
    mixture = GaussianMixture([[-1.0], [1.0]], 0.5, [0.3, 0.7])
    x = langevin(mixture, torch.full((4000, 1), -1.0), steps=400, metropolis=True).x
    share = 0.3 * 0.0228 + 0.7 * 0.9772
    assert (x > 0).double().mean().item() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 4000))


@pytest.mark.parametrize("metropolis", [False, True])
def test_a_run_continues_and_thins(metropolis: bool) -> None:
    settings = {"step_size": 0.1, "metropolis": metropolis, "seed": 2}
    whole = langevin(gaussian, zeros(7), steps=10, thinning=4, **settings)
    assert whole.x.shape == (2, 7, 2)
    half = langevin(gaussian, zeros(7), steps=4, **settings).x
    assert torch.equal(half, whole.x[0])
    assert torch.equal(langevin(gaussian, half, steps=4, first_step=4, **settings).x, whole.x[1])
    assert torch.equal(langevin(gaussian, zeros(3), steps=4, **settings).x, half[:3])
    assert whole.info.critic_calls == 7 * 11


@pytest.mark.parametrize(
    ("energy", "initial", "settings", "error", "match"),
    [
        (gaussian, torch.zeros(3), {}, ShapeError, "initial"),
        (gaussian, torch.zeros(3, 2).half(), {}, DTypeError, "float16"),
        (gaussian, [[0.0]], {}, DTypeError, "list"),
        (lambda z: z, torch.zeros(3, 2), {}, ShapeError, "energy"),
        (lambda z: z.detach()[:, 0], torch.zeros(3, 2), {}, BackendError, "no gradient"),
        (lambda z: (z[:, 0] - 1).log(), torch.zeros(3, 2), {}, NumericalError, "at the start"),
        (gaussian, torch.zeros(3, 2), {"temperature": 0.0}, DomainError, "temperature"),
        (gaussian, torch.zeros(3, 2), {"thinning": 0}, DomainError, "thinning"),
        (gaussian, torch.zeros(3, 2), {"step_size": -1.0}, DomainError, "step_size"),
    ],
)
def test_refuses(energy: object, initial: object, settings: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        langevin(energy, initial, **({"steps": 2} | settings))
