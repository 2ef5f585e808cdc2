"""Where independence chains start, and REP-GAN's proposals."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import Tensor

from gancore.errors import (
    DomainError,
    IncompatibleChoiceError,
    NumericalError,
    SamplingWarning,
    ShapeError,
    UnknownNameError,
)
from gancore.samplers import Samples, ddls, metropolis_hastings, plain

N = 3000


def mixture(x: Tensor) -> Tensor:
    """With the normal prior: 0.7 N(-1, 0.5^2) + 0.3 N(1.2, 0.4^2)."""
    normals = torch.distributions.Normal(torch.tensor([-1.0, 1.2]), torch.tensor([0.5, 0.4]))
    return (torch.tensor([0.7, 0.3]).log() + normals.log_prob(x)).logsumexp(dim=1) + x[:, 0].square() / 2


def draws(n: int) -> Tensor:
    """From that mixture."""
    generator = torch.Generator().manual_seed(5)
    left = torch.rand(n, generator=generator) < 0.7
    noise = torch.randn(n, generator=generator)
    return torch.where(left, -1 + 0.5 * noise, 1.2 + 0.4 * noise)[:, None]


def run(critic: object = mixture, n: int = N, **settings: object) -> Samples:
    return metropolis_hastings(lambda z: z, critic, n, **({"latent_dim": 1, "batch_size": 4096} | settings))


def p_value(samples: Samples) -> float:
    def cdf(x: object) -> object:
        return 0.7 * stats.norm.cdf(x, -1, 0.5) + 0.3 * stats.norm.cdf(x, 1.2, 0.4)

    return float(stats.kstest(samples.x[:, 0].double().numpy(), cdf).pvalue)


@pytest.mark.parametrize("settings", [{"initial": draws(500), "steps": 60}, {"proposal": "langevin", "steps": 150}])
def test_both_ways_recover_the_data(settings: dict[str, object]) -> None:
    assert p_value(run(**settings)) > 1e-3


def test_what_is_returned_never_is_a_real_sample() -> None:
    """Real samples that no fake can beat: every chain begins again at its own sample of the generator."""
    real = torch.full((40, 1), 50.0)

    def critic(x: Tensor) -> Tensor:
        return 1e9 * x[:, 0]

    with pytest.warns(SamplingWarning, match="3000 of 3000 chains accepted none of 30"):
        samples = run(critic, initial=real, steps=30)
    assert samples.x.max() < 10
    assert torch.equal(samples.x, samples.z)
    assert samples.info.critic_calls == N * (1 + 30 + 1 + 30)
    # From the generator's own samples, uphill.
    assert (samples.x >= plain(lambda z: z, None, N, latent_dim=1).x).all()
    assert samples.x.mean() > 1


def test_chain_i_starts_at_the_same_real_sample_in_any_blocks() -> None:
    settings = {"initial": draws(30), "steps": 5, "seed": 3}
    whole = run(n=50, **settings)
    assert torch.equal(run(n=50, **(settings | {"batch_size": 7})).z, whole.z)
    assert torch.equal(run(n=20, **settings).z, whole.z[:20])


def test_the_first_energy_is_that_of_the_real_samples() -> None:
    real = draws(2000)
    found = run(n=2000, initial=real, steps=1).info.energies[0]
    assert found == pytest.approx(float(-mixture(real).mean()), abs=1e-4)


def test_langevin_proposals_are_the_adjusted_chains_of_ddls() -> None:
    settings = {"latent_dim": 1, "steps": 20, "step_size": 0.3, "seed": 4}
    ours = metropolis_hastings(lambda z: z, mixture, 100, proposal="langevin", **settings)
    theirs = ddls(lambda z: z, mixture, 100, metropolis=True, **settings)
    assert torch.equal(ours.z, theirs.z)
    assert (ours.info.sampler, ours.info.step_size) == ("metropolis_hastings", 0.3)
    assert ours.info.acceptance == theirs.info.acceptance


def test_langevin_proposals_are_accepted_where_fresh_ones_are_not() -> None:
    """A target five standard deviations of the prior away and a tenth as wide."""

    def far(x: Tensor) -> Tensor:
        return -50 * (x[:, 0] - 5).square()

    independent = run(far, n=300, steps=100)
    led = run(far, n=300, steps=100, proposal="langevin")
    mean, std = 5 * 100 / 101, 1 / math.sqrt(101)
    assert led.info.acceptance > 0.3
    assert led.x.mean().item() == pytest.approx(mean, abs=0.1)
    assert led.x.std().item() == pytest.approx(std, rel=0.3)
    assert independent.x.mean().item() < mean - 1


def holed(x: Tensor) -> Tensor:
    """No number beyond 1, and level before."""
    return torch.where(x[:, 0] > 1, torch.nan, 0.0)


def test_a_proposal_without_a_score_is_turned_down_and_the_chain_goes_on() -> None:
    settings = {"initial": torch.full((10, 1), -0.5), "steps": 20}
    with pytest.warns(SamplingWarning, match=r"first in chain (\d+) at step 0") as told:
        samples = run(holed, **settings)
    share = stats.norm.cdf(1)
    proposals = N * 20
    assert samples.info.unscored == pytest.approx((1 - share) * proposals, abs=4 * math.sqrt(share * proposals * 0.16))
    assert samples.info.acceptance == pytest.approx(share, abs=0.01)
    found = samples.x[:, 0].double().numpy()
    assert stats.kstest(found, lambda x: stats.norm.cdf(x).clip(max=share) / share).pvalue > 1e-3
    # The chain that is named proposed beyond the hole at the step that is named.
    first = run(lambda x: x[:, 0] * 0, steps=1, seed=0).x[:, 0]
    assert f"first in chain {int((first > 1).nonzero()[0])} at" in str(told[0].message)


def test_a_start_without_a_score_is_an_error_that_names_the_chain() -> None:
    starts = plain(lambda z: z, None, N, latent_dim=1).x[:, 0]
    with pytest.raises(NumericalError, match=f"first for sample {int((starts > 1).nonzero()[0])}$"):
        run(holed, steps=2)


def test_scores_that_are_never_numbers_are_an_error() -> None:
    with pytest.raises(NumericalError, match="189 of 189 proposals"):
        run(lambda x: torch.where(x[:, 0] == 7, 0.0, torch.nan), n=9, initial=torch.full((2, 1), 7.0), steps=10)


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"proposal": "walk"}, UnknownNameError, "proposal"),
        ({"proposal": "langevin", "initial": draws(5)}, IncompatibleChoiceError, "initial"),
        ({"proposal": "langevin", "calibration": "isotonic"}, IncompatibleChoiceError, "calibration"),
        ({"proposal": "langevin", "step_size": 0.0}, DomainError, "step_size"),
        ({"calibration": "temperature"}, UnknownNameError, "calibration"),
        ({"initial": torch.zeros(5, 3)}, ShapeError, "initial"),
    ],
)
def test_refuses(settings: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        run(n=4, **({"steps": 2} | settings))
