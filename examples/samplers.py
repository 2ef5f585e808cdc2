"""Every sampler next to plain samples, on 25 Gaussians and the Swiss roll: a table and a picture.

``python examples/samplers.py`` prints the tables and writes samplers_gaussians.png and samplers_roll.png; with a
Markdown file, such as ``docs/sampling.md``, it puts the tables between that file's two ``samplers`` marks instead, and
the pictures into images/ beside it. Four generators: two trained here, and, where GANCORE_DATA has them, the two that
Tanaka published with "Discriminator optimal transport" (2019). Some twelve CPU minutes.
"""

import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

import gancore
from gancore.datasets.gaussians import GaussianModes
from gancore.errors import SamplingWarning
from gancore.figures import save_png, scatter
from gancore.kernels.emd import emd
from gancore.metrics import mode_coverage
from gancore.regularizers.r1 import R1
from gancore.samplers import Comparison, Measure, compare_samplers

QUICK = "GANCORE_EXAMPLE_STEPS" in os.environ
STEPS = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "3000"))
N, SEEDS = (60, (0, 1)) if QUICK else (1000, (0, 1, 2))
SHORT, LONG = (3, 5) if QUICK else (50, 200)

# The custom of the field: spacing 2 and standard deviation 0.05, all over 2.828; a roll over 7.5 with noise 0.25.
SPACING, GRID_STD, ROLL_STD = 2 / 2.828, 0.05 / 2.828, 0.25 / 7.5
RADII = 4
"""A sample is good within so many standard deviations of its mode, as in the papers."""

# T. Che et al. (2020), the tables on the two toys, as they are cited; their GANs, sample sizes and scales are others.
# The standard deviation within a mode is over that of the data.
PUBLISHED = {
    "25 Gaussians": {
        "plain": "24.8 modes, 0.70 good, std 1.1, EMD 0.052",
        "DDLS": "24.8 modes, 0.98 good, std 1.0, EMD 0.036",
        "DRS": "24.8 modes, 0.90 good, std 1.0",
        "DOT": "EMD 0.052",
    },
    "Swiss roll": {"plain": "EMD 0.021", "DDLS": "EMD 0.020", "DOT": "EMD 0.020"},
}


def gaussians(seed: int) -> GaussianModes:
    axis = SPACING * torch.arange(-2.0, 3.0)
    return GaussianModes("25 Gaussians", torch.cartesian_prod(axis, axis), GRID_STD, n=20_000, seed=seed)


def curve(t: np.ndarray) -> np.ndarray:
    return np.stack((t * np.cos(t), t * np.sin(t)), axis=1) / 7.5


def swiss_roll(seed: int) -> torch.Tensor:
    random = np.random.default_rng(seed)
    points = curve(1.5 * np.pi * (1 + 2 * random.random(20_000))) + ROLL_STD * random.standard_normal((20_000, 2))
    return torch.tensor(points, dtype=torch.float32)


def transport(real: torch.Tensor) -> Measure:
    """Exact transport between as many samples on both sides."""

    def cost(x: torch.Tensor) -> float:
        masses = np.full(N, 1 / N)
        return emd(masses, masses, torch.cdist(real[:N].double(), x[:N].double()).numpy()).cost

    return Measure("EMD", cost, "lower")


def grid_measures(real: GaussianModes) -> list[Measure]:
    """Good samples lie within 4 standard deviations of a mode; a mode is found if one does."""

    def distances(x: torch.Tensor) -> torch.Tensor:
        return torch.cdist(x.double(), real.centers.double()).min(dim=1).values

    def modes(x: torch.Tensor) -> float:
        return mode_coverage(x, real.centers, radius=RADII * GRID_STD).modes

    def good(x: torch.Tensor) -> float:
        return (distances(x) <= RADII * GRID_STD).double().mean().item()

    def spread(x: torch.Tensor) -> float:
        near = distances(x)
        return near[near <= RADII * GRID_STD].square().mean().div(2).sqrt().item() / GRID_STD

    return [*measures(modes, good, spread), transport(real.batch(torch.arange(N)))]


def measures(modes, good, spread) -> list[Measure]:
    return [
        Measure("modes", modes, "higher", "coverage"),
        Measure("good", good, "higher", "quality"),
        Measure("std", spread, "neither", "neither"),
    ]


def roll_measures(real: torch.Tensor) -> list[Measure]:
    """Good samples lie within 4 standard deviations of the curve; modes are 25 stretches of it."""
    t = 1.5 * np.pi * (1 + 2 * np.linspace(0, 1, 2500))
    points = torch.tensor(curve(t), dtype=torch.float32)

    def near(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = torch.cdist(x, points).min(dim=1)
        return found.values, found.indices

    def stretches(x: torch.Tensor) -> float:
        distance, place = near(x)
        return len(set((place[distance <= RADII * ROLL_STD] // 100).tolist()))

    def good(x: torch.Tensor) -> float:
        return (near(x)[0] <= RADII * ROLL_STD).double().mean().item()

    def spread(x: torch.Tensor) -> float:
        distance = near(x)[0]
        return distance[distance <= RADII * ROLL_STD].square().mean().sqrt().item() / ROLL_STD

    return [*measures(stretches, good, spread), transport(real)]


def published(data: str) -> nn.Module:
    """A network of DOT's repository: z or x, three hidden layers, leaky ReLU."""
    with np.load(Path(os.environ["GANCORE_DATA"], "pretrained", f"toy2d_{data}.npz")) as file:
        names = sorted({name.partition("/")[0] for name in file.files})
        layers: list[nn.Module] = []
        for name in names:
            weight, bias = (torch.from_numpy(file[f"{name}/{part}"]) for part in ("W", "b"))
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            linear.load_state_dict({"weight": weight, "bias": bias})
            layers += [linear, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


def pairs():
    """Title, generator, critic, their settings, and the data they were trained on."""
    for title, data in (("25 Gaussians", gaussians), ("Swiss roll", swiss_roll)):
        gan = gancore.systems.get("gan")(objective="nonsaturating", width=128, latent_dim=2, batch_size=256, ema=0.99)
        # Without the penalty the generator leaves half of the modes out.
        system = replace(gan, regularizers=(R1(weight=0.01),))
        run = gancore.train(system, data(0), steps=STEPS, seed=0, progress=False)
        yield f"{title}, trained here", run.generator, run.critic, {"critic_kind": "logit"}, data
    if "GANCORE_DATA" in os.environ and not QUICK:
        for title, name, data in (("25 Gaussians", "25gaussians", gaussians), ("Swiss roll", "swissroll", swiss_roll)):
            generator, critic = published(f"{name}_wgangp_G"), published(f"{name}_wgangp_D")
            settings = {"prior": "uniform", "critic_kind": "wasserstein"}
            yield f"{title}, published pair", generator, critic, settings, data


def compared(generator: nn.Module, critic: nn.Module, settings: dict, data) -> Comparison:
    real, held_out = data(1), data(2)
    chain = {"steps": LONG, "initial": held_out, "calibration": "isotonic"}
    metrics = grid_measures(real) if isinstance(real, GaussianModes) else roll_measures(real)
    return compare_samplers(
        generator,
        critic,
        real,
        latent_dim=2,
        samplers={
            "DDLS": ("ddls", {"steps": SHORT, "calibrate": None}),
            "DDLS, calibrated": ("ddls", {"steps": SHORT}),
            "DRS": ("rejection", {}),
            "OBRS": ("rejection", {"rule": "budgeted"}),
            "MH-GAN": ("metropolis_hastings", chain),
            "REP-GAN": ("metropolis_hastings", {"steps": SHORT, "proposal": "langevin"}),
            "DOT": ("optimal_transport", {"steps": min(LONG, 100)}),
        },
        metrics=metrics,
        n=N,
        seeds=SEEDS,
        calibrate=held_out,
        **settings,
    )


def beside(table: str, published: dict[str, str]) -> str:
    """A table with what the papers report for the same sampler in one more column."""
    head, rule, *rows = table.splitlines()
    cells = [published.get(row.split("|")[1].strip(), "") for row in rows]
    width = max(len("published"), *map(len, cells))
    added = ["published", "-" * width, *cells]
    lines = zip((head, rule, *rows), added, strict=True)
    return "\n".join(
        f"{line}{cell:-<{width}}--|" if "---" in cell else f"{line} {cell:<{width}} |" for line, cell in lines
    )


if QUICK:
    # Networks of twenty steps lead nowhere, and chains say so.
    warnings.simplefilter("ignore", SamplingWarning)

parts, panels = [], {}
for title, generator, critic, settings, data in pairs():
    found = compared(generator, critic, settings, data)
    said = "\n".join(f"- {name}: {text}" for name, text in (found.verdicts | found.failures).items())
    fresh = data(3)
    fresh = fresh.batch(torch.arange(N)) if isinstance(fresh, GaussianModes) else fresh[:N]
    best = ", ".join(f"{measure.name} {measure.score(fresh):.3g}" for measure in found.measures)
    table = beside(found.table, PUBLISHED[title.partition(",")[0]])
    parts.append(f"### {title}\n\n{table}\n\nReal samples themselves: {best}.\n\n{said}\n")
    print(parts[-1], flush=True)
    # The later, published pair of the same data takes the trained one's place.
    shown = ("plain", "DDLS, calibrated", "MH-GAN", "DOT")
    panels[title.partition(",")[0]] = {name: found.found[name].x for name in shown if name in found.found}

pictures = {f"samplers_{name.split()[-1].lower()}.png": scatter(points) for name, points in panels.items()}
folder = Path()
if len(sys.argv) > 1 and sys.argv[1].endswith(".md"):
    document = Path(sys.argv[1])
    before, mark, rest = document.read_text(encoding="utf-8").partition("<!-- samplers -->\n")
    after = rest.partition("<!-- end of samplers -->\n")[2]
    document.write_text(
        before + mark + "\n" + "\n".join(parts) + "\n<!-- end of samplers -->\n" + after, encoding="utf-8"
    )
    folder = document.parent / "images"
for name, picture in pictures.items():
    save_png(picture, folder / name, background="white")
