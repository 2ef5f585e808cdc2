"""What critics estimate while they learn, beside the exact kernels."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from scipy.stats import spearmanr
from torch import nn

from gancore import systems
from gancore.games._steps import critic_step
from gancore.kernels.divergence import jensen_shannon
from gancore.kernels.wasserstein import wasserstein_1d
from gancore.training import Run, train
from gancore.training.optimizers import RMSProp
from gancore.training.state import TrainingState


def test_the_wasserstein_critic_falls_as_the_exact_distance_falls() -> None:
    """The claim of Arjovsky et al. 2017, figure 3, where the distance is known: a generator that is slow to arrive."""
    real = 3 + torch.randn(2000, 1, generator=torch.Generator().manual_seed(7))

    def exact(run: Run) -> float:
        return float(wasserstein_1d(run.sample(2000, seed=1).x[:, 0].double(), real[:, 0].double()))

    system = systems.get("wgan")(networks="mlp", width=32, lr=1e-3, clip=0.1, batch_size=128, head_start=3, ema=None)
    system = replace(system, generator_optimizer=RMSProp(lr=5e-5))
    run = train(system, real, steps=150, metrics={"w1": exact}, evaluate_every=10, log_every=10, seed=0, progress=False)
    estimates = [-entry["critic"] for entry in run.history]
    distances = [entry["w1"] for entry in run.history]
    assert distances[-1] < 0.8 * distances[0]
    assert spearmanr(estimates, distances).statistic > 0.9


class _Table(nn.Module):
    """A generator of four points with given chances, whatever it is asked."""

    def __init__(self, points: torch.Tensor, chances: torch.Tensor) -> None:
        super().__init__()
        self.points, self.chances = points, chances
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        # The code's first coordinate is normal; its distribution function makes it uniform.
        u = torch.special.ndtr(z[:, 0])
        return self.points[torch.searchsorted(self.chances.cumsum(0), u).clamp(max=len(self.points) - 1)]


def test_the_discriminator_arrives_at_the_exact_jensen_shannon_divergence() -> None:
    points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    p, q = torch.tensor([0.4, 0.3, 0.2, 0.1]), torch.tensor([0.1, 0.2, 0.3, 0.4])
    system = systems.get("gan")(width=16, depth=2, batch_size=512, lr=5e-3, ema=None)
    state = TrainingState.create(system, (2,), seed=0, device=torch.device("cpu"), precision="float32")
    state.forward["generator"] = _Table(points, q)
    source = torch.Generator().manual_seed(1)
    values = []
    for _ in range(400):
        real = points[torch.multinomial(p, 512, replacement=True, generator=source)]
        values.append(-critic_step(state, real)["critic"].item())
    # The value at the optimum is 2 JSD - 2 log 2; the mean of 200 batches of 512 is within 0.003 of it.
    estimate = sum(values[-200:]) / 200 / 2 + math.log(2)
    exact = float(jensen_shannon(p.double(), q.double(), normalize=True))
    assert abs(estimate - exact) < 0.01
