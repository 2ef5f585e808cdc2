"""The energy of pairs of MLPs and the chains on it, against torch's autograd and closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import gancore
from gancore.errors import BackendError, DomainError, DTypeError, ShapeError, UnknownNameError
from gancore.kernels._torch import langevin as twin
from gancore.kernels.langevin import MLPEnergy
from gancore.priors import push_forward

ACTIVATIONS = {
    "identity": (nn.Identity, 0.0),
    "rectifier": (nn.ReLU, 0.0),
    "leaky": (lambda: nn.LeakyReLU(0.2), 0.2),
    "tanh": (nn.Tanh, 0.0),
    "elu": (lambda: nn.ELU(0.7), 0.7),
    "softplus": (nn.Softplus, 0.0),
}


def stack(dims: list[int], names: list[str], seed: int) -> tuple[nn.Sequential, list]:
    """A network of these activations after each layer but the last, and the same as the kernel takes it."""
    generator = torch.Generator().manual_seed(seed)
    modules, layers = [], []
    for i, (inputs, outputs) in enumerate(itertools.pairwise(dims)):
        name = names[i % len(names)] if i + 2 < len(dims) else "identity"
        linear = nn.Linear(inputs, outputs)
        with torch.no_grad():
            linear.weight.normal_(0, 1.2 / math.sqrt(inputs), generator=generator)
            linear.bias.normal_(0, 0.5, generator=generator)
        make, number = ACTIVATIONS[name]
        modules += [linear, make()]
        layers.append((linear.weight.detach(), linear.bias.detach(), (name.replace("leaky", "rectifier"), number)))
    return nn.Sequential(*modules).requires_grad_(False), layers


def normals(n: int, dim: int) -> torch.Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(n))


# No derivative jumps in these, so that rounding cannot decide on which side of a kink a sum falls.
SMOOTH = ["tanh", "elu", "softplus", "identity"]


@pytest.mark.parametrize("prior", ["normal", "uniform", "sphere"])
@settings(max_examples=25)
@given(
    names=st.lists(st.sampled_from(SMOOTH), min_size=1, max_size=3),
    dims=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    n=st.integers(1, 70),
    seed=st.integers(0, 10**6),
)
def test_energy_and_gradient_are_those_of_autograd(
    prior: str, names: list[str], dims: list[int], n: int, seed: int
) -> None:
    network, layers = stack([*dims, 1], names, seed)
    energy = MLPEnergy(layers, prior=prior, scale=1.7, shift=-0.4)
    u = normals(n, dims[0])
    leaf = u.double().requires_grad_()
    score = network.double()(push_forward(leaf, prior))[:, 0]
    exact = 0.5 * leaf.square().sum(1) - (1.7 * score - 0.4)
    (slope,) = torch.autograd.grad(exact.sum(), leaf)
    values, gradient = energy.value_and_grad(u)
    assert values.dtype == torch.float64
    assert gradient.dtype == torch.float32
    size = 1 + float(slope.abs().max())
    torch.testing.assert_close(values, exact.detach(), rtol=1e-5, atol=2e-5 * size)
    torch.testing.assert_close(gradient.double(), slope, rtol=1e-5, atol=2e-5 * size)
    # NumPy arrays give what tensors give.
    again, _ = energy.value_and_grad(u.numpy())
    assert np.array_equal(again, values.numpy())


@pytest.mark.parametrize("name", ["rectifier", "leaky"])
def test_rectifiers_have_the_gradient_of_autograd(name: str) -> None:
    network, layers = stack([3, 37, 20, 2, 33, 1], [name], 5)
    u = normals(500, 3)
    leaf = u.clone().requires_grad_()
    exact = 0.5 * leaf.square().sum(1) - network(leaf)[:, 0]
    (slope,) = torch.autograd.grad(exact.sum(), leaf)
    values, gradient = MLPEnergy(layers).value_and_grad(u)
    torch.testing.assert_close(values, exact.detach().double(), rtol=1e-5, atol=1e-5)
    # Rounding may put a sum on the other side of a kink; of 500 x 90 sums this happens to a few at most.
    assert (~torch.isclose(gradient, slope, rtol=1e-4, atol=1e-4)).any(1).sum() <= 3


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("noise", [1.0, 0.9])
def test_chains_are_those_of_the_torch_twin(metropolis: bool, noise: float) -> None:
    _, layers = stack([2, 24, 24, 2, 24, 1], ["tanh"], 3)
    energy = MLPEnergy(layers, scale=2.0)
    u = normals(200, 2)
    chains = energy.langevin(
        u, steps=20, step_size=0.2, noise=noise, metropolis=metropolis, seed=9, first_step=4, first_chain=7
    )
    states, energies, accepted, stopped = twin.mlp_langevin(
        u, pair=energy._parts, pace=(0.2, noise), counter=(9, 4, 7), plan=(20, metropolis)
    )
    # A ratio that lies as near as rounding to its uniform may go the other way.
    apart = ~torch.isclose(chains.states, states, rtol=1e-3, atol=1e-3).all(1)
    assert apart.sum() <= (2 if metropolis else 0)
    torch.testing.assert_close(chains.energies[:, ~apart], energies[:, ~apart], rtol=1e-3, atol=1e-3)
    assert chains.accepted == pytest.approx(accepted, rel=2e-3)
    assert (chains.stopped == -1).all()
    assert torch.equal(chains.stopped, stopped)


@pytest.mark.parametrize("metropolis", [False, True])
def test_chains_do_not_depend_on_batches_or_threads(metropolis: bool) -> None:
    _, layers = stack([3, 19, 2, 33, 1], ["leaky", "elu"], 1)
    energy = MLPEnergy(layers, prior="uniform")
    u = normals(150, 3)
    go = {"step_size": 0.1, "metropolis": metropolis, "seed": 3}
    whole = energy.langevin(u, steps=30, **go)
    before = gancore.num_threads()
    try:
        gancore.set_num_threads(3)
        left = energy.langevin(u[:41], steps=30, **go)
        right = energy.langevin(u[41:], steps=12, first_chain=41, **go)
        right = energy.langevin(right.states, steps=18, first_chain=41, first_step=12, **go)
    finally:
        gancore.set_num_threads(before)
    assert torch.equal(torch.cat([left.states, right.states]), whole.states)
    assert torch.equal(torch.cat([left.energies[-1], right.energies[-1]]), whole.energies[-1])


def test_a_quadratic_well_has_its_normal_distribution() -> None:
    """d(x) = 1.5 x_0 - 0.5 x_1 shifts the normal prior there, exactly with Metropolis' test."""
    energy = MLPEnergy([(torch.tensor([[1.5, -0.5]]), torch.zeros(1), ("identity", 0.0))])
    chains = energy.langevin(normals(20_000, 2), steps=60, step_size=0.6, metropolis=True, seed=2)
    error = 4 / math.sqrt(20_000)
    torch.testing.assert_close(chains.states.mean(0), torch.tensor([1.5, -0.5]), atol=error, rtol=0)
    torch.testing.assert_close(chains.states.T.cov(), torch.eye(2), atol=error * math.sqrt(2), rtol=0)
    # The split step knows the prior: with this critic it is exact without the test, but for the shift's own rounding.
    plain = energy.langevin(normals(20_000, 2), steps=60, step_size=0.6, noise=0.7, seed=2)
    torch.testing.assert_close(plain.states.T.cov(), torch.eye(2), atol=error * math.sqrt(2), rtol=0)


def test_chains_that_leave_the_numbers_stop_and_are_named() -> None:
    """exp grows without bound where ELU's mirror image is repelled: a critic of e^x, by two ELUs of opposite sign."""
    layers = [
        (torch.full((1, 1), 1e30), torch.zeros(1), ("rectifier", 0.0)),
        (torch.full((1, 1), 1e30), torch.zeros(1), ("identity", 0.0)),
    ]
    energy = MLPEnergy(layers)
    u = torch.tensor([[-5.0], [-0.001], [-4.0]])
    chains = energy.langevin(u, steps=8, step_size=0.01, seed=1)
    assert chains.stopped[0] == -1
    assert chains.stopped[2] == -1
    assert 1 <= chains.stopped[1] <= 8
    assert chains.states.isfinite().all()
    assert chains.energies.isfinite().all()
    held = chains.energies[int(chains.stopped[1]) - 1 :, 1]
    assert (held == held[0]).all()
    # Metropolis turns such proposals down, and goes on.
    assert (energy.langevin(u, steps=8, step_size=0.01, metropolis=True, seed=1).stopped == -1).all()
    assert energy.langevin(-u, steps=1, step_size=0.01, seed=1).stopped.tolist() == [0, 0, 0]


def test_what_makes_no_pair_is_refused_by_name() -> None:
    ok = (torch.ones(1, 2), torch.zeros(1), ("tanh", 0.0))
    with pytest.raises(ShapeError, match="layers"):
        MLPEnergy([(torch.ones(2, 2), torch.zeros(2), ("tanh", 0.0))])
    with pytest.raises(ShapeError, match="layers"):
        MLPEnergy([ok, ok])
    with pytest.raises(ShapeError, match="layers"):
        MLPEnergy([])
    with pytest.raises(DomainError, match="layers"):
        MLPEnergy([(torch.full((1, 2), math.nan), torch.zeros(1), ("tanh", 0.0))])
    for activation in (("rectifier", -0.1), ("elu", 0.0)):
        with pytest.raises(DomainError, match="layers"):
            MLPEnergy([(*ok[:2], activation)])
    with pytest.raises(UnknownNameError, match="activation"):
        MLPEnergy([(*ok[:2], ("gelu", 0.0))])
    with pytest.raises(UnknownNameError, match="prior"):
        MLPEnergy([ok], prior="cauchy")
    with pytest.raises(DomainError, match="scale"):
        MLPEnergy([ok], scale=math.inf)
    energy, u = MLPEnergy([ok]), torch.zeros(3, 2)
    go = {"steps": 1, "step_size": 0.1, "seed": 0}
    with pytest.raises(ShapeError, match="initial"):
        energy.langevin(torch.zeros(3, 3), **go)
    with pytest.raises(DTypeError, match="initial"):
        energy.langevin(u.double(), **go)
    with pytest.raises(DomainError, match="initial"):
        energy.langevin(u / 0, **go)
    with pytest.raises(DomainError, match="step_size"):
        energy.langevin(u, **(go | {"step_size": 0.0}))
    with pytest.raises(BackendError, match="initial"):
        energy.langevin(u.requires_grad_(), **go)
