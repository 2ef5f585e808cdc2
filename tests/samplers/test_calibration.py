from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, TensorDataset

from gancore.datasets import as_data
from gancore.errors import DomainError, NumericalError
from gancore.samplers import ddls
from gancore.samplers._calibration import fit_platt

RNG = np.random.default_rng(0)
W = 1.5


def log_ratio(x: torch.Tensor) -> torch.Tensor:
    """Exact, for real samples of N(W, 1) and fakes of N(0, 1)."""
    return W * x[:, 0] - W**2 / 2


def reals(n: int = 4000) -> torch.Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(7)) + W


def run(critic: object, real: object, **settings: object):
    defaults = {"latent_dim": 1, "metropolis": True, "steps": 60, "batch_size": 4096, "calibrate": real}
    return ddls(lambda z: z, critic, 2000, **(defaults | settings))


@pytest.mark.parametrize("n", [40, 1000])
@pytest.mark.parametrize(("shift", "scale"), [(0.5, 1.0), (30.0, 10.0), (0.0, 1e-4), (-2.0, 1e5)])
def test_the_fit_is_logistic_regression_on_smoothed_targets(n: int, shift: float, scale: float) -> None:
    real, fake = RNG.normal(size=n) * scale + shift, RNG.normal(size=n) * scale
    slope, offset = fit_platt(real, fake)
    scores = np.concatenate((real, fake))
    high = (n + 1) / (n + 2)
    targets = np.concatenate((np.full(n, high), np.full(n, 1 - high)))
    standard = ((scores - scores.mean()) / scores.std())[:, None]
    reference = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(
        np.concatenate((standard, standard)),
        np.repeat((1, 0), 2 * n),
        sample_weight=np.concatenate((targets, 1 - targets)),
    )
    expected = reference.decision_function(standard)
    np.testing.assert_allclose(slope * scores + offset, expected, rtol=1e-4, atol=1e-4)


def test_scores_that_separate_have_a_finite_slope() -> None:
    slope, offset = fit_platt(np.linspace(1, 2, 50), np.linspace(-2, -1, 50))
    assert 0 < slope < 100
    assert abs(offset) < 1


def test_a_constant_critic_has_no_slope() -> None:
    assert fit_platt(np.full(40, 3.0), np.full(40, 3.0)) == (0.0, 0.0)


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (3.0, 1.0), (0.2, -50.0), (-1.0, 0.0)])
def test_slope_and_offset_are_undone(slope: float, offset: float) -> None:
    samples = run(lambda x: slope * log_ratio(x) + offset, reals(), critic_kind="wasserstein")
    report = samples.info.calibration
    # The standard error of a logistic slope at 2 x 2000 scores is about 0.06; 4 of them.
    assert report["slope"] * slope == pytest.approx(1.0, abs=0.25)
    assert report["offset"] + report["slope"] * offset == pytest.approx(0.0, abs=0.25)
    assert samples.x.mean().item() == pytest.approx(W, abs=0.25 * W + 4 / math.sqrt(2000))
    assert (report["n_real"], report["n_fake"]) == (4000, 4000)


def test_losses_are_held_out_and_in_nats() -> None:
    flat = run(lambda x: 0.1 * log_ratio(x), reals()).info.calibration
    sharp = run(log_ratio, reals()).info.calibration
    # The best loss is E log(1 + e^-r) under the real samples, by symmetry of the two normals.
    best = float(np.logaddexp(0, -(W * (RNG.normal(size=200_000) + W) - W**2 / 2)).mean())
    assert sharp["log_loss_before"] == pytest.approx(best, abs=0.03)
    assert flat["log_loss_after"] == pytest.approx(best, abs=0.03)
    assert flat["log_loss_before"] > best + 0.1


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: x.numpy(),
        as_data,
        TensorDataset,
        lambda x: DataLoader(TensorDataset(x, torch.zeros(len(x), dtype=torch.long)), batch_size=10),
    ],
)
def test_real_samples_come_as_anything_that_is_data(wrap) -> None:
    expected = run(log_ratio, reals(200), steps=1).info.calibration
    assert run(log_ratio, wrap(reals(200)), steps=1).info.calibration == expected


def test_the_report_does_not_depend_on_the_batch_size() -> None:
    small = run(log_ratio, reals(200), steps=1, batch_size=7).info.calibration
    assert small == pytest.approx(run(log_ratio, reals(200), steps=1).info.calibration)


def test_calibration_by_probability_is_calibration_of_the_logit() -> None:
    logit = run(log_ratio, reals(500), steps=1).info.calibration
    probability = run(lambda x: log_ratio(x).sigmoid(), reals(500), steps=1, critic_kind="probability").info.calibration
    assert probability == pytest.approx(logit, rel=1e-3, abs=1e-3)


def test_a_critic_that_misleads_on_held_out_samples_is_refused() -> None:
    """The half that is fitted lies at +5, the half that is held out at -5: sharpening would go the wrong way."""
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    real = torch.empty(200, 1)
    real[order[:100]], real[order[100:]] = 5.0, -5.0
    with pytest.raises(DomainError, match="cannot tell held-out real samples from fakes"):
        run(lambda x: x[:, 0], real)


def test_a_critic_that_knows_nothing_leaves_the_prior() -> None:
    """Fakes are as good as real: the fitted slope is about 0 whatever the critic says."""
    samples = run(lambda x: 100 * x[:, 0], reals() - W)
    assert abs(samples.info.calibration["slope"] * 100) < 0.2
    assert abs(samples.x.mean().item()) < 0.3


def test_what_cannot_calibrate() -> None:
    with pytest.raises(DomainError, match="at least 32 real samples, got 20"):
        run(log_ratio, reals(20))
    with pytest.raises(NumericalError, match="nan or infinite scores"):
        run(lambda x: log_ratio(x) + torch.where(x[:, 0] > 1.2, torch.inf, 0.0), reals(100))
