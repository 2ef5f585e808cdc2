"""Features of a TextCNN, from tables of products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gancore import _rust
from gancore._check import integer
from gancore.errors import ShapeError
from gancore.kernels._lstm_rollout import beside, float32, like, on_accelerator, token_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gancore.kernels._dispatch import Array

__all__ = ["token_table_conv"]


def token_table_conv(embedding: Array, filters: Sequence[tuple[int, Array, Array]], tokens: Array) -> Any:
    r"""Convolve embedded tokens, rectify, and keep the largest over time: the features of a TextCNN.

    .. math::
        y_{rf} = \max_i \operatorname{relu} \Bigl( b_f + \sum_j W_f[:, j] \cdot e(\mathrm{token}_{r, i + j}) \Bigr)

    As W_f[:, j] . e(v) depends on the token v alone, a window is a sum of rows of a table of these products, made for
    sixteen maps at a time over the tokens that occur; with fewer windows than tokens, windows are multiplied out.

    Parameters
    ----------
    embedding : array of shape (V, E), float32
        A row a token. NumPy array or torch tensor; no gradient is recorded.
    filters : sequence of (width, weight, bias)
        Of each width, weights (F, E, width) as torch.nn.Conv1d has them, and biases (F,), float32.
    tokens : array of shape (rows, length), int64
        Token ids.

    Returns
    -------
    array of shape (rows, sum F), float32
        Features in the order of the filters; the kind of `tokens`.

    Raises
    ------
    DomainError
        If a token is outside the vocabulary, a width exceeds the length, or a number is not finite.
    ShapeError
        If shapes do not fit.
    DTypeError
        If tokens are no integers.

    Notes
    -----
    O(tokens that occur x E x sum F width) for the tables and O(rows length sum F width) for the windows, instead of E
    times as much. Kim, *Convolutional neural networks for sentence classification* (2014), eq. 2 and 3.

    Examples
    --------
    >>> embedding = np.array([[0.0], [1.0], [5.0]], np.float32)
    >>> weight, bias = np.ones((1, 1, 2), np.float32), np.zeros(1, np.float32)
    >>> token_table_conv(embedding, [(2, weight, bias)], np.array([[0, 1, 2], [0, 0, 1]])).tolist()
    [[6.0], [1.0]]
    """
    if not filters:
        raise ShapeError("`filters` must have at least one width; got none")
    features = tuple(np.shape(embedding))
    if len(features) != 2 or 0 in features:
        raise ShapeError(f"`embedding` must have shape (V, E), neither 0; got {features}")
    for width, weight, bias in filters:
        integer("width", width, least=1)
        maps = tuple(np.shape(bias))
        if len(maps) != 1 or tuple(np.shape(weight)) != (*maps, features[1], width):
            expected = f"(F, {features[1]}, {width}) and (F,)"
            raise ShapeError(f"`filters` must have shapes {expected}; got {tuple(np.shape(weight))} and {maps}")
    read: Any = tokens
    if on_accelerator(read):
        from gancore.kernels._torch.rollout import token_table_conv as twin

        placed = [(int(width), beside("filters", w, read), beside("filters", b, read)) for width, w, b in filters]
        return twin(beside("embedding", embedding, read), placed, read)
    parts = [(int(width), float32("filters", weight), float32("filters", bias)) for width, weight, bias in filters]
    values = _rust.token_table_conv(float32("embedding", embedding), parts, token_ids("tokens", tokens))
    return like(tokens, values)
