from __future__ import annotations

import pytest
import torch
from scipy import stats
from torch import nn

from gancore.errors import DomainError, ShapeError, UnknownNameError
from gancore.samplers import ddls, plain


def test_codes_follow_the_prior_and_samples_the_codes() -> None:
    generator = nn.Linear(3, 5)
    samples = plain(generator, None, 3000, latent_dim=3, prior="uniform", batch_size=700)
    assert stats.kstest(samples.z.flatten().double().numpy(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    with torch.no_grad():
        torch.testing.assert_close(samples.x, generator(samples.z))
    assert not samples.x.requires_grad
    assert samples.info.generator_calls == 3000
    assert samples.info.critic_calls == 0


def test_a_sample_depends_on_nothing_but_seed_and_number() -> None:
    whole = plain(lambda z: z, None, 30, latent_dim=4, seed=3)
    assert torch.equal(plain(lambda z: z, None, 11, latent_dim=4, seed=3, batch_size=4).z, whole.z[:11])
    assert not torch.equal(plain(lambda z: z, None, 30, latent_dim=4, seed=4).z, whole.z)


def test_reports_the_energy_that_latent_samplers_start_from() -> None:
    def critic(x: torch.Tensor) -> torch.Tensor:
        return x.sin().sum(dim=1)

    settings = {"latent_dim": 3, "prior": "sphere", "seed": 2}
    (energy,) = plain(lambda z: 2 * z, critic, 50, **settings).info.energies
    start = ddls(lambda z: 2 * z, critic, 50, **settings, steps=1, step_size=1e-6).info.energies[0]
    assert energy == pytest.approx(start, rel=1e-9)


def test_requests_that_make_no_sense() -> None:
    for settings, error in (
        ({"n": 0}, DomainError),
        ({"latent_dim": -1}, DomainError),
        ({"prior": "x"}, UnknownNameError),
    ):
        with pytest.raises(error):
            plain(nn.Identity(), None, **({"n": 3, "latent_dim": 2} | settings))
    with pytest.raises(ShapeError, match="latent_dim"):
        plain(nn.Linear(3, 2), None, 4, latent_dim=2)
