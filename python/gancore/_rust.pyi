"""The compiled kernels. The public functions, with their documentation, are in ``gancore.kernels``."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

_Reals = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_Float64 = npt.NDArray[np.float64]

__all__ = [
    "__version__",
    "build_info",
    "jensen_shannon",
    "kl",
    "langevin_step",
    "mixture_energy",
    "mixture_gradient",
    "mixture_langevin",
    "mixture_sample",
    "num_threads",
    "philox_normal",
    "philox_uniform",
    "set_num_threads",
    "total_variation",
    "wasserstein_1d",
]
__version__: Final[str]

def build_info() -> dict[str, Any]: ...
def num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...

# divergence
def kl(p: _Reals, q: _Reals, *, normalize: bool) -> _Float64: ...
def jensen_shannon(p: _Reals, q: _Reals, *, normalize: bool) -> _Float64: ...
def total_variation(p: _Reals, q: _Reals, *, normalize: bool) -> _Float64: ...

# langevin: pace is (step size, temperature), counter (seed, step, first chain), parts (means, stds, weights), plan
# (steps, metropolis, record_energy)
_Pace = tuple[float, float]
_Counter = tuple[int, int, int]
_Parts = tuple[_Float64, _Float64, _Float64]

def langevin_step(z: _Reals, grad: _Reals, out: _Reals, *, pace: _Pace, counter: _Counter) -> None: ...
def philox_normal(out: _Reals, *, stream: int, counter: _Counter) -> None: ...
def philox_uniform(out: _Float64, *, stream: int, counter: _Counter) -> None: ...
def mixture_energy(x: _Reals, *, parts: _Parts) -> _Float64: ...
def mixture_gradient(x: _Reals, *, parts: _Parts) -> _Reals: ...
def mixture_sample(out: _Float64, *, parts: _Parts, seed: int) -> None: ...
def mixture_langevin(
    initial: _Reals, *, parts: _Parts, pace: _Pace, counter: _Counter, plan: tuple[int, bool, bool]
) -> tuple[_Reals, int, _Float64]: ...

# wasserstein
def wasserstein_1d(x: _Reals, y: _Reals, *, p: float) -> _Float64: ...
