"""Tables whose truth is known: what rises, what falls, and what only chance moved."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from gancore.datasets.gaussians import GaussianModes
from gancore.errors import DomainError, UnknownNameError
from gancore.figures import png_bytes
from gancore.samplers import Estimate, Measure, compare_samplers, plain
from gancore.samplers._measures import within_std

SIDES = torch.tensor([[-3.0, 0.0], [3.0, 0.0]])


def two_modes() -> GaussianModes:
    return GaussianModes("two", SIDES, 0.5, n=3000, seed=0)


def blurred(z: Tensor) -> Tensor:
    """Both modes, twice as wide as they should be; the first coordinate of a code chooses."""
    return torch.stack((3 * z[:, 0].sign() + z[:, 1], z[:, 2]), dim=1)


def toward_center(x: Tensor) -> Tensor:
    """The log ratio of the narrow modes to the wide ones, but for a constant."""
    return -1.5 * torch.cdist(x, SIDES).min(dim=1).values.square()


def one_sided(x: Tensor) -> Tensor:
    return toward_center(x) + 40 * x[:, 0].sign()


def run(critic: object = toward_center, **settings: object):
    defaults = {"latent_dim": 3, "n": 400, "samplers": ["metropolis_hastings"], "calibrate": None}
    defaults["settings"] = {"metropolis_hastings": {"steps": 30}}
    return compare_samplers(blurred, critic, two_modes(), **(defaults | settings))


def test_values_are_those_of_the_samples_and_deltas_go_seed_by_seed() -> None:
    found = run(metrics=["high_quality", Measure("left", lambda x: float((x[:, 0] < 0).double().mean()))])
    for k, seed in enumerate((0, 1, 2)):
        x = plain(blurred, None, 400, latent_dim=3, seed=seed).x
        near = torch.cdist(x, SIDES).min(dim=1).values <= 1.5
        assert found.found["plain"].values["high_quality"][k] == pytest.approx(near.double().mean().item())
        assert found.found["plain"].values["left"][k] == pytest.approx((x[:, 0] < 0).double().mean().item())
    ours, base = (np.array(found.found[name].values["high_quality"]) for name in ("metropolis_hastings", "plain"))
    delta = found.delta("metropolis_hastings", "high_quality")
    assert delta.value == pytest.approx((ours - base).mean())
    low, high = stats.t.interval(0.95, 2, loc=(ours - base).mean(), scale=stats.sem(ours - base))
    assert delta.interval == pytest.approx((low, high), rel=1e-3)


@pytest.mark.parametrize("n", [2, 5, 11, 12, 40])
def test_intervals_are_students(n: int) -> None:
    values = tuple(np.random.default_rng(n).normal(size=n))
    low, high = stats.t.interval(0.95, n - 1, loc=np.mean(values), scale=stats.sem(values))
    # Beyond ten degrees of freedom never too narrow.
    found = Estimate.over(values).interval
    width = (found[1] - found[0]) / (high - low)
    assert width == pytest.approx(1, abs=1e-3) if n <= 11 else 1 - 1e-3 <= width < 1.11


def test_a_sharper_sampler_is_said_to_raise_quality_and_no_more() -> None:
    verdict = run(metrics=["modes", "high_quality", "imbalance"]).verdicts["metropolis_hastings"]
    assert verdict.startswith("quality rose (high_quality +")
    assert "coverage fell" not in verdict


def test_a_sampler_that_drops_a_mode_is_found_out() -> None:
    found = run(one_sided, metrics=["modes", "high_quality", "imbalance"])
    verdict = found.verdicts["metropolis_hastings"]
    assert "quality rose" in verdict
    assert " while coverage fell (" in verdict
    assert "imbalance +0.69" in verdict
    assert verdict in str(found)


def test_chance_is_called_chance() -> None:
    same = run(lambda x: 0 * x[:, 0], metrics=["high_quality"], samplers={"again": ("rejection", {})})
    assert same.verdicts == {"again": "no difference from plain that 3 seeds can show"}
    assert "one seed" in run(seeds=[4], metrics=["high_quality"]).verdicts["metropolis_hastings"]


def test_rows_of_ones_own_the_table_and_the_picture() -> None:
    found = run(
        samplers={"short": ("metropolis_hastings", {"steps": 2}), "long": ("metropolis_hastings", {"steps": 9})},
    )
    lines = found.table.splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["samples", "-" * 7, "plain", "short", "long"] or [
        line.split("|")[1].strip() for line in lines
    ][2:] == ["plain", "short", "long"]
    assert len({len(line) for line in lines}) == 1
    assert found.found["long"].critic_calls == 10
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["samplers"]["plain"]["values"]["fid"]["delta"] is None
    assert content["samplers"]["long"]["verdict"] == found.verdicts["long"]
    assert png_bytes(found.picture())[1:4] == b"PNG"


def test_images_are_compared_through_features() -> None:
    real = torch.rand(64, 1, 4, 4, generator=torch.Generator().manual_seed(0)) - 0.5
    found = compare_samplers(
        lambda z: (z[:, :, None, None] * torch.ones(4, 4) / 4).clamp(-1, 1), lambda x: x.mean(dim=(1, 2, 3)), real,
        latent_dim=1, n=40, samplers=["rejection"], features=lambda x: x.mean(dim=(2, 3)).cpu(), calibrate=None,
        metrics=["fid", "recall"],
    )  # fmt: skip
    mean = real.mean(dim=(1, 2, 3))
    ours = found.found["plain"].x.mean(dim=(1, 2, 3))
    expected = (ours.mean() - mean.mean()) ** 2 + (ours.std() - mean.std()) ** 2
    assert found.found["plain"].values["fid"][0] == pytest.approx(float(expected), rel=1e-3)
    assert png_bytes(found.picture())[1:4] == b"PNG"


def test_a_sampler_that_the_critic_cannot_lead_is_listed_and_the_rest_judged() -> None:
    found = run(lambda x: toward_center(x).detach(), samplers=["ddls", "rejection"], metrics=["fid"])
    assert list(found.found) == ["plain", "rejection"]
    assert "no gradient" in found.failures["ddls"]
    assert "ddls: could not sample" in str(found)


def test_the_spread_within_a_mode_is_that_of_a_cut_gaussian() -> None:
    x = 0.5 * torch.randn(40_000, 2, generator=torch.Generator().manual_seed(0)) + SIDES[0]
    # E[r^2 | r <= 3 s] / 2 of a two-dimensional normal: s^2 (1 - 4.5 e^-4.5 / (1 - e^-4.5)).
    cut = 1 - 4.5 * math.exp(-4.5) / (1 - math.exp(-4.5))
    assert within_std(x, SIDES, 1.5) == pytest.approx(0.5 * math.sqrt(cut), rel=0.01)
    assert math.isnan(within_std(x + 100, SIDES, 1.5))


def test_what_makes_no_sense() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'recall'"):
        run(metrics=["recal"])
    with pytest.raises(UnknownNameError, match="sampler"):
        run(samplers=["dlls"])
    with pytest.raises(DomainError, match="seeds"):
        run(seeds=[])
    with pytest.raises(DomainError, match="n: "):
        run(n=1)
