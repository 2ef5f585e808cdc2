"""What DDLS is for: better samples of trained pairs, and no mode less."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import gancore
from gancore.datasets import load
from gancore.datasets.gaussians import GaussianModes
from gancore.features import train_classifier
from gancore.metrics import mode_coverage
from gancore.regularizers.r1 import R1
from gancore.samplers import compare_samplers, ddls, plain


def lift(
    generator: nn.Module, critic: nn.Module, data: GaussianModes, radii: float, n: int, **settings: object
) -> None:
    """Calibrated DDLS makes more good samples than the generator, by three standard errors, at no fewer modes."""
    held_out = GaussianModes(data.name, data.centers, data.std, n=4000, seed=7)
    before = plain(generator, None, n, latent_dim=2, prior=settings.get("prior", "normal"))
    after = ddls(generator, critic, n, latent_dim=2, steps=40, calibrate=held_out, **settings)
    found = [mode_coverage(s.x, data.centers, radius=radii * data.std) for s in (before, after)]
    shares = [coverage.high_quality for coverage in found]
    assert shares[1] - shares[0] > 3 * (2 * shares[0] * (1 - shares[0]) / n) ** 0.5
    assert found[1].modes >= found[0].modes


def test_a_small_pair_trained_here() -> None:
    axis = torch.arange(-1.0, 2.0)
    data = GaussianModes("9 Gaussians", torch.cartesian_prod(axis, axis), 0.1, n=10_000, seed=0)
    gan = gancore.systems.get("gan")(objective="nonsaturating", width=64, latent_dim=2, batch_size=128, ema=0.99)
    run = gancore.train(replace(gan, regularizers=(R1(weight=0.01),)), data, steps=1000, seed=0, progress=False)
    assert mode_coverage(run.sample(1500).x, data.centers, radius=0.3).modes == 9
    lift(run.generator, run.critic, data, 3, 1500)


def published(name: str) -> nn.Module:
    """A network of the repository of "Discriminator optimal transport": three hidden layers, leaky ReLU of 0.2."""
    with np.load(Path(os.environ["GANCORE_DATA"], "pretrained", f"toy2d_25gaussians_wgangp_{name}.npz")) as file:
        layers: list[nn.Module] = []
        for layer in sorted({key.partition("/")[0] for key in file.files}):
            weight, bias = (torch.from_numpy(file[f"{layer}/{part}"]) for part in ("W", "b"))
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            linear.load_state_dict({"weight": weight, "bias": bias})
            layers += [linear, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


@pytest.mark.skipif("GANCORE_DATA" not in os.environ, reason="needs the published weights in GANCORE_DATA")
def test_the_published_pair() -> None:
    axis = 2 / 2.828 * torch.arange(-2.0, 3.0)
    data = GaussianModes("25 Gaussians", torch.cartesian_prod(axis, axis), 0.05 / 2.828, n=10, seed=0)
    lift(published("G"), published("D"), data, 4, 1500, prior="uniform", critic_kind="wasserstein")


@pytest.mark.slow
def test_the_distance_falls_on_digits() -> None:
    """In the features of a classifier of the digits, by more than five seeds of sampling can blame on chance."""
    digits = load("digits")
    run = gancore.train("dcgan", digits, steps=1500, seed=0, progress=False)
    classifier = train_classifier(digits)

    def features(x: Tensor) -> Tensor:
        return classifier.features(x)

    found = compare_samplers(
        run.generator,
        run.critic,
        digits,
        latent_dim=run.system.latent_dim,
        samplers=["ddls"],
        settings={"ddls": {"steps": 20}},
        metrics=["fid"],
        features=features,
        n=1000,
        seeds=range(5),
    )
    assert found.delta("ddls", "fid").sign == -1
