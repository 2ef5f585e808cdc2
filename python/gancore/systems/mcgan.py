"""McGAN: means of features matched in the norm that a linear critic sees."""

from __future__ import annotations

from typing import Literal

from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.mean_matching import MeanMatching
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["mcgan"]


@recipe
def mcgan(
    *,
    networks: str = "dcgan",
    width: int | None = None,
    outputs: int = 16,
    norm: Literal["l1", "l2", "linf"] = "l2",
    critic_steps: int = 5,
    lr: float = 1e-4,
    beta1: float = 0.5,
    beta2: float = 0.9,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""An integral probability metric whose inner maximum is taken exactly.

    For each step: `critic_steps` times, draw a batch x and codes z and ascend
    :math:`\lVert E\,h(x) - E\,h(G(z)) \rVert_q` in the features h; then draw codes and descend it in the generator.

    Parameters
    ----------
    networks : str
        Name of a family of networks; ``mlp`` for points.
    width : int or None
        Setting of the networks; None is the family's own.
    outputs : int
        Features that the critic gives for a sample.
    norm : {"l1", "l2", "linf"}
        How the difference of means is measured.
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
    Y. Mroueh, T. Sercu and V. Goel, "McGan: Mean and Covariance Feature Matching GAN", ICML 2017. Here spectral
    normalisation holds the features, in place of clipped weights.

    Examples
    --------
    >>> mcgan(networks="mlp").objective
    MeanMatching(outputs=16, norm='l2')
    """
    optimizer = Adam(lr=lr, beta1=beta1, beta2=beta2)
    return System(
        objective=MeanMatching(outputs=outputs, norm=norm),
        networks=choose(networks, width=width, critic_norm="spectral"),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=optimizer,
        critic_optimizer=optimizer,
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=MeanMatching.reference,
    )
