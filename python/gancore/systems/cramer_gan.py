"""Cramer GAN: the energy distance of features that the critic learns."""

from __future__ import annotations

from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.energy_distance import EnergyDistance
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["cramer_gan"]


@recipe
def cramer_gan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    outputs: int = 16,
    critic_steps: int = 5,
    lr: float = 1e-4,
    beta1: float = 0.5,
    beta2: float = 0.9,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""A distance with the good properties of the Wasserstein distance and unbiased gradients from batches.

    For each step: `critic_steps` times, draw a batch x and codes z and ascend
    :math:`\mathcal{E}(h(x), h(G(z)))` in the features h; then draw codes and descend it in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    outputs : int
        Features that the critic gives for a sample.
    critic_steps : int
        Critic steps for each generator step.
    lr, beta1, beta2 : float
        Adam's settings for both players.
    latent_dim, prior : int or None, str
        The latent space; None stands for 64 dimensions, for points as many as they have.
    batch_size : int
        Samples in a batch.
    ema : float or None
        Decay of the averaged networks, None for none.

    Returns
    -------
    System

    Raises
    ------
    ConfigError
        For an unknown choice or one of the wrong type.
    DomainError
        For a setting out of range.

    References
    ----------
    M. G. Bellemare et al., "The Cramer Distance as a Solution to Biased Wasserstein Gradients" (2017), algorithm 1.
    Here spectral normalisation holds the features, in place of a gradient penalty.

    Examples
    --------
    >>> cramer_gan(networks="mlp").objective
    EnergyDistance(outputs=16)
    """
    optimizer = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=EnergyDistance(outputs=outputs),
        networks=choose(networks, width=width, critic_norm="spectral"),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=optimizer,
        critic_optimizer=optimizer,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=EnergyDistance.reference,
    )
