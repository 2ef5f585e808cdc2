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
    "num_threads",
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

# wasserstein
def wasserstein_1d(x: _Reals, y: _Reals, *, p: float) -> _Float64: ...
