"""BLEU and self-BLEU of token ids: n-grams counted once, and leave-one-out by the second largest count."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gancore import _check
from gancore.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bleu", "self_bleu"]

_NOTHING = (0, -1, 0)
_SMOOTH = 0.1
"""Stands for a count of zero: method1 of B. Chen and C. Cherry (2014)."""

Gram = tuple[int, ...]


def bleu(hypotheses: Sequence[Sequence[int]], references: Sequence[Sequence[int]], n: int = 4) -> float:
    r"""Mean BLEU of sentences, each against all references.

    .. math::
        \mathrm{BLEU} = \min(1, e^{1 - r/c}) \Bigl(\prod_{k=1}^n p_k\Bigr)^{1/n}

    with c the length of the sentence, r that of the reference nearest to it and :math:`p_k` the share of its k-grams
    that a reference has as often; 0.1 for a count of zero, and 0 if no token is shared. K. Papineni et al. (2002).

    Examples
    --------
    >>> bleu([[1, 2, 3, 4]], [[1, 2, 3, 4], [5]])
    1.0
    """
    _require("hypotheses", hypotheses, 1, n)
    _require("references", references, 1, n)
    table = _Table.of(references, n)
    return math.fsum(table.score(sentence, None) for sentence in hypotheses) / len(hypotheses)


def self_bleu(sentences: Sequence[Sequence[int]], n: int = 4) -> float:
    """Mean BLEU of sentences, each against all others: near 1, they say the same. Y. Zhu et al., "Texygen" (2018).

    Examples
    --------
    >>> self_bleu([[1, 2, 3, 4], [1, 2, 3, 4], [5, 6]], n=2)
    0.6666666666666666
    """
    _require("sentences", sentences, 2, n)
    table = _Table.of(sentences, n)
    return math.fsum(table.score(sentence, owner) for owner, sentence in enumerate(sentences)) / len(sentences)


@dataclass(frozen=True)
class _Table:
    """For each n-gram its largest count in a reference, in which one, and the largest count in another."""

    n: int
    counts: dict[Gram, tuple[int, int, int]]
    lengths: Counter[int]

    @classmethod
    def of(cls, references: Sequence[Sequence[int]], n: int) -> _Table:
        counts: dict[Gram, tuple[int, int, int]] = {}
        for owner, reference in enumerate(references):
            for gram, count in _grams(reference, n).items():
                most, whose, second = counts.get(gram, _NOTHING)
                counts[gram] = (count, owner, most) if count > most else (most, whose, max(second, count))
        return cls(n, counts, Counter(map(len, references)))

    def score(self, sentence: Sequence[int], owner: int | None) -> float:
        """BLEU of a sentence against all references, but for its own place among them."""
        matches = [0] * self.n
        for gram, count in _grams(sentence, self.n).items():
            most, whose, second = self.counts.get(gram, _NOTHING)
            matches[len(gram) - 1] += min(count, second if whose == owner else most)
        if matches[0] == 0:
            return 0.0
        size = len(sentence)
        others = self.lengths if owner is None else self.lengths - Counter([size])
        nearest = min(others, key=lambda length: (abs(length - size), length))
        shares = [(match or _SMOOTH) / max(1, size - k) for k, match in enumerate(matches)]
        return math.exp(min(0.0, 1 - nearest / size) + math.fsum(map(math.log, shares)) / self.n)


def _grams(sentence: Sequence[int], n: int) -> Counter[Gram]:
    whole = tuple(sentence)
    return Counter(whole[start : start + k] for k in range(1, n + 1) for start in range(len(whole) - k + 1))


def _require(name: str, sentences: Sequence[Sequence[int]], least: int, n: int) -> None:
    _check.integer("n", n, least=1)
    if len(sentences) < least:
        raise DomainError(f"{name}: expected at least {least}, got {len(sentences)}")
    for place, sentence in enumerate(sentences):
        if len(sentence) == 0:
            raise DomainError(f"{name}[{place}]: expected at least one token, got an empty sentence")
