"""Wasserstein GAN: the critic estimates W1, held Lipschitz by clipping its weights."""

from __future__ import annotations

from typing import Literal

from gancore.games.alternating import Alternating
from gancore.games.head_start import HeadStart
from gancore.networks import choose
from gancore.objectives.wasserstein import Wasserstein
from gancore.regularizers.weight_clip import WeightClip
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import RMSProp

__all__ = ["wgan"]


@recipe
def wgan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    critic_norm: Literal["none", "layer", "batch"] | None = None,
    critic_steps: int = 5,
    clip: float = 0.01,
    clip_final: float | None = None,
    clip_anneal_steps: int = 0,
    head_start: int = 0,
    weight_decay: float = 0.0,
    lr: float = 5e-5,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The GAN whose critic's loss means something: minus it estimates, up to a factor, the distance W1.

    For each step: `critic_steps` times, draw a batch x and codes z, descend :math:`-E\,d(x) + E\,d(G(z))` in the
    critic and clip its weights to [-c, c]; then draw codes and descend :math:`-E\,d(G(z))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width, critic_norm : int, {"none", "layer", "batch"} or None
        Settings of the networks; None is the family's own.
    critic_steps : int
        Critic steps for each generator step.
    clip : float
        The bound c of each weight of the critic.
    clip_final, clip_anneal_steps : float or None, int
        Where the bound goes, and in how many generator steps; None and 0 keep it.
    head_start : int
        Turns at the beginning with 100 critic steps (the authors' code: 25).
    weight_decay : float
        Multiple of the critic's parameters added to their gradient.
    lr : float
        RMSProp's learning rate for both players.
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
    DomainError
        For a setting out of range.

    References
    ----------
    M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017, algorithm 1.

    Examples
    --------
    >>> wgan(clip=0.1).regularizers
    (WeightClip(limit=0.1, final=None, anneal_steps=0),)
    """
    alternating = Alternating(critic_steps=critic_steps)
    return System(
        objective=Wasserstein(),
        regularizers=(WeightClip(limit=clip, final=clip_final, anneal_steps=clip_anneal_steps),),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=HeadStart(critic_steps=critic_steps, turns=head_start) if head_start else alternating,
        generator_optimizer=RMSProp(lr=lr),
        critic_optimizer=RMSProp(lr=lr, weight_decay=weight_decay),
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=Wasserstein.reference,
    )
