"""Wasserstein GAN with a gradient penalty on the critic."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.wasserstein import Wasserstein
from gancore.regularizers.gradient_penalty import GradientPenalty
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["wgan_gp"]


@recipe
def wgan_gp(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    critic_norm: Literal["none", "layer", "batch", "spectral"] = "none",
    critic_steps: int = 5,
    penalty: float = 10.0,
    one_sided: bool = False,
    lr: float = 1e-4,
    critic_lr: float | None = None,
    beta1: float = 0.0,
    beta2: float = 0.9,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The Wasserstein GAN whose critic is held Lipschitz by its gradient, not by the size of its weights.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`-E\,d(x) + E\,d(G(z)) + \lambda\,E(\lVert\nabla d(\hat x)\rVert - 1)^2` in the critic, with
    :math:`\hat x` at random between x and G(z); then draw codes and descend :math:`-E\,d(G(z))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    critic_norm : {"none", "layer", "spectral"}
        Normalisation in the critic; the penalty excludes "batch".
    critic_steps : int
        Critic steps for each generator step.
    penalty : float
        The weight lambda; 0.1 serves points better.
    one_sided : bool
        Penalise only gradients steeper than one.
    lr, beta1, beta2 : float
        Adam's settings for both players.
    critic_lr : float or None
        The critic's own learning rate, for two time scales (Heusel et al. 2017); None is the generator's.
    latent_dim, prior : int or None, str
        The latent space; None stands for 64 dimensions, for points as many as they have.
    batch_size : int
        Samples in a batch.
    ema : float or None
        Decay of the averaged networks, None for none (the paper: none).

    Returns
    -------
    System

    Raises
    ------
    ConfigError
        For an unknown choice or one of the wrong type.
    IncompatibleChoiceError
        For batch normalisation in the critic.
    DomainError
        For a setting out of range.

    References
    ----------
    I. Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, algorithm 1.

    Examples
    --------
    >>> wgan_gp(networks="mlp", penalty=0.1).regularizers
    (GradientPenalty(weight=0.1, target=1.0, one_sided=False),)
    """
    adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=Wasserstein(),
        regularizers=(GradientPenalty(weight=penalty, one_sided=one_sided),),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam if critic_lr is None else replace(adam, lr=critic_lr),
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=GradientPenalty.reference,
    )
