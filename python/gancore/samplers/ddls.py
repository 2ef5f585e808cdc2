r"""Discriminator-driven latent sampling: Langevin dynamics on the codes, led by the critic.

.. math::
    E(z) = -\log p_0(z) - d(G(z)), \qquad p_t(z) \propto p_0(z)\, e^{d(G(z))}

T. Che et al., "Your GAN is Secretly an Energy-based Model and You Should Use Discriminator Driven Latent
Sampling" (2020), equations 4 to 6 and algorithm 1. With d = log p/p_g, samples of p_t through G are samples
of p. Here the prior is a push-forward z = T(u) of normals and the chain walks on u: no border to clip at, and
Metropolis stays exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import torch

from gancore import _check
from gancore._at_rest import at_rest
from gancore._progress import progress_bar
from gancore.samplers._calibration import calibrate as calibrate_critic
from gancore.samplers._diagnostics import effective_sample_size, split_r_hat
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._langevin import State, metropolis_step, start, unadjusted_step
from gancore.samplers._noise import PILOT_CHAINS, initial_normals
from gancore.samplers._tuning import DualAveraging

if TYPE_CHECKING:
    import numpy.typing as npt

    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["ddls"]

_PILOT = 64
_PILOT_STEPS = 150
_UNADJUSTED_SHARE = 0.1
_TRACED = 512


def ddls(
    generator: Network,
    critic: Network,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    steps: int = 50,
    step_size: float | Literal["auto"] = "auto",
    temperature: float = 1.0,
    calibrate: Any = None,
    metropolis: bool = False,
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
    prior : {"normal", "uniform", "sphere"}
        Distribution of the codes.
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
    seed : int
        Chain i of a seed draws the same numbers whatever n and batch_size.
    critic_kind : {"logit", "probability", "wasserstein"}
        How the critic's output reads.
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
    NumericalError
        If an energy or gradient is not finite.

    Notes
    -----
    A chain that runs for long samples what the critic believes, and a critic that is right on average can still weigh
    modes wrongly: quality rises while coverage falls. Few unadjusted steps with a calibrated critic refine samples
    near where the generator put them; measure both before choosing more.

    Cost: n x (steps + 1) gradients through both networks, plus 64 x 151 for tuning.

    Examples
    --------
    With G the identity and d(x) = w.x, the samples are N(w, I):

    >>> import torch
    >>> samples = ddls(lambda z: z, lambda x: 2 * x[:, 0], 500, latent_dim=2, metropolis=True, steps=50)
    >>> samples.x.mean(dim=0).round().tolist()
    [2.0, 0.0]
    """
    check_request(n, latent_dim, prior, batch_size)
    _check.integer("steps", steps, least=1)
    _check.number("temperature", temperature, above=0.0)
    if step_size != "auto":
        _check.number("step_size", step_size, above=0.0)
    with at_rest(generator, critic):
        energy = LatentEnergy(generator, critic, latent_dim=latent_dim, prior=prior, critic_kind=critic_kind)
        energy.temperature = temperature
        calibration = {}
        if calibrate is not None:
            fitted = calibrate_critic(energy, calibrate, seed=seed, batch_size=batch_size)
            energy.slope, energy.offset = fitted.slope, fitted.offset
            calibration = fitted.to_dict()
        if step_size == "auto":
            step_size = _tuned(energy, seed) * (1.0 if metropolis else _UNADJUSTED_SHARE)
        trace = _Trace(n, steps)
        ends = []
        with progress_bar("ddls", n * steps, shown=progress) as advance:
            for first in range(0, n, batch_size):
                many = min(batch_size, n - first)
                u = initial_normals(many, latent_dim, seed=seed, first_chain=first, device=energy.device)
                state = start(energy, u, first)
                trace.record(0, state)
                for step in range(steps):
                    if metropolis:
                        state, acceptance = metropolis_step(energy, state, step_size, seed=seed, step=step)
                        trace.accepted += float(acceptance.sum())
                    else:
                        state = unadjusted_step(energy, state, step_size, seed=seed, step=step)
                    trace.record(step + 1, state)
                    advance(many)
                ends.append(energy.decode(state.u))
    codes, samples = zip(*ends, strict=True)
    info = SamplerInfo(
        sampler="ddls",
        acceptance=trace.accepted / (n * steps) if metropolis else None,
        energies=tuple((trace.total / n).tolist()),
        step_size=step_size,
        temperature=temperature,
        effective_sample_size=effective_sample_size(trace.late_half()),
        r_hat=split_r_hat(trace.late_half()),
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
        calibration=calibration,
    )
    return Samples(torch.cat(samples), torch.cat(codes), info)


def _tuned(energy: LatentEnergy, seed: int) -> float:
    """The step size at which Metropolis-adjusted pilot chains accept the optimal share."""
    u = initial_normals(_PILOT, energy.latent_dim, seed=seed, first_chain=PILOT_CHAINS, device=energy.device)
    state = start(energy, u, PILOT_CHAINS)
    tuning = DualAveraging(1.0 / energy.latent_dim ** (1 / 3))
    for step in range(_PILOT_STEPS):
        state, acceptance = metropolis_step(energy, state, tuning.step_size, seed=seed, step=step)
        tuning.update(float(acceptance.mean()))
    return tuning.average


@final
class _Trace:
    """Energies over the run: their sum over all chains, step by step, and each of the first chains by itself."""

    def __init__(self, n: int, steps: int) -> None:
        self.total = np.zeros(steps + 1)
        self.accepted = 0.0
        self._energies = np.empty((min(n, _TRACED), steps + 1))

    def record(self, step: int, state: State) -> None:
        """Keep the energies of a block of chains after a step."""
        energies = state.energy.cpu().numpy()
        self.total[step] += energies.sum()
        kept = self._energies[state.first_chain : state.first_chain + len(energies), step]
        kept[:] = energies[: len(kept)]

    def late_half(self) -> npt.NDArray[np.float64]:
        """Energies (chains, steps) after the first half of the run."""
        return self._energies[:, self._energies.shape[1] // 2 :]
