"""Matches and counts of n-grams in torch: those of the compiled kernel, on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.errors import DomainError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ngram_counts", "ngram_tally"]


def ngram_tally(
    tokens: Tensor,
    lengths: Tensor,
    reference_tokens: Tensor | None = None,
    reference_lengths: Tensor | None = None,
    *,
    n: int,
) -> tuple[Tensor, Tensor]:
    """Answer as the compiled kernel does."""
    alone = reference_tokens is None or reference_lengths is None
    judged = len(lengths)
    if reference_tokens is not None and reference_lengths is not None:
        tokens, lengths = torch.cat([tokens, reference_tokens]), torch.cat([lengths, reference_lengths])
    elif judged < 2:
        raise ShapeError(f"`sentences` must have at least 2 sentences; got {judged}")
    sentences, numbers = _grams(tokens, lengths, n)
    matches = torch.stack([_matches(sentences, of_order, judged, alone=alone) for of_order in numbers], 1)
    wanted, offered = lengths[:judged, None], lengths if alone else lengths[judged:]
    # The nearest length, the shorter of two: a sentence is no reference of itself.
    apart = 2 * (offered - wanted).abs() + (offered > wanted)
    if alone:
        apart.fill_diagonal_(torch.iinfo(apart.dtype).max)
    return matches, offered[apart.argmin(1)]


def ngram_counts(tokens: Tensor, lengths: Tensor, *, n: int) -> Tensor:
    """Answer as the compiled kernel does, in another order."""
    last = _grams(tokens, lengths, n)[1][-1]
    counts: Tensor = torch.unique(last[last >= 0], return_counts=True)[1]
    return counts


def _grams(tokens: Tensor, lengths: Tensor, n: int) -> tuple[Tensor, list[Tensor]]:
    """The sentence of each position, and the number of the k-gram that begins there, -1 without one, for each k."""
    if bool((tokens < 0).any()):
        raise DomainError(f"tokens must be ids of at least 0; got {int(tokens.min())}")
    sentences = torch.repeat_interleave(torch.arange(len(lengths), device=tokens.device), lengths)
    ends = lengths.cumsum(0)[sentences]
    at = torch.arange(len(tokens), device=tokens.device)
    first = torch.unique(tokens, return_inverse=True)[1]
    numbers = [first]
    for k in range(1, n):
        held = at + k < ends
        following = first[(at + k).clamp(max=len(tokens) - 1)]
        keys = torch.where(held, numbers[-1] * (int(first.max()) + 1) + following, -torch.ones_like(first))
        inverse = torch.unique(keys, return_inverse=True)[1]
        # The keys of what is too short sort first, as one.
        numbers.append(torch.where(held, inverse, -torch.ones_like(first)))
    return sentences, numbers


def _matches(sentences: Tensor, numbers: Tensor, judged: int, *, alone: bool) -> Tensor:
    held = numbers >= 0
    total = torch.zeros(judged, dtype=torch.int64, device=numbers.device)
    if not bool(held.any()):
        return total
    distinct = int(numbers.max()) + 1
    runs, counts = torch.unique(sentences[held] * distinct + numbers[held], return_counts=True)
    owner, gram = runs // distinct, runs % distinct
    judge = torch.ones_like(owner, dtype=torch.bool) if alone else owner >= judged
    best = torch.zeros(distinct, dtype=torch.int64, device=numbers.device)
    best.scatter_reduce_(0, gram[judge], counts[judge], "amax")
    clip = best[gram]
    if alone:
        leads = counts == clip
        leaders = torch.zeros_like(best).scatter_add_(0, gram, leads.long())
        second = torch.zeros_like(best).scatter_reduce_(0, gram[~leads], counts[~leads], "amax")
        clip = torch.where(leads & (leaders[gram] == 1), second[gram], clip)
    mine = owner < judged
    return total.scatter_add_(0, owner[mine], torch.minimum(counts, clip)[mine])
