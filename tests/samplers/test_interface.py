"""Every registered sampler under the one interface."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import Tensor, nn

from gancore import registry, samplers
from gancore.errors import DomainError, ShapeError, UnknownNameError
from gancore.objectives.hinge import Hinge
from gancore.samplers import Sampler, SamplerInfo, Samples

NAMES = registry.names("samplers")
NAMED = [
    name
    for name, parameter in inspect.signature(Sampler.__call__).parameters.items()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY
]


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 12)

    def forward(self, z: Tensor) -> Tensor:
        return self.linear(z).unflatten(1, (3, 2, 2)).tanh()


class Critic(nn.Module):
    def __init__(self, *, column: bool) -> None:
        super().__init__()
        self.column = column
        self.linear = nn.Linear(12, 1)

    def forward(self, x: Tensor) -> Tensor:
        score = self.linear(x.flatten(1))
        return score if self.column else score[:, 0]


def draw(name: str, n: int = 5, *, column: bool = True, **settings: object) -> Samples:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, critic = Generator(), Critic(column=column)
    if "steps" in inspect.signature(registry.get("samplers", name)).parameters:
        settings.setdefault("steps", 3)
    return registry.get("samplers", name)(generator, critic, n, **({"latent_dim": 4} | settings))


@pytest.mark.parametrize("name", NAMES)
def test_takes_the_arguments_of_the_interface(name: str) -> None:
    sampler = registry.get("samplers", name)
    assert sampler is getattr(samplers, name)
    parameters = inspect.signature(sampler).parameters
    assert list(parameters)[:3] == ["generator", "critic", "n"]
    for argument in NAMED:
        assert parameters[argument].kind is inspect.Parameter.KEYWORD_ONLY
        assert (parameters[argument].default is inspect.Parameter.empty) == (argument == "latent_dim")


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("prior", ["normal", "uniform", "sphere", "truncated_normal"])
@pytest.mark.parametrize("name", NAMES)
def test_returns_samples_of_the_right_shape(name: str, prior: str, column: bool) -> None:
    samples = draw(name, prior=prior, column=column, seed=1, batch_size=2)
    assert (samples.x.shape, samples.z.shape) == ((5, 3, 2, 2), (5, 4))
    assert samples.x.dtype == samples.z.dtype == torch.float32
    assert samples.x.isfinite().all()
    assert isinstance(samples.info, SamplerInfo)
    assert samples.info.sampler == name
    assert samples.info.generator_calls >= 5
    assert not samples.x.requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_and_the_number_of_chains_does_not(name: str) -> None:
    whole = draw(name, 6)
    assert torch.equal(draw(name, 6).z, whole.z)
    torch.testing.assert_close(draw(name, 4, batch_size=3).z, whole.z[:4])
    assert not torch.equal(draw(name, 6, seed=1).z, whole.z)


@pytest.mark.parametrize("kind", ["logit", "hinge", "wasserstein"])
@pytest.mark.parametrize("name", NAMES)
def test_takes_every_kind_of_critic(name: str, kind: str) -> None:
    assert len(draw(name, critic_kind=kind).x) == 5


def test_a_hinge_critic_says_that_it_only_ranks() -> None:
    """Its loss is least at sign(p - q), whatever the ratio: Hinge on two points of density ratio 3 and 1/9."""
    assert Hinge().critic_kind == "hinge"
    scores = torch.tensor([0.2, -0.3], requires_grad=True)
    real, fake = torch.tensor([0.9, 0.1]), torch.tensor([0.3, 0.7])
    for _ in range(600):
        loss = (real * (1 - scores).relu() + fake * (1 + scores).relu()).sum()
        (slope,) = torch.autograd.grad(loss, scores)
        scores = (scores - 0.01 * slope).detach().requires_grad_()
    torch.testing.assert_close(scores.detach(), torch.tensor([1.0, -1.0]), atol=0.02, rtol=0)
    scores = scores.detach()
    rows = torch.tensor([0] * 9 + [1]), torch.tensor([0] * 3 + [1] * 7)
    assert Hinge().critic(scores[rows[0]], scores[rows[1]]).item() == pytest.approx(
        float((real * (1 - scores).relu() + fake * (1 + scores).relu()).sum()), abs=1e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_leaves_torchs_random_state_alone(name: str) -> None:
    before = torch.get_rng_state()
    draw(name)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"n": 0}, DomainError),
        ({"latent_dim": 0}, DomainError),
        ({"latent_dim": 5}, ShapeError),
        ({"batch_size": 0}, DomainError),
        ({"prior": "cauchy"}, UnknownNameError),
        ({"prior": "truncated_normal", "truncation": 0.0}, DomainError),
        ({"critic_kind": "features"}, UnknownNameError),
        ({"critic_kind": "probability"}, DomainError),
    ],
)
def test_refuses_what_it_cannot_do(name: str, settings: dict[str, object], error: type) -> None:
    with pytest.raises(error):
        draw(name, **settings)
