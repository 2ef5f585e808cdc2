"""The recurrent generator against the sum over all sequences, and the critic that reads what it writes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit

from gancore.errors import DomainError, IncompatibleChoiceError
from gancore.kernels.rollout import token_table_conv
from gancore.networks import _text_cnn
from gancore.networks._lstm import LSTMGenerator, draw
from gancore.networks._rollout import rollout
from gancore.networks.sequence import Sequence

SIZE, LENGTH = 3, 4
ALL = torch.tensor(list(product(range(SIZE), repeat=LENGTH)))


def generator(*, ends: bool = False, size: int = SIZE, length: int = LENGTH, scale: float = 8.0) -> LSTMGenerator:
    torch.manual_seed(3)
    made = LSTMGenerator(size, length, embedding=4, width=5, ends=ends)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(scale)
    return made


def distinct(*, ends: bool) -> torch.Tensor:
    if not ends:
        return ALL
    over = (ALL == 0).cumsum(1) > 0
    return ALL.masked_fill(over, 0).unique(dim=0)


def counts(samples: torch.Tensor, among: torch.Tensor) -> np.ndarray:
    keys = SIZE ** torch.arange(samples.shape[1])
    return np.array([(samples @ keys == key).sum().item() for key in (among @ keys).tolist()])


def by_hand(made: LSTMGenerator, tokens: list[int]) -> list[float]:
    """Log-probabilities by NumPy, one gate at a time, token 0 fed first."""
    w = {name: value.detach().double().numpy() for name, value in made.state_dict().items()}
    h = c = np.zeros(5)
    found = []
    for fed, chosen in zip([0, *tokens], tokens, strict=False):
        gates = w["cell.weight_ih_l0"] @ w["embedding.weight"][fed] + w["cell.bias_ih_l0"]
        gates = gates + w["cell.weight_hh_l0"] @ h + w["cell.bias_hh_l0"]
        i, f, g, o = np.split(gates, 4)
        c = expit(f) * c + expit(i) * np.tanh(g)
        h = expit(o) * np.tanh(c)
        logits = w["head.weight"] @ h + w["head.bias"]
        found.append(logits[chosen] - np.log(np.exp(logits).sum()))
    return found


def test_likelihoods_are_those_of_an_lstm_that_is_fed_the_start_token() -> None:
    made = generator()
    found = made.log_probs(ALL).detach()
    for row in (0, 7, 42, 80):
        assert found[row].tolist() == pytest.approx(by_hand(made, ALL[row].tolist()), abs=1e-5)


@pytest.mark.parametrize("ends", [False, True])
def test_probabilities_of_all_sequences_add_up_to_one(ends: bool) -> None:
    made = generator(ends=ends)
    assert made.log_probs(distinct(ends=ends)).sum(1).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("ends", [False, True])
def test_samples_follow_the_likelihood(ends: bool) -> None:
    made, among = generator(ends=ends), distinct(ends=ends)
    n = 20_000
    samples = made(torch.randn(n, LENGTH, generator=torch.Generator().manual_seed(0)))
    expected = made.log_probs(among).sum(1).exp().double().detach().numpy()
    found = counts(samples, among)
    assert found.sum() == n, "padding follows every end"
    assert stats.chisquare(found, n * expected / expected.sum()).pvalue > 1e-4


def test_draws_are_inverse_distribution_functions_and_reach_the_tails() -> None:
    logits = torch.tensor([[0.0, -float("inf"), 0.0, -30.0]]).repeat(6, 1)
    uniforms = torch.tensor([0.0, 0.499999, 0.500001, 1 - 1e-12, 1 - 1e-16, 1.0], dtype=torch.float64)
    assert draw(logits, uniforms).tolist() == [0, 0, 2, 2, 3, 3]


@pytest.mark.parametrize("ends", [False, True])
def test_roll_outs_keep_their_prefix_and_follow_the_law_of_what_comes_after(ends: bool) -> None:
    made, n = generator(ends=ends), 4000
    tokens = torch.tensor([[1, 2, 0, 2], [2, 1, 1, 0]])
    if ends:
        tokens[0, 3] = 0
    found = rollout(made.state_dict(), tokens, n, ends=ends, random=torch.Generator().manual_seed(1))
    assert found.shape == (LENGTH - 1, 2, n, LENGTH)
    among = distinct(ends=ends)
    law = made.log_probs(among).sum(1).exp().double().detach()
    for t in range(1, LENGTH):
        for b in range(2):
            assert (found[t - 1, b, :, :t] == tokens[b, :t]).all()
            follows = (among[:, :t] == tokens[b, :t]).all(1)
            expected = (law[follows] / law[follows].sum()).numpy()
            seen = counts(found[t - 1, b], among[follows])
            assert seen.sum() == n
            if follows.sum() > 1:
                assert stats.chisquare(seen, n * expected).pvalue > 1e-4


def test_relaxed_choices_are_the_generators_and_carry_gradients() -> None:
    made = generator()
    n = 20_000
    noise = torch.rand(n, LENGTH, SIZE, generator=torch.Generator().manual_seed(0))
    hard = made.relaxed(noise, temperature=0.5, hard=True)
    assert torch.allclose(hard.sum(-1), torch.ones(n, LENGTH))
    assert hard.detach().amax(-1).min() > 0.999
    expected = made.log_probs(ALL).sum(1).exp().double().detach().numpy()
    found = counts(hard.detach().argmax(-1), ALL)
    assert stats.chisquare(found, n * expected / expected.sum()).pvalue > 1e-4
    hard.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in made.parameters())
    soft = made.relaxed(noise[:4], temperature=2.0, hard=False)
    assert soft.detach().amax(-1).max() < 0.999
    ended = generator(ends=True).relaxed(noise[:500], temperature=0.5, hard=True).detach().argmax(-1)
    assert {tuple(row) for row in ended.tolist()} <= {tuple(row) for row in distinct(ends=True).tolist()}


@pytest.mark.parametrize("critic_size", ["small", "published"])
def test_the_critic_reads_tokens_and_their_one_hot_vectors_alike(critic_size: str) -> None:
    torch.manual_seed(0)
    critic = Sequence(critic_size=critic_size).critic((20, 9)).eval()
    tokens = torch.randint(9, (6, 20))
    one_hot = torch.nn.functional.one_hot(tokens, 9).float()
    assert torch.allclose(critic(tokens), critic(one_hot), atol=1e-5)
    features = sum(conv.out_channels for conv in critic.convolutions)
    assert features == {"small": 128, "published": 1720}[critic_size]
    assert critic(tokens).shape == (6,)


def test_the_critic_is_that_of_the_paper() -> None:
    """Two matrices in the highway layer, one for each role, by NumPy in float64."""
    torch.manual_seed(0)
    critic = Sequence().critic((6, 9)).eval()
    w = {name: value.detach().double().numpy() for name, value in critic.named_parameters()}
    tokens = torch.randint(9, (4, 6))
    for row, judged in zip(tokens.numpy(), critic(tokens).tolist(), strict=True):
        embedded, features = w["embedding.weight"][row], []
        for k, width in enumerate((2, 3, 4, 5)):
            windows = np.stack([embedded[i : i + width].T for i in range(6 - width + 1)])
            sums = np.einsum("new,few->nf", windows, w[f"convolutions.{k}.weight"]) + w[f"convolutions.{k}.bias"]
            features.append(np.maximum(sums, 0).max(0))
        f = np.concatenate(features)
        gate = expit(w["gate.weight"] @ f + w["gate.bias"])
        mixed = gate * np.maximum(w["transform.weight"] @ f + w["transform.bias"], 0) + (1 - gate) * f
        assert judged == pytest.approx((w["head.1.weight"] @ mixed + w["head.1.bias"]).item(), abs=1e-5)


def test_a_quarter_of_the_features_is_dropped_in_training() -> None:
    """The published 0.75 is what is kept."""
    critic = Sequence().critic((6, 9)).train()
    torch.manual_seed(0)
    dropped = critic.head[0](torch.ones(20_000)) == 0
    assert dropped.float().mean().item() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(("critic_size", "rows"), [("small", 200), ("small", 3), ("published", 60)])
def test_without_gradients_the_critic_says_the_same(
    critic_size: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    critic = Sequence(critic_size=critic_size).critic((20, 9)).eval()
    tokens = torch.randint(9, (rows, 20))
    calls: list[int] = []

    def counted(*args: object) -> object:
        calls.append(1)
        return token_table_conv(*args)

    monkeypatch.setattr(_text_cnn, "token_table_conv", counted)
    recorded = critic(tokens)
    assert recorded.requires_grad
    assert not calls
    with torch.no_grad():
        plain = critic(tokens)
        assert torch.allclose(plain, recorded, atol=1e-5)
        assert len(calls) == (rows * 20 >= 8 * 9), "tables pay where there is much to read"
        monkeypatch.setattr(_text_cnn, "_AT_ONCE", 7)
        assert torch.allclose(critic(tokens), plain, atol=1e-5)
        once = len(calls)
        assert torch.allclose(critic.double()(tokens).float(), plain, atol=1e-5)
        assert len(calls) == once, "float64 is torch's"


def test_short_sequences_leave_out_what_is_wider() -> None:
    assert Sequence().critic((1, 5))(torch.tensor([[3], [4]])).shape == (2,)
    assert [conv.kernel_size for conv in Sequence().critic((3, 5)).convolutions] == [(2,), (3,)]


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)])
def test_points_and_images_are_refused(shape: tuple[int, ...]) -> None:
    for make in (lambda: Sequence().critic(shape), lambda: Sequence().generator(shape, 5)):
        with pytest.raises(IncompatibleChoiceError, match=r"sequence make tokens.*not shape"):
            make()
    with pytest.raises(IncompatibleChoiceError, match=r"latent_dim: sequences of 4 tokens.*got 5"):
        Sequence().generator((4, 3), 5)


def test_settings_are_checked() -> None:
    with pytest.raises(DomainError, match=r"critic_size: .*'large'"):
        Sequence(critic_size="large")
    with pytest.raises(DomainError, match=r"ends: .*1"):
        Sequence(ends=1)
