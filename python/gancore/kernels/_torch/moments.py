"""Streaming moments in torch: the state of the compiled kernel, in float64 on the device of the features."""

from __future__ import annotations

import torch
from torch import Tensor

from gancore.errors import BackendError, DomainError, ShapeError

__all__ = ["Moments"]


class Moments:
    """Count, mean and scatter of the rows seen so far; each batch is one block."""

    def __init__(self, dim: int, device: torch.device) -> None:
        self.dim = dim
        self.count = 0
        self._origin = torch.zeros(dim, dtype=torch.float64, device=device)
        self._mean = torch.zeros_like(self._origin)
        self._scatter = torch.zeros(dim, dim, dtype=torch.float64, device=device)

    @classmethod
    def from_state(cls, count: int, origin: Tensor, offset: Tensor, scatter: Tensor, pending: Tensor) -> Moments:
        """A state from its parts."""
        state = cls(len(origin), origin.device)
        lower = scatter.double().tril()
        state.count, state._origin, state._mean = count, origin.double(), offset.double()
        state._scatter = lower + lower.tril(-1).T
        if len(pending):
            state._insert(pending.double())
        return state

    @property
    def device(self) -> torch.device:
        """Where the state lies."""
        return self._mean.device

    def state_parts(self) -> tuple[int, Tensor, Tensor, Tensor, Tensor]:
        """The parts that `from_state` takes; no rows wait here."""
        return self.count, self._origin, self._mean, self._scatter, self._mean.new_zeros(0, self.dim)

    @torch.no_grad()
    def insert(self, features: Tensor) -> None:
        """Take in rows of features."""
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ShapeError(f"`features` must have shape (n, {self.dim}); got {tuple(features.shape)}")
        if features.device != self.device:
            raise BackendError(f"`features` must lie on {self.device}, as those before; got {features.device}")
        if not features.isfinite().all():
            row, column = (~features.isfinite()).nonzero()[0].tolist()
            value = features[row, column].item()
            raise DomainError(f"`features` must be finite; got {value} in row {row}, column {column}")
        if not len(features):
            return
        if not self.count:
            # A copy, for features may change; relative to it a large common mean costs no digits.
            self._origin = features[0].double().clone()
        self._insert(features.double() - self._origin)

    def _insert(self, rows: Tensor) -> None:
        mean = rows.mean(0)
        centred = rows - mean
        self.add_block(len(rows), mean, centred.T @ centred)

    def combine(self, other: Moments) -> Moments:
        """The state of all rows of both."""
        if other.device != self.device:
            raise BackendError(f"`other` must lie on {self.device}; got {other.device}")
        if not self.count:
            return Moments.from_state(*other.state_parts())
        merged = Moments.from_state(*self.state_parts())
        count, origin, mean, scatter, _ = other.state_parts()
        if count:
            merged.add_block(count, (origin - self._origin) + mean, scatter)
        return merged

    def add_block(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        """Take in rows of which count, mean and scatter are known."""
        share = count / max(self.count + count, 1)
        gap = mean - self._mean
        self._scatter = self._scatter + scatter + torch.outer(gap, gap) * (self.count * share)
        self._mean = self._mean + gap * share
        self.count += count

    def mean(self) -> Tensor:
        """Mean of all rows."""
        if self.count < 1:
            raise DomainError("`count` must be at least 1 to have a mean; got 0")
        return self._origin + self._mean

    def covariance(self) -> Tensor:
        """Covariance of all rows, with denominator n - 1."""
        if self.count < 2:
            raise DomainError(f"`count` must be at least 2 to have a covariance; got {self.count}")
        return self._scatter / (self.count - 1)
