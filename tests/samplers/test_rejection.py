"""Rejection and independence Metropolis against distributions known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from gancore.errors import ConvergenceError, DomainError, NumericalError, SamplingWarning, UnknownNameError
from gancore.samplers import Samples, metropolis_hastings, plain, rejection

if TYPE_CHECKING:
    from collections.abc import Callable

N = 4000
SAMPLERS = {
    "drs": lambda critic, **s: rejection(lambda z: z, critic, N, latent_dim=1, percentile=None, **s),
    "budgeted": lambda critic, **s: rejection(lambda z: z, critic, N, latent_dim=1, rule="budgeted", **s),
    "mh": lambda critic, **s: metropolis_hastings(
        lambda z: z, critic, N, latent_dim=1, **({"steps": 60, "batch_size": 4096} | s)
    ),
}


def quadratic(x: Tensor) -> Tensor:
    """With the normal prior: N(0, 1/4). The best is at 0, so a pilot run finds the maximum."""
    return 7 - 1.5 * x.square().sum(dim=1)


def mixture(x: Tensor) -> Tensor:
    """With the normal prior: 0.7 N(-1, 0.5^2) + 0.3 N(1.2, 0.4^2)."""
    normals = torch.distributions.Normal(torch.tensor([-1.0, 1.2]), torch.tensor([0.5, 0.4]))
    return (torch.tensor([0.7, 0.3]).log() + normals.log_prob(x)).logsumexp(dim=1) + x[:, 0].square() / 2


def p_value(samples: Samples, cdf: Callable[[np.ndarray], np.ndarray]) -> float:
    return float(stats.kstest(samples.x[:, 0].double().numpy(), cdf).pvalue)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize(("prior", "cdf"), [("normal", stats.norm.cdf), ("uniform", stats.uniform(-1, 2).cdf)])
def test_a_constant_critic_gives_the_prior(name: str, prior: str, cdf: Callable[[np.ndarray], np.ndarray]) -> None:
    assert p_value(SAMPLERS[name](lambda x: torch.full((len(x),), -900.0), prior=prior), cdf) > 1e-3


@pytest.mark.parametrize("name", ["drs", "mh"])
def test_an_exact_log_ratio_recovers_the_data(name: str) -> None:
    assert p_value(SAMPLERS[name](quadratic), stats.norm(0, 0.5).cdf) > 1e-3
    assert p_value(SAMPLERS[name](quadratic, temperature=3.0), stats.norm(0, 0.5**0.5).cdf) > 1e-3
    found = SAMPLERS[name](mixture)
    assert p_value(found, lambda x: 0.7 * stats.norm.cdf(x, -1, 0.5) + 0.3 * stats.norm.cdf(x, 1.2, 0.4)) > 1e-3


def test_exact_rejection_accepts_what_it_must() -> None:
    """E e^(d - max d) = 1 / sqrt(1 + 3)."""
    assert SAMPLERS["drs"](quadratic).info.acceptance == pytest.approx(0.5, abs=4 * 0.5 / (2 * N) ** 0.5)


@pytest.mark.parametrize("budget", [1.0, 1.5, 4.0])
def test_the_budgeted_rule_keeps_its_budget_and_its_law(budget: float) -> None:
    samples = SAMPLERS["budgeted"](quadratic, budget=budget)
    # The pilot's error adds to that of the run.
    assert 1 / samples.info.acceptance == pytest.approx(budget, rel=0.1)
    grid = np.linspace(-6, 6, 20_001)
    constants = np.geomspace(1e-3, 1e6, 4000)
    density = stats.norm.pdf(grid)
    spacing = grid[1] - grid[0]
    means = [(density * np.minimum(1, c * np.exp(-1.5 * grid**2))).sum() * spacing for c in constants]
    chosen = density * np.minimum(1, np.interp(1 / budget, means, constants) * np.exp(-1.5 * grid**2))
    if budget == 1.0:
        chosen = density
    cumulative = np.cumsum(chosen) / chosen.sum()
    assert p_value(samples, lambda x: np.interp(x, grid, cumulative)) > 1e-3


def test_the_percentile_is_in_percent() -> None:
    """At the 80th percentile a fifth of the proposals is more likely taken than not; at the 0.8th nearly all are."""
    settings = {"latent_dim": 1, "percentile": 80.0}
    high, low = (
        rejection(lambda z: z, lambda x: 2 * x[:, 0], N, **(settings | {"percentile": p})).info.acceptance
        for p in (80.0, 1.0)
    )
    assert 0.1 < high < 0.4
    assert low > 0.9
    with pytest.raises(DomainError, match="did you mean 80"):
        rejection(lambda z: z, quadratic, 4, latent_dim=1, percentile=0.8)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_saturated_probability_makes_no_nan(name: str) -> None:
    samples = SAMPLERS[name](lambda x: (x[:, 0] > 0).float(), critic_kind="probability")
    assert samples.x.isfinite().all()
    if name != "budgeted":
        assert (samples.x > 0).all()


def test_chains_start_at_plain_samples() -> None:
    rises = SAMPLERS["mh"](lambda x: 1e9 * x[:, 0], steps=5).x
    assert (rises >= plain(lambda z: z, None, N, latent_dim=1).x).all()


def test_metropolis_reports_what_it_did() -> None:
    info = SAMPLERS["mh"](quadratic).info
    assert len(info.energies) == 61
    assert info.energies[0] == pytest.approx(1.5 - 7, abs=0.15)
    assert info.energies[-1] == pytest.approx(1.5 / 4 - 7, abs=0.05)
    assert info.critic_calls == info.generator_calls == N * 61
    assert 0.3 < info.acceptance < 0.9
    assert 0.95 < info.r_hat < 1.2


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"rule": "obrs"}, UnknownNameError, "rule"),
        ({"percentile": 100.0}, DomainError, "percentile"),
        ({"budget": 0.5}, DomainError, "budget"),
        ({"temperature": 0.0}, DomainError, "temperature"),
        ({"most_tries": 1, "n": 500}, ConvergenceError, "not accepted in 1 tries"),
    ],
)
def test_refuses(settings: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        rejection(lambda z: z, quadratic, **({"n": 4, "latent_dim": 1} | settings))


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_critic_that_gives_no_numbers_is_an_error(name: str) -> None:
    with pytest.raises(NumericalError, match="not finite"):
        SAMPLERS[name](lambda x: x[:, 0] * torch.nan)


@pytest.mark.parametrize("name", ["drs", "budgeted"])
@pytest.mark.parametrize("hole", [torch.nan, torch.inf, -torch.inf])
def test_samples_without_a_score_are_turned_down_and_the_others_keep_their_law(name: str, hole: float) -> None:
    def critic(x: Tensor) -> Tensor:
        return torch.where(x[:, 0] > 0, -1.5 * x[:, 0].square(), hole)

    with pytest.warns(
        SamplingWarning, match=r"rejection: the critic's score was nan or infinite for \d+ of \d+ proposals"
    ):
        samples = SAMPLERS[name](critic, **({"budget": 2.0} if name == "budgeted" else {}))
    assert (samples.x > 0).all()
    if name == "drs":
        assert p_value(samples, stats.halfnorm(0, 0.5).cdf) > 1e-3
    proposals = N / samples.info.acceptance
    assert samples.info.unscored == pytest.approx(proposals / 2, abs=4 * (proposals / 4) ** 0.5)
