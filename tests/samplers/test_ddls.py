"""DDLS against distributions known in closed form, and against the mistakes of public code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from gancore.errors import (
    BackendError,
    DomainError,
    DTypeError,
    NumericalError,
    SamplingWarning,
    ShapeError,
    UnknownNameError,
)
from gancore.kernels.langevin import philox_normal
from gancore.samplers import Samples, ddls, plain

if TYPE_CHECKING:
    from collections.abc import Callable


def identity(z: Tensor) -> Tensor:
    return z


def linear(w: list[float]) -> Callable[[Tensor], Tensor]:
    weights = torch.tensor(w)
    return lambda x: x @ weights


def quadratic(c: float) -> Callable[[Tensor], Tensor]:
    """With the normal prior: samples of N(0, 1/(1 + c)) in each coordinate."""
    return lambda x: -c / 2 * x.square().sum(dim=1)


def run(critic: Callable[[Tensor], Tensor], n: int = 2000, **settings: object) -> Samples:
    defaults: dict[str, object] = {"latent_dim": 2, "steps": 60, "metropolis": True, "batch_size": 4096}
    return ddls(identity, critic, n, **(defaults | settings))


def assert_moments(x: Tensor, mean: list[float], variance: float) -> None:
    """Independent coordinates of these means and this variance, within 4 standard errors."""
    values, n = x.double(), len(x)
    error = 4 * math.sqrt(variance / n)
    torch.testing.assert_close(values.mean(dim=0), torch.tensor(mean, dtype=torch.float64), atol=error, rtol=0)
    expected = variance * torch.eye(values.shape[1], dtype=torch.float64)
    torch.testing.assert_close(values.T.cov(), expected, atol=4 * variance * math.sqrt(2 / n), rtol=0)


CDFS = {
    "normal": stats.norm.cdf,
    "uniform": stats.uniform(-1, 2).cdf,
    # One coordinate of the circle of radius sqrt(2): the arcsine distribution.
    "sphere": stats.arcsine(-math.sqrt(2), 2 * math.sqrt(2)).cdf,
    "truncated_normal": stats.truncnorm(-2, 2).cdf,
}


@pytest.mark.parametrize("prior", CDFS)
def test_a_constant_critic_gives_the_prior(prior: str) -> None:
    samples = run(lambda x: 0 * x[:, 0] + 7, prior=prior, n=4000)
    for coordinate in samples.z.double().numpy().T:
        assert stats.kstest(coordinate, CDFS[prior]).pvalue > 1e-3


def test_a_linear_critic_shifts_the_normal_prior() -> None:
    assert_moments(run(linear([1.5, -0.5])).x, [1.5, -0.5], 1.0)


def test_a_quadratic_critic_narrows_the_normal_prior() -> None:
    assert_moments(run(quadratic(3.0)).x, [0.0, 0.0], 0.25)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_critic_and_leaves_the_prior(temperature: float) -> None:
    samples = run(linear([1.0, 0.0]), temperature=temperature)
    assert_moments(samples.x, [1.0 / temperature, 0.0], 1.0)
    assert samples.info.temperature == temperature


def test_an_exact_log_ratio_recovers_the_data() -> None:
    """G is the identity, p a mixture, d = log p - log p_g: then the samples are p's."""
    weights, means, stds = (0.7, 0.3), (-1.0, 1.2), (0.5, 0.4)

    def critic(x: Tensor) -> Tensor:
        normals = torch.distributions.Normal(torch.tensor(means), torch.tensor(stds))
        log_p = (torch.tensor(weights).log() + normals.log_prob(x)).logsumexp(dim=1)
        return log_p + x[:, 0].square() / 2

    samples = run(critic, latent_dim=1, steps=150, n=4000)

    def cdf(x: np.ndarray) -> np.ndarray:
        return sum(w * stats.norm.cdf(x, m, s) for w, m, s in zip(weights, means, stds, strict=True))

    assert stats.kstest(samples.x[:, 0].double().numpy(), cdf).pvalue > 1e-3


def test_a_tilted_uniform_prior_needs_no_border() -> None:
    """z ~ U(-1, 1) times e^(3 z): a truncated exponential, nothing outside and nothing piled up at the faces."""
    z = run(linear([3.0]), latent_dim=1, prior="uniform", n=4000).z[:, 0].double().numpy()
    assert stats.kstest(z, lambda v: (np.exp(3 * v) - np.exp(-3)) / (np.exp(3) - np.exp(-3))).pvalue > 1e-3
    assert np.abs(z).max() <= 1
    assert len(np.unique(z)) > 0.99 * len(z)


def test_a_tilted_sphere_is_von_mises() -> None:
    z = run(linear([2 / math.sqrt(2), 0.0]), prior="sphere", n=4000).z.double()
    torch.testing.assert_close(z.norm(dim=1), torch.full((4000,), math.sqrt(2)).double(), rtol=1e-6, atol=0)
    angles = torch.atan2(z[:, 1], z[:, 0]).numpy()
    assert stats.kstest(angles, stats.vonmises(2.0).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("c", "step_size"), [(0.0, 0.5), (3.0, 0.2)])
def test_unadjusted_variance_has_the_known_bias(c: float, step_size: float) -> None:
    r"""Stationary variance s^2 / (1 - eta / (2 s^2)): wrong noise, or a lost prior, gives another."""
    s2 = 1 / (1 + c)
    samples = run(quadratic(c), metropolis=False, step_size=step_size, n=10_000, steps=60)
    assert_moments(samples.x, [0.0, 0.0], s2 / (1 - step_size / (2 * s2)))
    assert samples.info.acceptance is None


@pytest.mark.parametrize(("c", "step_size"), [(0.0, 0.5), (3.0, 0.2)])
def test_metropolis_removes_that_bias(c: float, step_size: float) -> None:
    samples = run(quadratic(c), step_size=step_size, n=10_000, steps=60)
    assert_moments(samples.x, [0.0, 0.0], 1 / (1 + c))
    assert 0.5 < samples.info.acceptance < 1


def test_one_unadjusted_step_is_the_formula() -> None:
    start = plain(identity, None, 5, latent_dim=3, seed=9).z
    w, eta = torch.tensor([1.0, 2.0, -1.0]), 0.3
    noise = torch.from_numpy(philox_normal((5, 3), seed=9, stream="proposal", step=0))
    expected = start - eta * (start - w / 2) + math.sqrt(2 * eta) * noise
    got = run(lambda x: x @ w, 5, latent_dim=3, metropolis=False, step_size=eta, temperature=2.0, steps=1, seed=9)
    torch.testing.assert_close(got.z, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("metropolis", [False, True])
def test_a_chain_depends_on_nothing_but_seed_and_number(metropolis: bool) -> None:
    whole = run(quadratic(1.0), 50, metropolis=metropolis, steps=8)
    for n, batch_size in ((50, 7), (50, 1), (20, 16)):
        part = run(quadratic(1.0), n, metropolis=metropolis, steps=8, batch_size=batch_size)
        assert torch.equal(part.z, whole.z[:n])
        assert torch.equal(part.x, whole.x[:n])
    assert part.info.step_size == whole.info.step_size
    again = run(quadratic(1.0), 50, metropolis=metropolis, steps=8, seed=1).z
    assert not (again[:-1] == whole.z[1:]).any()
    assert not (again == whole.z).any()


def test_tuning_reaches_the_target_acceptance() -> None:
    for scale in (0.0, 3.0, 300.0):
        info = run(quadratic(scale), latent_dim=8, steps=200).info
        # From the prior chains first fall into a narrow target, so acceptance over the run is near 0.574, not at it.
        assert info.acceptance == pytest.approx(0.574, abs=0.1)
    adjusted, unadjusted = (run(quadratic(1.0), 10, steps=1, metropolis=m).info.step_size for m in (True, False))
    assert unadjusted == pytest.approx(0.1 * adjusted)


def test_diagnostics_tell_what_was_done() -> None:
    info = run(linear([2.0, 0.0]), n=600, steps=40, step_size=0.8, batch_size=100).info
    assert len(info.energies) == 41
    # E = |u|^2/2 - 2 u_1: mean 1 under the prior, and 1 - 2 once u ~ N((2, 0), I).
    assert info.energies[0] == pytest.approx(1.0, abs=4 * math.sqrt(5 / 600))
    assert np.mean(info.energies[20:]) == pytest.approx(-1.0, abs=0.15)
    assert info.critic_calls == info.generator_calls - 600 == 600 * 41
    assert 0.95 < info.r_hat < 1.2
    assert 600 < info.effective_sample_size < 20 * 600 * math.log10(20 * 600)
    assert (info.step_size, info.calibration) == (0.8, {})


def test_a_step_that_overflows_is_turned_down_or_named() -> None:
    steep = quadratic(1e4)
    with pytest.raises(NumericalError, match=r"in 2000 of 2000 chains.*after step .* step size"):
        run(steep, metropolis=False, step_size=10.0, steps=40)
    with pytest.warns(SamplingWarning, match="lower the step size, which was 50"):
        samples = run(lambda x: -(x.square().sum(dim=1).exp()), step_size=50.0, steps=5)
    assert samples.z.isfinite().all()
    assert samples.info.acceptance < 0.05


@pytest.mark.parametrize("metropolis", [False, True])
def test_nan_energies_are_an_error(metropolis: bool) -> None:
    with pytest.raises(NumericalError, match="not finite at the start, in 1 of"):
        run(lambda x: x[:, 0] + torch.where(torch.arange(len(x)) == 3, torch.nan, 0.0), 5, metropolis=metropolis)
    with pytest.raises(NumericalError, match="gradient"):
        run(lambda x: (x[:, 0] - x[:, 0]).sqrt(), 5, metropolis=metropolis)


@pytest.mark.parametrize(
    "critic",
    [
        lambda x: torch.zeros(len(x)),
        lambda x: x.detach()[:, 0],
        lambda x: torch.zeros(len(x), requires_grad=True) + x.detach()[:, 0],
        lambda x: torch.from_numpy(x.detach().numpy()).sum(dim=1),
    ],
)
def test_a_critic_without_gradient_is_an_error(critic: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(BackendError, match="no gradient"):
        run(critic, 4)


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"n": 0}, DomainError, "n: "),
        ({"latent_dim": 0}, DomainError, "latent_dim: "),
        ({"batch_size": 0}, DomainError, "batch_size: "),
        ({"steps": 0}, DomainError, "steps: "),
        ({"steps": 2.5}, DTypeError, "steps: "),
        ({"temperature": 0.0}, DomainError, "temperature: "),
        ({"temperature": math.nan}, DomainError, "temperature: "),
        ({"step_size": -0.1}, DomainError, "step_size: "),
        ({"step_size": math.inf}, DomainError, "step_size: "),
        ({"step_size": "large"}, DTypeError, "step_size: "),
        ({"prior": "gaussian"}, UnknownNameError, "prior"),
        ({"critic_kind": "logits"}, UnknownNameError, "did you mean 'logit'"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        run(linear([1.0, 0.0]), **settings)


@pytest.mark.parametrize(
    ("generator", "critic", "match"),
    [
        (nn.Linear(3, 2), linear([1.0, 0.0]), r"latent_dim: the generator does not take codes of shape \(n, 2\)"),
        (lambda z: z[:1], linear([1.0, 0.0]), "generator: expected 2 samples for 2 codes"),
        (lambda z: [z], linear([1.0, 0.0]), "generator: .*got list"),
        (identity, nn.Linear(3, 1), r"critic: does not take the generator's samples \(n, 2\)"),
        (identity, lambda x: x, r"critic: expected output of shape \(2,\) or \(2, 1\).*got \(2, 2\)"),
        (identity, lambda x: x.sum(), r"critic: .*got \(\)"),
        (identity, lambda _: None, "critic: .*got NoneType"),
    ],
)
def test_networks_that_do_not_fit(generator: object, critic: object, match: str) -> None:
    with pytest.raises(ShapeError, match=match):
        ddls(generator, critic, 4, latent_dim=2)


def networks() -> tuple[nn.Module, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(4, 18), nn.BatchNorm1d(18), nn.ReLU(), nn.Unflatten(1, (2, 3, 3)))
        critic = nn.Sequential(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 4, 3)), nn.Flatten(), nn.Dropout(), nn.Linear(4, 1)
        )
    return generator, critic


@pytest.mark.parametrize("metropolis", [False, True])
def test_networks_and_random_states_are_left_as_they_were(metropolis: bool) -> None:
    """No gradient accumulates, batch statistics and spectral vectors stay, modes and flags come back."""
    generator, critic = networks()
    generator[0].eval()
    critic[3].weight.requires_grad_(False)
    critic[3].bias.grad = torch.full((1,), 5.0)
    before = {
        name: value.clone()
        for net in (generator, critic)
        for name, value in net.state_dict(prefix=str(id(net))).items()
    }
    state = torch.get_rng_state()
    samples = ddls(generator, critic, 6, latent_dim=4, steps=3, metropolis=metropolis)
    assert samples.x.shape == (6, 2, 3, 3)
    assert not samples.x.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    after = {name: value for net in (generator, critic) for name, value in net.state_dict(prefix=str(id(net))).items()}
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert [module.training for module in generator] == [False, True, True, True]
    assert critic.training
    assert critic[2].training
    assert critic[3].bias.grad.item() == 5.0
    assert critic[3].weight.requires_grad is False
    assert all(p.requires_grad and p.grad is None for p in generator.parameters())


def test_networks_are_restored_after_an_error() -> None:
    generator, critic = networks()
    with pytest.raises(ShapeError):
        ddls(generator, critic, 4, latent_dim=5)
    assert generator.training
    assert critic.training
    assert all(p.requires_grad for net in (generator, critic) for p in net.parameters())


def test_samples_are_what_the_generator_makes_of_their_codes() -> None:
    generator, critic = networks()
    samples = ddls(generator, critic, 6, latent_dim=4, steps=3, prior="uniform")
    generator.eval()
    with torch.no_grad():
        torch.testing.assert_close(generator(samples.z), samples.x)
    assert samples.z.abs().max() <= 1


def test_a_probability_critic_is_its_logit() -> None:
    raw = linear([1.0, -1.0])
    logit = run(raw, 200, step_size=0.3, steps=20)
    probability = run(lambda x: raw(x).sigmoid()[:, None], 200, step_size=0.3, steps=20, critic_kind="probability")
    torch.testing.assert_close(probability.z, logit.z, rtol=1e-3, atol=1e-3)


def test_a_saturated_probability_stays_finite() -> None:
    samples = run(lambda x: (1000 * x[:, 0]).sigmoid(), 50, critic_kind="probability", steps=5)
    assert samples.z.isfinite().all()
    assert all(math.isfinite(energy) for energy in samples.info.energies)


def test_logits_given_as_probabilities_are_refused() -> None:
    with pytest.raises(DomainError, match="critic_kind='logit'"):
        run(lambda x: 5 + x[:, 0], critic_kind="probability")


@pytest.mark.gpu
@pytest.mark.parametrize("metropolis", [False, True])
def test_the_gpu_walks_the_same_chains(metropolis: bool) -> None:
    generator, critic = networks()
    settings = {"latent_dim": 4, "steps": 5, "step_size": 0.1, "metropolis": metropolis}
    here = ddls(generator, critic, 40, **settings)
    there = ddls(generator.cuda(), critic.cuda(), 40, **settings)
    assert there.x.is_cuda
    assert there.z.is_cuda
    torch.testing.assert_close(there.z.cpu(), here.z, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("prior", CDFS)
@pytest.mark.parametrize(("metropolis", "step_size"), [(False, 0.9), (True, 0.9), (True, "auto")])
def test_the_split_step_keeps_the_prior_at_any_step_size(prior: str, metropolis: bool, step_size: float) -> None:
    settings = {"integrator": "split", "metropolis": metropolis, "step_size": step_size}
    samples = run(lambda x: 0 * x[:, 0] + 7, prior=prior, n=4000, steps=20, **settings)
    for coordinate in samples.z.double().numpy().T:
        assert stats.kstest(coordinate, CDFS[prior]).pvalue > 1e-3
    assert samples.info.acceptance == (pytest.approx(1.0, abs=1e-6) if metropolis else None)
    assert samples.info.step_size <= 1


def test_the_split_step_accepts_as_much_in_any_dimension() -> None:
    """With a critic that looks at one coordinate only; Euler's step of the same size is turned down."""
    settings = {"step_size": 0.6, "n": 400, "steps": 40}
    low, high = (run(lambda x: x[:, 0], latent_dim=d, integrator="split", **settings).info.acceptance for d in (2, 512))
    assert high == pytest.approx(low, abs=0.05)
    with pytest.warns(SamplingWarning, match="of the steps were accepted, so chains stay"):
        euler = run(lambda x: x[:, 0], latent_dim=512, **settings).info.acceptance
    assert euler < 0.1 * high


@pytest.mark.parametrize("step_size", [0.3, "auto"])
def test_the_adjusted_split_step_is_exact(step_size: float) -> None:
    """A ratio of Euler's proposal, or one that lacks the noise's share, gives another variance."""
    samples = run(quadratic(3.0), n=10_000, integrator="split", step_size=step_size)
    assert_moments(samples.x, [0.0, 0.0], 0.25)
    assert 0.3 < samples.info.acceptance < 1


def test_the_split_step_has_its_own_bias_without_correction() -> None:
    """u' = (1 - 4 a) u + sqrt(a (2 - a)) xi for E = 2 |u|^2: variance a (2 - a) / (1 - (1 - 4 a)^2)."""
    a = 0.2
    samples = run(quadratic(3.0), n=10_000, integrator="split", step_size=a, metropolis=False)
    assert_moments(samples.x, [0.0, 0.0], a * (2 - a) / (1 - (1 - 4 * a) ** 2))


def test_integrators_that_make_no_sense() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'euler'"):
        run(linear([1.0, 0.0]), integrator="eulr")
    with pytest.raises(DomainError, match="step_size: expected at most 1"):
        run(linear([1.0, 0.0]), integrator="split", step_size=1.5)
