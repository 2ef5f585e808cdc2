"""f-GAN: any f-divergence, by the critic that its variational bound asks for."""

from __future__ import annotations

from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.f_divergence import FDivergence
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["fgan"]


@recipe
def fgan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    f: Literal[
        "kl", "reverse_kl", "pearson", "neyman", "squared_hellinger", "jensen_shannon", "gan", "total_variation"
    ] = "jensen_shannon",
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
    r"""The family that the minimax GAN belongs to, with the divergence as a choice.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`-E\,T(x) + E\,f^*(T(G(z)))` in the critic, T = g_f(d); then draw codes and descend
    :math:`-E\,f^*(T(G(z)))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    f : str
        The divergence, a name in :data:`gancore.kernels.divergence.F_DIVERGENCES`.
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
    S. Nowozin, B. Cseke and R. Tomioka, "f-GAN: Training Generative Neural Samplers using Variational Divergence
    Minimization", NeurIPS 2016, algorithm 1.

    Examples
    --------
    >>> fgan(networks="mlp", f="kl").objective
    FDivergence(name='kl')
    """
    adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=FDivergence(f),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=FDivergence.reference,
    )
