"""Critics that are tables: one output an outcome, trained to the exact optimum of their loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

if TYPE_CHECKING:
    from gancore.objectives import AnyObjective

Optimum = Callable[["AnyObjective", np.ndarray, np.ndarray], tuple[np.ndarray, float]]


@pytest.fixture(scope="session")
def tabular_optimum() -> Optimum:
    """From counts of outcomes among real samples and fakes: the best output for each outcome, and the loss there."""

    def find(objective: AnyObjective, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, float]:
        real, fake = (torch.from_numpy(np.repeat(np.arange(len(p)), counts)) for counts in (p, q))
        table = torch.zeros(len(p), dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [table], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
        )

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = objective.critic(table[real], table[fake])
            loss.backward()
            return loss

        optimizer.step(closure)
        return table.detach().numpy(), closure().item()

    return find
