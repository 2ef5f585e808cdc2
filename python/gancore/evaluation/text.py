"""Judges of text: how like the real sentences, how unlike each other, and how likely held-out ones are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch

from gancore.datasets import load
from gancore.errors import GancoreError
from gancore.kernels.ngram import bleu, self_bleu
from gancore.text.likelihood import nll
from gancore.text.vocabulary import END

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gancore.datasets import Data
    from gancore.evaluation.result import Score
    from gancore.text.vocabulary import Vocabulary

__all__ = ["BleuJudge", "SelfBleuJudge", "held_out_part", "likelihood_score", "sentences", "text_judges"]

_ORDERS = (2, 3, 4, 5)
_BLEU = "mean over samples, smoothing method1, references all real sentences"
_SELF_BLEU = "each sample against all others"


@final
@dataclass(frozen=True, eq=False)
class BleuJudge:
    """BLEU-2 to BLEU-5 of the samples, all real sentences being references; an empty sample scores 0.

    Parameters
    ----------
    real : list of list of int
        The references.
    ends : bool
        Whether token 0 ends a sentence.
    """

    real: list[list[int]]
    ends: bool
    name: str = "bleu"

    def score(self, x: Tensor) -> Score:
        """``value`` is BLEU-4; the others by order."""
        found = sentences(x, ends=self.ends)
        written = [sentence for sentence in found if sentence]
        share = len(written) / len(found)
        by_order = {n: share * bleu(written, self.real, n=n, allow_short=True) if written else 0.0 for n in _ORDERS}
        return {
            "value": by_order[4],
            "interval": None,
            **{f"bleu_{n}": value for n, value in by_order.items()},
            "n_real": len(self.real),
            "n_fake": len(found),
            "protocol": {"bleu": _BLEU, "self_bleu": _SELF_BLEU},
        }


@final
@dataclass(frozen=True, eq=False)
class SelfBleuJudge:
    """Self-BLEU-2 to -5, how much samples repeat each other, and how many different tokens they use.

    Parameters
    ----------
    n_real : int
        How many real sentences there are; the score looks at none.
    ends : bool
        Whether token 0 ends a sentence.
    """

    n_real: int
    ends: bool
    name: str = "self_bleu"

    def score(self, x: Tensor) -> Score:
        """``value`` is self-BLEU-4; undefined for fewer than two samples that are not empty."""
        found = sentences(x, ends=self.ends)
        written = [sentence for sentence in found if sentence]
        by_order = {n: self_bleu(written, n=n, allow_short=True) if len(written) > 1 else None for n in _ORDERS}
        return {
            "value": by_order[4],
            "interval": None,
            **{f"self_bleu_{n}": value for n, value in by_order.items()},
            "distinct_tokens": len({token for sentence in written for token in sentence}),
            "n_real": self.n_real,
            "n_fake": len(found),
            "protocol": {"bleu": _BLEU, "self_bleu": _SELF_BLEU},
        }


def text_judges(data: Data) -> tuple[BleuJudge, SelfBleuJudge]:
    """The judges of samples that should read like these data."""
    ends = data.vocabulary is not None
    real = sentences(data.batch(torch.arange(len(data))), ends=ends)
    return BleuJudge([sentence for sentence in real if sentence], ends), SelfBleuJudge(len(data), ends)


def sentences(tokens: Tensor, *, ends: bool) -> list[list[int]]:
    """Rows of token ids (n, length) as lists, up to their ends."""
    rows: list[list[int]] = tokens.tolist()
    return [row[: row.index(END)] if ends and END in row else row for row in rows]


def held_out_part(name: str, vocabulary: Vocabulary | None) -> Data | None:
    """The test part of the data of this name, if there is one."""
    try:
        return load(name, split="test", vocabulary="words" if vocabulary is None else vocabulary)
    except GancoreError:
        return None


def likelihood_score(generator: nn.Module, real: Data, held_out: Data | None) -> Score:
    """Negative log-likelihood of held-out sentences in nats a token; of the real ones where none are held out."""
    data = real if held_out is None else held_out
    place = next(generator.parameters()).device
    tokens = data.batch(torch.arange(len(data))).to(place)
    protocol: dict[str, Any] = {"nll": "of the test part" if held_out is not None else "of what was trained on"}
    return {
        "value": nll(generator, tokens),
        "interval": None,
        "held_out": held_out is not None,
        "n_real": len(data),
        "n_fake": 0,
        "protocol": protocol,
    }
