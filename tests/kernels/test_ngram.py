"""BLEU and self-BLEU against nltk, counts against Counter, and the torch twin."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from gancore.kernels import ngram
from gancore.kernels._bleu import SMOOTHINGS
from gancore.kernels._torch import ngram as twin

Text = list[list[int]]

SENTENCES = st.lists(st.integers(0, 4), min_size=1, max_size=12)
TEXTS = st.lists(SENTENCES, min_size=2, max_size=6)


def nltk_bleu(references: Text, hypothesis: list[int], n: int, smoothing: str) -> float:
    bleu_score = pytest.importorskip("nltk.translate.bleu_score")
    methods = bleu_score.SmoothingFunction()
    method = getattr(methods, "method0" if smoothing == "none" else smoothing)
    return float(bleu_score.sentence_bleu(references, hypothesis, (1 / n,) * n, method))


@pytest.mark.filterwarnings(r"ignore:\s*The hypothesis contains 0 counts")
@given(TEXTS, TEXTS, st.integers(1, 5), st.sampled_from(SMOOTHINGS))
def test_bleu_is_that_of_nltk(hypotheses: Text, references: Text, n: int, smoothing: str) -> None:
    if smoothing in ("method4", "method7"):
        hypotheses = [h for h in hypotheses if len(h) > 1] or [[1, 2]]
    if smoothing in ("method5", "method7"):
        n = 4  # nltk takes 5 for the order after the last, whatever that is
    if smoothing == "method6":
        # nltk asks for three orders, and for a trigram that matches.
        n = max(n, 3)
        known = {tuple(r[i : i + 3]) for r in references for i in range(len(r) - 2)}
        hypotheses = [h for h in hypotheses if any(tuple(h[i : i + 3]) in known for i in range(len(h) - 2))]
        hypotheses = hypotheses or [[*references[0], 0, 1, 2]]
        references = [*references, [4, 0, 1, 2]]
    ours = ngram.bleu_scores(hypotheses, references, n, smoothing, allow_short=True)
    exact = [nltk_bleu(references, h, n, smoothing) for h in hypotheses]
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-9)
    mean = ngram.bleu(hypotheses, references, n, smoothing, allow_short=True)
    assert mean == pytest.approx(np.mean(exact), abs=1e-9)


def test_smoothings_where_nltk_has_none() -> None:
    # Matches 3 of 4, 2 of 3, 1 of 2; no trigram of the second.
    hypothesis, references = [[1, 2, 3, 9]], [[1, 2, 3, 4]]
    first = (3 / 4 + 1 + 3 / 4 + 2 / 3) / 3
    second = (first + 2 / 3 + 1 / 2) / 3
    assert ngram.bleu(hypothesis, references, 2, "method5") == pytest.approx((first * second) ** 0.5, abs=1e-12)
    pair = ngram.bleu([[1, 2, 9, 3]], references, 3, "method6")
    prior = (1 / 3) ** 2 / (3 / 4)
    assert pair == pytest.approx((3 / 4 * 1 / 3 * 5 * prior / (2 + 5)) ** (1 / 3), abs=1e-12)
    assert ngram.bleu([[1, 9, 2, 8]], references, 3, "method6") == 0.0
    assert ngram.bleu([[1, 2, 9, 3]], references, 2, "method6") == ngram.bleu([[1, 2, 9, 3]], references, 2, "none")
    assert ngram.bleu([[1, 2, 3, 4]] * 2, references, 4, "method5") > 1.0


@given(TEXTS, st.integers(1, 5))
def test_self_bleu_leaves_each_sentence_out(sentences: Text, n: int) -> None:
    ours = ngram.self_bleu_scores(sentences, n, allow_short=True)
    exact = [nltk_bleu(sentences[:i] + sentences[i + 1 :], s, n, "method1") for i, s in enumerate(sentences)]
    np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-9)
    assert ngram.self_bleu(sentences, n, allow_short=True) == pytest.approx(np.mean(exact), abs=1e-9)
    assert ngram.self_bleu(sentences * 2, 1) == 1.0


@given(TEXTS, st.integers(1, 4))
def test_counts_are_those_of_counter(sentences: Text, n: int) -> None:
    grams = Counter(tuple(s[i : i + n]) for s in sentences for i in range(len(s) - n + 1))
    if not grams:
        with pytest.raises(DomainError, match="`n` must be at most the length of the longest sentence"):
            ngram.distinct_n(sentences, n)
        return
    total = sum(grams.values())
    assert ngram.distinct_n(sentences, n) == len(grams) / total
    entropy = -sum(c / total * math.log(c / total) for c in grams.values())
    assert ngram.ngram_entropy(sentences, n) == pytest.approx(entropy, abs=1e-12)


@given(TEXTS, TEXTS, st.integers(1, 5))
def test_the_twin_counts_the_same(hypotheses: Text, references: Text, n: int) -> None:
    def flat(text: Text) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor([token for s in text for token in s]), torch.tensor([len(s) for s in text])

    def compiled(*arrays: torch.Tensor) -> list[np.ndarray]:
        return [part.copy() for part in ngram._rust.ngram_tally(*(a.numpy() for a in arrays), n=n)]

    for given_ in (flat(hypotheses), flat(hypotheses) + flat(references)):
        for ours, theirs in zip(compiled(*given_), twin.ngram_tally(*given_, n=n), strict=True):
            np.testing.assert_array_equal(theirs.numpy(), ours)
    counts = sorted(twin.ngram_counts(*flat(hypotheses), n=n).tolist())
    assert counts == sorted(ngram._rust.ngram_counts(*(a.numpy() for a in flat(hypotheses)), n=n).tolist())


def test_every_kind_of_sequence_is_taken() -> None:
    lists = [[1, 2, 3, 4], [1, 2, 3, 5], [2, 3, 4, 5]]
    expected = ngram.self_bleu(lists, 2)
    for same in (
        [np.array(s, np.int32) for s in lists],
        np.array(lists),
        torch.tensor(lists),
        [torch.tensor(s) for s in lists],
        tuple(map(tuple, lists)),
    ):
        assert ngram.self_bleu(same, 2) == expected


def test_a_brevity_penalty_takes_the_closest_length_and_of_two_the_shorter() -> None:
    # Of 3 and 5 tokens, 3 is taken for 4: no penalty. Against 5 alone it is exp(1 - 5/4).
    hypothesis = [[1, 1, 1, 1]]
    assert ngram.bleu(hypothesis, [[1] * 3, [1] * 5], n=1) == 1.0
    assert ngram.bleu(hypothesis, [[1] * 5], n=1) == pytest.approx(math.exp(-0.25), abs=1e-15)


def test_bad_input_is_named() -> None:
    fine = [[1, 2, 3, 4], [1, 2, 3, 4]]
    with pytest.raises(DomainError, match=r"`hypotheses` must have at least 1 token.*0 in sentence 1"):
        ngram.bleu([[1, 2, 3, 4], []], fine)
    with pytest.raises(DomainError, match=r"got 4, and 2 tokens in sentence 1"):
        ngram.self_bleu([[1, 2, 3, 4], [1, 2]])
    with pytest.raises(DomainError, match=r"`references` must have token ids of at least 0; got -1 in sentence 1"):
        ngram.bleu(fine, [[0], [2, -1]])
    with pytest.raises(DTypeError, match="`sentences` must hold integer token ids"):
        ngram.self_bleu([[1.0, 2.5, 3.0, 4.0], [1, 2, 3, 4]])
    with pytest.raises(ShapeError, match="`hypotheses` must be sentences"):
        ngram.bleu([1, 2, 3], fine)
    with pytest.raises(ShapeError, match="`hypotheses` must be sentences"):
        ngram.bleu(["a cat"], fine)
    with pytest.raises(ShapeError, match="at least 2 sentences"):
        ngram.self_bleu([[1, 2, 3, 4]])
    with pytest.raises(ShapeError, match="at least one sentence"):
        ngram.bleu(fine, [])
    wrong: Any = "method_1"
    with pytest.raises(UnknownNameError, match="did you mean"):
        ngram.bleu(fine, fine, smoothing=wrong)
    with pytest.raises(DomainError, match="n: expected at least 1"):
        ngram.bleu(fine, fine, n=0)


@pytest.mark.gpu
def test_on_a_gpu_the_scores_are_the_same() -> None:
    text = torch.randint(0, 9, (200, 15), generator=torch.Generator().manual_seed(0))
    assert ngram.self_bleu(text.cuda()) == ngram.self_bleu(text)
