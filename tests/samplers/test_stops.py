"""Chains that leave the numbers stop, are named, and take no other chain with them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gancore.errors import NumericalError, SamplingWarning
from gancore.kernels.langevin import GaussianMixture
from gancore.samplers import Samples, ddls, langevin, optimal_transport

STEP = 0.05


def flat(z: Tensor) -> Tensor:
    return 0 * z.sum(dim=1)


def walled(z: Tensor) -> Tensor:
    """No number beyond 1."""
    return flat(z) + torch.where(z[:, 0] > 1, torch.nan, 0.0)


def walk(energy: object, integrator: str, steps: int = 30, n: int = 40) -> Samples:
    return langevin(energy, torch.zeros(n, 1), steps=steps, step_size=STEP, integrator=integrator, seed=1)


@pytest.mark.parametrize("integrator", ["euler", "baoab"])
def test_a_chain_stops_at_its_last_finite_state_and_the_others_go_on(integrator: str) -> None:
    free = langevin(flat, torch.zeros(40, 1), steps=30, step_size=STEP, integrator=integrator, thinning=1, seed=1).x
    crossing = (free[..., 0] > 1).int()
    expected = {c: int(crossing[:, c].argmax()) + 1 for c in range(40) if crossing[:, c].any()}
    assert 0 < len(expected) < 40, "the seed shows nothing"
    with pytest.warns(SamplingWarning, match=rf"in {len(expected)} of 40 chains, first in chain {min(expected)} "):
        samples = walk(walled, integrator)
    assert samples.info.stopped == expected
    for chain in range(40):
        last = free[-1, chain] if chain not in expected else free[expected[chain] - 2, chain]
        assert torch.equal(samples.x[chain], last if expected.get(chain) != 1 else torch.zeros(1))
    assert all(energy == energy for energy in samples.info.energies)


def test_a_gradient_that_is_no_number_stops_a_chain_too() -> None:
    def kinked(z: Tensor) -> Tensor:
        # Beyond 1 the value is 0 and the slope 0 * inf.
        return torch.where(z[:, 0] > 1, 0 * z[:, 0], 1.0).sqrt()

    with pytest.warns(SamplingWarning, match="gradient became nan"):
        samples = walk(kinked, "euler")
    assert (samples.x <= 1).all()
    assert samples.info.stopped == walk_stops()


def walk_stops() -> dict[int, int]:
    with pytest.warns(SamplingWarning):
        return walk(walled, "euler").info.stopped


def test_a_chain_that_flies_off_a_mixture_takes_no_other_along() -> None:
    mixture = GaussianMixture([[0.0]], 0.1)
    start = torch.tensor([[0.0], [1e29], [0.1]])
    with pytest.warns(SamplingWarning, match="in 1 of 3 chains, first in chain 1 after step 2"):
        samples = langevin(mixture, start, steps=3, step_size=0.05, seed=0)
    assert samples.info.stopped == {1: 2}
    # The step is 5 times the precision's inverse: from x to -4 x, and then too far.
    assert samples.x[1].item() == pytest.approx(-4e29)


def test_latent_chains_are_named_by_their_number_in_any_blocks() -> None:
    def critic(x: Tensor) -> Tensor:
        return flat(x) + torch.where(x[:, 0] > 2.2, torch.nan, 0.0)

    found = []
    for batch_size in (64, 7):
        with pytest.warns(SamplingWarning, match="lower the step size"):
            found.append(
                ddls(lambda z: z, critic, 60, latent_dim=1, steps=20, step_size=0.1, seed=2, batch_size=batch_size)
            )
    assert found[0].info.stopped
    assert found[0].info.stopped == found[1].info.stopped
    assert torch.equal(found[0].z, found[1].z)


def test_codes_under_transport_stop_too() -> None:
    def critic(x: Tensor) -> Tensor:
        return 3 * x[:, 0] + torch.where(x[:, 0] > 2.5, torch.nan, 0.0)

    settings = {"latent_dim": 1, "steps": 40, "step_size": 0.02, "lipschitz": 1.0, "seed": 1}
    with pytest.warns(SamplingWarning, match="optimal_transport: .*became nan"):
        samples = optimal_transport(lambda z: z, critic, 60, **settings)
    assert samples.x.isfinite().all()
    assert (samples.x <= 2.5).all()
    free = optimal_transport(lambda z: z, lambda x: 3 * x[:, 0], 60, **settings).x[:, 0]
    assert set(samples.info.stopped) == set((free > 2.5).nonzero()[:, 0].tolist())


def test_all_chains_lost_are_an_error() -> None:
    with pytest.raises(NumericalError, match=r"in 4 of 4 chains.*lower the step size"):
        langevin(lambda z: 1e4 * z.square().sum(dim=1), torch.ones(4, 1), steps=60, step_size=10.0)


def test_steps_that_reject_everything_or_nothing_say_so() -> None:
    def steep(z: Tensor) -> Tensor:
        return 1e6 * z.square().sum(dim=1)

    settings = {"steps": 20, "metropolis": True}
    with pytest.warns(SamplingWarning, match=r"0.00% of the steps were accepted.*lower the step size, which was 1"):
        langevin(steep, torch.zeros(20, 4), step_size=1.0, **settings)
    with pytest.warns(SamplingWarning, match="raise the step size"):
        langevin(steep, torch.zeros(20, 4), step_size=1e-12, **settings)
