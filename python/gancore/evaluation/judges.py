"""Judges: each holds what a metric needs of the real samples, and scores any number of fakes against it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from gancore.kernels.divergence import total_variation
from gancore.metrics import fid, inception_score, mode_coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from gancore.datasets import Data
    from gancore.evaluation.result import Score
    from gancore.features import FeatureClassifier
    from gancore.features.stacked import StackedClassifier

__all__ = ["ClassJudge", "FrechetJudge", "InceptionJudge", "Judge", "ModeJudge", "real_features"]

_FOUND = 10
"""A class is found if its share among the fakes is at least that among the real samples divided by this."""

_CHUNK = 1024


class Judge(Protocol):
    """Scores samples by one metric."""

    @property
    def name(self) -> str:
        """Name of the metric."""

    def score(self, x: Tensor) -> Score:
        """The score of samples of shape (n, *shape), on the CPU."""


def real_features(data: Data, features: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
    """Features of all real samples: (n, d)."""
    import torch

    chunks = torch.split(torch.arange(len(data)), _CHUNK)
    return np.concatenate([features(data.batch(rows)).numpy() for rows in chunks])


@final
@dataclass(frozen=True, eq=False)
class FrechetJudge:
    """Fréchet distance between the features of real and fake samples, with its interval.

    Parameters
    ----------
    real : ndarray of shape (n, d)
        Features of the real samples.
    features : callable
        Samples (n, *shape) to features (n, d).
    protocol : dict
        What the features are.
    """

    real: NDArray[np.float32]
    features: Callable[[Tensor], Tensor]
    protocol: dict[str, Any]
    name: str = "fid"

    def score(self, x: Tensor) -> Score:
        """``value``, ``interval``."""
        found = fid(self.real, self.features(x).numpy(), features=None, distributed=False, progress=False)
        return {**asdict(found), "protocol": {**found.protocol, **self.protocol}}

    def value(self, x: Tensor) -> float:
        """The distance alone, in a fraction of the time."""
        return fid(
            self.real, self.features(x).numpy(), features=None, interval=False, distributed=False, progress=False
        ).value


@final
@dataclass(frozen=True, eq=False)
class ClassJudge:
    """How many classes a classifier of the real samples finds among the fakes, and how evenly.

    Parameters
    ----------
    classifier : FeatureClassifier or StackedClassifier
        It names the classes.
    real : dict of str to int
        How many of the real samples belong to each class.
    """

    classifier: FeatureClassifier | StackedClassifier
    real: dict[str, int]
    name: str = "classes"

    def score(self, x: Tensor) -> Score:
        """``value`` classes found of ``of``, the ``counts`` of all, and how far they are from the real shares."""
        places = self.classifier.probabilities(x).argmax(dim=1).numpy()
        counts = np.bincount(places, minlength=len(self.real))
        real = np.array(list(self.real.values()))
        n_real = int(real.sum())
        return {
            "value": int(np.sum(_FOUND * counts * n_real >= real * len(x))),
            "of": len(real),
            "interval": None,
            "counts": dict(zip(self.real, counts.tolist(), strict=True)),
            "real_counts": self.real,
            "total_variation": float(total_variation(counts / len(x), real / n_real)),
            "n_real": n_real,
            "n_fake": len(x),
            "protocol": {
                **self.classifier.protocol,
                "found": f"a class whose share among the samples is at least 1/{_FOUND} of its share among real ones",
            },
        }


@final
@dataclass(frozen=True, eq=False)
class InceptionJudge:
    """Inception score with the probabilities of a classifier of the real samples.

    Parameters
    ----------
    classifier : FeatureClassifier or StackedClassifier
        Whose probabilities.
    n_real : int
        How many real samples there are; the score looks at none of them.
    """

    classifier: FeatureClassifier | StackedClassifier
    n_real: int
    name: str = "inception_score"

    def score(self, x: Tensor) -> Score:
        """``mean`` and ``std`` over ten splits."""
        found = inception_score(self.classifier.probabilities(x).double().numpy())
        return {
            "mean": found.mean,
            "std": found.std,
            "interval": found.interval,
            "n_real": self.n_real,
            "n_fake": len(x),
            "protocol": self.classifier.protocol,
        }


@final
@dataclass(frozen=True, eq=False)
class ModeJudge:
    """Which of the known modes the samples reach, and how many samples lie at one.

    Parameters
    ----------
    centers : Tensor of shape (k, d)
        The modes.
    radius : float
        How near a centre counts.
    n_real : int
        How many real samples there are.
    """

    centers: Tensor
    radius: float
    n_real: int
    name: str = "mode_coverage"

    def score(self, x: Tensor) -> Score:
        """``value`` modes reached of ``of``, the share of samples near one, and the divergence from evenness."""
        found = asdict(mode_coverage(x, self.centers, radius=self.radius))
        return {
            "value": found["modes"],
            "of": len(self.centers),
            "interval": None,
            "high_quality": found["high_quality"],
            "high_quality_interval": found["interval"],
            "kl": found["kl"],
            "n_real": self.n_real,
            "n_fake": len(x),
            "protocol": {"radius": self.radius},
        }
