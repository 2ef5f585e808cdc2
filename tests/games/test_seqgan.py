from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gancore import systems
from gancore.datasets.text import Tokens
from gancore.errors import DivergedError, DomainError, IncompatibleChoiceError
from gancore.estimators import Reinforce
from gancore.games.seqgan import SeqGAN
from gancore.training import train
from gancore.training.state import TrainingState

SMALL = {"width": 8, "embedding": 8, "critic_samples": 32, "batch_size": 16, "n_rollouts": 2}


def tokens(*, n: int = 64, seed: int = 0) -> Tokens:
    """Each sequence counts up from where it begins, modulo six, and never says 0."""
    first = torch.randint(6, (n, 1), generator=torch.Generator().manual_seed(seed))
    return Tokens((first + torch.arange(7)) % 6 + 1, size=7)


def test_the_three_phases_come_in_their_order_and_each_moves_its_players() -> None:
    system = systems.get("seqgan")(pretrain_steps=2, critic_pretrain_rounds=3, critic_rounds=2, ends=False, **SMALL)
    run = train(system, tokens(), steps=7, log_every=1, progress=False)
    said = [sorted(entry.keys() - {"step", "seconds"}) for entry in run.history]
    assert said == [["nll"]] * 2 + [["critic"]] * 3 + [["critic", "generator", "reward"]] * 2


def test_phases_leave_the_other_player_alone() -> None:
    system = systems.get("seqgan")(pretrain_steps=1, critic_pretrain_rounds=1, ends=False, **SMALL).fitted((7, 7))
    state = TrainingState.create(system, (7, 7), seed=0, device=torch.device("cpu"), precision="float32")

    def moved() -> set[str]:
        before = {name: [p.clone() for p in net.parameters()] for name, net in state.networks.items()}
        system.game.turn(state, lambda: tokens().batch(torch.arange(16)))
        state.step += 1
        return {
            name
            for name, net in state.networks.items()
            if any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True))
        }

    assert [moved(), moved(), moved()] == [{"generator"}, {"critic"}, {"generator", "critic"}]


def test_policy_steps_begin_without_the_memory_of_likelihood() -> None:
    system = systems.get("seqgan")(pretrain_steps=5, critic_pretrain_rounds=0, critic_rounds=0, ends=False, **SMALL)
    state = TrainingState.create(system.fitted((7, 7)), (7, 7), seed=0, device=torch.device("cpu"), precision="float32")
    for _ in range(7):
        system.game.turn(state, lambda: tokens().batch(torch.arange(16)))
        state.step += 1
    assert {int(memory["step"]) for memory in state.optimizers["generator"].state.values()} == {2}


@pytest.mark.parametrize("pretrain_steps", [1, 0], ids=["likelihood", "policy"])
def test_the_generators_gradients_are_clipped(pretrain_steps: int) -> None:
    choices = {"pretrain_steps": pretrain_steps, "critic_pretrain_rounds": 0, "critic_rounds": 0, "ends": False}

    def norm(clip: float) -> float:
        system = systems.get("seqgan")(clip=clip, baseline="none", **choices, **SMALL).fitted((7, 7))
        state = TrainingState.create(system, (7, 7), seed=0, device=torch.device("cpu"), precision="float32")
        system.game.turn(state, lambda: tokens().batch(torch.arange(16)))
        return sum(float(p.grad.square().sum()) for p in state.generator.parameters()) ** 0.5

    free = norm(1e9)
    assert norm(free / 3) == pytest.approx(free / 3, rel=1e-4)


def test_as_many_rounds_and_steps_as_were_asked_for() -> None:
    game = SeqGAN(Reinforce(n_rollouts=1), 0, 0, generator_steps=2, critic_rounds=3, critic_epochs=4, critic_samples=40)
    system = replace(systems.get("seqgan")(ends=False, **SMALL).fitted((7, 7)), game=game)
    state = TrainingState.create(system, (7, 7), seed=0, device=torch.device("cpu"), precision="float32")
    drawn: list[int] = []

    def next_batch() -> torch.Tensor:
        drawn.append(16)
        return tokens().batch(torch.arange(16))

    game.turn(state, next_batch)
    steps = {
        name: {int(memory["step"]) for memory in optimizer.state.values()}
        for name, optimizer in state.optimizers.items()
    }
    assert len(drawn) == 3 * 3, "forty sequences are three batches of sixteen, drawn anew in each round"
    assert steps == {"generator": {2}, "critic": {3 * 4 * 3}}


def test_the_output_layers_penalty_is_half_its_squared_norm() -> None:
    def gradients(decay: float) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], torch.Tensor]:
        system = systems.get("seqgan")(
            pretrain_steps=0,
            critic_pretrain_rounds=1,
            output_decay=decay,
            ends=False,
            **(SMALL | {"critic_samples": 16}),
        )
        system = system.fitted((7, 7))
        state = TrainingState.create(system, (7, 7), seed=0, device=torch.device("cpu"), precision="float32")
        before = {name: p.detach().clone() for name, p in state.critic.named_parameters()}
        losses = system.game.turn(state, lambda: tokens().batch(torch.arange(16)))
        return before, {name: p.grad for name, p in state.critic.named_parameters()}, losses["critic"]

    (weights, plain, loss), (_, penalised, same_loss) = gradients(0.0), gradients(0.2)
    assert torch.equal(loss, same_loss), "what is reported is the objective's loss"
    for name, weight in weights.items():
        expected = plain[name] + (0.2 * weight if name.startswith("head.") else 0.0)
        torch.testing.assert_close(penalised[name], expected)


def test_the_published_schedule() -> None:
    system = systems.get("seqgan_published")()
    game = system.game
    assert (game.pretrain_steps, game.critic_pretrain_rounds, game.critic_rounds) == (120 * 156, 50, 5)
    assert (game.critic_samples, game.critic_epochs, game.output_decay, game.policy_lr) == (156 * 64, 3, 0.2, 1e-2)
    assert (system.generator_optimizer.lr, system.critic_optimizer.lr) == (1e-2, 1e-4)
    assert game.estimator == Reinforce(n_rollouts=16, baseline="none")
    critic = system.networks.critic((20, 5000))
    assert sum(conv.out_channels for conv in critic.convolutions) == 1720


def test_likelihood_learns_to_count_and_the_game_keeps_it() -> None:
    system = systems.get("seqgan")(
        width=24,
        embedding=8,
        pretrain_steps=100,
        critic_pretrain_rounds=1,
        ends=False,
        n_rollouts=2,
        batch_size=32,
        critic_rounds=1,
        critic_samples=64,
    )
    run = train(system, tokens(n=256), steps=105, progress=False, log_every=1)
    nll = [entry["nll"] for entry in run.history if "nll" in entry]
    # The first token is one of six, the six that follow are certain.
    floor = torch.tensor(6.0).log().item() / 7
    assert nll[0] > 1.8
    assert nll[-1] < floor + 0.05
    x = run.sample(300, seed=1).x
    counts_up = (x[:, 1:] - 1 == x[:, :-1] % 6).all(1)
    assert counts_up.float().mean() > 0.9
    assert set(x[:, 0].tolist()) >= set(range(1, 7))


def test_the_pathwise_estimator_plays_the_same_game() -> None:
    system = systems.get("seqgan")(
        estimator="gumbel_softmax", pretrain_steps=2, critic_pretrain_rounds=1, ends=False, **SMALL
    )
    run = train(system, tokens(), steps=6, log_every=1, progress=False)
    assert {"critic", "generator"} <= run.history[-1].keys()


@pytest.mark.parametrize("which", ["lr", "critic_lr"])
def test_a_player_that_explodes_is_a_run_that_diverged(which: str) -> None:
    system = systems.get("seqgan")(
        pretrain_steps=2, critic_pretrain_rounds=1, ends=False, **{which: 1e38}, **(SMALL | {"n_rollouts": 30})
    )
    with pytest.raises(DivergedError):
        train(system, tokens(), steps=8, progress=False)


def test_tokens_and_points_do_not_mix() -> None:
    with pytest.raises(IncompatibleChoiceError, match=r"game: SeqGAN makes tokens.*MLP do not"):
        replace(systems.get("gan")(), game=SeqGAN())
    with pytest.raises(IncompatibleChoiceError, match=r"game: Alternating cannot make tokens.*Sequence make them"):
        systems.get("wgan")(networks="sequence")
    with pytest.raises(IncompatibleChoiceError, match=r"mlp make points .* not shape \(7, 7\)"):
        train("gan", tokens(), steps=1, progress=False)
    with pytest.raises(IncompatibleChoiceError, match=r"sequence make tokens.* not shape \(2,\)"):
        train("seqgan", torch.randn(64, 2), steps=1, progress=False)


@pytest.mark.parametrize(
    "name", ["pretrain_steps", "critic_rounds", "generator_steps", "critic_epochs", "clip", "output_decay"]
)
def test_settings_are_checked(name: str) -> None:
    with pytest.raises(DomainError, match=name):
        SeqGAN(**{name: -1})
