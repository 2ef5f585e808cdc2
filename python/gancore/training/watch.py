"""A watch on the losses that does not slow training down: values stay on the device until somebody looks."""

from __future__ import annotations

import math
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
            pending, self._pending = self._pending, []
            on_device = [loss.float() for _, losses in pending for loss in losses.values()]
            values = iter(torch.stack(on_device).tolist())
            for step, losses in pending:
                found = {name: next(values) for name in losses}
                for name, value in found.items():
                    if not math.isfinite(value):
                        raise DivergedError(step, name, self.last)
                self.last = found
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
