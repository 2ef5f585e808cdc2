"""Langevin dynamics: one step on anybody's gradient, whole chains on mixtures and on MLPs, randomness by counter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gancore.kernels._dispatch import write
from gancore.kernels._mixture import GaussianMixture
from gancore.kernels._mlp import MLPEnergy
from gancore.kernels._philox import counter, philox_normal, philox_uniform

if TYPE_CHECKING:
    from gancore.kernels._dispatch import Array

__all__ = ["GaussianMixture", "MLPEnergy", "langevin_step", "philox_normal", "philox_uniform"]


def langevin_step(
    z: Array,
    grad: Array,
    step_size: float,
    *,
    temperature: float = 1.0,
    seed: int,
    step: int,
    out: Array | None = None,
    first_chain: int = 0,
) -> Any:
    r"""One Langevin step of chains whose target is proportional to exp(-E/T), given the gradient of E.

    .. math::
        z' = z - \eta \nabla E(z) + \sqrt{2 \eta T}\, \xi, \qquad \xi \sim N(0, I)

    A loop ``z - a * grad + b * noise`` has step size a and temperature b^2 / (2 a). The noise of a row depends on the
    seed, the step and the number of its chain alone: not on batch size, threads or device.

    Parameters
    ----------
    z : array of shape (n, ...), float32 or float64
        States, one chain a row. NumPy array, or torch tensor.
    grad : array as `z`
        Gradient of the energy at `z`, finite.
    step_size : float
        eta, finite and positive.
    temperature : float, default 1
        T, finite and at least 0, where the step is one of gradient descent.
    seed : int
        From 0 to 2**64 - 1.
    step : int
        Number of the step, below 2**56; each draws fresh noise.
    out : array as `z`, optional
        Where to write: `z` itself for a step in place, without a copy, or other memory. C-contiguous on the CPU.
    first_chain : int, default 0
        Number of the first row's chain; numbers stay below 2**32.

    Returns
    -------
    array as `z`
        `out` if given, else a new array; float32 states are moved by float32 arithmetic.

    Raises
    ------
    ShapeError
        If the shapes differ, or `out` is strided, read-only, or overlaps `grad` or a part of `z`.
    DomainError
        If a number is not finite (its row is named, and nothing is written), or a setting is out of range.
    DTypeError
        If the element types or kinds differ.
    BackendError
        If the gradient of a tensor is recorded: a step has none.

    Notes
    -----
    O(size), about 3 ns a number of float32 on one AVX2 core and 5 ns of float64, most of it for the noise; rows run in
    parallel. Rossky, Doll and Friedman (1978); Roberts and Tweedie (1996), section 1.4.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.zeros((20_000, 1))
    >>> for step in range(100):
    ...     z = langevin_step(z, 2.0 * z, 0.1, seed=0, step=step, out=z)
    >>> round(float(z.var()) * 2.0, 1)  # N(0, 1/2), its variance biased by 1 / (1 - 0.1)
    1.1
    """
    settings = {
        "pace": (float(step_size), float(temperature)),
        "counter": counter(seed, step, first_chain, chains=(np.shape(z) or (1,))[0]),
    }
    return write("langevin", "langevin_step", out, z=z, grad=grad, settings=settings)
