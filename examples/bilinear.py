"""The smallest game, v(a, b) = a b: alternating descent circles, two cures spiral into the equilibrium.

Run it for the picture: ``python examples/bilinear.py`` writes bilinear.png.
"""

import os
from dataclasses import dataclass

import torch
from torch import nn

from gancore.games.alternating import Alternating
from gancore.games.consensus import Consensus
from gancore.games.gradient_norm import GradientNorm
from gancore.networks import NetworkFamily
from gancore.objectives.wasserstein import Wasserstein
from gancore.systems import System
from gancore.training.optimizers import SGD
from gancore.training.state import TrainingState


class Point(nn.Module):
    """A generator whose samples are one point, b, whatever the code."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.ones(1))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.b.expand(len(z), 1)


class Slope(nn.Module):
    """A critic d(x) = a x."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a * x.flatten()


@dataclass(frozen=True)
class Bilinear(NetworkFamily):
    """With the data at 0, the Wasserstein game of these two is v(a, b) = a b."""

    critic_norm = "none"
    reference = ""

    def generator(self, shape: tuple[int, ...], latent_dim: int) -> nn.Module:
        return Point()

    def critic(self, shape: tuple[int, ...], outputs: int = 1) -> nn.Module:
        return Slope()


def path(game: object, steps: int) -> torch.Tensor:
    """Where a game goes from (a, b) = (0, 1): (steps + 1, 2)."""
    optimizer = SGD(lr=0.1)
    system = System(
        objective=Wasserstein(), networks=Bilinear(), game=game,
        generator_optimizer=optimizer, critic_optimizer=optimizer, latent_dim=1, batch_size=2, ema=None,
    )  # fmt: skip
    state = TrainingState.create(system, (1,), seed=0, device=torch.device("cpu"), precision="float32")
    points = [(state.critic.a.item(), state.generator.b.item())]
    for _ in range(steps):
        game.turn(state, lambda: torch.zeros(2, 1))
        points.append((state.critic.a.item(), state.generator.b.item()))
    return torch.tensor(points)


steps = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "400"))
paths = {
    "alternating descent": path(Alternating(), steps),
    "consensus, weight 0.5": path(Consensus(weight=0.5), steps),
    "gradient norm, weight 0.5": path(GradientNorm(weight=0.5), steps),
}
for name, points in paths.items():
    print(f"{name:<28} distance from the equilibrium after {steps} steps: {points[-1].norm():.2e}")

if __name__ == "__main__":
    from gancore.figures.style import LIGHT, label, panels

    figure, axes = panels(len(paths), LIGHT, size=(3.1, 3.3))
    for panel, colour, (name, points) in zip(axes, LIGHT.series, paths.items(), strict=False):
        panel.plot(*points.T, color=colour, linewidth=1.6)
        panel.plot(*points[0], "o", color=LIGHT.muted, markersize=4)
        panel.plot(0, 0, "o", color=LIGHT.ink, markersize=4)
        panel.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
        label(panel, LIGHT, title=name.capitalize(), x="a", y="b")
    figure.savefig("bilinear.png", dpi=120, facecolor="white")
