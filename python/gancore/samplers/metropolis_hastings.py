r"""Metropolis-Hastings GAN: the generator proposes, the critic accepts.

.. math::
    \alpha(x, x') = \min\bigl(1,\; e^{d(x') - d(x)}\bigr), \qquad x' = G(z'), \quad z' \sim p_0

R. Turner et al., "Metropolis-Hastings Generative Adversarial Networks" (2019), section 3. With d = log p/p_g the
chain's distribution is p. The ratio is taken of logits: D = 0 or 1 makes no 0/0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gancore import _check
from gancore._at_rest import at_rest
from gancore._progress import progress_bar
from gancore.priors import TRUNCATION
from gancore.samplers._calibration import set_scale
from gancore.samplers._diagnostics import effective_sample_size, split_r_hat
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._noise import accept_uniforms, initial_normals, proposal_normals
from gancore.samplers._trace import Trace

if TYPE_CHECKING:
    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["metropolis_hastings"]


def metropolis_hastings(
    generator: Network,
    critic: Network,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    truncation: float = TRUNCATION,
    steps: int = 640,
    temperature: float = 1.0,
    calibrate: Any = None,
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
    temperature : float
        Divides the critic's score: above 1 trusts it less.
    calibrate : None, or anything :func:`~gancore.datasets.as_data` takes
        Real samples that the critic was not trained on, to calibrate its scores.
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
        On the generator's device. The energies of `info` are minus the critic's score; R-hat and effective sample size
        are theirs over the second half of the first 512 chains.

    Raises
    ------
    DomainError, UnknownNameError, ShapeError
        If an argument is out of range, a network does not take what it is given, or calibration finds that
        the critic knows nothing.
    NumericalError
        If a score is not finite.

    Notes
    -----
    Cost: n x (steps + 1) forward passes through both networks.

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
    with at_rest(generator, critic):
        energy = LatentEnergy(
            generator, critic, latent_dim=latent_dim, prior=prior, truncation=truncation, critic_kind=critic_kind
        )
        energy.temperature = temperature
        calibration = set_scale(energy, calibrate, seed=seed, batch_size=batch_size)
        trace = Trace(n, steps)
        codes, samples = [], []
        with progress_bar("metropolis_hastings", n * steps, shown=progress) as advance:
            for first in range(0, n, batch_size):
                many = min(batch_size, n - first)
                numbers: dict[str, Any] = {"seed": seed, "first_chain": first, "device": energy.device}
                z, x = energy.decode(initial_normals(many, latent_dim, **numbers))
                score = energy.scores(x)
                trace.record(0, -score, first)
                for step in range(steps):
                    new_z, new_x = energy.decode(proposal_normals(many, latent_dim, step=step, **numbers))
                    new_score = energy.scores(new_x)
                    log_ratio = new_score - score
                    accepted = accept_uniforms(many, step=step, **numbers).log() < log_ratio
                    z = torch.where(accepted[:, None], new_z, z)
                    x = torch.where(accepted.reshape(-1, *[1] * (x.ndim - 1)), new_x, x)
                    score = torch.where(accepted, new_score, score)
                    trace.accepted += float(log_ratio.clamp(max=0.0).exp().sum())
                    trace.record(step + 1, -score, first)
                    advance(many)
                codes.append(z)
                samples.append(x)
    info = SamplerInfo(
        sampler="metropolis_hastings",
        acceptance=trace.accepted / (n * steps),
        energies=tuple((trace.total / n).tolist()),
        temperature=temperature,
        effective_sample_size=effective_sample_size(trace.late_half()),
        r_hat=split_r_hat(trace.late_half()),
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
        calibration=calibration,
    )
    return Samples(torch.cat(samples), torch.cat(codes), info)
