from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from gancore.errors import DataError, DomainError, DTypeError, IncompatibleChoiceError, ShapeError
from gancore.text.likelihood import nll, oracle, published_oracle


def codes(n: int, length: int) -> torch.Tensor:
    return torch.randn(n, length, generator=torch.Generator().manual_seed(0))


def test_an_oracle_of_known_entropy() -> None:
    """Without weights every token is drawn from the softmax of the offsets: the entropy is a sum."""
    truth = oracle(size=40, length=6, seed=1)
    truth.head.weight.zero_()
    p = truth.head.bias.double().softmax(0)
    entropy = -(p * p.log()).sum().item()
    assert nll(truth, truth(codes(4000, 6))) == pytest.approx(entropy, abs=0.03)
    truth.head.bias.zero_()
    assert nll(truth, torch.randint(40, (5, 6))) == pytest.approx(math.log(40), abs=1e-6)


def test_the_mean_is_over_tokens_and_not_over_padding() -> None:
    truth = oracle(size=5, length=4)
    truth.ends = True
    tokens = torch.tensor([[1, 2, 3, 4], [2, 0, 0, 0]])
    each = truth.log_probs(tokens)
    assert nll(truth, tokens) == pytest.approx(-(each[0].sum() + each[1, :2].sum()).item() / 6, rel=1e-6)


def test_same_seed_same_oracle() -> None:
    one, same, other = (oracle(size=9, length=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)
    parameters = torch.cat([p.flatten() for p in oracle(size=300, length=3).parameters()])
    assert parameters[parameters != 0].std().item() == pytest.approx(1.0, abs=0.02)


def test_the_published_oracle_says_what_its_authors_and_others_measured(data_root: Path) -> None:
    """5.75 nats a token on its own samples, 11.4 on uniform ones: figures of two independent implementations."""
    truth = published_oracle(data_root / "text" / "seqgan_oracle_lstm_params.npz")
    assert nll(truth, truth(codes(500, 20))) == pytest.approx(5.75, abs=0.06)
    uniform = torch.randint(5000, (200, 20), generator=torch.Generator().manual_seed(0))
    assert nll(truth, uniform) == pytest.approx(11.44, abs=0.1)


def test_bad_files_and_arguments_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", g_embeddings=np.zeros((3, 2)))
    with pytest.raises(DataError, match=r"a\.npz: expected the array Wi"):
        published_oracle(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"b\.npz: cannot be read"):
        published_oracle(tmp_path / "b.npz")
    with pytest.raises(DomainError, match=r"size: .*at least 2"):
        oracle(size=1)
    with pytest.raises(IncompatibleChoiceError, match="Linear tells no likelihoods"):
        nll(torch.nn.Linear(2, 2), torch.zeros(2, 2, dtype=torch.int64))
    truth = oracle(size=5, length=4)
    for wrong in (5, -1):
        with pytest.raises(DomainError, match=rf"tokens\[1, 2\]: expected 0 to 4, got {wrong}"):
            nll(truth, torch.tensor([[1, 2, 3, 4], [1, 2, wrong, 0]]))
    with pytest.raises(DTypeError, match="tokens: expected integers"):
        nll(truth, torch.zeros(2, 4))
    with pytest.raises(ShapeError, match=r"\(0, 4\)"):
        nll(oracle(size=5, length=4), torch.zeros(0, 4, dtype=torch.int64))
