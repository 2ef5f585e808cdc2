"""Fisher GAN: a critic bounded in its second moment instead of its slope."""

from __future__ import annotations

from typing import Literal

from gancore.games.fisher import Fisher
from gancore.networks import choose
from gancore.objectives.wasserstein import Wasserstein
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["fisher_gan"]


@recipe
def fisher_gan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    critic_norm: Literal["none", "layer", "batch", "spectral"] = "layer",
    critic_steps: int = 2,
    rho: float = 1e-6,
    lr: float = 2e-4,
    beta1: float = 0.5,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""An integral probability metric that scales itself, with neither clipped weights nor gradient penalties.

    For each step: `critic_steps` times, draw a batch x and codes z, ascend
    :math:`E\,d(x) - E\,d(G(z)) + \lambda(1 - \Omega) - \tfrac\rho2 (1 - \Omega)^2` in the critic and move the
    multiplier; then draw codes and descend :math:`-E\,d(G(z))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic.
    critic_steps : int
        Critic steps for each generator step.
    rho : float
        Weight of the quadratic term and rate of the multiplier.
    lr, beta1 : float
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
    Y. Mroueh and T. Sercu, "Fisher GAN", NeurIPS 2017, algorithm 1.

    Examples
    --------
    >>> fisher_gan(networks="mlp").game
    Fisher(rho=1e-06, critic_steps=2)
    """
    adam = Adam(lr=lr, beta1=beta1)
    return System(
        objective=Wasserstein(),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Fisher(rho=rho, critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=Fisher.reference,
    )
