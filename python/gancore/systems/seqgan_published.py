"""SeqGAN by the schedule that its authors published for the oracle's 10,000 sequences."""

from __future__ import annotations

from typing import Literal

from gancore.estimators import Reinforce
from gancore.games.seqgan import SeqGAN
from gancore.networks.sequence import Sequence
from gancore.objectives.nonsaturating import Nonsaturating
from gancore.systems._interface import System
from gancore.systems._recipe import recipe
from gancore.training.optimizers import Adam

__all__ = ["seqgan_published"]


@recipe
def seqgan_published(
    *,
    width: int = 32,
    ends: bool = False,
    reward: Literal["probability", "log_probability", "logit", "constant", "random"] = "probability",
    baseline: Literal["leave_one_out", "time_mean", "none"] = "none",
    latent_dim: int | None = None,
    batch_size: int = 64,
) -> System:
    r"""The published SeqGAN: 120 epochs of likelihood, 50 rounds of a large critic, then 200 turns of the game.

    Give ``steps=18970``: 18,720 steps of likelihood, 50 rounds of the critic (9,984 real sequences and as many fakes,
    three times) and 200 turns of one policy step and five such rounds. On one core that takes about two days, nearly
    all of it the critic's training; on sequences of another number, the epochs are others.

    Parameters
    ----------
    width : int
        Of the generator's LSTM and of its embedding.
    ends : bool
        Whether token 0 ends a sequence; the oracle's do not end.
    reward : {"probability", "log_probability", "logit", "constant", "random"}
        What a finished sequence earns; the last two are controls.
    baseline : {"leave_one_out", "time_mean", "none"}
        What is taken off the values: nothing, as published.
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

    Notes
    -----
    The published code lets the roll-out policy lag by 0.8, but evaluates a graph that was built before the update, so
    that the generator itself rolls out; so it does here. Its critic reads 64 sequences a step, real and fake mixed;
    here it reads `batch_size` of each.

    References
    ----------
    L. Yu, W. Zhang, J. Wang and Y. Yu, "SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient", AAAI 2017,
    section 4 and the authors' code.

    Examples
    --------
    >>> system = seqgan_published()
    >>> system.game.output_decay, system.game.pretrain_steps + system.game.critic_pretrain_rounds + 200
    (0.2, 18970)
    """
    return System(
        objective=Nonsaturating(),
        networks=Sequence(width=width, embedding=width, critic_size="published", ends=ends),
        game=SeqGAN(
            estimator=Reinforce(n_rollouts=16, reward=reward, baseline=baseline),
            pretrain_steps=18_720,
            critic_pretrain_rounds=50,
            critic_rounds=5,
            critic_epochs=3,
            critic_samples=9_984,
            policy_lr=1e-2,
            output_decay=0.2,
        ),
        generator_optimizer=Adam(lr=1e-2, beta1=0.9, beta2=0.999),
        critic_optimizer=Adam(lr=1e-4, beta1=0.9, beta2=0.999),
        latent_dim=1 if latent_dim is None else latent_dim,
        batch_size=batch_size,
        ema=None,
        reference=Sequence.reference,
    )
