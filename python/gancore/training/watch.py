"""A watch on the losses that does not slow training down: values stay on the device until somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gancore.errors import DivergedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gancore.training.state import TrainingState

__all__ = ["LossWatch", "require_finite_weights"]

_PATIENCE = 500
"""Steps after which losses are looked at even if nobody asks, so that they do not pile up."""


class LossWatch:
    """Collects losses by step; a look at them waits for the device once and finds the first that is not finite."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self._pending: list[tuple[int, Mapping[str, Tensor]]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take in the losses of a step: scalars on the device."""
        self._pending.append((step, losses))
        if len(self._pending) >= _PATIENCE:
            self.look()

    def look(self) -> dict[str, float]:
        """The losses of the latest step.

        Raises
        ------
        DivergedError
            If a loss of any step since the last look is not finite.
        """
        if self._pending:
            steps, losses = zip(*self._pending, strict=True)
            self._pending = []
            table = torch.stack([torch.stack(list(row.values())) for row in losses]).float()
            finite, values = table.isfinite().tolist(), table.tolist()
            for step, names, ok, row in zip(steps, losses, finite, values, strict=True):
                if not all(ok):
                    raise DivergedError(step, list(names)[ok.index(False)], self.last)
                self.last = dict(zip(names, row, strict=True))
        return self.last


def require_finite_weights(state: TrainingState, losses: Mapping[str, float]) -> None:
    """Require finite weights and statistics in every network.

    Raises
    ------
    DivergedError
        If there is a nan or an infinity.
    """
    for name, network in state.networks.items():
        finite = [value.isfinite().all() for value in network.state_dict().values()]
        if not torch.stack(finite).all():
            raise DivergedError(state.step, f"{name} weights", losses)
