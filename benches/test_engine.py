"""Training steps against loops written by hand of the same networks, and what a step of the engine costs on top."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch.nn.functional import softplus

from gancore import systems, train
from gancore.training.state import build_networks

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from gancore.systems import System

torch.set_num_threads(1)

BATCH = 64
SIDES = (28, 32, 64)


def engine(system: System, images: Tensor, steps: int) -> None:
    train(system, images, steps=steps, device="cpu", log_every=steps, progress=False)


def networks_of(system: System, images: Tensor) -> tuple[nn.Module, nn.Module]:
    networks = build_networks(system, tuple(images.shape[1:]), seed=0)
    # As modules are made: the engine lays the channels last.
    return tuple(networks[name].to(memory_format=torch.contiguous_format) for name in ("generator", "critic"))


def plain(system: System, images: Tensor, steps: int) -> None:
    """As tutorials write it: default optimizers, gradients of everything, no averages, no records."""
    generator, critic = networks_of(system, images)
    wasserstein = system.name == "wgan_gp"
    betas = (0.0, 0.9) if wasserstein else (0.5, 0.999)
    for_generator, for_critic = (torch.optim.Adam(n.parameters(), lr=2e-4, betas=betas) for n in (generator, critic))
    n, latent_dim = system.batch_size, system.latent_dim
    for _ in range(steps):
        for _ in range(system.game.critic_steps):
            real = images[torch.randint(len(images), (n,))]
            fake = generator(torch.randn(n, latent_dim)).detach()
            for_critic.zero_grad()
            if wasserstein:
                loss = critic(fake).mean() - critic(real).mean() + 10.0 * slope(critic, real, fake)
            else:
                loss = softplus(-critic(real)).mean() + softplus(critic(fake)).mean()
            loss.backward()
            for_critic.step()
        for_generator.zero_grad()
        judged = critic(generator(torch.randn(n, latent_dim)))
        (-judged.mean() if wasserstein else softplus(-judged).mean()).backward()
        for_generator.step()


def slope(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    epsilon = torch.rand(len(real), *[1] * (real.ndim - 1))
    points = (epsilon * real + (1 - epsilon) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@pytest.mark.parametrize("name", ["wgan_gp", "dcgan"])
@pytest.mark.parametrize("side", SIDES)
def test_images_per_second(
    benchmark: BenchmarkFixture, side: int, name: str, small: bool, in_turns: Callable[..., list[tuple[float, ...]]]
) -> None:
    """Real images that the critic sees in a second of CPU time, setting up included on both sides."""
    width, batch, steps, rounds = (4, 8, 1, 1) if small else (16, BATCH, 4 if side < 64 else 2, 5)
    system = systems.get(name)(width=width, batch_size=batch, ema=None)
    images = torch.rand(256, 1, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    ours, theirs = in_turns(lambda: engine(system, images, steps), lambda: plain(system, images, steps), rounds=rounds)
    benchmark.pedantic(engine, (system, images, steps), rounds=1)
    seen = steps * batch * system.game.critic_steps
    benchmark.extra_info |= {
        "torch": torch.__version__,
        "images_per_cpu_second": seen / statistics.median(ours),
        "of_the_plain_loop": seen / statistics.median(theirs),
        "ratio": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
    }


def bare(system: System, points: Tensor, steps: int) -> None:
    """The very operations of the engine's step, with nothing around them."""
    generator, critic = networks_of(system, points)
    optimizers = [
        torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True) for n in (generator, critic)
    ]
    n, latent_dim, parameters = system.batch_size, system.latent_dim, list(critic.parameters())
    order = torch.randperm(len(points))
    for step in range(steps):
        at = step * n % (len(points) - n)
        real = points[order[at : at + n]]
        with torch.no_grad():
            fake = generator(torch.randn(n, latent_dim))
        optimizers[1].zero_grad()
        (softplus(-critic(real)).mean() + softplus(critic(fake)).mean()).backward()
        optimizers[1].step()
        for parameter in parameters:
            parameter.requires_grad_(False)
        optimizers[0].zero_grad()
        softplus(-critic(generator(torch.randn(n, latent_dim)))).mean().backward()
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimizers[0].step()


@pytest.mark.parametrize(("width", "batch"), [(8, 8), (128, 256)], ids=["tiny", "usual"])
def test_what_the_engine_costs_on_top(
    benchmark: BenchmarkFixture, width: int, batch: int, small: bool, in_turns: Callable[..., list[tuple[float, ...]]]
) -> None:
    """Microseconds a step that are not networks, losses or optimizers; by differences, so that setting up drops out."""
    few, many, rounds = (1, 3, 1) if small else (20, 420, 7)
    points = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    system = systems.get("gan")(objective="nonsaturating", networks="mlp", width=width, batch_size=batch, ema=None)
    system = system.fitted((2,))

    spent = in_turns(
        *(
            lambda loop=loop, steps=steps: loop(system, points, steps)
            for loop in (engine, bare)
            for steps in (few, many)
        ),
        rounds=rounds,
    )
    ours, theirs = (
        [(long - short) / (many - few) for short, long in zip(*pair, strict=True)] for pair in (spent[:2], spent[2:])
    )
    benchmark.pedantic(engine, (system, points, few), rounds=1)
    benchmark.extra_info |= {
        "torch": torch.__version__,
        "microseconds_a_step": 1e6 * statistics.median(ours),
        "microseconds_a_bare_step": 1e6 * statistics.median(theirs),
        "microseconds_on_top": 1e6 * statistics.median(a - b for a, b in zip(ours, theirs, strict=True)),
    }
    assert all(math.isfinite(value) for value in (*ours, *theirs))
