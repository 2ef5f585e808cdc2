"""Spectrally normalised GAN: the hinge game with a critic of bounded slope."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.hinge import Hinge
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["sngan"]

_REFERENCE = """\
@inproceedings{miyato2018spectral,
  title     = {Spectral Normalization for Generative Adversarial Networks},
  author    = {Miyato, Takeru and Kataoka, Toshiki and Koyama, Masanori and Yoshida, Yuichi},
  booktitle = {International Conference on Learning Representations},
  year      = {2018}
}"""


@recipe
def sngan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    critic_steps: int = 5,
    lr: float = 2e-4,
    critic_lr: float | None = None,
    beta1: float = 0.0,
    beta2: float = 0.9,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The GAN whose critic is held Lipschitz by dividing each weight by its largest singular value.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`E\,[1 - d(x)]_+ + E\,[1 + d(G(z))]_+` in the critic; then draw codes and descend
    :math:`-E\,d(G(z))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    critic_steps : int
        Critic steps for each generator step.
    lr, beta1, beta2 : float
        Adam's settings for both players (the paper: as here).
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
    T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, "Spectral Normalization for Generative Adversarial Networks",
    ICLR 2018.

    Examples
    --------
    >>> sngan(networks="mlp").networks
    MLP(width=128, depth=3, critic_norm='spectral', critic_minibatch='none')
    """
    adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=Hinge(),
        networks=choose(networks, width=width, critic_norm="spectral"),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam if critic_lr is None else replace(adam, lr=critic_lr),
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=_REFERENCE,
    )
