"""What an evaluation found, as a value and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gancore._files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gancore.samplers import SamplerInfo
    from gancore.text.vocabulary import Vocabulary

__all__ = ["Evaluation", "Score"]

Score = dict[str, Any]
"""One number and how it came about: ``value`` (or ``mean`` and ``std``), ``interval``, ``n_real``, ``n_fake``,
``protocol``, and whatever else the metric found."""

_FORMAT = "gancore metrics"
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores of the samples that a run gives, by where the samples came from and by metric.

    Attributes
    ----------
    run : dict
        Which run: system, choices, data, seed, step.
    protocol : dict
        What all scores share: feature network, sizes, seed, versions.
    scores : dict of str to dict of str to Score
        By source (``untrained``, then the samplers) and metric.
    samplers : dict of str to SamplerInfo
        Diagnostics, by sampler.
    failures : dict of str to str
        Samplers that could not be run on this system, and why.
    samples : dict of str to Tensor
        Some of the samples, by source, ``real`` among them; the same place in each comes from the same latent code.
    centers : Tensor or None
        The modes of the data, where they are known.
    vocabulary : Vocabulary or None
        The words behind tokens.
    """

    run: dict[str, Any]
    protocol: dict[str, Any]
    scores: dict[str, dict[str, Score]]
    samplers: dict[str, SamplerInfo]
    failures: dict[str, str]
    samples: Mapping[str, Tensor] = field(repr=False)
    centers: Tensor | None = field(default=None, repr=False)
    vocabulary: Vocabulary | None = field(default=None, repr=False)

    @property
    def of_points(self) -> bool:
        """Whether samples are points, not images."""
        return self.samples["real"].ndim == 2 and not self.of_tokens

    @property
    def of_tokens(self) -> bool:
        """Whether samples are sequences of token ids."""
        return not self.samples["real"].is_floating_point()

    def lines(self, source: str) -> list[str]:
        """The samples of a source as text; ids where there are no words."""
        rows: list[list[int]] = self.samples[source].tolist()
        if self.vocabulary is None:
            return [" ".join(map(str, row)) for row in rows]
        return [self.vocabulary.decode(row) for row in rows]

    def to_dict(self) -> dict[str, Any]:
        """Everything but the samples, in types that JSON has; what is not finite is None."""
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "run": self.run,
            "protocol": self.protocol,
            "scores": self.scores,
            "samplers": {name: asdict(info) for name, info in self.samplers.items()},
            "failures": self.failures,
        }
        plain: dict[str, Any] = _plain(content)
        return plain

    def save(self, path: str | Path) -> Path:
        """Write :meth:`to_dict` to a JSON file, all of it or nothing.

        Parameters
        ----------
        path : path
            Such as ``RUN/metrics.json``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        path = Path(path)
        with atomic_write(path) as aside:
            aside.write_text(json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
