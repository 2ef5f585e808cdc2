"""Noise by counter: its distribution, its independence of batches, and the torch twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gancore.errors import DomainError, DTypeError, UnknownNameError
from gancore.kernels._torch import langevin as twin
from gancore.kernels.langevin import philox_normal, philox_uniform

STREAMS = ["proposal", "accept", "initial", "component", 0, 239]
seeds = st.integers(0, 2**64 - 1)
steps = st.integers(0, 2**56 - 2**10)
first_chains = st.integers(0, 2**32 - 2**10)


@given(seed=seeds, step=steps, first=first_chains, stream=st.sampled_from(STREAMS), dim=st.integers(1, 9))
def test_noise_of_the_twin_is_that_of_the_kernel(seed: int, step: int, first: int, stream: str | int, dim: int) -> None:
    at = {"seed": seed, "stream": stream, "step": step, "first_chain": first}
    expected = philox_normal((7, dim), dtype="float64", **at)
    meta = {"stream": _stream_number(stream), "counter": (seed, step, first), "device": torch.device("cpu")}
    drawn = twin.philox_normal((7, dim), dtype="float64", **meta)
    np.testing.assert_allclose(drawn.numpy(), expected, rtol=0, atol=1e-14)
    assert np.array_equal(twin.philox_uniform((7,), dtype="float64", **meta).numpy(), philox_uniform(7, **at))


def _stream_number(stream: str | int) -> int:
    return STREAMS.index(stream) if isinstance(stream, str) else 16 + stream


@given(seed=seeds, step=steps, first=first_chains, cut=st.integers(0, 30), dim=st.integers(1, 9))
def test_a_chain_draws_the_same_in_any_batch(seed: int, step: int, first: int, cut: int, dim: int) -> None:
    at = {"seed": seed, "step": step}
    whole = philox_normal((30, dim), first_chain=first, **at)
    assert np.array_equal(whole[cut:], philox_normal((30 - cut, dim), first_chain=first + cut, **at))
    uniforms = philox_uniform(30, first_chain=first, **at)
    assert np.array_equal(uniforms[cut:], philox_uniform(30 - cut, first_chain=first + cut, **at))


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 7])
def test_noise_is_normal_and_uniform(dim: int) -> None:
    normals = philox_normal((20_000, dim), seed=5, dtype="float64")
    assert stats.kstest(normals.ravel(), "norm").pvalue > 1e-4
    correlation = np.corrcoef(normals.T) if dim > 1 else np.eye(1)
    assert np.abs(correlation - np.eye(dim)).max() < 5 / math.sqrt(20_000)
    assert stats.kstest(philox_uniform(20_000, seed=dim), "uniform").pvalue > 1e-4


def test_noise_has_the_kind_asked_for() -> None:
    assert philox_normal(3, seed=0).shape == (3,)
    assert philox_normal((3, 2, 2), seed=0).dtype == np.float32
    assert np.array_equal(philox_normal((3, 4), seed=0).reshape(3, 2, 2), philox_normal((3, 2, 2), seed=0))
    tensor = philox_normal((3, 4), seed=0, device="cpu")
    assert tensor.dtype == torch.float32
    assert np.array_equal(tensor.numpy(), philox_normal((3, 4), seed=0))
    assert philox_uniform(3, seed=0, device=torch.device("cpu")).dtype == torch.float64
    assert philox_normal((0, 4), seed=0).shape == (0, 4)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"seed": -1}, DomainError, "seed"),
        ({"seed": 2**64}, DomainError, "seed"),
        ({"seed": 0.5}, DTypeError, "seed"),
        ({"seed": 0, "step": 2**56}, DomainError, "step"),
        ({"seed": 0, "first_chain": 2**32 - 2}, DomainError, "first_chain"),
        ({"seed": 0, "stream": "acept"}, UnknownNameError, "did you mean 'accept'"),
        ({"seed": 0, "stream": 240}, DomainError, "stream"),
        ({"seed": 0, "dtype": "float16"}, DTypeError, "dtype"),
    ],
)
def test_settings_of_noise_are_checked(settings: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        philox_normal((3, 2), **settings)


def test_shapes_of_noise_are_checked() -> None:
    for shape in ((), -1, (3, -1)):
        with pytest.raises(DomainError, match="shape"):
            philox_normal(shape, seed=0)
