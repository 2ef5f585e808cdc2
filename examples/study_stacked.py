"""How many of a hundred modes, two digits in one image, a generator finds, and how evenly.

Run with ``python examples/study_stacked.py``, five minutes on one quiet core; ``mnist`` behind it stacks MNIST
from ``$GANCORE_DATA`` instead of the embedded digits. Writes a table. The protocol of PacGAN (Lin et al. 2018) with two
channels in place of three: 26 samples for each mode, read by a classifier of single digits.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import gancore
from gancore.datasets import load
from gancore.datasets.stacked import stacked
from gancore.features import train_classifier
from gancore.features.stacked import StackedClassifier
from gancore.kernels.divergence import kl

QUICK = "GANCORE_EXAMPLE_STEPS" in os.environ
BASE = "digits" if QUICK or len(sys.argv) < 2 else sys.argv[1]
BUDGET = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "2000"))
SEEDS = range(1 if QUICK else 3)
SAMPLES = 2600

# The cost of a generator step beside each system, with that of DCGAN as the unit: the budget is of CPU time.
METHODS = {
    "DCGAN, non-saturating": (gancore.systems.get("dcgan")(width=16, lr=5e-4, ema=0.99), 1.0),
    "R3GAN": (gancore.systems.get("r3gan")(width=16, lr=5e-4, ema=0.99), 2.1),
}

base = load(BASE)
data = stacked(base, channels=2, n=50_000)
classifier = StackedClassifier(train_classifier(base, steps=20 if QUICK else 300), channels=2)
modes = len(classifier.protocol["classes"])


def spread(values: list[float], form: str) -> str:
    """The median over seeds, and the smallest and largest."""
    low, middle, high = (format(v, form) for v in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


lines = [
    f"| {BASE}, two stacked | generator steps | modes of {modes} | KL(model, data) over modes, nats | seconds |",
    "|---|---|---|---|---|",
]
for name, (system, cost) in METHODS.items():
    steps, found, uneven, seconds = max(round(BUDGET / cost), 1), [], [], []
    for seed in SEEDS:
        began = time.process_time()
        run = gancore.train(system, data, steps=steps, seed=seed, progress=False)
        seconds.append(time.process_time() - began)
        read = classifier.probabilities(run.sample(SAMPLES, seed=1).x).argmax(dim=1).numpy()
        counts = np.bincount(read, minlength=modes)
        found.append(np.count_nonzero(counts))
        uneven.append(float(kl(counts / SAMPLES, np.full(modes, 1 / modes), normalize=True)))
    columns = [name, str(steps), spread(found, ".0f"), spread(uneven, ".2f"), f"{statistics.median(seconds):.0f}"]
    lines.append("| " + " | ".join(columns) + " |")
    print(lines[-1], flush=True)
Path(f"study-stacked-{BASE}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
