r"""Metropolis-Hastings GAN: the generator proposes, the critic accepts.

.. math::
    \alpha(x, x') = \min\bigl(1,\; e^{d(x') - d(x)}\bigr), \qquad x' = G(z'), \quad z' \sim p_0

R. Turner et al., "Metropolis-Hastings Generative Adversarial Networks" (2019), section 3. With d = log p/p_g the
chain's distribution is p. The ratio is taken of logits: D = 0 or 1 makes no 0/0.

With proposals by a Langevin step of the codes, which start where the chain is, this is REP-GAN (Y. Wang et al.,
"Reparameterized Sampling for Generative Adversarial Networks", 2021, section 3): the ratio then has the energies of the
codes and the densities of both proposals, and is that of :func:`ddls` with `metropolis`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from gancore import _check
from gancore._at_rest import at_rest
from gancore.errors import IncompatibleChoiceError, SamplingWarning, UnknownNameError
from gancore.priors import TRUNCATION
from gancore.samplers._calibration import Method, set_scale
from gancore.samplers._diagnostics import effective_sample_size, nested_r_hat, split_r_hat
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._independence import independence_chains
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._tuning import tuned_latent_step
from gancore.samplers._walk import walk
from gancore.samplers._walker import Walker

if TYPE_CHECKING:
    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["metropolis_hastings"]

_NAME = "metropolis_hastings"
_PROPOSALS = ("independence", "langevin")


def metropolis_hastings(
    generator: Network,
    critic: Network,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    truncation: float = TRUNCATION,
    steps: int = 640,
    proposal: Literal["independence", "langevin"] = "independence",
    step_size: float | Literal["auto"] = "auto",
    initial: Any = None,
    temperature: float = 1.0,
    calibrate: Any = None,
    calibration: Method = "platt",
    seed: int = 0,
    critic_kind: CriticKind = "logit",
    batch_size: int = 256,
    progress: bool = False,
) -> Samples:
    r"""Run one chain a sample, with the generator's samples as independent proposals.

    Parameters
    ----------
    generator : callable
        Codes (n, latent_dim) to samples (n, ...).
    critic : callable
        Samples to scores (n,) or (n, 1); needs no gradient.
    n : int
        How many samples: the last state of each of n chains, which start at the generator's samples.
    latent_dim : int
        Coordinates of a code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Distribution of the codes.
    truncation : float
        Where a truncated normal ends.
    steps : int
        Proposals a chain; the paper's 640 by default. The distance to the target falls as (1 - 1/M)^steps with M
        the largest density ratio.
    proposal : {"independence", "langevin"}
        "independence" proposes fresh samples of the generator (MH-GAN); "langevin" a Langevin step of the code, led by
        the critic's gradient (REP-GAN), which is accepted far more often where good samples are rare.
    step_size : float or "auto"
        For "langevin": the eta of its step, tuned as by :func:`ddls` unless given; the paper's tau is twice this.
    initial : None, or anything :func:`~gancore.datasets.as_data` takes
        For "independence": real samples that the critic was not trained on. Chain i starts at one of them, so that it
        need not find the data first. A chain that accepts nothing begins again at its sample of the generator, for
        as many steps: what is returned never is a real sample.
    temperature : float
        Divides the critic's score: above 1 trusts it less.
    calibrate : None, or anything :func:`~gancore.datasets.as_data` takes
        Real samples that the critic was not trained on, to calibrate its scores.
    calibration : {"platt", "isotonic", "beta"}
        Which curve `calibrate` fits: a line on the logit; any monotone one, which follows the data most closely and
        needs the most of them; or the beta family between the two. "langevin" needs a gradient, and
        takes "platt" alone.
    seed : int
        Chain i of a seed draws the same numbers whatever n and batch_size.
    critic_kind : {"logit", "probability", "hinge", "wasserstein"}
        How the critic's output reads; the last two have no scale until they are calibrated.
    batch_size : int
        How many chains are run at a time.
    progress : bool
        Show a progress bar, if stderr is a terminal.

    Returns
    -------
    Samples
        On the generator's device. The energies of `info` are minus the critic's score (for "langevin" those of the
        codes, which :func:`ddls` reports); R-hat and effective sample size
        are theirs over the second half of the first 512 chains.

    Raises
    ------
    DomainError, UnknownNameError, ShapeError
        If an argument is out of range, a network does not take what it is given, or calibration finds that
        the critic knows nothing.
    IncompatibleChoiceError
        If "langevin" is to start at real samples, which have no codes, or to follow a curve without gradient.
    NumericalError
        If a score is not finite at the start, or for any proposal.

    Warns
    -----
    SamplingWarning
        If most chains accept no proposal: they end where they started. If the critic's score of some proposals is nan
        or infinite: these are turned down, and counted in `info.unscored`.

    Notes
    -----
    Cost: n x (steps + 1) forward passes through both networks, and the same again for chains that begin again;
    for "langevin" gradients, plus 64 x 151 for tuning.

    Examples
    --------
    With G the identity and d(x) = w.x, the samples are N(w, I):

    >>> samples = metropolis_hastings(lambda z: z, lambda x: x[:, 0], 500, latent_dim=1, steps=50)
    >>> samples.x.mean().round().item()
    1.0
    """
    check_request(n, latent_dim, prior, truncation, batch_size)
    _check.integer("steps", steps, least=1)
    _check.number("temperature", temperature, above=0.0)
    if proposal not in _PROPOSALS:
        raise UnknownNameError("proposal", proposal, _PROPOSALS)
    if step_size != "auto":
        _check.number("step_size", step_size, above=0.0)
    if proposal == "langevin" and initial is not None:
        raise IncompatibleChoiceError("initial: a real sample has no code for proposal='langevin' to step from")
    if proposal == "langevin" and calibration != "platt":
        raise IncompatibleChoiceError(
            f"calibration: proposal='langevin' follows a gradient and takes 'platt', got {calibration!r}"
        )
    with at_rest(generator, critic):
        energy = LatentEnergy(
            generator, critic, latent_dim=latent_dim, prior=prior, truncation=truncation, critic_kind=critic_kind
        )
        energy.temperature = temperature
        fitted = set_scale(energy, calibrate, seed=seed, batch_size=batch_size, method=calibration)
        job: dict[str, Any] = {"steps": steps, "seed": seed, "batch_size": batch_size, "progress": progress}
        eta, turned_down = None, 0
        if proposal == "langevin":
            eta = tuned_latent_step(energy, seed=seed) if step_size == "auto" else step_size
            walker = Walker(energy, sampler=_NAME, step_size=eta, metropolis=True, split=False, keep=None, seed=seed)
            codes, samples, trace = walk(walker, energy, n, name=_NAME, **job)
            acceptance = walker.acceptance
            walker.tell(n, step_size=eta, chosen=step_size != "auto")
        else:
            codes, samples, trace, acceptance, stuck, unscored = independence_chains(energy, n, initial=initial, **job)
            unscored.tell()
            turned_down = unscored.count
            if 2 * stuck > n:
                warnings.warn(
                    f"{_NAME}: {stuck} of {n} chains accepted none of {steps} proposals; give `calibrate` held-out "
                    "real samples, raise `steps` or `temperature`, or take proposal='langevin'",
                    SamplingWarning,
                    stacklevel=2,
                )
    info = SamplerInfo(
        sampler=_NAME,
        acceptance=acceptance,
        energies=tuple((trace.total / n).tolist()),
        step_size=eta,
        temperature=temperature,
        effective_sample_size=effective_sample_size(trace.late_half()),
        r_hat=split_r_hat(trace.late_half()),
        nested_r_hat=nested_r_hat(trace.late_half(), trace.starts()),
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
        calibration=fitted,
        unscored=turned_down,
    )
    return Samples(samples, codes, info)
