from __future__ import annotations

import torch
from torch import nn

from gancore.regularizers.dragan import Dragan


def test_dragan_looks_around_the_data_in_proportion_to_its_spread() -> None:
    seen: list[torch.Tensor] = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.detach())
            return x.flatten(1).sum(1)

    real = 3 * torch.randn(2000, 4)
    Dragan().penalty(Spy(), real, torch.full_like(real, 1e6), torch.Generator().manual_seed(0))
    noise = (seen[0] - real) / (0.5 * real.std(correction=0))
    assert -1e-5 <= noise.min() < 0.01
    assert 0.99 < noise.max() <= 1 + 1e-5
    assert abs(noise.mean() - 0.5) < 0.02
