"""Every objective on points in the plane: how many modes, how good, how even, over seeds.

Run with ``python examples/study.py``, an hour on one quiet core, or name some of ring, grid and swiss-roll behind
it. Writes a table and a picture of the first seed's samples for each.
"""

import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import gancore
from gancore.datasets import load
from gancore.errors import DivergedError
from gancore.figures import save_png, scatter
from gancore.games.feature_matching import FeatureMatching
from gancore.games.historical_averaging import HistoricalAveraging
from gancore.games.replay import Replay
from gancore.metrics import ModeCoverage, mode_coverage
from gancore.networks.mlp import MLP
from gancore.objectives.label_smoothing import LabelSmoothing
from gancore.regularizers.gradient_penalty import GradientPenalty
from gancore.regularizers.instance_noise import InstanceNoise
from gancore.systems import System

QUICK = "GANCORE_EXAMPLE_STEPS" in os.environ
STEPS = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "2000"))
DATA = ("ring",) if QUICK else tuple(sys.argv[1:]) or ("ring", "grid", "swiss-roll")
SEEDS = range(1 if QUICK else 3)
SAMPLES = 2500
WIDTH = 64


def recipe(name: str, **choices: object) -> System:
    """A published system on the networks and with the learning rate of the study."""
    return gancore.systems.get(name)(**{"width": WIDTH, "batch_size": 128, "ema": 0.99, "lr": 1e-3} | choices)


plain = recipe("gan", objective="nonsaturating")
METHODS: dict[str, System] = {
    "minimax": recipe("gan"),
    "non-saturating": plain,
    "LSGAN": recipe("lsgan", networks="mlp"),
    "f-GAN, KL": recipe("fgan", f="kl", networks="mlp"),
    "f-GAN, reverse KL": recipe("fgan", f="reverse_kl", networks="mlp"),
    "f-GAN, Pearson": recipe("fgan", f="pearson", networks="mlp"),
    "b-GAN, Pearson": recipe("bgan", networks="mlp"),
    "WGAN, clip 0.1": recipe("wgan", networks="mlp", clip=0.1, critic_steps=2),
    "WGAN-GP": recipe("wgan_gp", networks="mlp", penalty=0.1, critic_steps=2),
    "hinge, spectral": recipe("sngan", networks="mlp", critic_steps=2),
    "BEGAN": recipe("began"),
    "MMD-GAN": recipe("mmd_gan", networks="mlp", critic_steps=2),
    "Cramer": recipe("cramer_gan", networks="mlp", critic_steps=2),
    "McGAN, mean": recipe("mcgan", networks="mlp", critic_steps=2),
    "Fisher": recipe("fisher_gan", networks="mlp", critic_steps=2),
    "R3GAN": recipe("r3gan", networks="mlp"),
    "unrolled, 5 steps": recipe("unrolled_gan", steps=5),
    "+ label smoothing": replace(plain, objective=LabelSmoothing()),
    "+ instance noise": replace(plain, regularizers=(InstanceNoise(std=0.5, anneal_steps=500),)),
    "+ gradient penalty": replace(plain, regularizers=(GradientPenalty(weight=0.1),)),
    "+ minibatch discrimination": replace(plain, networks=MLP(width=WIDTH, critic_minibatch="discrimination")),
    "+ feature matching": replace(plain, game=FeatureMatching()),
    "+ replay": replace(plain, game=Replay(capacity=1000)),
    "+ historical averaging": replace(plain, game=HistoricalAveraging(weight=0.01)),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one run: nothing to count if it diverged."""

    seconds: float
    coverage: ModeCoverage | None = None
    samples: torch.Tensor | None = None


def play(system: System, data: str, seed: int) -> Outcome:
    """Train, sample and count."""
    truth, began = load(data), time.process_time()
    try:
        run = gancore.train(system, truth, steps=STEPS, seed=seed, progress=False)
    except DivergedError:
        return Outcome(time.process_time() - began)
    seconds = time.process_time() - began
    samples = run.sample(SAMPLES, seed=1).x
    return Outcome(seconds, mode_coverage(samples, truth.centers, radius=3 * truth.std), samples)


def cell(outcomes: list[Outcome], value: Callable[[ModeCoverage], float], form: str) -> str:
    """The median over seeds, and the worst and best of them."""
    values = sorted(value(o.coverage) for o in outcomes if o.coverage is not None)
    values = [v for v in values if not math.isnan(v)]
    if len(values) < len(outcomes) or not values:
        return f"{len(outcomes) - len(values)} of {len(outcomes)} failed"
    low, middle, high = (format(v, form) for v in (values[0], statistics.median_low(values), values[-1]))
    return middle if low == high else f"{middle} ({low} to {high})"


for data in DATA:
    modes = len(load(data).centers)
    lines = [
        f"| {data} | modes of {modes} | high quality | KL(model, data) over modes, nats | seconds |",
        "|---|---|---|---|---|",
    ]
    drawn = {"data": load(data).batch(torch.arange(SAMPLES))}
    for name, system in METHODS.items():
        outcomes = [play(system, data, seed) for seed in SEEDS]
        columns = [
            name,
            cell(outcomes, lambda c: c.modes, "d"),
            cell(outcomes, lambda c: c.high_quality, ".2f"),
            cell(outcomes, lambda c: c.kl, ".2f"),
            format(statistics.median(o.seconds for o in outcomes), ".1f"),
        ]
        lines.append("| " + " | ".join(columns) + " |")
        print(lines[-1], flush=True)
        if outcomes[0].samples is not None:
            drawn[name] = outcomes[0].samples
    Path(f"study-{data}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    save_png(scatter(drawn, columns=5), f"study-{data}.png")
