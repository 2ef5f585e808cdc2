"""Generative adversarial network: the minimax game between multilayer perceptrons."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gancore import registry
from gancore.games.alternating import Alternating
from gancore.networks import choose
from gancore.objectives.minimax import Minimax
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["gan"]


@recipe
def gan(
    *,
    objective: Literal["minimax", "nonsaturating"] = "minimax",
    networks: str = "mlp",
    width: int | None = None,
    depth: int | None = None,
    critic_norm: Literal["none", "layer", "batch", "spectral"] = "none",
    critic_minibatch: Literal["none", "discrimination", "std"] | None = None,
    critic_steps: int = 1,
    lr: float = 1e-3,
    critic_lr: float | None = None,
    beta1: float = 0.5,
    latent_dim: int | None = None,
    prior: Literal["normal", "uniform", "sphere", "truncated_normal"] = "normal",
    batch_size: int = 64,
    ema: float | None = 0.999,
) -> System:
    r"""The first GAN, on points and small images.

    For each step: `critic_steps` times, draw a batch x and codes z and descend
    :math:`E\,\mathrm{sp}(-d(x)) + E\,\mathrm{sp}(d(G(z)))` in the critic; then draw codes and descend
    :math:`-E\,\mathrm{sp}(d(G(z)))` in the generator, or with ``objective="nonsaturating"``, which the paper itself
    recommends in practice, :math:`E\,\mathrm{sp}(-d(G(z)))`.

    Parameters
    ----------
    objective : {"minimax", "nonsaturating"}
        The generator's loss.
    networks : str
        Name of a family of networks.
    width, depth : int or None
        Settings of the networks; None is the family's own.
    critic_norm : {"none", "layer", "batch", "spectral"}
        Normalisation in the critic.
    critic_minibatch : {"none", "discrimination", "std"} or None
        Features of the whole batch that the critic sees, to notice a generator that repeats itself.
    critic_steps : int
        Critic steps for each generator step.
    lr, beta1 : float
        Adam's settings for both players (the paper: gradient descent with momentum).
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
    I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014.

    Examples
    --------
    >>> gan(width=64).networks
    MLP(width=64, depth=3, critic_norm='none', critic_minibatch='none')
    """
    adam = Adam(lr=lr, beta1=beta1)
    return System(
        objective=registry.get("objectives", objective)(),
        networks=choose(networks, width=width, depth=depth, critic_norm=critic_norm, critic_minibatch=critic_minibatch),
        game=Alternating(critic_steps=critic_steps),
        generator_optimizer=adam,
        critic_optimizer=adam if critic_lr is None else replace(adam, lr=critic_lr),
        latent_dim=64 if latent_dim is None else latent_dim,
        prior=prior,
        batch_size=batch_size,
        ema=ema,
        reference=Minimax.reference,
    )
