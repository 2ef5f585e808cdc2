from __future__ import annotations

import random

import numpy as np
import torch

from gancore.training import randomness


def draw() -> tuple[float, ...]:
    """From all global generators; the Gaussians of Python and NumPy keep half of a pair for the next call."""
    return random.expovariate(1.0), random.gauss(0, 1), np.random.standard_normal(), torch.rand(()).item()  # noqa: NPY002


def test_captured_states_come_back_with_their_cached_gaussians() -> None:
    draw()
    state = {name: tensor.clone() for name, tensor in randomness.capture().items()}
    expected = [draw() for _ in range(3)]
    randomness.restore(state)
    assert [draw() for _ in range(3)] == expected


def test_isolation_seeds_inside_and_restores_outside() -> None:
    state = randomness.capture()
    with randomness.isolated(1):
        inside = draw()
    with randomness.isolated(1):
        assert draw() == inside
    with randomness.isolated(2):
        assert draw() != inside
    assert all(torch.equal(tensor, state[name]) for name, tensor in randomness.capture().items())


def test_streams_of_a_seed_differ() -> None:
    seeds = {randomness.derive(seed, stream) for seed in range(20) for stream in ("latents", "order", "networks")}
    assert len(seeds) == 60
    assert all(0 <= seed < 2**63 for seed in seeds)
