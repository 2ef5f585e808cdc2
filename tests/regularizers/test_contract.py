"""What every registered regulariser must do; a new file is tested because it exists."""

from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch
from torch import nn

from gancore import registry
from gancore.errors import DomainError, GancoreError
from gancore.regularizers import Penalty, Perturbation, Projection, Regularizer

NAMES = registry.names("regularizers")
PENALTIES = [name for name in NAMES if issubclass(registry.get("regularizers", name), Penalty)]
PROJECTIONS = [name for name in NAMES if issubclass(registry.get("regularizers", name), Projection)]


PERTURBATIONS = [name for name in NAMES if issubclass(registry.get("regularizers", name), Perturbation)]


def number_settings() -> list[tuple[str, str]]:
    return [
        (name, field.name)
        for name in NAMES
        for field in dataclasses.fields(registry.get("regularizers", name))
        if isinstance(field.default, float)
    ]


@pytest.fixture
def critic() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))


@pytest.mark.parametrize("name", NAMES)
def test_is_a_frozen_value_of_one_kind(name: str) -> None:
    regularizer: Regularizer = registry.get("regularizers", name)()
    assert sum(isinstance(regularizer, kind) for kind in (Penalty, Projection, Perturbation)) == 1
    assert type(regularizer).__dataclass_params__.frozen
    assert regularizer.reference.startswith("@")
    assert regularizer.equations


@pytest.mark.parametrize(("name", "field"), number_settings())
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_numbers_out_of_range_raise(name: str, field: str, value: float) -> None:
    with pytest.raises(DomainError, match=field):
        registry.get("regularizers", name)(**{field: value})


@pytest.mark.parametrize(("name", "field"), number_settings())
def test_what_is_no_number_raises(name: str, field: str) -> None:
    with pytest.raises(GancoreError, match=field):
        registry.get("regularizers", name)(**{field: "much"})


@pytest.mark.parametrize("name", PENALTIES)
def test_penalty_is_a_float32_scalar_that_reaches_only_the_critic(name: str, critic: nn.Module) -> None:
    regularizer = registry.get("regularizers", name)()
    real, fake = torch.randn(5, 3), torch.randn(5, 3)
    before = copy.deepcopy(critic.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        loss = regularizer.penalty(critic, real, fake.bfloat16(), torch.Generator().manual_seed(0))
    assert loss.shape == ()
    assert loss.dtype == torch.float32
    loss.backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in critic.parameters())
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())


@pytest.mark.parametrize("name", PENALTIES)
def test_penalty_draws_from_the_given_generator_alone(name: str, critic: nn.Module) -> None:
    regularizer = registry.get("regularizers", name)()
    real, fake = torch.randn(5, 3), torch.randn(5, 3)
    state = torch.get_rng_state()
    first, again = (regularizer.penalty(critic, real, fake, torch.Generator().manual_seed(7)) for _ in range(2))
    assert first.item() == again.item()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_projection_is_idempotent_and_in_place(name: str, critic: nn.Module) -> None:
    regularizer = registry.get("regularizers", name)()
    addresses = [parameter.data_ptr() for parameter in critic.parameters()]
    before = copy.deepcopy(critic.state_dict())
    regularizer.project(critic, step=0)
    once = copy.deepcopy(critic.state_dict())
    regularizer.project(critic, step=0)
    assert [parameter.data_ptr() for parameter in critic.parameters()] == addresses
    assert any(not torch.equal(once[name], before[name]) for name in once)
    assert all(torch.equal(value, once[name]) for name, value in critic.state_dict().items())
    assert all(parameter.requires_grad for parameter in critic.parameters())


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("shape", [(6, 2), (6, 1, 8, 8)])
def test_perturbation_keeps_shape_type_and_gradient_and_draws_from_its_generator(
    name: str, shape: tuple[int, ...]
) -> None:
    regularizer = registry.get("regularizers", name)()
    samples = torch.randn(shape, requires_grad=True)
    state = torch.get_rng_state()
    first, again = (regularizer.perturb(samples, torch.Generator().manual_seed(7), step=0) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)
    assert (first.shape, first.dtype) == (samples.shape, samples.dtype)
    assert not torch.equal(first, samples)
    (gradient,) = torch.autograd.grad(first.sum(), samples)
    assert gradient.abs().sum() > 0
