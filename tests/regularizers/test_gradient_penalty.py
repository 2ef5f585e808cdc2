from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gancore.networks.mlp import MLP
from gancore.objectives.wasserstein import Wasserstein
from gancore.regularizers.gradient_penalty import GradientPenalty


class Linear(nn.Module):
    """d(x) = <w, x> with a gradient of given norm at every sample."""

    def __init__(self, shape: tuple[int, ...], norm: float) -> None:
        super().__init__()
        weight = torch.randn(shape, generator=torch.Generator().manual_seed(3))
        self.weight = nn.Parameter(weight * (norm / weight.norm()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.weight).flatten(1).sum(1)


@given(
    batch=st.sampled_from([1, 2, 16, 64, 256]),
    shape=st.sampled_from([(1,), (2,), (3, 4, 4)]),
    norm=st.floats(0.0, 5.0),
    weight=st.floats(0.0, 20.0),
    target=st.floats(0.0, 3.0),
    one_sided=st.booleans(),
)
def test_linear_critic_pays_by_its_own_norm_whatever_the_batch(
    batch: int, shape: tuple[int, ...], norm: float, weight: float, target: float, *, one_sided: bool
) -> None:
    """lambda (|w| - k)^2 for every batch size: a norm over the whole batch would grow with its root."""
    real, fake = torch.randn(batch, *shape), torch.randn(batch, *shape)
    penalty = GradientPenalty(weight=weight, target=target, one_sided=one_sided)
    excess = max(norm - target, 0.0) if one_sided else norm - target
    got = penalty.penalty(Linear(shape, norm), real, fake, torch.Generator()).item()
    assert got == pytest.approx(weight * excess**2, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("batch", [1, 16, 64, 256])
def test_unit_gradient_pays_nothing(batch: int) -> None:
    real, fake = torch.randn(batch, 3, 4, 4), torch.randn(batch, 3, 4, 4)
    assert GradientPenalty().penalty(Linear((3, 4, 4), 1.0), real, fake, torch.Generator()).item() < 1e-10


def test_each_sample_is_mixed_by_a_weight_of_its_own() -> None:
    """Real at one, fake at zero: the critic sees its mixing weights, uniform on (0, 1) and equal within a sample."""
    seen: list[torch.Tensor] = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return x.flatten(1).sum(1)

    GradientPenalty().penalty(Spy(), torch.ones(2000, 2, 3), torch.zeros(2000, 2, 3), torch.Generator().manual_seed(1))
    (points,) = (x.flatten(1) for x in seen)
    assert (points == points[:, :1]).all()
    ordered = points[:, 0].sort().values
    uniform = (torch.arange(2000) + 0.5) / 2000
    assert (ordered - uniform).abs().max() < 1.63 / math.sqrt(2000), "Kolmogorov-Smirnov at the 1% level"


def test_equals_the_definition_on_a_quadratic_critic() -> None:
    """d(x) = x'Ax / 2 has gradient Ax; the definition in NumPy, at the same mixing weights."""
    matrix = torch.tensor([[2.0, 0.5], [0.5, -1.0]])

    class Quadratic(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 0.5 * (x @ matrix * x).sum(1)

    real, fake = torch.randn(32, 2), torch.randn(32, 2)
    epsilon = torch.rand(32, 1, generator=torch.Generator().manual_seed(4)).numpy()
    points = epsilon * real.numpy() + (1 - epsilon) * fake.numpy()
    norms = np.linalg.norm(points @ matrix.numpy(), axis=1)
    got = GradientPenalty(weight=3.0).penalty(Quadratic(), real, fake, torch.Generator().manual_seed(4)).item()
    assert got == pytest.approx(3 * np.mean((norms - 1) ** 2), rel=1e-5)


def test_gradient_in_the_weights_is_that_of_the_closed_form() -> None:
    critic = Linear((5,), 3.0)
    GradientPenalty().penalty(critic, torch.randn(8, 5), torch.randn(8, 5), torch.Generator()).backward()
    weight = critic.weight.detach()
    expected = 10 * 2 * (weight.norm() - 1) * weight / weight.norm()
    torch.testing.assert_close(critic.weight.grad, expected)


def test_flat_critic_has_a_finite_gradient() -> None:
    """The norm is not differentiable at zero; a critic that starts there must not become nan."""
    critic = Linear((4,), 1.0)
    with torch.no_grad():
        critic.weight.zero_()
    loss = GradientPenalty().penalty(critic, torch.randn(8, 4), torch.randn(8, 4), torch.Generator())
    loss.backward()
    assert loss.item() == pytest.approx(10.0, rel=1e-4)
    assert critic.weight.grad is not None
    assert critic.weight.grad.isfinite().all()


def estimated_distance(critic: nn.Module, penalty: GradientPenalty, real: torch.Tensor, fake: torch.Tensor) -> float:
    optimizer = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.5, 0.9))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        mixed = fake[torch.randperm(len(fake), generator=generator)]
        gap = Wasserstein().critic(critic(real), critic(mixed))
        optimizer.zero_grad()
        (gap + penalty.penalty(critic, real, mixed, generator)).backward()
        optimizer.step()
        schedule.step()
    return -gap.item()


def gaussian(mean: float, std: float) -> torch.Tensor:
    """Its 256 quantiles, so that the distance of two is known without sampling error."""
    return mean + std * torch.special.ndtri((torch.arange(256) + 0.5) / 256)[:, None]


@pytest.mark.parametrize(("mean", "std"), [(2.0, 1.0), (0.5, 3.0)])
def test_one_sided_critic_estimates_the_wasserstein_distance_of_two_gaussians(mean: float, std: float) -> None:
    """Within 5% of W1 on the line: the mean distance of the quantiles."""
    real, fake = gaussian(0.0, 1.0), gaussian(mean, std)
    torch.manual_seed(0)
    critic, penalty = MLP(width=64, depth=2).critic((1,)), GradientPenalty(weight=40.0, one_sided=True)
    exact = (real - fake).abs().mean().item()
    assert estimated_distance(critic, penalty, real, fake) == pytest.approx(exact, rel=0.05)


def test_two_sided_linear_critic_settles_at_its_known_slope() -> None:
    """Of -km + lambda (k - 1)^2 over the slope k the least is at k = 1 + m / (2 lambda): 3% above W1 here."""
    real, fake = gaussian(0.0, 1.0), gaussian(-0.6, 1.0)
    critic = Linear((1,), 0.5)
    with torch.no_grad():
        critic.weight.abs_()
    estimate = estimated_distance(critic, GradientPenalty(), real, fake)
    assert estimate == pytest.approx(0.6 * 1.03, rel=1e-3)
