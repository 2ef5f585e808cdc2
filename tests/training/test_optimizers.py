from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gancore.errors import DomainError
from gancore.training.optimizers import SGD, Adam, RMSProp


def minimise(settings: Adam | RMSProp | SGD, steps: int) -> list[float]:
    """The path of w under the loss w^2 / 2, whose gradient is w."""
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = settings.build([weight])
    path = []
    for _ in range(steps):
        weight.grad = weight.detach().clone()
        optimizer.step()
        path.append(weight.item())
    return path


def test_adam_follows_its_paper() -> None:
    """Kingma and Ba 2015, algorithm 1."""
    w, m, v, path = 3.0, 0.0, 0.0, []
    for t in range(1, 6):
        m, v = 0.5 * m + 0.5 * w, 0.9 * v + 0.1 * w**2
        w -= 0.1 * (m / (1 - 0.5**t)) / (math.sqrt(v / (1 - 0.9**t)) + 1e-8)
        path.append(w)
    np.testing.assert_allclose(minimise(Adam(lr=0.1, beta1=0.5, beta2=0.9), 5), path, rtol=1e-5)


def test_rmsprop_follows_its_recursion() -> None:
    w, v, path = 3.0, 0.0, []
    for _ in range(5):
        v = 0.9 * v + 0.1 * w**2
        w -= 0.1 * w / (math.sqrt(v) + 1e-8)
        path.append(w)
    np.testing.assert_allclose(minimise(RMSProp(lr=0.1, alpha=0.9), 5), path, rtol=1e-5)


def test_descent_keeps_a_share_of_its_last_step() -> None:
    w, step, path = 3.0, 0.0, []
    for _ in range(5):
        step = 0.9 * step + w
        w -= 0.1 * step
        path.append(w)
    np.testing.assert_allclose(minimise(SGD(lr=0.1, momentum=0.9), 5), path, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (SGD, {"lr": -0.1}),
        (SGD, {"momentum": 1.0}),
        (Adam, {"lr": 0.0}),
        (Adam, {"lr": math.nan}),
        (Adam, {"beta1": 1.0}),
        (Adam, {"beta2": -0.1}),
        (RMSProp, {"lr": -1.0}),
        (RMSProp, {"alpha": 1.0}),
    ],
)
def test_settings_out_of_range_raise(settings: type, field: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=next(iter(field))):
        settings(**field)
