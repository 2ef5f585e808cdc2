r"""Discriminator-driven latent sampling: Langevin dynamics on the codes, led by the critic.

.. math::
    E(z) = -\log p_0(z) - d(G(z)), \qquad p_t(z) \propto p_0(z)\, e^{d(G(z))}

T. Che et al., "Your GAN is Secretly an Energy-based Model and You Should Use Discriminator Driven Latent
Sampling" (2020), equations 4 to 6 and algorithm 1. With d = log p/p_g, samples of p_t through G are samples
of p. Here the prior is a push-forward z = T(u) of normals and the chain walks on u: no border to clip at, and
Metropolis stays exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from gancore import _check
from gancore._at_rest import at_rest
from gancore.errors import DomainError, IncompatibleChoiceError, UnknownNameError
from gancore.priors import TRUNCATION
from gancore.samplers._calibration import set_scale
from gancore.samplers._diagnostics import effective_sample_size, nested_r_hat, split_r_hat
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._mlp import compiled, walk_compiled
from gancore.samplers._tuning import tuned_latent_step
from gancore.samplers._underdamped import FRICTION, kept_velocity
from gancore.samplers._walk import walk
from gancore.samplers._walker import Walker

if TYPE_CHECKING:
    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["ddls"]

_INTEGRATORS = ("euler", "split", "baoab")
_UNADJUSTED_SHARE = 0.1


def ddls(
    generator: Network,
    critic: Network,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    truncation: float = TRUNCATION,
    steps: int = 50,
    step_size: float | Literal["auto"] = "auto",
    temperature: float = 1.0,
    calibrate: Any = None,
    metropolis: bool = False,
    integrator: Literal["euler", "split", "baoab"] = "euler",
    friction: float = FRICTION,
    seed: int = 0,
    critic_kind: CriticKind = "logit",
    batch_size: int = 256,
    progress: bool = False,
) -> Samples:
    r"""Sample codes by Langevin dynamics on the critic's energy, and generate from them.

    Each step is :math:`u \leftarrow u - \eta \nabla E(u) + \sqrt{2 \eta}\, \xi` with :math:`E(u) = \lVert u
    \rVert^2 / 2 - (a\, d(G(T(u))) + b) / \tau`; the noise follows from the step size, so that the temperature
    is `temperature` and nothing else.

    Parameters
    ----------
    generator : callable
        Codes (n, latent_dim) to samples (n, ...), differentiable.
    critic : callable
        Samples to scores (n,) or (n, 1), differentiable.
    n : int
        How many samples: one from the end of each of n chains that start at the prior.
    latent_dim : int
        Coordinates of a code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Distribution of the codes.
    truncation : float
        Where a truncated normal ends.
    steps : int
        Length of each chain.
    step_size : float or "auto"
        The eta above. "auto" tunes it by dual averaging to the acceptance 0.574 of Metropolis-adjusted
        chains, in a run of 64 pilot chains over 150 steps, and freezes it; without `metropolis`, a tenth of
        that is used.
    temperature : float
        Above 1 trusts the critic less, below 1 more; the prior is left as it is.
    calibrate : None, or anything :func:`~gancore.datasets.as_data` takes
        Real samples that the critic was not trained on: its scores are calibrated on half of them, against as
        many fakes, and judged on the other half. A critic's slope is rarely 1, and a Wasserstein critic's is
        arbitrary.
    metropolis : bool
        Correct every step by acceptance, so that the step size biases nothing; at the same cost.
    integrator : {"euler", "split", "baoab"}
        "split" solves the prior's part of the step exactly, with less noise: :math:`u - \eta \nabla E(u) + \sqrt{2
        \eta (1 - \eta/2)}\, \xi`. It leaves the prior as it is where the critic is constant, at any step size up
        to 1, with or without `metropolis`. "baoab" gives the chains velocities (underdamped dynamics) and solves the
        prior's motion exactly too, in steps of time :math:`\sqrt{2 \eta}`; it has no `metropolis`.
    friction : float
        For "baoab": the rate at which velocities are forgotten, in units of the prior's; at 2 a normal prior is mixed
        fastest, and as it grows the dynamics become those of the other integrators.
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
        On the generator's device. R-hat and effective sample size are those of the energy over the second
        half of the first 512 chains; R-hat is split, and large where chains are short (see
        ``samplers/_diagnostics.py``).

    Raises
    ------
    DomainError, UnknownNameError, ShapeError
        If an argument is out of range, a network does not take what it is given, or calibration finds that
        the critic knows nothing.
    BackendError
        If the critic's score has no gradient with respect to the code.
    IncompatibleChoiceError
        If "baoab" is to be corrected by `metropolis`.
    NumericalError
        If an energy or gradient is not finite at the start, or becomes so in all chains.

    Warns
    -----
    SamplingWarning
        If an energy or gradient becomes nan or infinite in some chains, which then stop and are named in
        `info.stopped`, or if nearly all steps are rejected, or none of a given step size.

    Notes
    -----
    A chain that runs for long samples what the critic believes, and a critic that is right on average can still weigh
    modes wrongly: quality rises while coverage falls. Few unadjusted steps with a calibrated critic refine samples
    near where the generator put them; measure both before choosing more.

    Small multilayer perceptrons on the CPU walk in the compiled kernel, without a call of torch: `nn.Sequential` of
    float32 linear layers, at most 256 units wide, with ReLU, leaky ReLU, tanh, ELU or softplus between them, and
    spectral normalisation; critics that are logits, hinge or Wasserstein; any prior but the truncated normal; any
    integrator but "baoab". `info.compiled` says whether it was so. The noise is the same, and samples agree to the
    rounding of float32, which chains magnify as they go on.

    Cost: n x (steps + 1) gradients through both networks, plus 64 x 151 for tuning.

    Examples
    --------
    With G the identity and d(x) = w.x, the samples are N(w, I):

    >>> import torch
    >>> samples = ddls(lambda z: z, lambda x: 2 * x[:, 0], 500, latent_dim=2, metropolis=True, steps=50)
    >>> samples.x.mean(dim=0).round().tolist()
    [2.0, 0.0]
    """
    check_request(n, latent_dim, prior, truncation, batch_size)
    _check.integer("steps", steps, least=1)
    _check.number("temperature", temperature, above=0.0)
    if step_size != "auto":
        _check.number("step_size", step_size, above=0.0)
    if integrator not in _INTEGRATORS:
        raise UnknownNameError("integrator", integrator, _INTEGRATORS)
    if integrator == "baoab" and metropolis:
        raise IncompatibleChoiceError("metropolis: integrator='baoab' has no such correction; take 'euler' or 'split'")
    _check.number("friction", friction, above=0.0)
    split = integrator != "euler"
    if integrator == "split" and step_size != "auto" and step_size > 1:
        raise DomainError(f"step_size: expected at most 1 with integrator='split', got {step_size}")
    with at_rest(generator, critic):
        energy = LatentEnergy(
            generator, critic, latent_dim=latent_dim, prior=prior, truncation=truncation, critic_kind=critic_kind
        )
        energy.temperature = temperature
        calibration = set_scale(energy, calibrate, seed=seed, batch_size=batch_size)
        if step_size == "auto":
            eta = tuned_latent_step(energy, seed=seed, split=split) * (1.0 if metropolis else _UNADJUSTED_SHARE)
        else:
            eta = step_size
        keep = kept_velocity(eta, friction) if integrator == "baoab" else None
        walker = Walker(energy, sampler="ddls", step_size=eta, metropolis=metropolis, split=split, keep=keep, seed=seed)
        course: dict[str, Any] = {
            "name": "ddls",
            "steps": steps,
            "seed": seed,
            "batch_size": batch_size,
            "progress": progress,
        }
        pair = compiled(energy, generator, critic, integrator=integrator)
        if pair is None:
            codes, samples, trace = walk(walker, energy, n, **course)
        else:
            codes, samples, trace = walk_compiled(pair, walker, energy, n, **course)
    walker.tell(n, step_size=eta, chosen=step_size != "auto")
    info = SamplerInfo(
        sampler="ddls",
        acceptance=walker.acceptance,
        energies=tuple((trace.total / n).tolist()),
        step_size=eta,
        temperature=temperature,
        effective_sample_size=effective_sample_size(trace.late_half()),
        r_hat=split_r_hat(trace.late_half()),
        nested_r_hat=nested_r_hat(trace.late_half(), trace.starts()),
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
        calibration=calibration,
        stopped=walker.stops.steps,
        compiled=pair is not None,
    )
    return Samples(samples, codes, info)
