"""R3GAN: relativistic pairing with a critic that is flat on data and on fakes."""

from __future__ import annotations

from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.relativistic import Relativistic
from gancore.regularizers.r1 import R1
from gancore.regularizers.r2 import R2
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["r3gan"]

_REFERENCE = """\
@inproceedings{huang2024gan,
  title     = {The {GAN} is dead; long live the {GAN}! {A} Modern Baseline {GAN}},
  author    = {Huang, Yiwen and Gokaslan, Aaron and Kuleshov, Volodymyr and Tompkin, James},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {37},
  year      = {2024}
}"""


@recipe
def r3gan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    gamma: float = 1.0,
    critic_norm: Literal["none", "layer", "spectral"] = "none",
    critic_steps: int = 1,
    lr: float = 2e-4,
    beta1: float = 0.0,
    beta2: float = 0.99,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""A game without minima that leave modes out, and without circling: the modern baseline.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`E\,\mathrm{sp}(d(G(z)) - d(x))
    + \tfrac\gamma2 E\lVert\nabla d(x)\rVert^2 + \tfrac\gamma2 E\lVert\nabla d(G(z))\rVert^2` in the critic; then draw
    codes and descend :math:`E\,\mathrm{sp}(d(x) - d(G(z)))` in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    gamma : float
        Weight of both penalties; it scales with the squared size of the data (the paper: 0.05 to 150, falling along
        training).
    critic_norm : {"none", "layer", "spectral"}
        Normalisation in the critic (the paper: none).
    critic_steps : int
        Critic steps for each generator step.
    lr, beta1, beta2 : float
        Adam's settings for both players (the paper: beta1 0, beta2 annealed from 0.9 to 0.99).
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
    Y. Huang, A. Gokaslan, V. Kuleshov and J. Tompkin, "The GAN is dead; long live the GAN! A Modern Baseline GAN",
    NeurIPS 2024, section 2.

    Examples
    --------
    >>> r3gan(networks="mlp", gamma=0.1).regularizers
    (R1(weight=0.1), R2(weight=0.1))
    """
    adam = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=Relativistic(),
        regularizers=(R1(weight=gamma), R2(weight=gamma)),
        networks=choose(networks, width=width, critic_norm=critic_norm),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=_REFERENCE,
    )
