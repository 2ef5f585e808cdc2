"""The policy gradient against exact sums over all sequences of four tokens out of three."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch

from gancore import systems
from gancore.errors import DomainError
from gancore.estimators import GumbelSoftmax, Reinforce
from gancore.estimators.reinforce import advantages, q_values, score
from gancore.training.state import TrainingState

SIZE, LENGTH, BATCH = 3, 4, 256
ALL = torch.tensor(list(product(range(SIZE), repeat=LENGTH)))


def make_state(*, ends: bool = False, batch_size: int = BATCH) -> TrainingState:
    system = systems.get("seqgan")(width=5, embedding=4, ends=ends, batch_size=batch_size).fitted((LENGTH, SIZE))
    state = TrainingState.create(system, (LENGTH, SIZE), seed=2, device=torch.device("cpu"), precision="float32")
    with torch.no_grad():
        for parameter in state.generator.parameters():
            parameter.mul_(8.0)
        state.critic.head[1].weight.mul_(8.0)  # scores that differ
    return state


def probabilities(state: TrainingState) -> torch.Tensor:
    return state.generator.log_probs(ALL).sum(1).exp()


def exact_values(state: TrainingState, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of the reward of one continuation of every prefix: (batch, length) each."""
    law, reward = probabilities(state).detach().double(), score(state.critic, ALL).sigmoid().double()
    means, variances = torch.empty(2, len(tokens), LENGTH, dtype=torch.float64)
    for b, sequence in enumerate(tokens):
        for t in range(1, LENGTH + 1):
            follows = (ALL[:, :t] == sequence[:t]).all(1)
            p = law[follows] / law[follows].sum()
            means[b, t - 1] = (p * reward[follows]).sum()
            variances[b, t - 1] = (p * reward[follows] ** 2).sum() - means[b, t - 1] ** 2
    return means, variances


@pytest.mark.parametrize("n", [1, 4, 16])
def test_values_are_unbiased_and_their_variance_falls_as_one_over_n(n: int) -> None:
    state, estimator = make_state(), Reinforce(n_rollouts=n)
    tokens, repeats = ALL[[0, 13, 44, 71]], 1000
    found = estimator.values(state, tokens.repeat(repeats, 1), ends=False).view(repeats, 4, LENGTH).double()
    mean, variance = exact_values(state, tokens)
    error = (variance / n / repeats).sqrt()
    assert ((found.mean(0) - mean).abs() <= 4 * error + 1e-6).all()
    assert torch.allclose(found[..., :-1].var(0), (variance / n)[:, :-1], rtol=0.2)
    assert variance[:, :-1].min() > 1e-5, "the test can tell"


def test_the_last_value_is_the_critics_own_score_at_rest() -> None:
    state = make_state()
    state.critic.train()
    found = Reinforce(n_rollouts=2).values(state, ALL, ends=False)
    assert state.critic.training, "as it was"
    state.critic.eval()
    assert torch.allclose(found[:, -1], state.critic(ALL).sigmoid().detach(), atol=1e-6)
    with torch.no_grad():
        state.critic.train()
        assert not torch.allclose(found[:, -1], state.critic(ALL).sigmoid(), atol=1e-3), "dropout would show"


def test_rewards_are_averaged_and_not_their_logarithms_along_the_right_axis() -> None:
    scores = torch.arange(24.0).view(3, 2, 4)  # length - 1, batch, n
    scores[0, 0] = torch.tensor([0.0, 1.0, 0.0, 1.0])
    found = q_values(scores, torch.tensor([7.0, 8.0]))
    assert found.tolist() == [[0.5, 9.5, 17.5, 7.0], [5.5, 13.5, 21.5, 8.0]]


def mean_gradient(state: TrainingState, estimator: Reinforce, repeats: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard error of minus the loss's gradient, over independent batches."""
    parameters = list(state.generator.parameters())
    rows = []
    for _ in range(repeats):
        loss = estimator.losses(state)["generator"]
        rows.append(torch.cat([-g.flatten() for g in torch.autograd.grad(loss, parameters)]).double())
    found = torch.stack(rows)
    return found.mean(0), found.std(0) / repeats**0.5


@pytest.mark.parametrize(
    "estimator",
    [Reinforce(n_rollouts=2), Reinforce(n_rollouts=2, baseline="none"), Reinforce(n_rollouts=0)],
    ids=["leave one out", "no baseline", "no roll-outs"],
)
def test_the_policy_gradient_is_that_of_the_expected_reward(estimator: Reinforce) -> None:
    state = make_state()
    reward = score(state.critic, ALL).sigmoid()
    gain = (probabilities(state) * reward).sum()
    exact = torch.cat([g.flatten() for g in torch.autograd.grad(gain, list(state.generator.parameters()))]).double()
    mean, error = mean_gradient(state, estimator, 120)
    assert ((mean - exact).abs() <= 4 * error + 1e-7).all()
    assert exact.norm() > 4 * error.norm(), "the test can tell"


def test_with_ends_the_gradient_is_right_too_and_padding_counts_nothing() -> None:
    state = make_state(ends=True)
    among = ALL.masked_fill((ALL == 0).cumsum(1) > 0, 0).unique(dim=0)
    reward = score(state.critic, among).sigmoid()
    gain = (state.generator.log_probs(among).sum(1).exp() * reward).sum()
    exact = torch.cat([g.flatten() for g in torch.autograd.grad(gain, list(state.generator.parameters()))]).double()
    mean, error = mean_gradient(state, Reinforce(n_rollouts=2), 80)
    assert ((mean - exact).abs() <= 4 * error + 1e-7).all()
    tokens = torch.tensor([[2, 0, 0, 0], [1, 2, 1, 2], [0, 0, 0, 0]])
    assert state.generator.mask(tokens).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]]
    assert (state.generator.log_probs(tokens)[0, 2:] == 0).all()
    values = Reinforce(n_rollouts=5).values(state, tokens, ends=True)
    assert torch.allclose(values[2], values[2, -1].expand(LENGTH), atol=1e-6), "a finished sequence is what it is"


def test_the_baseline_takes_off_what_all_rewards_share() -> None:
    q = torch.rand(5, 4, generator=torch.Generator().manual_seed(0))
    others = torch.stack([torch.cat((q[:b], q[b + 1 :])).mean(0) for b in range(5)])
    assert torch.allclose(advantages(q, "leave_one_out"), q - others, atol=1e-6)
    assert torch.allclose(advantages(q, "time_mean"), q - q.mean(0))
    assert torch.allclose(advantages(q + 3.0, "leave_one_out"), advantages(q, "leave_one_out"), atol=1e-5)
    assert advantages(q, "none") is q
    assert Reinforce().baseline == "leave_one_out", "centred unless asked"
    state = make_state()
    assert Reinforce(reward="constant").losses(state)["generator"].item() == 0.0
    assert Reinforce(reward="constant", baseline="none").losses(state)["generator"].item() > 0.0


def test_each_distinct_sequence_is_scored_once() -> None:
    state, read = make_state(), []
    state.critic.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    tokens = ALL[[5, 5, 9, 5, 9]]
    found = score(state.critic, tokens)
    assert torch.cat(read).tolist() == [ALL[5].tolist(), ALL[9].tolist()]
    assert found[0] == found[1] == found[3] != found[2] == found[4]
    assert not found.requires_grad


def test_the_roll_out_policy_lags() -> None:
    """A policy that always says 1, behind a generator that always says 2: roll-outs say 1 until the policy follows."""
    state, estimator = make_state(), Reinforce(n_rollouts=2, lag=0.75)

    def always(token: int) -> None:
        with torch.no_grad():
            state.generator.head.weight.zero_()
            state.generator.head.bias.copy_(50.0 * torch.nn.functional.one_hot(torch.tensor(token), SIZE))

    always(1)
    estimator.losses(state)
    always(2)
    seen: list[torch.Tensor] = []
    state.critic.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    estimator.losses(state)
    read = {tuple(row) for row in torch.cat(seen).tolist()}
    assert read == {(2, 2, 2, 2), (2, 1, 1, 1), (2, 2, 1, 1), (2, 2, 2, 1)}
    bias = state.memory["reinforce/policy/head.bias"]
    for k in range(1, 4):
        estimator.settle(state)
        assert bias.tolist() == pytest.approx([0.0, 50 * 0.75**k, 50 * (1 - 0.75**k)], rel=1e-5)
    replace(estimator, lag=0.0).settle(state)
    assert torch.equal(bias, state.generator.head.bias)


def test_controls_look_at_no_critic() -> None:
    state = make_state()
    state.critic.register_forward_pre_hook(lambda *_: pytest.fail("the critic was asked"))
    values = [Reinforce(reward=kind).values(state, ALL, ends=False) for kind in ("constant", "random")]
    assert (values[0] == 1).all()
    assert (values[1].min() >= 0, values[1].max() <= 1, values[1].std() > 0.2) == (True, True, True)


def test_rewards_are_what_their_names_say() -> None:
    state = make_state()
    logit, log_d, d = (
        Reinforce(n_rollouts=0, reward=kind).values(state, ALL, ends=False)
        for kind in ("logit", "log_probability", "probability")
    )
    assert torch.allclose(d.log(), log_d, atol=1e-5)
    assert torch.allclose(log_d - (1 - d).log(), logit, atol=1e-3)


def test_gumbel_softmax_falls_in_the_direction_of_the_exact_gradient() -> None:
    """Biased, so only its direction is asked for: the loss of the relaxed samples against the expected loss."""
    state = make_state(batch_size=256)
    loss = (probabilities(state) * torch.nn.functional.softplus(-score(state.critic, ALL))).sum()
    parameters = list(state.generator.parameters())
    exact = torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])
    found = torch.zeros_like(exact)
    for _ in range(20):
        relaxed = GumbelSoftmax(temperature=0.7).losses(state)["generator"]
        found += torch.cat([g.flatten() for g in torch.autograd.grad(relaxed, parameters)])
    assert torch.cosine_similarity(found, exact, dim=0) > 0.5
    assert all(p.grad is None and p.requires_grad for p in state.critic.parameters())


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"n_rollouts": -1}, "n_rollouts: .*at least 0"),
        ({"lag": 1.0}, "lag: .*below 1"),
        ({"reward": "d"}, "reward: expected probability, .*'d'"),
        ({"baseline": "mean"}, "baseline: expected leave_one_out, .*'mean'"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], match: str) -> None:
    with pytest.raises(DomainError, match=match):
        Reinforce(**settings)
    with pytest.raises(DomainError, match=r"temperature: .*above 0"):
        GumbelSoftmax(temperature=0.0)
