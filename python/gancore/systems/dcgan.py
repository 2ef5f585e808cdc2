"""Deep convolutional GAN: the non-saturating game between strided convolutional networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks.dcgan import DCGAN
from gancore.objectives.nonsaturating import Nonsaturating
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["dcgan"]


@recipe
def dcgan(
    *,
    width: int = 32,
    extra_layers: int = 2,
    critic_norm: Literal["none", "layer", "batch", "spectral"] = "batch",
    critic_minibatch: Literal["none", "discrimination", "std"] = "none",
    critic_steps: int = 1,
    lr: float = 2e-4,
    critic_lr: float | None = None,
    beta1: float = 0.5,
    latent_dim: int = 64,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The first GAN that trained reliably on images.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`E\,\mathrm{sp}(-d(x)) + E\,\mathrm{sp}(d(G(z)))` in the critic; then draw codes and descend
    :math:`E\,\mathrm{sp}(-d(G(z)))` in the generator.

    Parameters
    ----------
    width, extra_layers : int
        Channels, and further convolutions, near the image: see :class:`~gancore.networks.dcgan.DCGAN` (the paper:
        128 and none, on 64x64 images).
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic.
    critic_minibatch : {"none", "discrimination", "std"}
        Features of the whole batch that the critic sees, to notice a generator that repeats itself.
    critic_steps : int
        Critic steps for each generator step.
    lr, beta1 : float
        Adam's settings for both players.
    critic_lr : float or None
        The critic's own learning rate, for two time scales (Heusel et al. 2017); None is the generator's.
    latent_dim, prior : int, str
        The latent space (the paper: 100, uniform).
    batch_size : int
        Samples in a batch (the paper: 128).
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
    A. Radford, L. Metz and S. Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks", ICLR 2016.

    Examples
    --------
    >>> dcgan().objective
    Nonsaturating()
    """
    adam = Adam(lr=lr, beta1=beta1)
    return System(
        objective=Nonsaturating(),
        networks=DCGAN(
            width=width, extra_layers=extra_layers, critic_norm=critic_norm, critic_minibatch=critic_minibatch
        ),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam if critic_lr is None else replace(adam, lr=critic_lr),
        latent_dim=latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=DCGAN.reference,
    )
