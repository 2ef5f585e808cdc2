"""DDLS on small MLPs in the compiled kernel: which pairs it takes, and that it gives what torch gives."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gancore.errors import NumericalError
from gancore.networks.mlp import MLP
from gancore.samplers import Samples, ddls


def pair(norm: str = "none", width: int = 24, seed: int = 0) -> tuple[nn.Module, nn.Module]:
    """A generator and a critic of the library."""
    family = MLP(width=width, depth=2, critic_norm=norm)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator, critic = family.generator((2,), latent_dim=3), family.critic((2,))
        critic(torch.randn(8, 2))
    return generator, critic


class InTorch(nn.Module):
    """The same function as a module of its own class, which the kernel does not read."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.to(next(self.network.parameters()).dtype))


def run(generator: object, critic: object, n: int = 300, **settings: object) -> Samples:
    defaults: dict[str, object] = {"latent_dim": 3, "steps": 20, "step_size": 0.05, "seed": 4, "batch_size": 128}
    return ddls(generator, critic, n, **(defaults | settings))


@pytest.mark.parametrize("norm", ["none", "spectral"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"metropolis": True, "step_size": 0.3},
        {"integrator": "split", "metropolis": True, "step_size": 0.5},
        {"integrator": "split", "prior": "uniform", "temperature": 0.4},
        {"prior": "sphere", "step_size": "auto"},
    ],
    ids=str,
)
def test_samples_are_those_of_torch(norm: str, settings: dict) -> None:
    generator, critic = pair(norm)
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    ours, torchs = run(generator, critic, **settings), run(InTorch(generator), InTorch(critic), **settings)
    assert ours.info.compiled
    assert not torchs.info.compiled
    # Rounding moves a sum over a rectifier's kink, or a ratio over its uniform, in a few chains.
    apart = ~torch.isclose(ours.z, torchs.z, rtol=1e-3, atol=1e-3).all(1)
    assert apart.sum() <= 6
    torch.testing.assert_close(ours.x[~apart], torchs.x[~apart], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(ours.info.energies, torchs.info.energies, rtol=0, atol=0.02)
    assert ours.info.step_size == pytest.approx(torchs.info.step_size, rel=1e-4)
    for name in ("critic_calls", "generator_calls", "stopped"):
        assert getattr(ours.info, name) == getattr(torchs.info, name)
    if settings.get("metropolis"):
        assert ours.info.acceptance == pytest.approx(torchs.info.acceptance, abs=5e-3)
    else:
        assert ours.info.acceptance is None
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())


def test_chains_do_not_depend_on_how_many_run_at_a_time() -> None:
    generator, critic = pair()
    whole = run(generator, critic, n=5000, steps=3, batch_size=5000)
    pieces = run(generator, critic, n=5000, steps=3, batch_size=64)
    assert torch.equal(whole.z, pieces.z)
    assert torch.equal(run(generator, critic, n=70, steps=3).z, whole.z[:70])


class Doubled(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def rows(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 8), *modules, nn.Linear(8, 1))


@pytest.mark.parametrize(
    ("critic", "taken"),
    [
        (rows(nn.ELU(), nn.Dropout(0.5)), True),
        (rows(nn.Sequential(nn.Softplus()), nn.Identity()), True),
        (rows(nn.Tanh()).double(), False),
        (rows(nn.GELU()), False),
        (rows(nn.LayerNorm(8)), False),
        (rows(nn.ReLU(), nn.ReLU()), False),
        (rows(nn.LeakyReLU(-0.1)), False),
        (rows(Doubled(8, 8)), False),
        (rows(nn.Linear(8, 300), nn.ReLU(), nn.Linear(300, 8)), False),
    ],
    ids=str,
)
def test_the_kernel_takes_what_it_reads_completely_and_nothing_else(critic: nn.Module, taken: bool) -> None:
    generator = nn.Sequential(nn.Linear(3, 2))
    dtype = next(critic.parameters()).dtype
    wrapped: object = generator if dtype == torch.float32 else lambda z: generator(z).double()
    samples = run(wrapped, critic, n=20, steps=2)
    assert samples.info.compiled == taken
    torch.testing.assert_close(samples.z, run(InTorch(generator), InTorch(critic), n=20, steps=2).z)


def test_a_hook_or_another_setting_leaves_the_walk_to_torch() -> None:
    generator, critic = pair()
    assert run(generator, critic, n=5).info.compiled
    for settings in ({"integrator": "baoab"}, {"prior": "truncated_normal"}):
        assert not run(generator, critic, n=5, **settings).info.compiled
    critic.register_forward_hook(lambda *_: None)
    assert not run(generator, critic, n=5).info.compiled


def test_chains_that_are_lost_from_the_start_are_named() -> None:
    generator, critic = nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        for layer, weight in ((generator[0], 1.0), (critic[0], 1e30), (critic[2], 1e30)):
            layer.weight.fill_(weight)
            layer.bias.zero_()
    with pytest.raises(NumericalError, match=r"not finite at the start, in \d+ of 50 chains, first in chain \d+"):
        run(generator, critic, n=50)


DATA = Path(os.environ.get("GANCORE_DATA", "")) / "pretrained"


@pytest.mark.skipif(not os.environ.get("GANCORE_DATA"), reason="needs GANCORE_DATA")
@pytest.mark.parametrize("data", ["25gaussians", "swissroll"])
def test_published_pairs_walk_as_in_torch(data: str) -> None:
    """Critics of 512 units are wider than the kernel is faster on, so it is asked directly."""
    from gancore.kernels.langevin import MLPEnergy
    from gancore.samplers._energy import LatentEnergy
    from gancore.samplers._noise import initial_normals

    layers, networks = [], []
    for side in "GD":
        arrays = np.load(DATA / f"toy2d_{data}_wgangp_{side}.npz")
        names = sorted(name[:2] for name in arrays.files if name.endswith("W"))
        modules: list[nn.Module] = []
        for name in names:
            weights, bias = (torch.from_numpy(arrays[f"{name}/{part}"]) for part in "Wb")
            linear = nn.Linear(*reversed(weights.shape))
            linear.load_state_dict({"weight": weights, "bias": bias})
            last = name == names[-1]
            modules += [linear] if last else [linear, nn.LeakyReLU(0.2)]
            layers.append((weights, bias, ("identity", 0.0) if last else ("rectifier", 0.2)))
        networks.append(nn.Sequential(*modules).requires_grad_(False))
    torchs = LatentEnergy(*networks, latent_dim=2, prior="uniform", truncation=2.0, critic_kind="wasserstein")
    ours = MLPEnergy(layers, prior="uniform")
    u = initial_normals(400, 2, seed=3, first_chain=0, device=torch.device("cpu"))
    values, gradient = ours.value_and_grad(u)
    expected, slope = torchs.value_and_grad(u)
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-3)
    apart = ~torch.isclose(gradient, slope, rtol=1e-3, atol=1e-2).all(1)
    assert apart.sum() <= 20
    go = {"latent_dim": 2, "prior": "uniform", "critic_kind": "wasserstein", "steps": 3, "step_size": 1e-4, "seed": 3}
    walked = ddls(*networks, 400, **go)
    chains = ours.langevin(u, steps=3, step_size=1e-4, seed=3)
    z = torchs.push(chains.states)
    assert (~torch.isclose(z, walked.z, rtol=1e-3, atol=1e-3).all(1)).sum() <= 20
