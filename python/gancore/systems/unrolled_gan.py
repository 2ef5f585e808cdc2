"""Unrolled GAN: a generator that foresees the critic's answers."""

from __future__ import annotations

from typing import Literal

from gancore.games.unrolled import Unrolled
from gancore.networks import choose
from gancore.objectives.nonsaturating import Nonsaturating
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["unrolled_gan"]


@recipe
def unrolled_gan(
    *,
    networks: str = "mlp",
    width: int | None = None,
    critic_norm: Literal["none", "layer", "spectral"] = "none",
    steps: int = 5,
    lr: float = 1e-3,
    critic_lr: float = 1e-4,
    beta1: float = 0.5,
    latent_dim: int = 256,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 128,
    ema: float | None = None,
) -> System:
    r"""The GAN in which covering one mode does not pay, because the critic's answer is part of the generator's loss.

    For each step: draw a batch x and codes z and descend :math:`E\,\mathrm{sp}(-d(x)) + E\,\mathrm{sp}(d(G(z)))` in the
    critic; then take `steps` further such steps as functions of the generator, and descend
    :math:`E\,\mathrm{sp}(-d_K(G(z)))` through them.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    critic_norm : {"none", "layer", "spectral"}
        Normalisation in the critic.
    steps : int
        How many critic steps the generator looks ahead.
    lr, critic_lr, beta1 : float
        Adam's settings for the generator and the critic.
    latent_dim, prior : int, str
        The latent space.
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
    L. Metz, B. Poole, D. Pfau and J. Sohl-Dickstein, "Unrolled Generative Adversarial Networks", ICLR 2017, appendix A.

    Examples
    --------
    >>> unrolled_gan(steps=10).game
    Unrolled(steps=10)
    """
    return System(
        objective=Nonsaturating(),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Unrolled(steps=steps),
        generator_optimizer=Adam(lr=lr, beta1=beta1),
        critic_optimizer=Adam(lr=critic_lr, beta1=beta1),
        latent_dim=latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=Unrolled.reference,
    )
