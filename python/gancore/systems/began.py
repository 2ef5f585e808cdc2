"""BEGAN: an autoencoder as critic, and a balance between the players."""

from __future__ import annotations

from typing import Literal

from gancore.games.equilibrium import Equilibrium
from gancore.networks.autoencoder import Autoencoder
from gancore.objectives.wasserstein import Wasserstein
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["began"]


@recipe
def began(
    *,
    width: int = 128,
    depth: int = 2,
    code: int = 16,
    gamma: float = 0.5,
    rate: float = 1e-3,
    lr: float = 2e-4,
    beta1: float = 0.5,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The GAN that matches the reconstruction errors of real samples and fakes, and tells how far it has come.

    For each step: draw a batch x and codes z and descend :math:`\mathcal L(x) - k\,\mathcal L(G(z))` in the critic,
    with the reconstruction error :math:`\mathcal L`; then draw codes and descend :math:`\mathcal L(G(z))` in the
    generator; then move k by :math:`\lambda(\gamma \mathcal L(x) - \mathcal L(G(z)))`.

    Parameters
    ----------
    width, depth, code : int
        Of the networks: see :class:`~gancore.networks.autoencoder.Autoencoder`.
    gamma : float
        Error on fakes over that on real samples at the equilibrium: more for more diverse, less for cleaner samples.
    rate : float
        How fast the balance moves.
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
    D. Berthelot, T. Schumm and L. Metz, "BEGAN: Boundary Equilibrium Generative Adversarial Networks" (2017).

    Examples
    --------
    >>> began(gamma=0.7).game
    Equilibrium(gamma=0.7, rate=0.001)
    """
    adam = Adam(lr=lr, beta1=beta1)
    return System(
        objective=Wasserstein(),
        networks=Autoencoder(width=width, depth=depth, code=code),
        game=Equilibrium(gamma=gamma, rate=rate),
        generator_optimizer=adam,
        critic_optimizer=adam,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=Equilibrium.reference,
    )
