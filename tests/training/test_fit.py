"""Critics that users write, and that are not what their family or their objective takes them for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from gancore import systems
from gancore.errors import IncompatibleChoiceError
from gancore.networks import NetworkFamily, Norm
from gancore.networks.mlp import MLP
from gancore.training import train
from gancore.training.fit import require_fitting

POINTS = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))


@dataclass(frozen=True)
class Own(NetworkFamily):
    """A critic with further layers, inside or at the end."""

    inside: type[nn.Module] | None = None
    end: type[nn.Module] | None = None
    critic_norm: Norm = "none"
    reference: ClassVar[str] = ""

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        return MLP(width=4).generator(shape, latent_dim)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        inside = [] if self.inside is None else [self.inside(4)]
        end = [] if self.end is None else [self.end()]
        return nn.Sequential(nn.Linear(shape[0], 4), *inside, nn.ReLU(), nn.Linear(4, outputs), *end, nn.Flatten(0))


def attempt(system: str, networks: NetworkFamily) -> None:
    known = {"networks": "mlp"} | ({"clip": 0.1} if system == "wgan" else {})
    train(replace(systems.get(system)(**known), networks=networks, name="custom"), POINTS, steps=1, progress=False)


@pytest.mark.parametrize("system", ["wgan", "wgan_gp", "gan"])
def test_a_sigmoid_at_the_end_is_refused_where_the_raw_output_is_read(system: str) -> None:
    with pytest.raises(IncompatibleChoiceError, match=r"ends in Sigmoid.*raw output"):
        attempt(system, Own(end=nn.Sigmoid))


def test_batch_normalisation_that_a_family_does_not_tell_of_is_refused() -> None:
    with pytest.raises(IncompatibleChoiceError, match=r"has BatchNorm1d.*critic_norm='none'"):
        attempt("wgan_gp", Own(inside=nn.BatchNorm1d))
    attempt("gan", Own(inside=nn.BatchNorm1d, critic_norm="batch"))


def test_other_critics_are_left_in_peace() -> None:
    attempt("wgan_gp", Own())
    attempt("lsgan", Own(end=nn.Tanh))


@dataclass(frozen=True)
class Misshapen(NetworkFamily):
    """A generator and a critic of so many coordinates each, and a critic of so many outputs."""

    codes: int = 2
    made: int = 2
    judged: int = 2
    given: tuple[int, ...] = (1,)
    critic_norm: Norm = "none"
    reference: ClassVar[str] = ""

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        return nn.Linear(self.codes, self.made)

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        return nn.Sequential(nn.Linear(self.judged, math.prod(self.given)), nn.Unflatten(1, self.given))


@pytest.mark.parametrize("system", ["wgan_gp", "gan"])
@pytest.mark.parametrize(
    ("networks", "told"),
    [
        (Misshapen(codes=3), r"generator fails on codes of shape \(2, 2\): .*"),
        (Misshapen(made=3), r"generator makes samples of shape \(3,\), and those of the data have \(2,\)"),
        (Misshapen(judged=3), r"critic fails on samples of shape \(2, 2\): .*"),
        (Misshapen(given=(5,)), r"takes \(n,\) or \(n, 1\) from the critic, which gives \(2, 5\) for n = 2"),
        (Misshapen(given=(1, 3)), r"takes \(n,\) or \(n, 1\) from the critic, which gives \(2, 1, 3\) for n = 2"),
    ],
)
def test_networks_of_other_shapes_are_refused(system: str, networks: NetworkFamily, told: str) -> None:
    """Several outputs would have been averaged by most objectives, and nothing would have told."""
    with pytest.raises(IncompatibleChoiceError, match=f"^networks: .*{told}$"):
        attempt(system, networks)


def test_an_objective_of_features_takes_no_single_output() -> None:
    system = replace(systems.get("mcgan")(networks="mlp"), networks=Misshapen(), name="custom")
    with pytest.raises(IncompatibleChoiceError, match=r"takes \(n, 16\) from the critic, which gives \(2, 1\)"):
        train(system, POINTS, steps=1, progress=False)


def test_a_column_of_outputs_is_as_good_as_a_row() -> None:
    attempt("wgan_gp", Misshapen())


class Restless(nn.Module):
    """Draws from the global generator and counts what it saw in training."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.norm = nn.BatchNorm1d(2)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.norm(self.inner(z) + 0.1 * torch.randn(len(z), 2))
        return made


def test_looking_leaves_no_trace() -> None:
    generator, critic = Restless(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    random = torch.get_rng_state()
    require_fitting({"generator": generator, "critic": critic}, systems.get("gan")().fitted((2,)), (2,))
    assert torch.equal(torch.get_rng_state(), random)
    assert generator.norm.training
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())
    assert all(p.requires_grad for p in generator.parameters())
