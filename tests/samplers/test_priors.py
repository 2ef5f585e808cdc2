"""Push-forwards against SciPy's distributions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gancore.errors import DomainError, DTypeError
from gancore.priors import push_forward, sample_prior
from gancore.samplers import ddls, plain


@given(truncation=st.floats(0.01, 8.0), u=st.lists(st.floats(-6, 6), min_size=1, max_size=20))
def test_the_truncated_normal_is_its_quantile_function(truncation: float, u: list[float]) -> None:
    """T = F^-1(Phi(u)), F the distribution function of the truncated normal: symmetric, so taken below zero."""
    below = -np.abs(np.array(u))
    got = push_forward(torch.tensor(below)[:, None], "truncated_normal", truncation=truncation)[:, 0].numpy()
    expected = stats.truncnorm(-truncation, truncation).ppf(stats.norm.cdf(below))
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
    mirrored = push_forward(-torch.tensor(below)[:, None], "truncated_normal", truncation=truncation)[:, 0].numpy()
    np.testing.assert_array_equal(mirrored, -got)


def test_its_slope_is_the_ratio_of_the_densities() -> None:
    u = torch.linspace(-4, 4, 41, dtype=torch.float64)[:, None].requires_grad_()
    z = push_forward(u, "truncated_normal", truncation=1.5)
    (slope,) = torch.autograd.grad(z.sum(), u)
    density = stats.truncnorm(-1.5, 1.5).pdf(z.detach().numpy())
    np.testing.assert_allclose(slope.numpy(), stats.norm.pdf(u.detach().numpy()) / density, rtol=1e-6)


@pytest.mark.parametrize("truncation", [0.3, 2.0])
def test_samples_stay_within_and_follow_it(truncation: float) -> None:
    codes = sample_prior(4000, 2, "truncated_normal", torch.Generator().manual_seed(0), truncation=truncation)
    assert codes.dtype == torch.float32
    assert codes.abs().max() <= truncation
    law = stats.truncnorm(-truncation, truncation).cdf
    assert stats.kstest(codes.double().numpy().ravel(), law).pvalue > 1e-3


def test_samplers_take_the_truncation() -> None:
    settings = {"latent_dim": 1, "prior": "truncated_normal", "truncation": 0.5}
    assert plain(lambda z: z, None, 500, **settings).z.abs().max() <= 0.5
    tilted = ddls(lambda z: z, lambda x: 4 * x[:, 0], 2000, steps=60, metropolis=True, batch_size=4096, **settings).z

    def cdf(x: np.ndarray) -> np.ndarray:
        # e^(4 z) times N(0, 1) is N(4, 1), here within its bounds.
        return stats.truncnorm(-0.5 - 4, 0.5 - 4, loc=4).cdf(x)

    assert stats.kstest(tilted[:, 0].double().numpy(), cdf).pvalue > 1e-3


@pytest.mark.parametrize(("truncation", "error"), [(0.0, DomainError), (8.5, DomainError), ("2", DTypeError)])
def test_truncations_that_make_no_sense(truncation: object, error: type) -> None:
    with pytest.raises(error, match="truncation"):
        push_forward(torch.zeros(1, 1), "truncated_normal", truncation=truncation)
