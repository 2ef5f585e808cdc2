from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gancore import systems
from gancore.datasets import load
from gancore.errors import ConfigError, DomainError, IncompatibleChoiceError, UnknownNameError
from gancore.games.alternating import Alternating
from gancore.metrics import mode_coverage
from gancore.networks.dcgan import DCGAN
from gancore.objectives.bregman import Bregman
from gancore.objectives.hinge import Hinge
from gancore.objectives.least_squares import LeastSquares
from gancore.objectives.nonsaturating import Nonsaturating
from gancore.objectives.relativistic import Relativistic
from gancore.objectives.wasserstein import Wasserstein
from gancore.regularizers.gradient_penalty import GradientPenalty
from gancore.regularizers.r1 import R1
from gancore.regularizers.r2 import R2
from gancore.regularizers.weight_clip import WeightClip
from gancore.training import train
from gancore.training.optimizers import Adam, RMSProp


def test_published_settings() -> None:
    wgan = systems.get("wgan")()
    assert wgan.regularizers == (WeightClip(limit=0.01),)
    assert wgan.critic_optimizer == wgan.generator_optimizer == RMSProp(lr=5e-5)
    assert wgan.game == Alternating(critic_steps=5)
    gp = systems.get("wgan_gp")()
    assert gp.objective == wgan.objective == Wasserstein()
    assert gp.regularizers == (GradientPenalty(weight=10.0, target=1.0, one_sided=False),)
    assert gp.critic_optimizer == gp.generator_optimizer == Adam(lr=1e-4, beta1=0.0, beta2=0.9)
    assert gp.game == Alternating(critic_steps=5)
    dcgan = systems.get("dcgan")()
    assert dcgan.objective == Nonsaturating()
    assert isinstance(dcgan.networks, DCGAN)
    assert dcgan.networks.critic_norm == "batch"
    assert (dcgan.generator_optimizer.beta1, dcgan.generator_optimizer.beta2) == (0.5, 0.999)


def test_published_settings_of_the_later_systems() -> None:
    sngan = systems.get("sngan")(networks="mlp")
    assert (sngan.objective, sngan.networks.critic_norm) == (Hinge(), "spectral")
    assert sngan.critic_optimizer == Adam(lr=2e-4, beta1=0.0, beta2=0.9)
    assert sngan.game == Alternating(critic_steps=5)
    r3gan = systems.get("r3gan")(networks="mlp", gamma=0.5)
    assert (r3gan.objective, r3gan.regularizers) == (Relativistic(), (R1(weight=0.5), R2(weight=0.5)))
    assert systems.get("lsgan")().objective == LeastSquares(fake_label=-1.0, real_label=1.0, target=0.0)
    assert systems.get("bgan")(f="kl").objective == Bregman(f="kl")


def test_relativistic_pairing_with_flat_sides_covers_every_mode_of_the_ring() -> None:
    ring = load("ring")
    run = train(systems.get("r3gan")(networks="mlp", width=64), ring, steps=800, seed=0, progress=False)
    coverage = mode_coverage(run.sample(2000, seed=1).x, ring.centers, radius=0.3)
    assert coverage.modes == 8
    assert coverage.kl < 0.3


@pytest.mark.slow
def test_looking_ahead_covers_modes_that_the_plain_game_drops() -> None:
    """Metz et al. 2017, section 3.1: the ring of eight, medians over three seeds."""
    ring = load("ring")
    modes = {}
    for steps in (0, 5):
        system = systems.get("unrolled_gan")(steps=steps, width=64, batch_size=64)
        runs = [train(system, ring, steps=2000, seed=seed, progress=False) for seed in range(3)]
        found = [mode_coverage(run.sample(2000, seed=1).x, ring.centers, radius=0.3).modes for run in runs]
        modes[steps] = sorted(found)[1]
    assert modes[5] == 8
    assert modes[0] < modes[5]


@pytest.mark.parametrize("name", ["gan", "wgan", "wgan_gp"])
def test_points_get_as_many_latent_dimensions_as_they_have(name: str) -> None:
    system = systems.get(name)(networks="mlp")
    assert system.fitted((1, 8, 8)) is system
    for d, expected in ((1, 2), (2, 2), (7, 7)):
        fitted = system.fitted((d,))
        assert fitted.latent_dim == fitted.choices["latent_dim"] == expected
        assert fitted == systems.get(name)(**fitted.choices), "the choices build it again"
    chosen = systems.get(name)(networks="mlp", latent_dim=64)
    assert chosen.fitted((2,)) is chosen
    made = replace(system, choices={}, name="custom")
    assert made.fitted((2,)) is made


def test_hyphens_count_as_underscores() -> None:
    assert systems.get("wgan-gp") is systems.get("wgan_gp")


def test_unknown_system_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'wgan_gp'"):
        systems.get("wgan_pg")


def test_gradient_penalty_excludes_batch_norm_in_the_critic() -> None:
    with pytest.raises(IncompatibleChoiceError, match=r"critic_norm.*gradient_penalty.*batch"):
        systems.get("wgan_gp")(critic_norm="batch")


def test_unknown_networks_and_priors_raise() -> None:
    with pytest.raises(UnknownNameError, match="'dcgan'"):
        systems.get("wgan")(networks="dcgam")
    with pytest.raises(ConfigError, match="prior"):
        systems.get("wgan")(prior="normel")
    with pytest.raises(UnknownNameError, match="'normal'"):
        replace(systems.get("wgan")(), prior="normel")


def test_settings_that_the_networks_lack_raise() -> None:
    with pytest.raises(IncompatibleChoiceError, match="depth"):
        systems.get("gan")(networks="dcgan", depth=4)


def test_integers_do_where_floats_are_expected_but_truth_values_do_not() -> None:
    assert systems.get("wgan_gp")(penalty=1).recipe() == systems.get("wgan_gp")(penalty=1.0).recipe()
    with pytest.raises(ConfigError, match="critic_steps"):
        systems.get("wgan_gp")(critic_steps=True)
    with pytest.raises(ConfigError, match="penalty"):
        systems.get("wgan_gp")(penalty=False)


@pytest.mark.parametrize("setting", [{"batch_size": 1}, {"latent_dim": 0}, {"ema": 1.0}])
def test_settings_of_the_system_itself_are_checked(setting: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(setting))):
        replace(systems.get("gan")(), **setting)


def test_a_system_put_together_by_hand_explains_itself() -> None:
    text = replace(systems.get("dcgan")(), name="custom", regularizers=(WeightClip(),)).explain()
    assert "put together by hand" in text
    assert "weight_clip(limit=0.01, final=None, anneal_steps=0)" in text


@pytest.mark.parametrize("name", systems.names())
def test_no_system_smooths_labels_unless_asked(name: str) -> None:
    """A critic that is certain and right owes nothing; with targets of 0.9 it would owe a tenth of its certainty."""
    objective = systems.get(name)().objective
    if objective.critic_kind != "logit":
        pytest.skip("labels are those of a cross-entropy")
    certain = torch.full((4,), 1e4)
    assert objective.critic(certain, -certain).item() == pytest.approx(0.0, abs=1e-6)
