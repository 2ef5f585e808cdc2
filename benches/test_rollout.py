"""Tokens from logits, LSTM roll-outs and TextCNN features against torch: multinomial, inverse CDF, conv1d.

Torch's roll-out keeps the states of prefixes and advances all continuations at once, as public code does not: that runs
the cell from the first token for every continuation, and scores one batch after another with gradients on, which is the
rival of the whole reward computation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from gancore import systems
from gancore.estimators import Reinforce
from gancore.estimators.reinforce import score
from gancore.kernels.rollout import LSTMWeights, lstm_rollout, sample_categorical, token_table_conv
from gancore.networks._lstm import LSTMGenerator
from gancore.networks._rollout import rollout
from gancore.networks._text_cnn import TextCNN
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable

torch.set_num_threads(1)


def inverse(logits: torch.Tensor) -> torch.Tensor:
    mass = logits.softmax(-1).cumsum(-1)
    return torch.searchsorted(mass, torch.rand(len(mass), 1) * mass[:, -1:], right=True)


SAMPLERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gancore": lambda logits: sample_categorical(logits, seed=0, step=0),
    f"torch.multinomial {torch.__version__}": lambda logits: torch.multinomial(logits.softmax(-1), 1),
    f"torch cumsum and searchsorted {torch.__version__}": inverse,
}


@pytest.mark.parametrize("rival", SAMPLERS)
def test_sample_categorical(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    rows, vocabulary = (12, 50) if small else (1_216, 5_000)
    logits = 2 * torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(0))
    benchmark.group = f"sample_categorical {rows} x {vocabulary} float32, one thread"
    benchmark.extra_info["rival"] = rival
    benchmark(SAMPLERS[rival], logits)


WIDTHS = {1: 100, 2: 200, 3: 200, 4: 200, 5: 200, 6: 100, 7: 100, 8: 100, 9: 100, 10: 100, 15: 160, 20: 160}
"""Widths of windows and how many maps each has, in SeqGAN's critic."""


@torch.no_grad()
def torch_rollout(
    weights: list[torch.Tensor], tokens: torch.Tensor, n: int, sample: Callable[..., torch.Tensor]
) -> None:
    embedding, w_ih, w_hh, b_ih, b_hh, head_w, head_b = weights
    inputs = torch.nn.functional.linear(embedding, w_ih, b_ih + b_hh)

    def step(read: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        i, f, g, o = (inputs[read] + h @ w_hh.T).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    batch, length = tokens.shape
    h = c = torch.zeros(batch, w_hh.shape[1])
    h, c = step(torch.zeros_like(tokens[:, 0]), h, c)
    drawn, states, cells = tokens[:0, 0], h[:0], c[:0]
    for position in range(1, length):
        states, cells = step(drawn, states, cells)
        h, c = step(tokens[:, position - 1], h, c)
        states = torch.cat([states, h.repeat_interleave(n, 0)])
        cells = torch.cat([cells, c.repeat_interleave(n, 0)])
        drawn = torch.cat([sample(part @ head_w.T + head_b).flatten() for part in states.split(1024)])


ROLLOUTS: dict[str, Callable[[list[torch.Tensor], torch.Tensor, int], object]] = {
    "gancore": lambda weights, tokens, n: lstm_rollout(LSTMWeights(*weights), tokens, n, seed=0),
    f"torch {torch.__version__}, states kept, inverse CDF": lambda weights, tokens, n: torch_rollout(
        weights, tokens, n, inverse
    ),
    f"torch {torch.__version__}, states kept, multinomial": lambda weights, tokens, n: torch_rollout(
        weights, tokens, n, SAMPLERS[f"torch.multinomial {torch.__version__}"]
    ),
}


@pytest.mark.parametrize("rival", ROLLOUTS)
def test_lstm_rollout(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    batch, length, n, vocabulary = (2, 4, 2, 20) if small else (64, 20, 16, 5_000)
    generator = torch.Generator().manual_seed(0)
    shapes = [(vocabulary, 32), (128, 32), (128, 32), (128,), (128,), (vocabulary, 32), (vocabulary,)]
    weights = [torch.randn(shape, generator=generator) for shape in shapes]
    tokens = torch.randint(0, vocabulary, (batch, length), generator=generator)
    benchmark.group = f"LSTM roll-out, batch {batch}, length {length}, N {n}, H 32, V {vocabulary}, one thread"
    benchmark.extra_info["rival"] = rival
    benchmark.pedantic(ROLLOUTS[rival], (weights, tokens, n), rounds=1 if small else 3)


@torch.no_grad()
def torch_features(
    embedding: torch.Tensor, filters: list[tuple[int, torch.Tensor, torch.Tensor]], tokens: torch.Tensor
) -> torch.Tensor:
    rows = []
    for part in tokens.split(512):
        embedded = embedding[part].transpose(1, 2)
        maps = [torch.nn.functional.conv1d(embedded, w, b).amax(-1).relu() for _, w, b in filters]
        rows.append(torch.cat(maps, 1))
    return torch.cat(rows)


FEATURES: dict[str, Callable[..., torch.Tensor]] = {
    "gancore": token_table_conv,
    f"torch.conv1d {torch.__version__}": torch_features,
}


@pytest.mark.parametrize("rival", FEATURES)
def test_token_table_conv(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    rows, vocabulary = (10, 50) if small else (19_456, 5_000)
    generator = torch.Generator().manual_seed(0)
    embedding = torch.randn(vocabulary, 64, generator=generator)
    filters = [
        (width, torch.randn(maps, 64, width, generator=generator), torch.randn(maps, generator=generator))
        for width, maps in WIDTHS.items()
    ]
    tokens = torch.randint(0, vocabulary, (rows, 20), generator=generator)
    benchmark.group = f"TextCNN features of {rows} x 20 tokens, V {vocabulary}, one thread"
    benchmark.extra_info["rival"] = rival
    values = benchmark.pedantic(FEATURES[rival], (embedding, filters, tokens), rounds=1)
    np.testing.assert_allclose(values[:9], torch_features(embedding, filters, tokens[:9]), rtol=1e-4, atol=1e-4)


def seqgan(batch: int, length: int, vocabulary: int) -> tuple[TrainingState, torch.Tensor]:
    """SeqGAN with the published critic, and sequences of its generator."""
    system = systems.get("seqgan")(critic_size="published", ends=False, batch_size=batch).fitted((length, vocabulary))
    state = TrainingState.create(system, (length, vocabulary), seed=0, device=torch.device("cpu"), precision="float32")
    return state, state.generator(torch.randn(batch, length, generator=torch.Generator().manual_seed(0)))


@torch.no_grad()
def torch_score(critic: TextCNN, sequences: torch.Tensor) -> torch.Tensor:
    critic.eval()
    said = []
    for part in sequences.split(1024):
        columns = critic.embedding(part).transpose(1, 2)
        features = torch.cat([conv(columns).amax(-1).relu() for conv in critic.convolutions], 1)
        gate = critic.gate(features).sigmoid()
        said.append(critic.head(gate * critic.transform(features).relu() + (1 - gate) * features))
    return torch.cat(said)


CRITICS: dict[str, Callable[[TextCNN, torch.Tensor], torch.Tensor]] = {
    "gancore": score,
    f"torch {torch.__version__}, in batches of 1,024 without gradients": torch_score,
}


@pytest.mark.parametrize("rival", CRITICS)
def test_critic(benchmark: BenchmarkFixture, rival: str, small: bool) -> None:
    batch, length, n, vocabulary = (2, 4, 2, 20) if small else (64, 20, 16, 5_000)
    state, tokens = seqgan(batch, length, vocabulary)
    random = torch.Generator().manual_seed(0)
    rows = rollout(state.generator.state_dict(), tokens, n, ends=False, random=random).flatten(0, 2)
    assert isinstance(state.critic, TextCNN)
    benchmark.group = f"SeqGAN's critic on {len(rows)} x {length} tokens, V {vocabulary}, one thread"
    benchmark.extra_info["rival"] = rival
    values = benchmark.pedantic(CRITICS[rival], (state.critic, rows), rounds=1)
    torch.testing.assert_close(values[:9], torch_score(state.critic, rows[:9]), rtol=1e-4, atol=1e-5)


def public_sequences(state: TrainingState, tokens: torch.Tensor, known: int) -> torch.Tensor:
    """A whole sequence for each prefix of so many tokens, cell after cell from the first."""
    generator = state.generator
    assert isinstance(generator, LSTMGenerator)
    read, memory, row = tokens.new_zeros(len(tokens), 1), None, [*tokens[:, :known].split(1, 1)]
    for position in range(tokens.shape[1]):
        said, memory = generator.cell(generator.embedding(read), memory)
        if position >= known:
            row.append(torch.multinomial(generator.head(said[:, 0]).softmax(-1), 1))
        read = row[position]
    return torch.cat(row, 1)


def public_rollout(state: TrainingState, tokens: torch.Tensor, n: int) -> None:
    for _ in range(n):
        for known in range(1, tokens.shape[1]):
            public_sequences(state, tokens, known)


def public_rewards(state: TrainingState, tokens: torch.Tensor, n: int) -> torch.Tensor:
    """Whole sequences for each prefix and continuation, each batch scored on its own."""
    critic = state.critic
    critic.eval()
    batch, length = tokens.shape
    rewards = torch.zeros(length, batch)
    for _ in range(n):
        for known in range(1, length):
            rewards[known - 1] += critic(public_sequences(state, tokens, known)).sigmoid().detach()
        rewards[-1] += critic(tokens).sigmoid().detach()
    return rewards.T / n


def gancore_rollout(state: TrainingState, tokens: torch.Tensor, n: int) -> None:
    rollout(state.generator.state_dict(), tokens, n, ends=False, random=torch.Generator().manual_seed(0))


GENERATORS: dict[str, Callable[[TrainingState, torch.Tensor, int], None]] = {
    "gancore": gancore_rollout,
    f"torch {torch.__version__}, whole sequences for each prefix": public_rollout,
}


REWARDS: dict[str, Callable[[TrainingState, torch.Tensor, int], torch.Tensor]] = {
    "gancore": lambda state, tokens, n: Reinforce(n_rollouts=n).values(state, tokens, ends=False),
    f"torch {torch.__version__}, whole sequences for each prefix": public_rewards,
}


PARTS: dict[str, dict[str, Callable[[TrainingState, torch.Tensor, int], torch.Tensor | None]]] = {
    "generator": GENERATORS,
    "rewards": REWARDS,
}


@pytest.mark.parametrize(("part", "rival"), [(part, rival) for part in PARTS for rival in PARTS[part]])
def test_rewards(benchmark: BenchmarkFixture, part: str, rival: str, small: bool) -> None:
    batch, length, n, vocabulary = (2, 4, 2, 20) if small else (64, 20, 16, 5_000)
    state, tokens = seqgan(batch, length, vocabulary)
    benchmark.group = f"SeqGAN's {part}, batch {batch}, length {length}, N {n}, H 32, V {vocabulary}, one thread"
    # The rival's time is that of its continuations, one after another: a few stand for all.
    timed = n if rival == "gancore" or small else 2
    benchmark.extra_info["rival"] = f"{rival}, {timed} of {n} continuations"
    values = benchmark.pedantic(PARTS[part][rival], (state, tokens, timed), rounds=1)
    if values is not None:
        assert isinstance(state.critic, TextCNN)
        torch.testing.assert_close(values[:, -1], torch_score(state.critic, tokens).sigmoid(), rtol=1e-4, atol=1e-5)
