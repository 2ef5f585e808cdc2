"""The compiled LSTM roll-out and the token convolutions against torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import gancore
from gancore.errors import DomainError, DTypeError, ShapeError
from gancore.kernels._torch import rollout as twin
from gancore.kernels.rollout import LSTMWeights, lstm_rollout, token_table_conv


def weights_of(vocabulary: int, features: int, hidden: int, seed: int = 0) -> LSTMWeights:
    lstm = torch.nn.LSTM(features, hidden)
    head = torch.nn.Linear(hidden, vocabulary)
    embedding = torch.nn.Embedding(vocabulary, features)
    generator = torch.Generator().manual_seed(seed)
    parameters = [
        p.data.normal_(generator=generator) for p in (embedding.weight, *lstm.parameters(), *head.parameters())
    ]
    return LSTMWeights(*(parameter.numpy() for parameter in parameters))


def torch_law(weights: LSTMWeights, read: torch.Tensor) -> torch.Tensor:
    """Masses of the token after rows of read tokens, by torch.nn.LSTM."""
    features, hidden = np.shape(weights.embedding)[1], weights.hidden
    lstm = torch.nn.LSTM(features, hidden, batch_first=True)
    values = [torch.from_numpy(np.asarray(array)) for array in vars(weights).values()]
    for parameter, value in zip(lstm.parameters(), values[1:5], strict=True):
        parameter.data.copy_(value)
    with torch.no_grad():
        states, _ = lstm(values[0][read])
        return torch.nn.functional.linear(states[:, -1], values[5], values[6]).double().softmax(-1)


@pytest.mark.parametrize(("vocabulary", "features", "hidden"), [(7, 3, 5), (150, 8, 16)])
def test_the_next_token_has_the_law_of_torch(vocabulary: int, features: int, hidden: int) -> None:
    weights = weights_of(vocabulary, features, hidden)
    tokens = np.array([[1, 4, 2, 6], [6, 6, 0, 3]])
    n = 20_000
    rows = lstm_rollout(weights, tokens, n, start_token=5, seed=3)
    for t, b in ((1, 0), (2, 1), (3, 0)):
        np.testing.assert_array_equal(rows[t - 1, b, :, :t], np.tile(tokens[b, :t], (n, 1)))
        read = torch.tensor([[5, *tokens[b, :t]]])
        expected = n * torch_law(weights, read)[0].numpy()
        counts = np.bincount(rows[t - 1, b, :, t], minlength=vocabulary)
        common = expected > 5
        observed, wanted = [*counts[common], counts[~common].sum()], [*expected[common], expected[~common].sum()]
        if wanted[-1] < 1e-9:
            assert not observed.pop()
            wanted.pop()
        assert stats.chisquare(observed, np.array(wanted) * sum(observed) / sum(wanted)).pvalue > 1e-4
    # One step further: the law given the first token that was drawn.
    first = rows[0, 0, :, 1]
    given_first = rows[0, 0, first == np.bincount(first).argmax()]
    law = torch_law(weights, torch.tensor([[5, *given_first[0, :2]]]))[0].numpy()
    share = np.bincount(given_first[:, 2], minlength=vocabulary) / len(given_first)
    assert (np.abs(share - law) < 5 * np.sqrt(law / len(given_first)) + 1e-3).all()


@pytest.mark.parametrize("law", [{}, {"temperature": 0.7, "top_k": 5}])
def test_the_twin_draws_the_same_tokens(law: dict[str, float]) -> None:
    weights = weights_of(200, 6, 10)
    tokens = np.random.default_rng(0).integers(0, 200, (3, 6))
    ours = lstm_rollout(weights, tokens, 4, start_token=2, seed=9, **law)
    tensors = [torch.from_numpy(array) for array in vars(weights).values()]
    settings = (law.get("temperature", 1.0), law.get("top_k"))
    theirs = twin.lstm_rollout(tensors, torch.from_numpy(tokens), law=settings, plan=(4, 2, 9))
    assert (theirs.numpy() == ours).all(-1).mean() > 0.95


def test_draws_depend_on_no_threads_batch_or_number_of_continuations() -> None:
    weights = weights_of(100, 4, 8)
    tokens = np.random.default_rng(0).integers(0, 100, (6, 7))
    expected = lstm_rollout(weights, tokens, 9, seed=1)
    before = gancore.num_threads()
    gancore.set_num_threads(3)
    try:
        np.testing.assert_array_equal(lstm_rollout(weights, tokens, 9, seed=1), expected)
    finally:
        gancore.set_num_threads(before)
    np.testing.assert_array_equal(lstm_rollout(weights, tokens[:2], 4, seed=1), expected[:, :2, :4])
    assert (lstm_rollout(weights, tokens, 9, seed=2) != expected).any()
    assert lstm_rollout(weights, torch.from_numpy(tokens), 9, seed=1).tolist() == expected.tolist()
    assert lstm_rollout(weights, tokens[:, :1], 2, seed=0).shape == (0, 6, 2, 1)


def torch_features(
    embedding: np.ndarray, filters: list[tuple[int, np.ndarray, np.ndarray]], tokens: np.ndarray
) -> np.ndarray:
    embedded = torch.from_numpy(embedding)[torch.from_numpy(tokens)].double().transpose(1, 2)
    maps = [
        torch.nn.functional.conv1d(embedded, torch.from_numpy(w).double(), torch.from_numpy(b).double()).amax(-1).relu()
        for _, w, b in filters
    ]
    return torch.cat(maps, 1).numpy()


@given(
    st.integers(1, 40), st.integers(1, 9), st.integers(1, 12), st.integers(1, 8), st.integers(1, 40), st.integers(0, 99)
)
def test_token_convolutions_are_those_of_torch(
    vocabulary: int, features: int, length: int, rows: int, maps: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    embedding = rng.standard_normal((vocabulary, features), np.float32)
    widths = {1, (length + 1) // 2, length}
    filters = [
        (width, rng.standard_normal((maps, features, width), np.float32), rng.standard_normal(maps, np.float32))
        for width in sorted(widths)
    ]
    tokens = rng.integers(0, vocabulary, (rows, length))
    ours = token_table_conv(embedding, filters, tokens)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, torch_features(embedding, filters, tokens), rtol=1e-5, atol=3e-5)
    tensors = [(width, torch.from_numpy(w), torch.from_numpy(b)) for width, w, b in filters]
    theirs = twin.token_table_conv(torch.from_numpy(embedding), tensors, torch.from_numpy(tokens))
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-5, atol=3e-5)


def test_bad_input_is_named() -> None:
    weights = weights_of(10, 3, 4)
    with pytest.raises(DomainError, match=r"`tokens` must be at least 0 and below 10.*got 10 in row 1, index 2"):
        lstm_rollout(weights, np.array([[0, 1, 2], [3, 4, 10]]), 2, seed=0)
    with pytest.raises(DomainError, match=r"`start_token` must be at least 0 and below 10"):
        lstm_rollout(weights, np.zeros((1, 3), int), 2, seed=0, start_token=10)
    broken = np.array(weights.w_hh)
    broken[0, 0] = np.nan
    with pytest.raises(DomainError, match=r"`w_hh` must be finite; got NaN at flat index 0"):
        lstm_rollout(replace(weights, w_hh=broken), np.zeros((1, 3), int), 2, seed=0)
    with pytest.raises(ShapeError, match=r"`w_ih` must have shape \(16, 3\)"):
        replace(weights, w_ih=np.zeros((16, 4)))
    with pytest.raises(DTypeError, match="integer token ids"):
        lstm_rollout(weights, np.zeros((1, 3)), 2, seed=0)
    with pytest.raises(ShapeError, match=r"\(rows, length\)"):
        lstm_rollout(weights, np.zeros(3, int), 2, seed=0)
    embedding, filters = np.zeros((5, 2), np.float32), [(4, np.zeros((1, 2, 4)), np.zeros(1))]
    with pytest.raises(DomainError, match="`filters` must have widths from 1 to the 3 tokens"):
        token_table_conv(embedding, filters, np.zeros((1, 3), int))
    with pytest.raises(DomainError, match="got -1 in row 0, index 3"):
        token_table_conv(embedding, filters, np.array([[0, 0, 0, -1]]))
    with pytest.raises(ShapeError, match=r"`filters` must have shapes \(F, 2, 4\)"):
        token_table_conv(embedding, [(4, np.zeros((1, 3, 4)), np.zeros(1))], np.zeros((1, 4), int))


@pytest.mark.gpu
def test_on_a_gpu_the_draws_are_the_same() -> None:
    weights = weights_of(500, 8, 16)
    tokens = torch.randint(0, 500, (8, 10), generator=torch.Generator().manual_seed(0))
    on_gpu = LSTMWeights(*(torch.from_numpy(array).cuda() for array in vars(weights).values()))
    theirs = lstm_rollout(on_gpu, tokens.cuda(), 4, seed=1)
    assert theirs.is_cuda
    assert (theirs.cpu().numpy() == lstm_rollout(weights, tokens.numpy(), 4, seed=1)).all(-1).mean() > 0.9
