"""What is kept of a run of chains for its diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

__all__ = ["Trace"]

_TRACED = 512


@final
class Trace:
    """Energies over the run: their sum over all chains, step by step, and each of the first chains by itself.

    They stay on the chains' device until they are asked for, so that recording them waits for no GPU.
    """

    def __init__(self, n: int, steps: int) -> None:
        self._sums = torch.zeros(steps + 1, dtype=torch.float64)
        self._energies = torch.empty(min(n, _TRACED), steps + 1, dtype=torch.float64)

    def record(self, step: int, energy: Tensor, first_chain: int) -> None:
        """Keep the energies of a block of chains after a step."""
        if energy.device != self._sums.device:
            self._sums, self._energies = self._sums.to(energy.device), self._energies.to(energy.device)
        self._sums[step] += energy.sum()
        if first_chain < len(self._energies):
            kept = self._energies[first_chain : first_chain + len(energy), step]
            kept.copy_(energy[: len(kept)])

    @property
    def total(self) -> npt.NDArray[np.float64]:
        """Energies after each step, summed over all chains."""
        sums: npt.NDArray[np.float64] = self._sums.cpu().numpy()
        return sums

    def starts(self) -> npt.NDArray[np.float64]:
        """Energies (chains,) before the first step."""
        return self._kept(slice(0, 1))[:, 0]

    def late_half(self) -> npt.NDArray[np.float64]:
        """Energies (chains, steps) after the first half of the run."""
        return self._kept(slice(self._energies.shape[1] // 2, None))

    def _kept(self, steps: slice) -> npt.NDArray[np.float64]:
        kept: npt.NDArray[np.float64] = self._energies[:, steps].cpu().numpy()
        return kept
