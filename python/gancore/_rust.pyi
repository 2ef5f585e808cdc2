"""The compiled kernels. The public functions, with their documentation, are in ``gancore.kernels``."""

from typing import Any, Final, TypeAlias, final

import numpy as np
import numpy.typing as npt

_Reals: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_Float64: TypeAlias = npt.NDArray[np.float64]

__all__ = [
    "Moments",
    "__version__",
    "build_info",
    "coupling_1d",
    "cramer_distance",
    "energy_distance",
    "frechet_distance",
    "jensen_shannon",
    "kl",
    "langevin_step",
    "max_sliced_wasserstein",
    "mixture_energy",
    "mixture_gradient",
    "mixture_langevin",
    "mixture_sample",
    "num_threads",
    "philox_normal",
    "philox_uniform",
    "set_num_threads",
    "sliced_wasserstein",
    "total_variation",
    "trace_sqrt_product",
    "wasserstein_1d",
    "wasserstein_circle",
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
# how many steps, whether to accept or reject them, and whether to record energies.
_Pace: TypeAlias = tuple[float, float]
_Counter: TypeAlias = tuple[int, int, int]
_Parts: TypeAlias = tuple[_Float64, _Float64, _Float64]

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
_Weights: TypeAlias = _Reals | None
_Cells: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], _Float64, _Float64, _Float64]

def wasserstein_1d(
    x: _Reals, y: _Reals, x_weights: _Weights = None, y_weights: _Weights = None, *, p: float
) -> _Float64: ...
def wasserstein_circle(
    x: _Reals, y: _Reals, x_weights: _Weights = None, y_weights: _Weights = None, *, p: float, period: float
) -> _Float64: ...
def cramer_distance(x: _Reals, y: _Reals, x_weights: _Weights = None, y_weights: _Weights = None) -> _Float64: ...
def coupling_1d(
    x: _Reals, y: _Reals, x_weights: _Weights = None, y_weights: _Weights = None, *, p: float
) -> _Cells: ...
def sliced_wasserstein(x: _Reals, y: _Reals, *, p: float, n_projections: int, seed: int) -> float: ...
def max_sliced_wasserstein(
    x: _Reals, y: _Reals, *, p: float, n_projections: int, seed: int
) -> tuple[float, _Float64]: ...
def energy_distance(x: _Reals, y: _Reals) -> float: ...

# moments
@final
class Moments:
    def __new__(cls, dim: int) -> Moments: ...
    @staticmethod
    def from_state(count: int, mean: _Float64, scatter: _Float64, pending: _Float64) -> Moments: ...
    def state_parts(self) -> tuple[int, _Float64, _Float64, _Float64]: ...
    def insert(self, features: _Reals) -> None: ...
    def combine(self, other: Moments) -> Moments: ...
    @property
    def dim(self) -> int: ...
    @property
    def count(self) -> int: ...
    def mean(self) -> _Float64: ...
    def covariance(self) -> _Float64: ...

# frechet
def trace_sqrt_product(a: _Float64, b: _Float64) -> float: ...
def frechet_distance(
    real_mean: _Float64, real_covariance: _Float64, fake_mean: _Float64, fake_covariance: _Float64
) -> float: ...
