"""What is kept of a run of chains for its diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

__all__ = ["Trace"]

_TRACED = 512


@final
class Trace:
    """Energies over the run: their sum over all chains, step by step, and each of the first chains by itself."""

    def __init__(self, n: int, steps: int) -> None:
        self.total = np.zeros(steps + 1)
        self.accepted = 0.0
        self._energies = np.empty((min(n, _TRACED), steps + 1))

    def record(self, step: int, energy: Tensor, first_chain: int) -> None:
        """Keep the energies of a block of chains after a step."""
        energies = energy.cpu().numpy()
        self.total[step] += energies.sum()
        kept = self._energies[first_chain : first_chain + len(energies), step]
        kept[:] = energies[: len(kept)]

    def late_half(self) -> npt.NDArray[np.float64]:
        """Energies (chains, steps) after the first half of the run."""
        return self._energies[:, self._energies.shape[1] // 2 :]
