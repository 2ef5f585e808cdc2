"""Does the loss matter more than luck? Six objectives on handwritten digits, the same budget, three seeds each.

Run with ``python examples/study_digits.py``, ten minutes on one quiet core; ``mnist`` behind it takes MNIST from
``$GANCORE_DATA`` instead of the embedded 8x8 digits, and half an hour. Writes a table and a picture of the
first seed's samples. After Lucic et al. (2018), without their search over settings.
"""

import os
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch

import gancore
from gancore.datasets import load
from gancore.features import train_classifier
from gancore.figures import save_grid
from gancore.metrics import fid
from gancore.systems import System

QUICK = "GANCORE_EXAMPLE_STEPS" in os.environ
DATA = "digits" if QUICK or len(sys.argv) < 2 else sys.argv[1]
BUDGET = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "1500"))
SEEDS = range(1 if QUICK else 3)
SAMPLES = 500 if QUICK else 5000
SHOWN = 20


def recipe(name: str, **choices: object) -> System:
    """A published system on the networks of the study, with its own betas and a learning rate for a short run."""
    return gancore.systems.get(name)(**{"width": 16, "lr": 5e-4, "ema": 0.99} | choices)


# What one generator step costs, critic steps included, with that of DCGAN as the unit: the budget is of CPU time.
METHODS: dict[str, tuple[System, float]] = {
    "DCGAN, non-saturating": (recipe("dcgan"), 1.0),
    "LSGAN": (recipe("lsgan"), 1.0),
    "WGAN, clip 0.01": (recipe("wgan", critic_steps=2), 1.5),
    "WGAN-GP": (recipe("wgan_gp", critic_steps=2), 2.5),
    "hinge, spectral": (recipe("sngan", critic_steps=2), 1.7),
    "R3GAN": (recipe("r3gan"), 2.1),
}

data = load(DATA)
classifier = train_classifier(data, steps=20 if QUICK else 300)
everything = torch.arange(min(len(data), 10_000))
real = torch.cat([classifier.features(data.batch(rows)) for rows in everything.split(1000)])
half = len(real) // 2
floor = fid(real[:half], real[half:], interval=False, progress=False).value

lines = [
    f"| {DATA} | generator steps | FID of each seed | median | classes of 10 | seconds |",
    "|---|---|---|---|---|---|",
]
scores: dict[str, list[float]] = {}
pictures = []
for name, (system, cost) in METHODS.items():
    steps, seconds, found = max(round(BUDGET / cost), 1), [], []
    scores[name] = []
    for seed in SEEDS:
        began = time.process_time()
        run = gancore.train(system, data, steps=steps, seed=seed, progress=False)
        seconds.append(time.process_time() - began)
        samples = run.sample(SAMPLES, seed=1).x
        scores[name].append(fid(real, classifier.features(samples), interval=False, progress=False).value)
        found.append(len(classifier.predict(samples).unique()))
        if seed == SEEDS[0]:
            pictures.append(samples[:SHOWN])
    columns = [
        name,
        str(steps),
        ", ".join(f"{score:.2f}" for score in scores[name]),
        f"{statistics.median(scores[name]):.2f}",
        str(min(found)) if len(set(found)) == 1 else f"{min(found)} to {max(found)}",
        f"{statistics.median(seconds):.0f}",
    ]
    lines.append("| " + " | ".join(columns) + " |")
    print(lines[-1], flush=True)

spreads = {name: max(values) - min(values) for name, values in scores.items()}
medians = sorted(statistics.median(values) for values in scores.values())
lines += [
    "",
    (
        f"Classifier: {classifier.accuracy:.1%} of held-out images right. FID of one half of the real images against "
        f"the other: {floor:.2f}. Spread over seeds (largest less smallest): median "
        f"{statistics.median(spreads.values()):.2f}, largest {max(spreads.values()):.2f} "
        f"({max(spreads, key=spreads.__getitem__)}). Difference between neighbouring losses in the order of medians: "
        f"median {statistics.median(b - a for a, b in pairwise(medians)):.2f}."
    ),
]
print(lines[-1])
Path(f"study-{DATA}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
save_grid(torch.cat(pictures), f"study-{DATA}.png", columns=SHOWN)
