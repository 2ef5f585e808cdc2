"""SeqGAN: a generator of token sequences that learns from its critic by policy gradients."""

from __future__ import annotations

from typing import Literal

from gancore.estimators import GumbelSoftmax, Reinforce
from gancore.games.seqgan import SeqGAN
from gancore.networks.sequence import Sequence
from gancore.objectives.nonsaturating import Nonsaturating
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["seqgan"]


@recipe
def seqgan(
    *,
    width: int = 32,
    embedding: int = 32,
    critic_size: Literal["small", "published"] = "small",
    ends: bool = True,
    estimator: Literal["reinforce", "gumbel_softmax"] = "reinforce",
    n_rollouts: int = 16,
    reward: Literal["probability", "log_probability", "logit", "constant", "random"] = "probability",
    baseline: Literal["leave_one_out", "time_mean", "none"] = "leave_one_out",
    lag: float = 0.0,
    pretrain_steps: int = 1500,
    critic_pretrain_rounds: int = 20,
    generator_steps: int = 1,
    critic_rounds: int = 5,
    critic_epochs: int = 1,
    critic_samples: int = 640,
    lr: float = 1e-2,
    policy_lr: float = 1e-3,
    critic_lr: float = 1e-3,
    clip: float = 5.0,
    output_decay: float = 0.0,
    latent_dim: int | None = None,
    batch_size: int = 64,
) -> System:
    r"""Sequences of tokens: maximum likelihood, then policy gradients on what a convolutional critic says.

    Turns come in three phases, see :class:`~gancore.games.seqgan.SeqGAN`. The defaults are a small part of what was
    published, which is the system ``seqgan_published``.

    Parameters
    ----------
    width, embedding : int
        The generator's LSTM and its embedding.
    critic_size : {"small", "published"}
        Of the convolutional critic.
    ends : bool
        Whether token 0 ends a sequence; else it is a token like the others, and all sequences are of one length.
    estimator : {"reinforce", "gumbel_softmax"}
        How the generator learns from the critic; with the second, the next four choices mean nothing.
    n_rollouts : int
        Roll-outs of each prefix.
    reward : {"probability", "log_probability", "logit", "constant", "random"}
        What a finished sequence earns; the last two are controls.
    baseline : {"leave_one_out", "time_mean", "none"}
        What is taken off the values (the paper: nothing).
    lag : float
        How much of the roll-out policy stays at each update, in [0, 1).
    pretrain_steps, critic_pretrain_rounds : int
        Turns of the first two phases.
    generator_steps, critic_rounds, critic_epochs, critic_samples : int
        What an adversarial turn is: g-steps, d-steps, epochs on the samples of each d-step.
    lr, policy_lr, critic_lr : float
        Adam's learning rates: of likelihood, of the policy gradient, of the critic.
    clip : float
        Largest norm of the generator's gradients.
    output_decay : float
        Penalty on the critic's output layer.
    latent_dim : int or None
        One coordinate a token: the length of the data's sequences, always.
    batch_size : int
        Sequences in a batch.

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
    L. Yu, W. Zhang, J. Wang and Y. Yu, "SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient", AAAI 2017,
    algorithm 1.

    Examples
    --------
    >>> seqgan(n_rollouts=8).game.estimator
    Reinforce(n_rollouts=8, reward='probability', baseline='leave_one_out', lag=0.0)
    """
    policy = Reinforce(n_rollouts=n_rollouts, reward=reward, baseline=baseline, lag=lag)
    return System(
        objective=Nonsaturating(),
        networks=Sequence(width=width, embedding=embedding, critic_size=critic_size, ends=ends),
        game=SeqGAN(
            estimator=policy if estimator == "reinforce" else GumbelSoftmax(),
            pretrain_steps=pretrain_steps,
            critic_pretrain_rounds=critic_pretrain_rounds,
            generator_steps=generator_steps,
            critic_rounds=critic_rounds,
            critic_epochs=critic_epochs,
            critic_samples=critic_samples,
            policy_lr=policy_lr,
            clip=clip,
            output_decay=output_decay,
        ),
        generator_optimizer=Adam(lr=lr, beta1=0.9, beta2=0.999),
        critic_optimizer=Adam(lr=critic_lr, beta1=0.9, beta2=0.999),
        latent_dim=1 if latent_dim is None else latent_dim,
        batch_size=batch_size,
        ema=None,
        reference=Sequence.reference,
    )
