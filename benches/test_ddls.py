"""What a step of DDLS on torch networks costs beside their own two passes, and beside the usual loop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from gancore._at_rest import at_rest
from gancore.networks.dcgan import DCGAN
from gancore.networks.mlp import MLP
from gancore.samplers._energy import LatentEnergy
from gancore.samplers._trace import Trace
from gancore.samplers._walker import Walker

if TYPE_CHECKING:
    from collections.abc import Callable

torch.set_num_threads(1)

STEP_SIZE = 0.01

# Family, shape of a sample, coordinates of a code, chains. The last has many codes and little else: the worst case.
PAIRS = {
    "DCGAN 28x28, width 64": (DCGAN(width=64, extra_layers=0), (1, 28, 28), 128, 64),
    "MLP 3x512, 784 pixels": (MLP(width=512), (1, 28, 28), 128, 256),
    "MLP 3x256, 784 pixels": (MLP(width=256), (1, 28, 28), 128, 256),
    "MLP 3x128, the plane": (MLP(width=128), (2,), 2, 1000),
    "MLP 3x128, the plane, 128 codes": (MLP(width=128), (2,), 128, 1000),
}
SMALL = (MLP(width=4), (2,), 2, 5)


def passes(generator: nn.Module, critic: nn.Module, z: Tensor) -> Callable[[], object]:
    """One forward and one backward pass, parameters frozen: what no step can do without."""

    def step() -> None:
        leaf = z.detach().requires_grad_()
        torch.autograd.grad(critic(generator(leaf)).sum(), leaf)

    return step


def usual(generator: nn.Module, critic: nn.Module, z: Tensor) -> Callable[[], object]:
    """As public code has it: `backward()`, into the parameters too."""
    state = z.clone()

    def step() -> None:
        nonlocal state
        leaf = state.detach().requires_grad_()
        energy = leaf.square().sum(dim=1) / 2 - critic(generator(leaf))
        energy.sum().backward()
        assert leaf.grad is not None
        state = leaf.detach() - STEP_SIZE * leaf.grad + math.sqrt(2 * STEP_SIZE) * torch.randn_like(leaf)

    return step


def ours(generator: nn.Module, critic: nn.Module, z: Tensor, *, metropolis: bool) -> Callable[[], object]:
    """What `ddls` does for a step of a block of chains, its diagnostics included."""
    energy = LatentEnergy(generator, critic, latent_dim=z.shape[1], prior="normal", truncation=2.0, critic_kind="logit")
    walker = Walker(energy, sampler="ddls", step_size=STEP_SIZE, metropolis=metropolis, split=False, keep=None, seed=0)
    trace = Trace(len(z), 1)
    state, number = walker.start(z, 0), 0

    def step() -> None:
        nonlocal state, number
        state = walker.step(state, number)
        trace.record(1, state.energy, 0)
        number += 1

    return step


STEPS: dict[str, Callable[[nn.Module, nn.Module, Tensor], Callable[[], object]]] = {
    "passes alone": passes,
    "gancore": lambda *pair: ours(*pair, metropolis=False),
    "gancore, metropolis": lambda *pair: ours(*pair, metropolis=True),
    f"backward() of torch {torch.__version__}": usual,
}


@pytest.mark.parametrize("rival", STEPS)
@pytest.mark.parametrize("pair", PAIRS)
def test_step(benchmark: BenchmarkFixture, pair: str, rival: str, small: bool, threads: str) -> None:
    family, shape, latent_dim, chains = SMALL if small else PAIRS[pair]
    torch.manual_seed(0)
    generator, critic = family.generator(shape, latent_dim).eval(), family.critic(shape).eval()
    z = torch.randn(chains, latent_dim)
    benchmark.group = f"{pair}: {chains} chains, one step, {threads}"
    benchmark.extra_info["torch"] = torch.__version__
    if rival.startswith("backward"):
        benchmark(STEPS[rival](generator, critic, z))
        return
    with at_rest(generator, critic):
        benchmark(STEPS[rival](generator, critic, z))
