"""Least squares GAN: a critic that regresses labels instead of classifying."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.least_squares import LeastSquares
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["lsgan"]


@recipe
def lsgan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    critic_norm: Literal["none", "layer", "batch", "spectral"] = "batch",
    critic_steps: int = 1,
    lr: float = 2e-4,
    critic_lr: float | None = None,
    beta1: float = 0.5,
    beta2: float = 0.999,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The GAN whose critic is a regression, so that fakes far from the boundary still feel a pull.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`\tfrac12 E\,(d(x) - 1)^2 + \tfrac12 E\,(d(G(z)) + 1)^2` in the critic; then draw codes and descend
    :math:`\tfrac12 E\,d(G(z))^2` in the generator.

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
    lr, beta1, beta2 : float
        Adam's settings for both players.
    critic_lr : float or None
        The critic's own learning rate, for two time scales (Heusel et al. 2017); None is the generator's.
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
    X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017.

    Examples
    --------
    >>> lsgan(networks="mlp", critic_norm="none").objective
    LeastSquares(fake_label=-1.0, real_label=1.0, target=0.0)
    """
    adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=LeastSquares(),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam if critic_lr is None else replace(adam, lr=critic_lr),
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=LeastSquares.reference,
    )
