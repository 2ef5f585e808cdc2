"""Text metrics on token ids: BLEU, self-BLEU, the entropy of n-grams, distinct n-grams."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore import _rust
from gancore._check import integer
from gancore.errors import BackendError, DomainError
from gancore.kernels import _bleu
from gancore.kernels._dispatch import is_tensor
from gancore.kernels._sentences import flatten, refuse_short

if TYPE_CHECKING:
    import numpy.typing as npt

    from gancore.kernels._bleu import Smoothing
    from gancore.kernels._sentences import Sentences

__all__ = ["bleu", "bleu_scores", "distinct_n", "ngram_entropy", "self_bleu", "self_bleu_scores"]


def bleu(
    hypotheses: Sentences,
    references: Sentences,
    n: int = 4,
    smoothing: Smoothing = "method1",
    *,
    allow_short: bool = False,
) -> float:
    r"""Mean over hypotheses of their sentence BLEU, each against all references.

    .. math::
        \mathrm{BLEU} = e^{\min(0,\, 1 - r / c)} \Bigl(\prod_{k=1}^n p_k \Bigr)^{1/n}, \qquad
        p_k = \frac{\sum_g \min(\mathrm{count}_h(g), \max_r \mathrm{count}_r(g))}{\max(1, c - k + 1)}

    where g runs over the k-grams of the hypothesis, c is its length, and r the closest length of a reference, the
    shorter of two. It is the mean of nltk's ``sentence_bleu`` with equal weights.

    Parameters
    ----------
    hypotheses, references : list of sequences of int
        Token ids of at least 0, lengths as they come: lists, 1-D arrays or tensors, or a 2-D array or tensor. Tensors
        on a GPU are counted there.
    n : int, default 4
        Longest n-gram, at least 1.
    smoothing : {"method1", "none", "method2", "method3", "method4", "method5", "method6", "method7"}
        What an order without a match counts: 0.1 matches; nothing, and the score is 0; all orders but the first get one
        match and one n-gram more; 1/2, 1/4, ... matches; the same times log(c) / 5. Or every precision becomes the mean
        of three neighbouring orders (method5; method7 after method4), the first with p_1 + 1 before it; or, from the
        third on, is mixed with five n-grams of precision p_{k-1}^2 / p_{k-2} (method6).
    allow_short : bool, default False
        Take hypotheses of less than n tokens as nltk does, with no match among one n-gram, instead of refusing them.

    Returns
    -------
    float
        In [0, 1]; with method5 and method7 it may pass 1.

    Raises
    ------
    DomainError
        If a sentence is empty (it is named) or shorter than n, or an id is negative.
    ShapeError
        If there are no sentences, or they are no sequences.
    DTypeError
        If ids are no integers.
    UnknownNameError
        If there is no smoothing of that name.

    Notes
    -----
    O((tokens of hypotheses and references) n). Papineni et al., *BLEU* (2002), section 2; Chen and Cherry,
    *A systematic comparison of smoothing techniques* (2014), section 3; Texygen's protocol is method1 with all
    references. Equal to nltk 3.10's methods of the same names, except that its method5 and method7 take 5-grams for the
    order after the last whatever n is, and that its method6 refuses a hypothesis without a matching trigram.

    Examples
    --------
    >>> bleu([[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5]])
    1.0
    >>> round(bleu([[1, 2, 3, 4]], [[1, 2, 3, 9]], n=2), 6)  # sqrt(3/4 * 2/3)
    0.707107
    """
    return float(bleu_scores(hypotheses, references, n, smoothing, allow_short=allow_short).mean())


def bleu_scores(
    hypotheses: Sentences,
    references: Sentences,
    n: int = 4,
    smoothing: Smoothing = "method1",
    *,
    allow_short: bool = False,
) -> npt.NDArray[np.float64]:
    """Sentence BLEU of each hypothesis against all references.

    Parameters
    ----------
    hypotheses, references, n, smoothing, allow_short
        As for :func:`bleu`.

    Returns
    -------
    array of shape (hypotheses,), float64
        In [0, 1].

    Raises
    ------
    DomainError, ShapeError, DTypeError, UnknownNameError
        As :func:`bleu`.

    Notes
    -----
    Papineni et al., *BLEU: a method for automatic evaluation of machine translation* (2002), section 2.

    Examples
    --------
    >>> bleu_scores([[1, 2, 3], [7, 8, 9]], [[1, 2, 3]], n=2).tolist()
    [1.0, 0.0]
    """
    return _scores("hypotheses", hypotheses, references, n, smoothing, allow_short=allow_short)


def self_bleu(
    sentences: Sentences, n: int = 4, smoothing: Smoothing = "method1", *, allow_short: bool = False
) -> float:
    """Mean over sentences of their BLEU against all the others: how alike the samples of a model are.

    Parameters
    ----------
    sentences : list of sequences of int
        At least two, as the hypotheses of :func:`bleu`.
    n, smoothing, allow_short
        As for :func:`bleu`.

    Returns
    -------
    float
        In [0, 1]; 1 where every sentence stands there twice. It grows with the number of sentences: compare sets of
        one size.

    Raises
    ------
    DomainError, ShapeError, DTypeError, UnknownNameError
        As :func:`bleu`; ShapeError with fewer than two sentences.

    Notes
    -----
    O(tokens n): of each n-gram the two largest counts are kept, so leaving one sentence out costs nothing. Zhu et al.,
    *Texygen: a benchmarking platform for text generation models* (2018), section 2.3.

    Examples
    --------
    >>> self_bleu([[1, 2, 3, 4], [1, 2, 3, 4]])
    1.0
    >>> self_bleu([[1, 2, 3, 4], [5, 6, 7, 8]])
    0.0
    """
    return float(self_bleu_scores(sentences, n, smoothing, allow_short=allow_short).mean())


def self_bleu_scores(
    sentences: Sentences, n: int = 4, smoothing: Smoothing = "method1", *, allow_short: bool = False
) -> npt.NDArray[np.float64]:
    """BLEU of each sentence against all the others.

    Parameters
    ----------
    sentences, n, smoothing, allow_short
        As for :func:`self_bleu`.

    Returns
    -------
    array of shape (sentences,), float64
        In [0, 1].

    Raises
    ------
    DomainError, ShapeError, DTypeError, UnknownNameError
        As :func:`self_bleu`.

    Notes
    -----
    Zhu et al., *Texygen: a benchmarking platform for text generation models* (2018), section 2.3.

    Examples
    --------
    >>> self_bleu_scores([[1, 2], [1, 2], [8, 9]], n=2).tolist()
    [1.0, 1.0, 0.0]
    """
    return _scores("sentences", sentences, None, n, smoothing, allow_short=allow_short)


def ngram_entropy(sentences: Sentences, n: int = 4) -> float:
    r"""Entropy of the n-grams of a set of sentences.

    .. math::
        H_n = -\sum_g \frac{c_g}{C} \log \frac{c_g}{C}, \qquad C = \sum_g c_g

    Parameters
    ----------
    sentences : list of sequences of int
        As the hypotheses of :func:`bleu`; n-grams do not reach from one into the next.
    n : int, default 4
        Length of the n-grams.

    Returns
    -------
    float
        In nats, from 0 to log C.

    Raises
    ------
    DomainError
        If a sentence is empty, an id is negative, or no sentence has n tokens.
    ShapeError, DTypeError
        As :func:`bleu`.

    Notes
    -----
    O(tokens n). Zhang et al., *Generating informative and diverse conversational responses* (2018), section 4.

    Examples
    --------
    >>> import math
    >>> ngram_entropy([[1, 2, 3, 4]], n=1) == math.log(4)
    True
    """
    counts = _counts(sentences, n)
    total = int(counts.sum())
    # log C - mean log c keeps the uniform case exact.
    return float(np.log(total) - (counts / total * np.log(counts)).sum())


def distinct_n(sentences: Sentences, n: int = 2) -> float:
    """Distinct n-grams as a share of all n-grams of a set of sentences.

    Parameters
    ----------
    sentences : list of sequences of int
        As the hypotheses of :func:`bleu`; n-grams do not reach from one into the next.
    n : int, default 2
        Length of the n-grams.

    Returns
    -------
    float
        Above 0, at most 1. It falls with the number of sentences: compare sets of one size.

    Raises
    ------
    DomainError, ShapeError, DTypeError
        As :func:`ngram_entropy`.

    Notes
    -----
    O(tokens n). Li et al., *A diversity-promoting objective function for neural conversation models* (2016),
    section 5.3.

    Examples
    --------
    >>> distinct_n([[1, 2, 1, 2, 1]])
    0.5
    """
    counts = _counts(sentences, n)
    return len(counts) / int(counts.sum())


def _scores(
    name: str, hypotheses: Sentences, references: Sentences | None, n: int, smoothing: str, *, allow_short: bool
) -> npt.NDArray[np.float64]:
    integer("n", n, least=1)
    tokens, lengths = flatten(name, hypotheses)
    refuse_short(name, lengths, n, allow_short=allow_short)
    given = (tokens, lengths) if references is None else (tokens, lengths, *flatten("references", references))
    # Orders beyond the longest hypothesis have no matches: they are not looked for.
    wanted = _bleu.orders_counted(n, smoothing)
    counted = min(wanted, int(lengths.max()))
    matches, closest = _answer("ngram_tally", given, counted)
    matches = np.pad(matches, ((0, 0), (0, wanted - counted)))
    return _bleu.scores(matches, closest, lengths, n, smoothing)


def _counts(sentences: Sentences, n: int) -> npt.NDArray[np.int64]:
    integer("n", n, least=1)
    tokens, lengths = flatten("sentences", sentences)
    if n > lengths.max():
        raise DomainError(f"`n` must be at most the length of the longest sentence, {lengths.max()}; got {n}")
    counts: npt.NDArray[np.int64] = _answer("ngram_counts", (tokens, lengths), n)
    return counts


def _answer(function: str, arrays: tuple[Any, ...], n: int) -> Any:
    """Ask the compiled kernel, or the twin where tokens lie on a GPU."""
    tensors = [is_tensor(array) for array in arrays[::2]]
    if not any(tensors):
        return getattr(_rust, function)(*arrays, n=n)
    if not all(tensors):
        raise BackendError("`hypotheses` and `references` must both lie on the GPU, or neither")
    import torch

    device = arrays[0].device
    placed = [array if is_tensor(array) else torch.from_numpy(array).to(device) for array in arrays]
    found = getattr(importlib.import_module("gancore.kernels._torch.ngram"), function)(*placed, n=n)
    return tuple(part.cpu().numpy() for part in found) if isinstance(found, tuple) else found.cpu().numpy()
