"""What a comparison of samplers found: a table, a verdict a sampler, and a picture."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image
    from torch import Tensor

    from gancore.figures import Theme
    from gancore.samplers._interface import SamplerInfo
    from gancore.samplers._measures import Measure

__all__ = ["Comparison", "Estimate", "Found"]

_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""The 97.5 % points of Student's t of 1 to 10 degrees of freedom; beyond, that of the normal errs by less than 11 %,
which 2.201 of eleven covers."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and its 95 % interval, None for a single seed."""

    value: float
    interval: tuple[float, float] | None

    @classmethod
    def over(cls, values: tuple[float, ...]) -> Estimate:
        """The estimate of one value a seed."""
        mean = statistics.fmean(values)
        if len(values) < 2:
            return cls(mean, None)
        if not all(map(math.isfinite, values)):
            return cls(mean, (-math.inf, math.inf))
        freedom = len(values) - 1
        student = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else 2.201
        half = student * statistics.stdev(values) / math.sqrt(len(values))
        return cls(mean, (mean - half, mean + half))

    @property
    def sign(self) -> int:
        """Of the value, 0 if its interval holds 0."""
        if self.interval is None:
            return 0
        return 1 if self.interval[0] > 0 else -1 if self.interval[1] < 0 else 0

    def __str__(self) -> str:
        return _digits(self.value) if self.interval is None else f"{_digits(self.value)} ± {_half(self.interval)}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One sampler's values by measure, one a seed, and what they took for one seed."""

    values: dict[str, tuple[float, ...]]
    seconds: float
    critic_calls: float
    info: SamplerInfo
    x: Tensor = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Samplers next to plain samples.

    Attributes
    ----------
    measures : tuple of Measure
        The columns.
    found : dict of str to Found
        The rows, `plain` first.
    failures : dict of str to str
        Samplers that could not follow this critic, and why.
    n : int
        Samples a sampler and seed.
    seeds : tuple of int
        The seeds.
    real : Tensor
        Some of the real samples.
    """

    measures: tuple[Measure, ...]
    found: dict[str, Found]
    failures: dict[str, str]
    n: int
    seeds: tuple[int, ...]
    real: Tensor = field(repr=False)

    def value(self, sampler: str, measure: str) -> Estimate:
        """A cell of the table."""
        return Estimate.over(self.found[sampler].values[measure])

    def delta(self, sampler: str, measure: str) -> Estimate:
        """How much a sampler's value lies above that of plain samples, seed by seed."""
        ours, base = (self.found[name].values[measure] for name in (sampler, "plain"))
        return Estimate.over(tuple(a - b for a, b in zip(ours, base, strict=True)))

    @property
    def verdicts(self) -> dict[str, str]:
        """What can be said of each sampler: only differences whose interval excludes 0 count."""
        return {name: self._verdict(name) for name in self.found if name != "plain"}

    def _verdict(self, sampler: str) -> str:
        if len(self.seeds) < 2:
            return "one seed tells no difference from chance"
        moved: dict[tuple[str, int], list[str]] = {}
        for measure in self.measures:
            delta = self.delta(sampler, measure.name)
            if delta.sign and measure.about != "neither":
                gain = delta.sign if measure.better == "higher" else -delta.sign
                moved.setdefault((measure.about, gain), []).append(f"{measure.name} {delta.value:+.3g}")
        up, down = moved.get(("quality", 1), []), moved.get(("quality", -1), [])
        wider, narrower = moved.get(("coverage", 1), []), moved.get(("coverage", -1), [])
        parts = [
            f"{what} {way} ({', '.join(names)})"
            for what, way, names in (
                ("quality", "rose", up),
                ("quality", "fell", down),
                ("coverage", "rose", wider),
                ("coverage", "fell", narrower),
                ("the distance to the data", "fell", moved.get(("both", 1), [])),
                ("the distance to the data", "rose", moved.get(("both", -1), [])),
            )
            if names
        ]
        if not parts:
            return f"no difference from plain that {len(self.seeds)} seeds can show"
        if up and narrower:
            return " while ".join((parts[0], parts[1 + bool(down) + bool(wider)])) + "".join(
                f"; {part}" for part in parts if part.startswith("the")
            )
        return "; ".join(parts)

    @property
    def table(self) -> str:
        """Rows of samplers and columns of measures in Markdown, the difference from plain in brackets."""
        arrows = {"higher": " ↑", "lower": " ↓", "neither": ""}
        head = ["samples", *(f"{m.name}{arrows[m.better]}" for m in self.measures), "critic calls", "seconds"]
        rows = [head]
        for name, found in self.found.items():
            cells = []
            for measure in self.measures:
                change = "" if name == "plain" else f" ({self.delta(name, measure.name).value:+.2g})"
                cells.append(f"{self.value(name, measure.name)}{change}")
            rows.append([name, *cells, _digits(found.critic_calls), _digits(found.seconds)])
        widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
        lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
        rule = "|" + "|".join("-" * (w + 1) + (":" if k else "-") for k, w in enumerate(widths)) + "|"
        return "\n".join((lines[0], rule, *lines[1:]))

    def __str__(self) -> str:
        said = [f"{name}: {text}" for name, text in self.verdicts.items()]
        failed = [f"{name}: could not sample: {text}" for name, text in self.failures.items()]
        return "\n".join((self.table, "", *said, *failed))

    def to_dict(self) -> dict[str, Any]:
        """All but the samples, in types that JSON has; what is not finite is None."""
        rows = {
            name: {
                "values": {
                    measure.name: {
                        "value": _finite(self.value(name, measure.name)),
                        "delta": None if name == "plain" else _finite(self.delta(name, measure.name)),
                        "by_seed": [_plain(x) for x in found.values[measure.name]],
                        "better": measure.better,
                        "about": measure.about,
                    }
                    for measure in self.measures
                },
                "seconds": found.seconds,
                "critic_calls": found.critic_calls,
                "info": {key: _plain(item) for key, item in asdict(found.info).items()},
                "verdict": None if name == "plain" else self.verdicts[name],
            }
            for name, found in self.found.items()
        }
        return {"n": self.n, "seeds": list(self.seeds), "samplers": rows, "failures": self.failures}

    def picture(self, theme: Theme | None = None) -> Figure | Image:
        """Samples of the first seed next to real ones: points in panels, images in grids."""
        from gancore import figures

        shown = {"real": self.real} | {name: found.x for name, found in self.found.items()}
        if self.real.ndim == 2:
            return figures.scatter(shown, theme=figures.LIGHT if theme is None else theme)
        return figures.sheet({name: x[:64] for name, x in shown.items()})


def _digits(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def _half(interval: tuple[float, float]) -> str:
    return f"{(interval[1] - interval[0]) / 2:.2g}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite(estimate: Estimate) -> dict[str, Any]:
    return {"value": _plain(estimate.value), "interval": _plain(estimate.interval)}
