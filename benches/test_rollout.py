"""Tokens from logits, LSTM roll-outs and TextCNN features against torch: multinomial, inverse CDF, conv1d.

Torch's roll-out keeps the states of prefixes and advances all continuations at once, as public code does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.rollout import LSTMWeights, lstm_rollout, sample_categorical, token_table_conv

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
