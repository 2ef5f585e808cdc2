from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gancore.errors import DomainError
from gancore.text.ngrams import bleu, self_bleu

nltk = pytest.importorskip("nltk.translate.bleu_score")

sentences = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=9), min_size=2, max_size=6)
METHOD1 = nltk.SmoothingFunction().method1


def by_nltk(sentence: list[int], references: list[list[int]], n: int) -> float:
    return float(nltk.sentence_bleu(references, sentence, weights=[1 / n] * n, smoothing_function=METHOD1))


@given(sentences, sentences, st.integers(1, 5))
def test_bleu_is_that_of_nltk(hypotheses: list[list[int]], references: list[list[int]], n: int) -> None:
    expected = sum(by_nltk(sentence, references, n) for sentence in hypotheses) / len(hypotheses)
    assert bleu(hypotheses, references, n) == pytest.approx(expected, abs=1e-9)


@given(sentences, st.integers(1, 5))
def test_self_bleu_leaves_each_sentence_out(found: list[list[int]], n: int) -> None:
    each = [by_nltk(sentence, found[:k] + found[k + 1 :], n) for k, sentence in enumerate(found)]
    assert self_bleu(found, n) == pytest.approx(sum(each) / len(each), abs=1e-9)


def test_bad_input_is_named() -> None:
    with pytest.raises(DomainError, match=r"sentences: expected at least 2, got 1"):
        self_bleu([[1, 2]])
    with pytest.raises(DomainError, match=r"references\[1\]: .*empty sentence"):
        bleu([[1]], [[1], []])
    with pytest.raises(DomainError, match=r"n: expected at least 1"):
        bleu([[1]], [[1]], n=0)
