"""Samples as the generator gives them: x = G(z), z from the prior.

The codes are those that other samplers start their chains from, so that what a sampler changes can be seen
pair by pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore._at_rest import at_rest
from gancore._progress import progress_bar
from gancore.priors import TRUNCATION
from gancore.samplers._energy import LatentEnergy, check_request
from gancore.samplers._interface import SamplerInfo, Samples
from gancore.samplers._noise import initial_normals

if TYPE_CHECKING:
    from gancore.objectives._interface import CriticKind
    from gancore.samplers._interface import Network

__all__ = ["plain"]


def plain(
    generator: Network,
    critic: Network | None,
    n: int,
    *,
    latent_dim: int,
    prior: str = "normal",
    truncation: float = TRUNCATION,
    seed: int = 0,
    critic_kind: CriticKind = "logit",
    batch_size: int = 256,
    progress: bool = False,
) -> Samples:
    """Draw samples from a generator as it is.

    Parameters
    ----------
    generator : callable
        Codes (n, latent_dim) to samples (n, ...).
    critic : callable or None
        If given, the mean energy of the samples is reported, for comparison with samplers that lower it.
    n : int
        How many samples.
    latent_dim : int
        Coordinates of a code.
    prior : {"normal", "uniform", "sphere", "truncated_normal"}
        Distribution of the codes.
    truncation : float
        Where a truncated normal ends.
    seed : int
        Sample i of a seed is the same whatever n and batch_size.
    critic_kind : {"logit", "probability", "hinge", "wasserstein"}
        How the critic's output reads; the last two have no scale until they are calibrated.
    batch_size : int
        How many samples to compute at a time.
    progress : bool
        Show a progress bar, if stderr is a terminal.

    Returns
    -------
    Samples
        On the generator's device.

    Raises
    ------
    DomainError, UnknownNameError, ShapeError
        If an argument is out of range, or a network does not take what it is given.

    Examples
    --------
    >>> import torch
    >>> samples = plain(torch.nn.Linear(2, 3), None, 5, latent_dim=2)
    >>> samples.x.shape, samples.z.shape
    (torch.Size([5, 3]), torch.Size([5, 2]))
    """
    check_request(n, latent_dim, prior, truncation, batch_size)
    codes, samples, total = [], [], 0.0
    with at_rest(generator, critic), progress_bar("plain", n, shown=progress) as advance:
        energy = LatentEnergy(
            generator, critic, latent_dim=latent_dim, prior=prior, truncation=truncation, critic_kind=critic_kind
        )
        for first in range(0, n, batch_size):
            many = min(batch_size, n - first)
            u = initial_normals(many, latent_dim, seed=seed, first_chain=first, device=energy.device)
            z, x = energy.decode(u)
            codes.append(z)
            samples.append(x)
            if critic is not None:
                total += float(energy.of_samples(u, x).sum())
            advance(many)
    info = SamplerInfo(
        sampler="plain",
        energies=() if critic is None else (total / n,),
        critic_calls=energy.calls.critic,
        generator_calls=energy.calls.generator,
    )
    return Samples(torch.cat(samples), torch.cat(codes), info)
