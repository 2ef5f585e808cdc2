"""Whole roll-outs of an LSTM language model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, final

import numpy as np

from gancore import _rust
from gancore._check import integer
from gancore.errors import BackendError, DTypeError, ShapeError
from gancore.kernels._categorical import law
from gancore.kernels._dispatch import is_tensor, to_numpy
from gancore.kernels._philox import counter

if TYPE_CHECKING:
    import torch

    from gancore.kernels._dispatch import Array

__all__ = ["LSTMWeights", "beside", "float32", "like", "lstm_rollout", "on_accelerator", "token_ids"]


@final
@dataclass(frozen=True)
class LSTMWeights:
    """Parameters of a one-layer LSTM language model, as torch has them: gates in the order i, f, g, o.

    Parameters
    ----------
    embedding : array of shape (V, E), float32
        A row a token.
    w_ih : array of shape (4H, E)
        Weights of the input, ``weight_ih_l0`` of torch.nn.LSTM.
    w_hh : array of shape (4H, H)
        Weights of the state.
    b_ih, b_hh : array of shape (4H,)
        Biases.
    head_w : array of shape (V, H)
        Weights of the logits.
    head_b : array of shape (V,)
        Bias of the logits.

    Raises
    ------
    ShapeError
        If shapes do not fit each other.

    Notes
    -----
    Hochreiter and Schmidhuber, *Long short-term memory* (1997), with the forget gate of Gers et al. (2000).

    Examples
    --------
    >>> shapes = [(5, 2), (12, 2), (12, 3), 12, 12, (5, 3), 5]
    >>> weights = LSTMWeights(*map(np.zeros, shapes))
    >>> weights.hidden, weights.vocabulary
    (3, 5)
    """

    embedding: Array
    w_ih: Array
    w_hh: Array
    b_ih: Array
    b_hh: Array
    head_w: Array
    head_b: Array

    def __post_init__(self) -> None:
        for name, axes in (("embedding", 2), ("w_hh", 2)):
            shape = tuple(np.shape(getattr(self, name)))
            if len(shape) != axes or 0 in shape:
                raise ShapeError(f"`{name}` must have {axes} axes, none empty; got shape {shape}")
        (tokens, features), hidden = np.shape(self.embedding), np.shape(self.w_hh)[1]
        expected = {
            "w_ih": (4 * hidden, features),
            "w_hh": (4 * hidden, hidden),
            "b_ih": (4 * hidden,),
            "b_hh": (4 * hidden,),
            "head_w": (tokens, hidden),
            "head_b": (tokens,),
        }
        for name, shape in expected.items():
            if tuple(np.shape(getattr(self, name))) != shape:
                raise ShapeError(f"`{name}` must have shape {shape}; got {tuple(np.shape(getattr(self, name)))}")

    @property
    def hidden(self) -> int:
        """H."""
        return int(np.shape(self.w_hh)[1])

    @property
    def vocabulary(self) -> int:
        """V."""
        return int(np.shape(self.embedding)[0])


def lstm_rollout(
    weights: LSTMWeights,
    tokens: Array,
    n: int,
    *,
    start_token: int = 0,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int,
) -> Any:
    r"""Continue every prefix of every sequence n times by drawing from an LSTM.

    .. math::
        Y^n_{t+1:T} \sim G(\cdot \mid Y_{1:t}), \qquad t = 1, \dots, T - 1

    The start token is fed first, then the prefix. States of prefixes are computed once, continuations of a prefix share
    the logits of their first token, and cell, logits and draw are one loop. The draw at a position depends on the seed,
    sequence, prefix, continuation and position alone: not on n, batch or threads.

    Parameters
    ----------
    weights : LSTMWeights
        float32; other floats are rounded to it.
    tokens : array of shape (batch, length), int64
        Sequences whose prefixes are continued. NumPy array or torch tensor.
    n : int
        Continuations of each prefix, at least 1.
    start_token : int, default 0
        The token before the first.
    temperature, top_k
        The law of the draws, as for :func:`sample_categorical`.
    seed : int
        From 0 to 2**64 - 1.

    Returns
    -------
    array of shape (length - 1, batch, n, length), int64
        At [t - 1, b, i] continuation i of the first t tokens of sequence b, prefix included; the kind of `tokens`.

    Raises
    ------
    DomainError
        If a token is outside the vocabulary or a weight not finite (it is named), or a setting is out of range.
    ShapeError
        If `tokens` has other axes.
    DTypeError
        If tokens are no integers.
    BackendError
        If weights and tokens lie on different devices.

    Notes
    -----
    batch n (length - 1) length / 2 products of the state with the head, O(V H) each: with batch 64, length 20, n 16,
    H 32 and V 5,000 about 3 s on one AVX2 core. On a GPU the same draws give the same tokens up to rounding. Yu et al.,
    *SeqGAN* (2017), algorithm 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shapes = [(9, 4), (12, 4), (12, 3), (12,), (12,), (9, 3), (9,)]
    >>> weights = LSTMWeights(*(rng.standard_normal(shape, np.float32) for shape in shapes))
    >>> rows = lstm_rollout(weights, np.array([[1, 2, 3, 4]]), 5, seed=0)
    >>> rows.shape, rows[1, 0, :, :2].tolist()
    ((3, 1, 5, 4), [[1, 2], [1, 2], [1, 2], [1, 2], [1, 2]])
    """
    integer("n", n, least=1)
    integer("start_token", start_token, least=0)
    seed, _, _ = counter(seed, 0, 0, chains=0)
    settings: dict[str, Any] = {"law": law(temperature, top_k), "plan": (int(n), int(start_token), seed)}
    arrays = {field.name: getattr(weights, field.name) for field in fields(weights)}
    read: Any = tokens
    if on_accelerator(read):
        from gancore.kernels._torch.rollout import lstm_rollout as twin

        return twin([beside(name, array, read) for name, array in arrays.items()], read, **settings)
    rows = _rust.lstm_rollout(
        [float32(name, array) for name, array in arrays.items()], token_ids("tokens", tokens), **settings
    )
    return like(tokens, rows)


def on_accelerator(array: Any) -> bool:
    """Whether an array is a tensor elsewhere than on the CPU."""
    return is_tensor(array) and array.device.type != "cpu"


def beside(name: str, array: Any, tokens: torch.Tensor) -> torch.Tensor:
    """A parameter as float32 where the tokens lie, refused where it lies elsewhere."""
    if not is_tensor(array) or array.device != tokens.device:
        where = array.device if is_tensor(array) else "a NumPy array"
        raise BackendError(f"`{name}` must lie on {tokens.device}, as the tokens do; got {where}")
    parameter: torch.Tensor = array.detach().float()
    return parameter


def like(tokens: Array, values: Any) -> Any:
    """A NumPy array as the kind that the tokens are of."""
    if not is_tensor(tokens):
        return values
    import torch

    return torch.from_numpy(values)


def float32(name: str, array: Any) -> Any:
    """View an array or CPU tensor as a C-contiguous float32 array, rounded if it is wider."""
    if is_tensor(array):
        if array.device.type != "cpu":
            raise BackendError(f"`{name}` must lie on the CPU, as the tokens do; got {array.device}")
        array = array.detach()
    return to_numpy(name, array).astype(np.float32, copy=False)


def token_ids(name: str, tokens: Any) -> Any:
    """View rows of token ids as a C-contiguous int64 array with two axes."""
    ids = np.asarray(tokens.detach().numpy() if is_tensor(tokens) else tokens)
    if ids.dtype.kind not in "iu":
        raise DTypeError(f"`{name}` must hold integer token ids; got dtype {ids.dtype}")
    if ids.ndim != 2 or not ids.shape[1]:
        raise ShapeError(f"`{name}` must have shape (rows, length) with length at least 1; got {ids.shape}")
    return np.asarray(ids, np.int64, order="C")
