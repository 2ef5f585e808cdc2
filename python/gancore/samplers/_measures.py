"""What samplers are compared by: each a number of samples, told whether it is about quality, coverage or both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch

from gancore.datasets.gaussians import GaussianModes
from gancore.errors import UnknownNameError
from gancore.metrics import fid, kid, mode_coverage, prdc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from gancore.datasets import Data
    from gancore.metrics import ModeCoverage

__all__ = ["Measure", "measures_of", "within_std"]

Features: TypeAlias = "Callable[[Tensor], Tensor]"

_About: TypeAlias = Literal["quality", "coverage", "both", "neither"]
_SHARES: tuple[tuple[str, _About], ...] = (
    ("precision", "quality"),
    ("density", "quality"),
    ("recall", "coverage"),
    ("coverage", "coverage"),
)

_RADII = 3
"""A sample is at a mode within so many standard deviations of it."""


@dataclass(frozen=True)
class Measure:
    """One number of samples.

    Parameters
    ----------
    name : str
        What a table calls it.
    score : callable
        Samples (n, ...) to a number.
    better : {"higher", "lower", "neither"}
        Which direction is good.
    about : {"quality", "coverage", "both", "neither"}
        Whether it sees how good single samples are, how much of the data is reached, or both at once; verdicts leave
        out what is about neither.
    """

    name: str
    score: Callable[[Tensor], float]
    better: Literal["higher", "lower", "neither"] = "higher"
    about: _About = "both"


def measures_of(
    data: Data, real: Tensor, names: Sequence[str | Measure] | None, *, features: Features | None
) -> tuple[Measure, ...]:
    """Measures against real samples: those asked for, or all that make sense for the data.

    Raises
    ------
    UnknownNameError
        If there is none of a name.
    """
    rows: Features = (lambda x: x.detach().flatten(1).cpu()) if features is None else features
    known = _against(rows(real), rows)
    default = ["fid", "precision", "recall", "coverage"]
    if isinstance(data, GaussianModes):
        known |= _at_modes(data)
        default = ["modes", "high_quality", "imbalance", "fid", "coverage"]
    chosen = []
    for name in default if names is None else names:
        if isinstance(name, str) and name not in known:
            raise UnknownNameError(f"metric for {data.name}", name, known)
        chosen.append(known[name] if isinstance(name, str) else name)
    return tuple(chosen)


def _against(real: Tensor, rows: Features) -> dict[str, Measure]:
    def distance(x: Tensor) -> float:
        return fid(real.numpy(), rows(x).numpy(), features=None, interval=False, progress=False).value

    def polynomial(x: Tensor) -> float:
        return kid(real.numpy(), rows(x).numpy(), features=None, progress=False).mean

    measures = [Measure("fid", distance, "lower"), Measure("kid", polynomial, "lower")]
    for name, about in _SHARES:

        def share(x: Tensor, name: str = name) -> float:
            found = prdc(real.numpy(), rows(x).numpy())
            part = found.precision_recall if name in ("precision", "recall") else found.density_coverage
            return float(getattr(part, name))

        measures.append(Measure(name, share, "higher", about))
    return {measure.name: measure for measure in measures}


def _at_modes(data: GaussianModes) -> dict[str, Measure]:
    def found(x: Tensor) -> ModeCoverage:
        return mode_coverage(x.cpu(), data.centers, radius=_RADII * data.std)

    measures = (
        Measure("modes", lambda x: float(found(x).modes), "higher", "coverage"),
        Measure("high_quality", lambda x: found(x).high_quality, "higher", "quality"),
        Measure("imbalance", lambda x: found(x).kl, "lower", "coverage"),
        Measure("within_std", lambda x: within_std(x.cpu(), data.centers, _RADII * data.std), "neither", "neither"),
    )
    return {measure.name: measure for measure in measures}


def within_std(x: Tensor, centers: Tensor, radius: float) -> float:
    """Root mean square of a coordinate about the nearest centre, over the samples within the radius of it.

    Of a Gaussian of standard deviation s in the plane, cut off at radius 3 s, it is 0.974 s.
    """
    distances = torch.cdist(x.double(), centers.double()).min(dim=1).values
    good = distances[distances <= radius]
    return math.sqrt(float(good.square().mean()) / x.shape[1]) if len(good) else math.nan
