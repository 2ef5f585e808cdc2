from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from torch.utils.data import DataLoader, TensorDataset

from gancore.datasets import as_data
from gancore.errors import DomainError, NumericalError
from gancore.samplers import ddls, metropolis_hastings, rejection
from gancore.samplers._fits import fit_beta, fit_isotonic, fit_platt

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


@pytest.mark.parametrize("ties", [False, True])
def test_the_isotonic_curve_is_scikit_learns(ties: bool) -> None:
    real, fake = RNG.normal(size=300) + 0.7, RNG.normal(size=200)
    if ties:
        real, fake = real.round(1), fake.round(1)
    reference = IsotonicRegression(out_of_bounds="clip").fit(
        np.concatenate((real, fake)), np.repeat((1.0, 0.0), (300, 200))
    )
    grid = np.linspace(-6, 6, 501)
    expected = reference.predict(grid)
    got = fit_isotonic(real, fake)(torch.from_numpy(grid)).sigmoid().numpy()
    inside = (grid > np.quantile(fake, 0.1)) & (grid < np.quantile(real, 0.9)) & (expected > 0) & (expected < 1)
    assert inside.sum() > 50
    np.testing.assert_allclose(got[inside], expected[inside], atol=1e-9)
    assert (np.diff(got) >= 0).all()
    assert 0 < got.min() < got.max() < 1


def test_a_run_of_one_kind_is_no_certainty() -> None:
    """Three reals above all, two fakes below: 4/5 and 1/4, as Platt's targets for so many."""
    curve = fit_isotonic(np.array([0.0, 7.0, 8.0, 9.0]), np.array([-8.0, -7.0, 0.0]))
    got = curve(torch.tensor([-100.0, 0.0, 100.0]).double()).sigmoid().tolist()
    assert got == pytest.approx([0.25, 0.5, 0.8])
    assert fit_isotonic(np.array([0.0, 1.0]), np.array([0.0, 1.0]))(torch.zeros(1)).item() == 0


def test_the_beta_curve_is_logistic_regression_on_both_logarithms() -> None:
    real, fake = RNG.normal(size=2000) + 1.5, RNG.normal(size=2000) - 0.3
    scores = np.concatenate((real, fake))
    features = np.stack((-np.logaddexp(0, -scores), np.logaddexp(0, scores)), axis=1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    target = 2001 / 2002
    weights = np.concatenate([np.r_[np.full(2000, t), np.full(2000, 1 - t)] for t in (target, 1 - target)])
    reference = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(
        np.concatenate((features, features)), np.repeat((1, 0), 4000), sample_weight=weights
    )
    assert (reference.coef_ > 0).all()
    got = fit_beta(real, fake)(torch.from_numpy(scores)).numpy()
    np.testing.assert_allclose(got, reference.decision_function(features), atol=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_beta_curve_is_monotone_whatever_the_scores(sign: int) -> None:
    """Fakes on both sides of the reals: the best free curve turns back, which a calibration must not."""
    real, fake = RNG.normal(size=400), sign * np.abs(RNG.normal(size=400)) * 3
    curve = fit_beta(real, fake)(torch.linspace(-9, 9, 301).double())
    assert (curve.diff() >= -1e-9).all()


@pytest.mark.parametrize("sampler", [rejection, metropolis_hastings])
@pytest.mark.parametrize("method", ["platt", "isotonic", "beta"])
def test_every_curve_brings_the_data_back(sampler, method: str) -> None:
    """The critic is the log ratio bent and shifted, so that uncalibrated it would give another mean."""
    settings = {"percentile": None} if sampler is rejection else {"steps": 40}
    samples = sampler(
        lambda z: z, lambda x: 0.3 * log_ratio(x) + 5, 2000, latent_dim=1, calibrate=reals(8000),
        calibration=method, batch_size=4096, **settings,
    )  # fmt: skip
    assert samples.x.mean().item() == pytest.approx(W, abs=0.2)
    assert samples.info.calibration["log_loss_after"] < samples.info.calibration["log_loss_before"]


def test_a_bent_critic_needs_more_than_a_line() -> None:
    """Scores are the cube of the log ratio: isotonic undoes any monotone bend, a line does not."""

    def critic(x: torch.Tensor) -> torch.Tensor:
        return log_ratio(x) ** 3

    def distance(method: str) -> float:
        x = metropolis_hastings(
            lambda z: z, critic, 3000, latent_dim=1, steps=40, calibrate=reals(10_000), calibration=method,
            batch_size=4096,
        ).x  # fmt: skip
        return float(stats.kstest(x[:, 0].double().numpy(), stats.norm(W, 1).cdf).statistic)

    assert distance("isotonic") < 0.05 < distance("platt")


@pytest.mark.parametrize("method", ["isotonic", "beta"])
def test_every_curve_refuses_a_critic_that_misleads(method: str) -> None:
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    real = torch.empty(200, 1)
    real[order[:100]], real[order[100:]] = 5.0, -5.0
    with pytest.raises(DomainError, match="cannot tell held-out real samples from fakes"):
        rejection(lambda z: z, lambda x: x[:, 0], 10, latent_dim=1, calibrate=real, calibration=method)
