r"""Rejection sampling with the critic: discriminator rejection sampling, and the best rule for a given budget.

.. math::
    \text{drs:}\quad a(x) = \sigma\bigl(F(x) - \gamma\bigr), \quad
    F = d - d_M - \log\bigl(1 - e^{d - d_M}\bigr);
    \qquad \text{budgeted:}\quad a(x) = \min\bigl(1,\, c\, e^{d(x)}\bigr)

S. Azadi et al., "Discriminator Rejection Sampling" (2019), equations 6 to 8; A. Verine et al., "Optimal Budgeted
Rejection Sampling for Generative Models" (2024), theorem 1. With gamma = 0, sigma(F) = e^(d - d_M) is plain rejection
sampling, exact where d = log p/p_g and d_M is its maximum.

The maximum, gamma and c come from a pilot run and stay: a maximum that grows while samples are drawn would accept the
early ones too easily, and make each sample depend on those before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from gancore import _check
from gancore._at_rest import at_rest
from gancore._progress import progress_bar
from gancore.errors import ConvergenceError, DomainError, NumericalError, UnknownNameError
from gancore.priors import TRUNCATION
from gancore.samplers._calibration import Method, set_scale
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._noise import PILOT_CHAINS, accept_uniforms, initial_normals, proposal_normals
from gancore.samplers._unscored import Unscored

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["rejection"]

_RULES = ("drs", "budgeted")
_PILOT = 4096
_BISECTIONS = 200


def rejection(
    generator: Network,
    critic: Network,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    truncation: float = TRUNCATION,
    rule: Literal["drs", "budgeted"] = "drs",
    percentile: float | None = 80.0,
    budget: float = 5.0,
    most_tries: int = 100_000,
    temperature: float = 1.0,
    calibrate: Any = None,
    calibration: Method = "platt",
    seed: int = 0,
    critic_kind: CriticKind = "logit",
    batch_size: int = 256,
    progress: bool = False,
) -> Samples:
    r"""Draw from the generator until the critic has accepted n samples.

    Parameters
    ----------
    generator : callable
        Codes (n, latent_dim) to samples (n, ...).
    critic : callable
        Samples to scores (n,) or (n, 1); needs no gradient.
    n : int
        How many samples to accept.
    latent_dim : int
        Coordinates of a code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Distribution of the codes.
    truncation : float
        Where a truncated normal ends.
    rule : {"drs", "budgeted"}
        Which acceptance probability.
    percentile : float or None
        For "drs": gamma is this percentile, in percent, of F over the pilot run; None for gamma = 0, which is exact
        and, in many dimensions, slow.
    budget : float
        For "budgeted": mean number of proposals a sample, at least 1; among all rules of this mean, it comes nearest
        to the target.
    most_tries : int
        Proposals a sample before giving up.
    temperature : float
        Divides the critic's score: above 1 trusts it less.
    calibrate : None, or anything :func:`~gancore.datasets.as_data` takes
        Real samples that the critic was not trained on, to calibrate its scores.
    calibration : {"platt", "isotonic", "beta"}
        Which curve `calibrate` fits: a line on the logit; any monotone one, which follows the data most closely and
        needs the most of them; or the beta family between the two.
    seed : int
        Sample i of a seed draws the same numbers whatever n and batch_size.
    critic_kind : {"logit", "probability", "hinge", "wasserstein"}
        How the critic's output reads; the last two have no scale until they are calibrated.
    batch_size : int
        How many samples are sought at a time.
    progress : bool
        Show a progress bar, if stderr is a terminal.

    Returns
    -------
    Samples
        On the generator's device. Acceptance is the share of proposals accepted.

    Raises
    ------
    DomainError, UnknownNameError, ShapeError
        If an argument is out of range, a network does not take what it is given, or calibration finds that
        the critic knows nothing.
    NumericalError
        If no sample of the pilot run has a finite score.
    ConvergenceError
        If a sample is not accepted in `most_tries`.

    Warns
    -----
    SamplingWarning
        If the critic's score of some samples is nan or infinite: they are turned down, and counted in
        `info.unscored`.

    Notes
    -----
    Cost: 4096 forward passes through both networks, then n over the acceptance.

    Examples
    --------
    With G the identity and d(x) = -3 x^2 / 2, exact rejection gives N(0, 1/4):

    >>> samples = rejection(lambda z: z, lambda x: -1.5 * x[:, 0] ** 2, 2000, latent_dim=1, percentile=None)
    >>> round(float(samples.x.std()), 1), round(samples.info.acceptance, 1)
    (0.5, 0.5)
    """
    check_request(n, latent_dim, prior, truncation, batch_size)
    if rule not in _RULES:
        raise UnknownNameError("rule", rule, _RULES)
    if percentile is not None:
        _check.number("percentile", percentile, least=0.0, below=100.0)
        if 0 < percentile < 1:
            raise DomainError(f"percentile: expected percent, got {percentile:g}; did you mean {100 * percentile:g}?")
    _check.number("budget", budget, least=1.0)
    _check.integer("most_tries", most_tries, least=1)
    _check.number("temperature", temperature, above=0.0)
    with at_rest(generator, critic):
        energy = LatentEnergy(
            generator, critic, latent_dim=latent_dim, prior=prior, truncation=truncation, critic_kind=critic_kind
        )
        energy.temperature = temperature
        fitted = set_scale(energy, calibrate, seed=seed, batch_size=batch_size, method=calibration)
        pilot = _pilot_scores(energy, seed=seed, batch_size=batch_size)
        log_acceptance = _budgeted(pilot, budget) if rule == "budgeted" else _drs(pilot, percentile)
        codes, samples, tries = [], [], 0
        unscored = Unscored("rejection")
        with progress_bar("rejection", n, shown=progress) as advance:
            for first in range(0, n, batch_size):
                many = min(batch_size, n - first)
                numbers: dict[str, Any] = {"seed": seed, "first_chain": first, "device": energy.device}
                z = x = None
                waiting = torch.arange(many, device=energy.device)
                for step in range(most_tries):
                    u = proposal_normals(many, latent_dim, step=step, **numbers)[waiting]
                    uniforms = accept_uniforms(many, step=step, **numbers)[waiting]
                    tries += len(waiting)
                    new_z, new_x = energy.decode(u)
                    scores = unscored.turned_down(energy.raw_scores(new_x), waiting + first, step)
                    accepted = uniforms.log() < log_acceptance(scores)
                    if z is None or x is None:
                        z, x = torch.empty_like(new_z), torch.empty_like(new_x)
                    rows = waiting[accepted]
                    z[rows], x[rows] = new_z[accepted], new_x[accepted]
                    waiting = waiting[~accepted]
                    advance(len(rows))
                    if len(waiting) == 0:
                        break
                if z is None or x is None or len(waiting):
                    raise ConvergenceError(
                        f"rejection: {len(waiting)} of {many} samples were not accepted in {most_tries} tries; "
                        "raise `percentile` or `temperature`, or take rule='budgeted'"
                    )
                codes.append(z)
                samples.append(x)
    unscored.tell()
    info = SamplerInfo(
        sampler="rejection",
        acceptance=n / tries,
        temperature=temperature,
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
        calibration=fitted,
        unscored=unscored.count,
    )
    return Samples(torch.cat(samples), torch.cat(codes), info)


def _pilot_scores(energy: LatentEnergy, *, seed: int, batch_size: int) -> Tensor:
    scores = []
    for start in range(0, _PILOT, batch_size):
        many = min(batch_size, _PILOT - start)
        u = initial_normals(many, energy.latent_dim, seed=seed, first_chain=PILOT_CHAINS + start, device=energy.device)
        scores.append(energy.raw_scores(energy.decode(u)[1]))
    found = torch.cat(scores)
    finite = found[found.isfinite()]
    if len(finite) == 0:
        raise NumericalError(
            f"critic: its score is not finite for any of {_PILOT} samples; look at it or the generator"
        )
    return finite


def _drs(pilot: Tensor, percentile: float | None) -> Callable[[Tensor], Tensor]:
    """Log acceptance probability; scores at or above the pilot's maximum are accepted."""
    greatest = pilot.max()

    def odds(scores: Tensor) -> Tensor:
        below = (scores - greatest).clamp(max=0.0)
        return below - (-torch.expm1(below)).log()

    if percentile is None:
        return lambda scores: (scores - greatest).clamp(max=0.0)
    # "lower": F is infinite at the maximum, and infinities do not interpolate.
    gamma = odds(pilot).quantile(percentile / 100, interpolation="lower")
    if not gamma.isfinite():
        # A critic that calls that many samples the best ones: nothing to choose among them.
        return lambda scores: torch.where(scores >= greatest, 0.0, -torch.inf)
    return lambda scores: torch.nn.functional.logsigmoid(odds(scores) - gamma)


def _budgeted(pilot: Tensor, budget: float) -> Callable[[Tensor], Tensor]:
    """Log acceptance probability whose mean over the pilot is 1 / budget."""
    low, high = -pilot.max() - torch.log(torch.tensor(budget)), -pilot.min()
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if (pilot + middle).clamp(max=0.0).exp().mean() < 1 / budget:
            low = middle
        else:
            high = middle
    return lambda scores: (scores + high).clamp(max=0.0)
