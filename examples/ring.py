"""Train a WGAN-GP on eight Gaussians, then let its critic improve its samples.

Run with ``python examples/ring.py``; about a minute on two cores.
"""

import os

import gancore
from gancore.datasets import load
from gancore.metrics import mode_coverage

STEPS = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "1500"))

ring = load("ring")
system = gancore.systems.get("wgan_gp")(networks="mlp", width=128, penalty=0.1, latent_dim=8, batch_size=256)
run = gancore.train(system, ring, steps=STEPS, seed=0)

plain = run.sample(2500, seed=1)
better = run.sample(2500, seed=1, sampler="ddls", steps=100, calibrate=ring)

for name, samples in (("plain", plain), ("ddls", better)):
    # Within three standard deviations of a mode counts as a good sample.
    print(f"{name:6s}", mode_coverage(samples.x, ring.centers, radius=3 * ring.std))
