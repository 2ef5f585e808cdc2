"""Tokens drawn from logits, by counter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gancore._check import integer, number
from gancore.errors import ShapeError
from gancore.kernels._dispatch import call, is_tensor
from gancore.kernels._philox import counter

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["law", "sample_categorical"]


def sample_categorical(
    logits: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int,
    step: int,
    first_row: int = 0,
    uniforms: Array | None = None,
) -> Any:
    r"""Tokens drawn from the softmax of logits, by inverting its distribution function at one uniform number a row.

    .. math::
        v = \min \Bigl\{ v : \sum_{i \le v} w_i > u \sum_i w_i \Bigr\}, \qquad w_i = e^{l_i / T}

    The number of row r depends on the seed, the step and `first_row` + r alone: not on batch size, threads or device.

    Parameters
    ----------
    logits : array of shape (..., V), float32 or float64
        One row a token; -inf excludes a token. NumPy array or torch tensor; no gradient is recorded.
    temperature : float, default 1
        T, finite and above 0; below 1 sharpens.
    top_k : int, optional
        Draw among the k largest logits, and those that tie with the least of them. Among all without.
    seed : int
        From 0 to 2**64 - 1.
    step : int
        Number of the step, below 2**56; each draws afresh.
    first_row : int, default 0
        Number of the first row, so that parts of a batch draw as the whole; numbers stay below 2**32.
    uniforms : array of shape (...), float64, optional
        The numbers u in [0, 1) themselves, in place of seed and step: to test with, or to draw in one's own way.

    Returns
    -------
    array of shape (...), int64
        Tokens from 0 to V - 1; an int for a single NumPy row.

    Raises
    ------
    DomainError
        If a logit is nan or inf or a row has no finite one (it is named), or a setting is out of range.
    ShapeError
        If there is no vocabulary, or `uniforms` has another shape.
    DTypeError
        If element types or kinds are others.

    Notes
    -----
    O(size), one reading of the logits; rows run in parallel. float32 logits have float32 weights and float64 sums, and
    u has 52 bits, so a token of probability 1e-12 is drawn as often as it should be; the Gumbel trick, which needs a
    logarithm a category, is slower. Devroye, *Non-Uniform Random Variate Generation* (1986), section III.2.1.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.log([[0.2, 0.5, 0.3]])
    >>> [sample_categorical(logits, seed=0, step=0, uniforms=np.array([u])).item() for u in (0.1, 0.6, 0.9)]
    [0, 1, 2]
    >>> tokens = sample_categorical(np.repeat(logits, 10_000, axis=0), seed=0, step=0)
    >>> (np.bincount(tokens) / 10_000).round(1).tolist()
    [0.2, 0.5, 0.3]
    """
    shape = tuple(np.shape(logits))
    if not shape or not shape[-1]:
        raise ShapeError(f"`logits` must have shape (..., V) with V at least 1; got {shape}")
    if uniforms is not None and tuple(np.shape(uniforms)) != shape[:-1]:
        raise ShapeError(f"`uniforms` must have shape {shape[:-1]}; got {tuple(np.shape(uniforms))}")
    integer("first_row", first_row, least=0)
    seed, step, _ = counter(seed, step, 0, chains=first_row + math.prod(shape[:-1]))
    settings = {"law": law(temperature, top_k), "counter": (seed, step, int(first_row))}
    drawn: Any = uniforms
    if drawn is not None:
        drawn = drawn.detach().double() if is_tensor(drawn) else np.asarray(drawn, np.float64)
    rows: Any = logits
    rows = rows.detach() if is_tensor(rows) else rows
    return call("rollout", "sample_categorical", logits=rows, uniforms=drawn, settings=settings, mixed=True)


def law(temperature: float, top_k: int | None) -> tuple[float, int | None]:
    """What is done to logits before they are drawn from, refused where it is no law."""
    number("temperature", temperature, above=0.0)
    if top_k is not None:
        integer("top_k", top_k, least=1)
    return float(temperature), None if top_k is None else int(top_k)
