"""Critics that users write, and that are not what their family or their objective takes them for."""

from __future__ import annotations

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
