"""Gradients of exact transport: plan and duals, from the compiled kernel, as derivatives of the cost."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import torch
from torch import Tensor

from gancore import _rust
from gancore.errors import BackendError, ShapeError
from gancore.kernels._dispatch import refuse_gradients, to_numpy

__all__ = ["emd", "emd_cost"]


def emd(a: Tensor, b: Tensor, cost: Tensor, **_: object) -> NoReturn:
    """No plan for tensors on a GPU or with gradients: there is no such algorithm, and the plan has no derivative."""
    _refuse_devices(a)
    refuse_gradients("emd", a=a, b=b, cost=cost)
    raise AssertionError("the dispatch sends no other tensors here")


def emd_cost(a: Tensor, b: Tensor, cost: Tensor, *, normalize: bool, max_iterations: int | None) -> Tensor:
    """Least cost of transport, over leading axes, with gradients."""
    _refuse_devices(a)
    for name, masses in (("a", a), ("b", b)):
        if masses.ndim == 0 or masses.shape[-1] == 0:
            raise ShapeError(f"`{name}` must have at least one mass on the last axis; got shape {tuple(masses.shape)}")
    if a.shape[:-1] != b.shape[:-1]:
        raise ShapeError(f"`b` must have the leading axes of `a`; got {tuple(b.shape)} and {tuple(a.shape)}")
    matrix = (a.shape[-1], b.shape[-1])
    if tuple(cost.shape) not in (matrix, (*a.shape[:-1], *matrix)):
        expected = f"{(*a.shape[:-1], *matrix)} or {matrix}"
        raise ShapeError(f"`cost` must have shape {expected}; got {tuple(cost.shape)}")
    settings = {"normalize": normalize, "max_iterations": max_iterations}
    value: Tensor = _Cost.apply(a, b, cost, settings)
    return value


def _refuse_devices(tensor: Tensor) -> None:
    if tensor.device.type != "cpu":
        raise BackendError(
            f"exact transport runs on the CPU, and `a` lies on {tensor.device}: "
            "call with a.cpu(), b.cpu(), cost.cpu(), through which gradients flow back"
        )


class _Cost(torch.autograd.Function):
    """The cost, whose slope is kept from the plan."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, cost: Tensor, settings: dict[str, Any]) -> Tensor:
        masses = [to_numpy(name, side).reshape(-1, side.shape[-1]) for name, side in (("a", a), ("b", b))]
        costs = to_numpy("cost", cost).reshape(-1, *cost.shape[-2:])
        values, slopes, flows = [], [], []
        for k, (x, y) in enumerate(zip(*masses, strict=True)):
            own = k if len(costs) > 1 else 0
            value, (rows, cols, mass), duals, _, _ = _rust.emd(x, y, costs[own], **settings)
            values.append(value)
            slopes.append([_slope(side, dual, **settings) for side, dual in zip((x, y), duals, strict=True)])
            flows.append((rows * len(y) + cols + own * costs[0].size, mass))
        ctx.flows = [(torch.from_numpy(at), torch.from_numpy(mass)) for at, mass in flows]
        slope_a, slope_b = (
            torch.stack([torch.from_numpy(s) for s in side]) if side else torch.empty(0, dtype=torch.float64)
            for side in (zip(*slopes, strict=True) if slopes else ((), ()))
        )
        ctx.save_for_backward(a, b, cost, slope_a, slope_b)
        return torch.tensor(values, dtype=torch.float64).reshape(a.shape[:-1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        a, b, cost, slope_a, slope_b = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        gradients = _Slope.apply(grad, a, b, cost, slope_a, slope_b, ctx.flows, needed)
        return (*(gradient if need else None for gradient, need in zip(gradients, needed, strict=True)), None)


class _Slope(torch.autograd.Function):
    """The gradients, which have none of their own."""

    @staticmethod
    def forward(_ctx: Any, grad: Tensor, a: Tensor, b: Tensor, cost: Tensor, *parts: Any) -> tuple[Tensor, ...]:
        slope_a, slope_b, flows, (_, _, by_cost) = parts
        scale = grad.reshape(-1)
        of_cost = torch.zeros(math.prod(cost.shape) if by_cost else 0, dtype=torch.float64)
        for (at, mass), factor in zip(flows if by_cost else (), scale if by_cost else (), strict=True):
            of_cost.index_add_(0, at, mass * factor)
        return (
            (slope_a * scale[:, None]).reshape(a.shape).to(a.dtype),
            (slope_b * scale[:, None]).reshape(b.shape).to(b.dtype),
            (of_cost.reshape(cost.shape) if by_cost else of_cost).to(cost.dtype),
        )

    @staticmethod
    def backward(_ctx: Any, *_: Tensor) -> NoReturn:
        raise BackendError(
            "emd_cost has no second derivative: it is piecewise linear in masses and costs; call backward() or "
            "torch.autograd.grad without create_graph"
        )


def _slope(masses: Any, dual: Any, *, normalize: bool, **_: object) -> Any:
    """The slope in the masses: their dual, or what of it is left where they are rescaled to total 1."""
    if not normalize:
        return dual
    total = masses.sum(dtype="float64")
    return (dual - (masses / total) @ dual) / total
