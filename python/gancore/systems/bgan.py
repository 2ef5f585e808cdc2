"""b-GAN: a critic that estimates the density ratio, and a generator that moves it towards one."""

from __future__ import annotations

from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.bregman import Bregman
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["bgan"]


@recipe
def bgan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    f: Literal["pearson", "kl"] = "pearson",
    critic_norm: Literal["none", "layer", "batch", "spectral"] = "spectral",
    critic_steps: int = 1,
    lr: float = 2e-4,
    beta1: float = 0.5,
    beta2: float = 0.999,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""Density ratio estimation and its use for generation, in turn.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`E\,[f'(r(G(z)))\,r(G(z)) - f(r(G(z)))] - E\,f'(r(x))` in the critic; then draw codes and descend
    :math:`E\,f(r(G(z)))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    f : {"pearson", "kl"}
        The convex function of the Bregman divergence.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic.
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
    M. Uehara et al., "Generative Adversarial Nets from a Density Ratio Estimation Perspective" (2016), algorithm 1.

    Examples
    --------
    >>> bgan(networks="mlp", f="kl").objective
    Bregman(f='kl')
    """
    adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=Bregman(f=f),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=Bregman.reference,
    )
