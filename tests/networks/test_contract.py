"""What every registered family of networks must do; a new file is tested because it exists."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from gancore import registry
from gancore.errors import DomainError, GancoreError, IncompatibleChoiceError
from gancore.networks import NetworkFamily, Norm, choose

ALL = registry.names("networks")
NAMES = tuple(name for name in ALL if name != "sequence")
"""Families of points and images; what makes tokens is tested in test_sequence.py."""
SHAPES = ((2,), (1, 8, 8), (3, 12, 16))
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def makeable() -> list[tuple[str, tuple[int, ...]]]:
    return [(name, shape) for name in NAMES for shape in SHAPES if can_make(name, shape)]


def can_make(name: str, shape: tuple[int, ...]) -> bool:
    try:
        choose(name, width=4).critic(shape)
    except IncompatibleChoiceError:
        return False
    return True


def test_every_family_makes_something_and_every_shape_is_made() -> None:
    made = makeable()
    assert {name for name, _ in made} == set(NAMES)
    assert {shape for _, shape in made} == set(SHAPES)


@pytest.mark.parametrize("name", ALL)
def test_is_a_frozen_value_with_checked_settings(name: str) -> None:
    family = registry.get("networks", name)
    assert issubclass(family, NetworkFamily)
    assert family.__dataclass_params__.frozen
    assert family.reference.startswith("@")
    for field in filter(lambda field: field.init, dataclasses.fields(family)):
        if type(field.default) is int:
            with pytest.raises(DomainError, match=field.name):
                family(**{field.name: -1})
        with pytest.raises(GancoreError, match=field.name):
            family(**{field.name: "many"})


@pytest.mark.parametrize("name", NAMES)
def test_convolutions_have_their_channels_last(name: str) -> None:
    """Nothing else would tell that they are computed slowly."""
    critics = [choose(name, width=4).critic(shape) for known, shape in makeable() if known == name]
    convolves = any(parameter.ndim == 4 for critic in critics for parameter in critic.parameters())
    assert registry.get("networks", name).channels_last == convolves


@pytest.mark.parametrize(("name", "shape"), makeable())
def test_shapes_types_and_ranges(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    family = choose(name, width=4)
    x = family.generator(shape, latent_dim=5)(torch.randn(6, 5) * 100)
    scores = family.critic(shape)(x)
    assert x.shape == (6, *shape)
    assert scores.shape == (6,)
    assert x.dtype == scores.dtype == torch.float32
    if len(shape) == 3:
        assert x.abs().max() <= 1


@pytest.mark.parametrize(("name", "shape"), makeable())
def test_every_parameter_takes_part(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    family = choose(name, width=4)
    generator, critic = family.generator(shape, latent_dim=5), family.critic(shape)
    critic(generator(torch.randn(6, 5))).square().sum().backward()
    for network in (generator, critic):
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None, key


@pytest.mark.parametrize(("name", "shape"), makeable())
@pytest.mark.parametrize("norm", get_args(Norm))
def test_critic_judges_samples_alone_unless_it_normalises_batches(name: str, shape: tuple[int, ...], norm: str) -> None:
    torch.manual_seed(0)
    critic = choose(name, width=4, critic_norm=norm, extra_layers=1 if name == "dcgan" else None).critic(shape)
    x = torch.randn(6, *shape)
    if norm == "spectral":
        critic.eval()  # in training each pass is a step of its power iteration
    alone = torch.cat([critic(x[:3]), critic(x[3:])])
    together = critic(x)
    has_batch_norm = any(isinstance(module, BATCH_NORMS) for module in critic.modules())
    assert has_batch_norm == (norm == "batch")
    assert torch.allclose(alone, together, atol=1e-5) == (norm != "batch")


@pytest.mark.parametrize(("name", "shape"), makeable())
def test_spectral_normalisation_leaves_every_weight_with_norm_one(name: str, shape: tuple[int, ...]) -> None:
    """Against the singular values themselves; and it is torch's parametrisation, so its weights load there."""
    torch.manual_seed(0)
    critic = choose(name, width=8, critic_norm="spectral").critic(shape)
    x = torch.randn(4, *shape)
    for _ in range(200):
        critic(x)
    critic.eval()
    layers = [module for module in critic.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    assert layers
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, abs=1e-2)
        assert parametrize.is_parametrized(layer, "weight")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (3, 4), (1, 2, 3, 4)])
def test_shapes_that_are_neither_points_nor_images_raise(name: str, shape: tuple[int, ...]) -> None:
    for make in (lambda: choose(name).critic(shape), lambda: choose(name).generator(shape, 8)):
        with pytest.raises(IncompatibleChoiceError, match="shape"):
            make()


def test_settings_of_another_family_are_named() -> None:
    with pytest.raises(IncompatibleChoiceError, match=r"depth.*dcgan"):
        choose("dcgan", depth=3)
