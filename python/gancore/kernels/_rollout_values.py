"""The plan of a roll-out, and what becomes of its scores: values, returns, advantages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import numpy as np

from gancore._check import integer, number
from gancore.errors import DomainError, DTypeError, ShapeError, UnknownNameError
from gancore.kernels._dispatch import is_tensor, to_numpy

if TYPE_CHECKING:
    import numpy.typing as npt

    from gancore.kernels._dispatch import Array

__all__ = ["Baseline", "RolloutPlan", "advantages", "returns", "rollout_plan", "rollout_q_values"]

Baseline: TypeAlias = Literal["none", "time_mean", "leave_one_out"]
"""What is taken from a value: nothing; the mean of the batch at that time; that mean without the row itself."""


@final
@dataclass(frozen=True)
class RolloutPlan:
    """All continuations of a sequence, in the order of their prefixes.

    Where position s is drawn, the continuations that take part are those of prefixes of at most s tokens: the first
    ``active(s)`` of the list.

    Parameters
    ----------
    prefix : array of shape (P,), int64
        How many tokens each continuation keeps: 1 to length - 1, ascending.
    rollout : array of shape (P,), int64
        Number of the continuation among those of its prefix, from 0.

    Raises
    ------
    TypeError
        If a field is missing.

    Notes
    -----
    P = (length - 1) n_rollouts. Yu et al., *SeqGAN* (2017), algorithm 1.

    Examples
    --------
    >>> RolloutPlan(np.array([1, 2]), np.array([0, 0])).active(1)
    1
    """

    prefix: npt.NDArray[np.int64]
    rollout: npt.NDArray[np.int64]

    def active(self, position: int) -> int:
        """How many continuations, the first of the list, draw the token at a position, which counts from 0."""
        return int(np.searchsorted(self.prefix, position, side="right"))


def rollout_plan(length: int, n_rollouts: int) -> RolloutPlan:
    """All (prefix, continuation) pairs of sequences of a length, as one list.

    Parameters
    ----------
    length : int
        Tokens of a sequence, at least 1.
    n_rollouts : int
        Continuations of each prefix, at least 1.

    Returns
    -------
    RolloutPlan
        Prefixes of 1 to length - 1 tokens; the whole sequence needs no continuation.

    Raises
    ------
    DTypeError, DomainError
        If a number is no integer, or too small.

    Notes
    -----
    O(length n_rollouts). Yu et al., *SeqGAN* (2017), algorithm 1.

    Examples
    --------
    >>> plan = rollout_plan(3, 2)
    >>> plan.prefix.tolist(), plan.rollout.tolist()
    ([1, 1, 2, 2], [0, 1, 0, 1])
    """
    integer("length", length, least=1)
    integer("n_rollouts", n_rollouts, least=1)
    prefixes = np.arange(1, length, dtype=np.int64)
    return RolloutPlan(prefixes.repeat(n_rollouts), np.tile(np.arange(n_rollouts, dtype=np.int64), length - 1))


def rollout_q_values(scores: Array, final_scores: Array) -> Any:
    r"""Action values from the scores of continuations.

    .. math::
        Q_{bt} = \frac{1}{N} \sum_n D(Y^n_{bt}) \quad (t < T), \qquad Q_{bT} = D(Y_b)

    Parameters
    ----------
    scores : array of shape (batch, length - 1, n)
        Score of continuation n of the first t + 1 tokens, at [b, t, n].
    final_scores : array of shape (batch,)
        Scores of the sequences themselves.

    Returns
    -------
    array of shape (batch, length), float64
        The arithmetic mean over continuations; the last column is `final_scores`.

    Raises
    ------
    ShapeError
        If shapes do not fit.
    DomainError
        If a score is not finite.
    DTypeError
        If arrays are of different kinds.

    Notes
    -----
    O(size). Yu et al., *SeqGAN* (2017), eq. 4.

    Examples
    --------
    >>> rollout_q_values([[[0.0, 1.0], [1.0, 1.0]]], [0.25]).tolist()
    [[0.5, 1.0, 0.25]]
    """
    if is_tensor(scores) != is_tensor(final_scores):
        raise DTypeError("`scores` and `final_scores` must both be tensors, or neither")
    values, last = _float64("scores", scores, axes=3), _float64("final_scores", final_scores, axes=1)
    if len(last) != len(values):
        raise ShapeError(f"`final_scores` must have shape ({len(values)},); got {tuple(last.shape)}")
    if values.shape[1] and not values.shape[2]:
        raise ShapeError(f"`scores` must have at least one continuation; got shape {tuple(values.shape)}")
    columns = [values.mean(2), last[:, None]] if values.shape[1] else [last[:, None]]
    return _library(last).concatenate(columns, 1)


def returns(rewards: Array, discount: float = 1.0) -> Any:
    r"""Discounted sums of the rewards from each time on.

    .. math::
        G_t = \sum_{k \ge t} \gamma^{k - t} r_k

    Parameters
    ----------
    rewards : array of shape (batch, length)
        Reward of each token.
    discount : float, default 1
        gamma, from 0 to 1.

    Returns
    -------
    array of shape (batch, length), float64
        In one product with a triangular matrix.

    Raises
    ------
    ShapeError, DomainError
        If the shape is another, a reward not finite, or the discount out of range.

    Notes
    -----
    O(batch length^2). Sutton and Barto, *Reinforcement Learning* (2018), eq. 3.8.

    Examples
    --------
    >>> returns([[1.0, 0.0, 4.0]], 0.5).tolist()
    [[2.0, 2.0, 4.0]]
    """
    number("discount", discount, least=0.0)
    if discount > 1.0:
        raise DomainError(f"discount: expected at most 1, got {discount}")
    values = _float64("rewards", rewards, axes=2)
    times = np.arange(values.shape[1])
    ahead = times[:, None] - times
    weights: Any = np.where(ahead >= 0, float(discount) ** np.maximum(ahead, 0), 0.0)
    if is_tensor(values):
        weights = values.new_tensor(weights)
    return values @ weights


def advantages(q: Array, *, baseline: Baseline = "none", whiten: bool = False) -> Any:
    r"""Values less a baseline that does not depend on the token, so that the policy gradient keeps its mean.

    .. math::
        A_{bt} = Q_{bt} - \frac{1}{B} \sum_{b'} Q_{b't} \quad\text{or}\quad
        Q_{bt} - \frac{1}{B - 1} \sum_{b' \ne b} Q_{b't}

    Parameters
    ----------
    q : array of shape (batch, length)
        Values.
    baseline : {"none", "time_mean", "leave_one_out"}
        Nothing; the mean over the batch at each time, which scales the gradient by 1 - 1/B; that mean without the row
        itself, which leaves it as it is.
    whiten : bool, default False
        Also take the mean of all away and divide by their standard deviation; equal values give 0.

    Returns
    -------
    array of shape (batch, length), float64
        Advantages.

    Raises
    ------
    ShapeError
        If the shape is another, or leave-one-out has one row.
    DomainError
        If a value is not finite.
    UnknownNameError
        If there is no baseline of that name.

    Notes
    -----
    O(size). Williams, *Simple statistical gradient-following algorithms* (1992), section 4; Kool, van Hoof and Welling,
    *Buy 4 REINFORCE samples, get a baseline for free* (2019).

    Examples
    --------
    >>> advantages([[1.0, 0.0], [3.0, 0.0]], baseline="time_mean").tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> advantages([[1.0, 0.0], [3.0, 0.0]], baseline="leave_one_out").tolist()
    [[-2.0, 0.0], [2.0, 0.0]]
    """
    if baseline not in ("none", "time_mean", "leave_one_out"):
        raise UnknownNameError("baseline", baseline, ("none", "time_mean", "leave_one_out"))
    values = _float64("q", q, axes=2)
    rows = len(values)
    if not values.size if isinstance(values, np.ndarray) else not values.numel():
        raise ShapeError(f"`q` must have at least one value; got shape {tuple(values.shape)}")
    scale = float(abs(values).max())
    if baseline == "leave_one_out" and rows < 2:
        raise ShapeError(f"`q` must have at least 2 rows for a leave-one-out baseline; got {rows}")
    if baseline != "none":
        values = values - values.mean(0)
    if baseline == "leave_one_out":
        values = values * (rows / (rows - 1))
    if whiten:
        values = values - values.mean()
        spread = float((values * values).mean()) ** 0.5
        # What rounding leaves of equal values is no spread.
        values = values / spread if spread > 1e-12 * scale else 0.0 * values
    return values


def _float64(name: str, array: Array, *, axes: int) -> Any:
    """A float64 array, or tensor, of some axes whose numbers are finite."""
    given: Any = array
    values: Any = given.detach().double() if is_tensor(given) else to_numpy(name, given).astype(np.float64)
    if values.ndim != axes:
        raise ShapeError(f"`{name}` must have {axes} axes; got shape {tuple(values.shape)}")
    finite = _library(values).isfinite(values)
    if not finite.all():
        at = tuple(int(i) for i in np.argwhere(~np.asarray(finite.cpu() if is_tensor(finite) else finite))[0])
        raise DomainError(f"`{name}` must be finite; got {float(values[at])} at {at}")
    return values


def _library(values: Any) -> Any:
    if is_tensor(values):
        import torch

        return torch
    return np
