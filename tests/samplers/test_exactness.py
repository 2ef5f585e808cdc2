"""Laws that hold exactly whatever the prior or the proposal: the data come back, and no flow has a direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from gancore.kernels.langevin import GaussianMixture, philox_normal
from gancore.samplers import ddls, langevin, metropolis_hastings, plain, rejection
from gancore.samplers._langevin import State, metropolis_step, unadjusted_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.samplers import Samples

N = 4000


def waves(x: Tensor) -> Tensor:
    """Uniform q on (-1, 1), p = (1 + 0.8 sin(pi x)) / 2."""
    return (1 + 0.8 * torch.sin(math.pi * x[:, 0])).log()


def two_lobes(x: Tensor) -> Tensor:
    """Uniform q on the circle of radius sqrt(2), p of the angle t proportional to e^(cos 2t + sin t / 2)."""
    return (x[:, 0].square() - x[:, 1].square()) / 2 + x[:, 1] / (2 * math.sqrt(2))


def flattened(x: Tensor) -> Tensor:
    """Normal q cut at 2, uniform p."""
    return x[:, 0].square() / 2


def two_modes(x: Tensor) -> Tensor:
    """Normal q, p = 0.7 N(-1, 0.5^2) + 0.3 N(1.2, 0.4^2)."""
    normals = torch.distributions.Normal(torch.tensor([-1.0, 1.2]), torch.tensor([0.5, 0.4]))
    return (torch.tensor([0.7, 0.3]).log() + normals.log_prob(x)).logsumexp(dim=1) + x[:, 0].square() / 2


def circle_cdf(angles: np.ndarray) -> np.ndarray:
    grid = np.linspace(-np.pi, np.pi, 20_001)
    density = np.exp(np.cos(2 * grid) + np.sin(grid) / 2)
    return np.interp(angles, grid, np.cumsum(density) / density.sum())


RATIOS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[np.ndarray], np.ndarray]]] = {
    "normal": (two_modes, lambda x: 0.7 * stats.norm.cdf(x, -1, 0.5) + 0.3 * stats.norm.cdf(x, 1.2, 0.4)),
    "uniform": (waves, lambda x: (x + 1) / 2 - 0.4 / np.pi * (np.cos(np.pi * x) - np.cos(np.pi))),
    "sphere": (two_lobes, circle_cdf),
    "truncated_normal": (flattened, lambda x: (x + 2) / 4),
}
SAMPLERS: dict[str, Callable[..., Samples]] = {
    "ddls": lambda *pair, **s: ddls(*pair, N, steps=120, metropolis=True, batch_size=N, **s),
    "ddls, split": lambda *pair, **s: ddls(*pair, N, steps=120, metropolis=True, integrator="split", batch_size=N, **s),
    "mh": lambda *pair, **s: metropolis_hastings(*pair, N, steps=60, batch_size=N, **s),
    "drs": lambda *pair, **s: rejection(*pair, N, percentile=None, batch_size=N, **s),
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("prior", RATIOS)
def test_the_exact_density_ratio_brings_the_data_back_from_every_prior(prior: str, name: str) -> None:
    critic, cdf = RATIOS[prior]
    samples = SAMPLERS[name](lambda z: z, critic, latent_dim=2 if prior == "sphere" else 1, prior=prior)
    x = samples.x.double()
    found = torch.atan2(x[:, 1], x[:, 0]) if prior == "sphere" else x[:, 0]
    assert stats.kstest(found.numpy(), cdf).pvalue > 1e-3


def test_the_priors_themselves_are_not_the_data() -> None:
    """What the test above would find of a sampler that does nothing."""
    for prior, (_, cdf) in RATIOS.items():
        x = plain(lambda z: z, None, N, latent_dim=2 if prior == "sphere" else 1, prior=prior).x.double()
        found = torch.atan2(x[:, 1], x[:, 0]) if prior == "sphere" else x[:, 0]
        assert stats.kstest(found.numpy(), cdf).pvalue < 1e-6


class Tilted:
    """E(u) = |u|^2 / 2 - phi(u) of the two modes."""

    def value_and_grad(self, u: Tensor) -> tuple[Tensor, Tensor]:
        leaf = u.detach().requires_grad_()
        with torch.enable_grad():
            energy = leaf[:, 0].square() / 2 - two_modes(leaf)
            (gradient,) = torch.autograd.grad(energy.sum(), leaf)
        return energy.detach().double(), gradient


def flows(before: Tensor, after: Tensor) -> list[float]:
    """Flow of one quantity into another less that back, in standard errors: 0 in detailed balance."""
    x, y = before[:, 0].double(), after[:, 0].double()
    quantities: list[Callable[[Tensor], Tensor]] = [
        torch.ones_like,
        lambda v: v,
        torch.square,
        lambda v: (v > 0.2) * 1.0,
    ]
    found = []
    for k, f in enumerate(quantities):
        for g in quantities[:k]:
            net = f(x) * g(y) - g(x) * f(y)
            found.append(float(net.mean() / net.std() * math.sqrt(len(net))))
    return found


@pytest.mark.parametrize("step_size", [0.02, 0.5])
@pytest.mark.parametrize("split", [False, True])
def test_adjusted_steps_are_in_detailed_balance(split: bool, step_size: float) -> None:
    n = 40_000
    mixture = GaussianMixture([[-1.0], [1.2]], [0.5, 0.4], [0.7, 0.3])
    u = torch.from_numpy(mixture.sample(n, 3)).float()
    state = State(u, *Tilted().value_and_grad(u), 0)
    moved, acceptance = metropolis_step(Tilted(), state, step_size, seed=1, step=0, split=split)
    assert 0.3 < float(acceptance.mean()) < 1
    assert max(map(abs, flows(u, moved.u))) < 4
    raw = unadjusted_step(Tilted(), state, 0.5, seed=1, step=0, split=split)
    assert max(map(abs, flows(u, raw.u))) > 10, "the same step without correction has a direction"


def test_a_rejected_step_counts_again() -> None:
    """Chains that list accepted states alone, as public code has it, have another law."""
    mixture = GaussianMixture([[0.0]], 1.0)
    kept = langevin(mixture, torch.zeros(500, 1), steps=200, step_size=2.5, metropolis=True, thinning=1, seed=2)
    stayed = (kept.x[1:] == kept.x[:-1]).double().mean().item()
    assert stayed == pytest.approx(1 - kept.info.acceptance, abs=0.01)
    assert stayed > 0.2


@pytest.mark.parametrize("metropolis", [False, True])
def test_gradients_of_a_step_are_its_own(metropolis: bool) -> None:
    """No momentum of gradients that add up, and no graph that grows."""
    network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    samples = ddls(torch.nn.Linear(3, 2), network, 5, latent_dim=3, steps=3, step_size=0.1, metropolis=metropolis)
    assert samples.x.grad_fn is None
    assert samples.z.grad_fn is None
    assert all(parameter.grad is None for parameter in network.parameters())
    if metropolis:
        return
    # Each of the three steps by hand, its gradient of the place it starts from alone.
    generator = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(generator.weight, 2.0)
    torch.nn.init.constant_(generator.bias, 0.5)
    u = plain(generator, None, 4, latent_dim=1, seed=3).z
    settings = {"latent_dim": 1, "step_size": 0.1, "seed": 3}
    for steps in (1, 2, 3):
        got = ddls(generator, lambda x: -0.5 * x.square().sum(dim=1), 4, steps=steps, **settings).z
        noise = torch.from_numpy(philox_normal((4, 1), seed=3, stream="proposal", step=steps - 1))
        u = u - 0.1 * (u + 2 * (2 * u + 0.5)) + math.sqrt(0.2) * noise
        torch.testing.assert_close(got, u, rtol=1e-5, atol=1e-5)
