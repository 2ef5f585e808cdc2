"""Langevin chains on a mixture of 25 Gaussians and on MLPs, single steps, and normals, against NumPy, numba, torch."""

from __future__ import annotations

import itertools
import math
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn

from gancore.kernels.langevin import GaussianMixture, MLPEnergy, langevin_step, philox_normal

if TYPE_CHECKING:
    from collections.abc import Callable

torch.set_num_threads(1)

STD = 0.05
STEP_SIZE = 0.1 * STD**2
MEANS = np.stack(np.meshgrid(np.arange(5) - 2.0, np.arange(5) - 2.0), -1).reshape(25, 2)
STEPS = 10

MIXTURE = GaussianMixture(MEANS, STD)


def gancore_chains(z: np.ndarray, *, metropolis: bool = False) -> None:
    MIXTURE.langevin(z, steps=STEPS, step_size=STEP_SIZE, metropolis=metropolis, seed=0, record_energy=False)


def gancore_gliders(z: np.ndarray) -> None:
    friction = 2 / STD
    MIXTURE.langevin(
        z, steps=STEPS, step_size=STEP_SIZE, integrator="baoab", friction=friction, seed=0, record_energy=False
    )


def numpy_chains(z: np.ndarray) -> None:
    """The squares through a matrix product, as one writes it to be fast."""
    rng = np.random.default_rng(0)
    squares = (MEANS**2).sum(1)
    for _ in range(STEPS):
        logits = (2.0 * z @ MEANS.T - squares) / (2.0 * STD**2)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        gradient = (z - shares @ MEANS) / STD**2
        z = z - STEP_SIZE * gradient + math.sqrt(2.0 * STEP_SIZE) * rng.standard_normal(z.shape)


def numba_chains(z: np.ndarray) -> None:
    compiled_loop()(z, MEANS, STEPS, np.random.default_rng(0))


@cache
def compiled_loop() -> Callable[..., None]:
    """Chain after chain, all steps of one before the next, so that nothing leaves the registers and the first cache."""
    numba = pytest.importorskip("numba")

    def loop(z: np.ndarray, means: np.ndarray, steps: int, rng: np.random.Generator) -> None:
        n, k = len(z), len(means)
        logits, noise = np.empty(k), math.sqrt(2.0 * STEP_SIZE)
        for i in range(n):
            x, y = z[i]
            for _ in range(steps):
                most = -np.inf
                for j in range(k):
                    logits[j] = -((x - means[j, 0]) ** 2 + (y - means[j, 1]) ** 2) / (2.0 * STD**2)
                    most = max(most, logits[j])
                total, pull_x, pull_y = 0.0, 0.0, 0.0
                for j in range(k):
                    share = math.exp(logits[j] - most)
                    total += share
                    pull_x += share * (x - means[j, 0])
                    pull_y += share * (y - means[j, 1])
                x += -STEP_SIZE * pull_x / (total * STD**2) + noise * rng.standard_normal()
                y += -STEP_SIZE * pull_y / (total * STD**2) + noise * rng.standard_normal()
            z[i] = x, y

    compiled: Callable[..., None] = numba.njit(fastmath=True)(loop)
    return compiled


def torch_chains(z: torch.Tensor) -> None:
    """The gradient written by hand."""
    means = torch.from_numpy(MEANS).to(z.dtype)
    squares = means.square().sum(1)
    for _ in range(STEPS):
        shares = ((2.0 * z @ means.T - squares) / (2.0 * STD**2)).softmax(1)
        gradient = (z - shares @ means) / STD**2
        z = z - STEP_SIZE * gradient + math.sqrt(2.0 * STEP_SIZE) * torch.randn_like(z)


def autograd_chains(z: torch.Tensor) -> None:
    """The gradient by autograd."""
    means = torch.from_numpy(MEANS).to(z.dtype)
    for _ in range(STEPS):
        leaf = z.detach().requires_grad_()
        energy = -(-(leaf[:, None] - means).square().sum(-1) / (2.0 * STD**2)).logsumexp(1)
        (gradient,) = torch.autograd.grad(energy.sum(), leaf)
        z = z - STEP_SIZE * gradient + math.sqrt(2.0 * STEP_SIZE) * torch.randn_like(z)


CHAINS: dict[str, tuple[Callable[..., None], type]] = {
    "gancore": (gancore_chains, np.float64),
    "gancore float32": (gancore_chains, np.float32),
    "gancore, metropolis": (partial(gancore_chains, metropolis=True), np.float64),
    "gancore float32, metropolis": (partial(gancore_chains, metropolis=True), np.float32),
    "gancore, baoab": (gancore_gliders, np.float64),
    "gancore float32, baoab": (gancore_gliders, np.float32),
    f"numpy {np.__version__}": (numpy_chains, np.float64),
    "numba": (numba_chains, np.float64),
    f"torch {torch.__version__} float64": (torch_chains, np.float64),
    f"torch {torch.__version__} float32": (torch_chains, np.float32),
    f"torch {torch.__version__} autograd float32": (autograd_chains, np.float32),
}


@pytest.mark.parametrize("rival", CHAINS)
def test_chains(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    chains = 100 if small else 10_000
    run, dtype = CHAINS[rival]
    z = MIXTURE.sample(chains, 0).astype(dtype)
    benchmark.group = f"{chains} chains x {STEPS} steps on a mixture of 25, one thread"
    benchmark(run, torch.from_numpy(z) if rival.startswith("torch") else z)
    if not benchmark.disabled:
        benchmark.extra_info["ns per chain-step"] = benchmark.stats.stats.median * 1e9 / (chains * STEPS)


def mlp(dims: list[int], activation: nn.Module) -> nn.Sequential:
    modules = [module for pair in itertools.pairwise(dims) for module in (nn.Linear(*pair), activation)]
    return nn.Sequential(*modules[:-1]).requires_grad_(False)


def parts(network: nn.Sequential, activation: tuple[str, float]) -> list[tuple[object, object, tuple[str, float]]]:
    linears = [module for module in network if isinstance(module, nn.Linear)]
    last = linears[-1]
    return [(layer.weight, layer.bias, ("identity", 0.0) if layer is last else activation) for layer in linears]


def torch_pair(generator: nn.Module, critic: nn.Module, z: torch.Tensor, *, steps: int, step_size: float) -> None:
    """Parameters frozen, and the gradient by autograd.grad with respect to the codes alone: the fast way."""
    for _ in range(steps):
        leaf = z.detach().requires_grad_()
        energy = 0.5 * leaf.square().sum(1) - critic(generator(leaf))[:, 0]
        (gradient,) = torch.autograd.grad(energy.sum(), leaf)
        z = z - step_size * gradient + math.sqrt(2.0 * step_size) * torch.randn_like(z)


@pytest.mark.parametrize("width", [32, 128, 256])
@pytest.mark.parametrize("rival", ["gancore", f"torch {torch.__version__}"])
def test_mlp_chains(benchmark: BenchmarkFixture, rival: str, width: int, small: bool) -> None:
    chains, steps = (100, 2) if small else (10_000, 20)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = mlp([2, width, width, width, 2], nn.ReLU())
        critic = mlp([2, width, width, width, 1], nn.LeakyReLU(0.2))
        z = torch.randn(chains, 2)
    energy = MLPEnergy([*parts(generator, ("rectifier", 0.0)), *parts(critic, ("rectifier", 0.2))])
    benchmark.group = f"{chains} chains x {steps} steps on MLPs 2-3x{width}-2 and 2-3x{width}-1, one thread"
    if rival == "gancore":
        benchmark(energy.langevin, z, steps=steps, step_size=0.01, seed=0)
    else:
        benchmark(torch_pair, generator, critic, z, steps=steps, step_size=0.01)
    if not benchmark.disabled:
        benchmark.extra_info["us per chain-step"] = benchmark.stats.stats.median * 1e6 / (chains * steps)


def torch_step(z: torch.Tensor, grad: torch.Tensor) -> None:
    z.add_(grad, alpha=-0.01).add_(torch.randn_like(z), alpha=0.1)


STEPPERS: dict[str, Callable[[torch.Tensor, torch.Tensor], object]] = {
    "gancore": lambda z, grad: langevin_step(z, grad, 0.01, temperature=0.5, seed=0, step=0, out=z),
    f"torch {torch.__version__}": torch_step,
}


@pytest.mark.parametrize("rival", STEPPERS)
def test_step(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    rows = 10 if small else 10_000
    z = torch.zeros(rows, 128)
    benchmark.group = f"step in place {rows} x 128 float32, one thread"
    benchmark(STEPPERS[rival], z, torch.zeros_like(z))
    if not benchmark.disabled:
        benchmark.extra_info["ns per number"] = benchmark.stats.stats.median * 1e9 / z.numel()


NORMALS: dict[str, Callable[[tuple[int, int]], object]] = {
    "gancore": lambda shape: philox_normal(shape, seed=0),
    f"numpy {np.__version__}": lambda shape: np.random.default_rng(0).standard_normal(shape, np.float32),
    f"torch {torch.__version__}": torch.randn,
}


@pytest.mark.parametrize("rival", NORMALS)
def test_normals(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    shape = (10 if small else 10_000, 128)
    benchmark.group = f"normals {shape[0]} x 128 float32, one thread"
    benchmark(NORMALS[rival], shape)
    if not benchmark.disabled:
        benchmark.extra_info["ns per number"] = benchmark.stats.stats.median * 1e9 / math.prod(shape)
