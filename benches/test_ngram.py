"""Self-BLEU-4 of 1,000 and 10,000 sentences against nltk's sentence_bleu, which is timed on a few of them."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gancore.kernels.ngram import self_bleu


def sentences(n: int) -> list[list[int]]:
    """Zipf's law over 5,000 words, 12 to 20 of them."""
    rng = np.random.default_rng(0)
    masses = 1 / np.arange(1, 5_001)
    words = rng.choice(5_000, (n, 20), p=masses / masses.sum())
    return [row[:length].tolist() for row, length in zip(words, rng.integers(12, 21, n), strict=True)]


@pytest.mark.parametrize("n", [1_000, 10_000])
def test_self_bleu(benchmark: BenchmarkFixture, n: int, small: bool) -> None:
    text = sentences(20 if small else n)
    benchmark.group = f"self-BLEU-4 of {len(text)} sentences, one thread"
    benchmark.extra_info["rival"] = "gancore"
    benchmark(self_bleu, text)


def test_self_bleu_by_nltk(benchmark: BenchmarkFixture, small: bool) -> None:
    nltk = pytest.importorskip("nltk")
    bleu_score = pytest.importorskip("nltk.translate.bleu_score")
    text = sentences(20 if small else 1_000)
    judged = 2 if small else 20
    method = bleu_score.SmoothingFunction().method1

    def some() -> list[float]:
        return [
            bleu_score.sentence_bleu(text[:i] + text[i + 1 :], text[i], smoothing_function=method)
            for i in range(judged)
        ]

    benchmark.group = f"self-BLEU-4 of {len(text)} sentences, one thread"
    benchmark.extra_info["rival"] = f"nltk {nltk.__version__}, {judged} of {len(text)} sentences"
    benchmark.pedantic(some, rounds=1)
