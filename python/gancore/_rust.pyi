"""The compiled kernels. The public functions, with their documentation, are in ``gancore.kernels``."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, final

import numpy as np
import numpy.typing as npt

_Reals: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_Float32: TypeAlias = npt.NDArray[np.float32]
_Float64: TypeAlias = npt.NDArray[np.float64]
_Int64: TypeAlias = npt.NDArray[np.int64]

__all__ = [
    "Moments",
    "__version__",
    "ball_counts",
    "build_info",
    "coupling_1d",
    "cramer_distance",
    "divergence",
    "effective_sample_size",
    "emd",
    "emd_cost",
    "energy_distance",
    "frechet_distance",
    "frechet_distance_from_features",
    "knn_distances",
    "langevin_step",
    "lstm_rollout",
    "max_sliced_wasserstein",
    "mixture_energy",
    "mixture_gradient",
    "mixture_langevin",
    "mixture_sample",
    "mixture_underdamped",
    "mlp_langevin",
    "mlp_value_and_grad",
    "mmd2",
    "mmd2_subsets",
    "mutual_information",
    "nested_r_hat",
    "ngram_counts",
    "ngram_tally",
    "num_threads",
    "parzen_log_likelihood",
    "philox_normal",
    "philox_uniform",
    "r_hat",
    "sample_categorical",
    "set_num_threads",
    "sliced_wasserstein",
    "sqrtm_psd",
    "token_table_conv",
    "trace_sqrt_product",
    "wasserstein_1d",
    "wasserstein_circle",
]
__version__: Final[str]

def build_info() -> dict[str, Any]: ...
def num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...

# diagnostics
def effective_sample_size(draws: _Reals) -> _Float64: ...
def nested_r_hat(draws: _Reals, *, superchains: int) -> _Float64: ...
def r_hat(draws: _Reals) -> _Float64: ...

# divergence
def divergence(p: _Reals, q: _Reals, *, measure: str, alpha: float, normalize: bool) -> _Float64: ...
def mutual_information(joint: _Reals, *, normalize: bool) -> _Float64: ...

# emd: cost, support (rows, columns, masses), duals, gap, pivots
_Indices: TypeAlias = npt.NDArray[np.int64]
_Transport: TypeAlias = tuple[float, tuple[_Indices, _Indices, _Float64], tuple[_Float64, _Float64], float, int]

def emd(a: _Reals, b: _Reals, cost: _Reals, *, normalize: bool, max_iterations: int | None) -> _Transport: ...
def emd_cost(a: _Reals, b: _Reals, cost: _Reals, *, normalize: bool, max_iterations: int | None) -> _Float64: ...

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
def mixture_underdamped(
    initial: _Reals,
    velocity: _Reals,
    *,
    parts: _Parts,
    pace: _Pace,
    friction: float,
    counter: _Counter,
    plan: tuple[int, bool],
) -> tuple[_Reals, _Reals, _Float64]: ...

# A pair is its layers (weights, bias, (activation, its number)), the prior, scale and shift; plan how many steps, and
# whether to accept or reject them.
_Pair: TypeAlias = tuple[Sequence[tuple[_Float32, _Float32, tuple[str, float]]], str, float, float]

def mlp_value_and_grad(u: _Float32, *, pair: _Pair) -> tuple[_Float64, _Float32]: ...
def mlp_langevin(
    initial: _Float32, *, pair: _Pair, pace: _Pace, counter: _Counter, plan: tuple[int, bool]
) -> tuple[_Float32, _Float64, float, _Int64]: ...

# rollout: law is (temperature, top_k), counter (seed, step, first row)
def sample_categorical(
    logits: _Reals, uniforms: _Float64 | None = None, *, law: tuple[float, int | None], counter: _Counter
) -> npt.NDArray[np.int64]: ...
def lstm_rollout(
    weights: list[npt.NDArray[np.float32]],
    tokens: npt.NDArray[np.int64],
    *,
    law: tuple[float, int | None],
    plan: tuple[int, int, int],
) -> npt.NDArray[np.int64]: ...
def token_table_conv(
    embedding: npt.NDArray[np.float32],
    filters: list[tuple[int, npt.NDArray[np.float32], npt.NDArray[np.float32]]],
    tokens: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]: ...

# ngram
def ngram_tally(
    tokens: _Indices,
    lengths: _Indices,
    reference_tokens: _Indices | None = None,
    reference_lengths: _Indices | None = None,
    *,
    n: int,
) -> tuple[_Indices, _Indices]: ...
def ngram_counts(tokens: _Indices, lengths: _Indices, *, n: int) -> _Indices: ...

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

# mmd: the shape of a kernel is its degree, gamma, coef0 and bandwidths
_Shape: TypeAlias = tuple[int, float, float, list[float]]

def mmd2(x: _Reals, y: _Reals, *, kernel: str, shape: _Shape, unbiased: bool) -> tuple[float, float]: ...
def mmd2_subsets(
    x: _Reals,
    y: _Reals,
    *,
    x_rows: npt.NDArray[np.int64],
    y_rows: npt.NDArray[np.int64],
    kernel: str,
    shape: _Shape,
    unbiased: bool,
) -> _Float64: ...

# neighbors: counts are those of held and holding rows, in the order that BallCounts has, family after family
_Counts: TypeAlias = npt.NDArray[np.int64]

def knn_distances(x: _Reals, *, k: int) -> _Float64: ...
def ball_counts(
    x: _Reals, y: _Reals, *, x_radii: _Float64, y_radii: _Float64
) -> tuple[_Counts, _Counts, _Counts, _Counts]: ...

# parzen
def parzen_log_likelihood(samples: _Reals, points: _Reals, *, bandwidths: list[float]) -> _Float64: ...

# moments
@final
class Moments:
    def __new__(cls, dim: int) -> Moments: ...
    @staticmethod
    def from_state(
        joined: int, origin: _Float64, offset: _Float64, scatter: _Float64, pending: _Float64
    ) -> Moments: ...
    def state_parts(self) -> tuple[int, _Float64, _Float64, _Float64, _Float64]: ...
    def insert(self, features: _Reals) -> None: ...
    def combine(self, other: Moments) -> Moments: ...
    @property
    def dim(self) -> int: ...
    @property
    def count(self) -> int: ...
    def mean(self) -> _Float64: ...
    def covariance(self) -> _Float64: ...

# frechet: reports are value, way of the trace, rank of the first matrix and of the second.
_Report: TypeAlias = tuple[float, str, int, int]

def trace_sqrt_product(a: _Float64, b: _Float64, *, rounding: float) -> _Report: ...
def sqrtm_psd(a: _Float64, *, rounding: float) -> _Float64: ...
def frechet_distance(
    real_mean: _Float64, real_covariance: _Float64, fake_mean: _Float64, fake_covariance: _Float64, *, rounding: float
) -> _Report: ...
def frechet_distance_from_features(x: _Reals, y: _Reals) -> _Report: ...
