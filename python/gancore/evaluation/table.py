"""The scores of an evaluation as a table of texts, for a terminal and for the report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from gancore.evaluation.result import Evaluation, Score

__all__ = ["Cell", "Table", "number", "score_table"]


@dataclass(frozen=True)
class Cell:
    """A number, and in small what belongs to it."""

    text: str
    small: str = ""


@dataclass(frozen=True)
class Table:
    """Columns, and for each source its cells."""

    columns: tuple[str, ...]
    rows: dict[str, tuple[Cell, ...]]


def number(value: float | None) -> str:
    """Three significant digits, all digits of what is larger.

    Examples
    --------
    >>> number(0.04567), number(9.8765), number(45.67), number(1234.5), number(None)
    ('0.0457', '9.88', '45.7', '1,234', 'undefined')
    """
    if value is None or math.isnan(value):
        return "undefined"
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:#.3g}"


def score_table(evaluation: Evaluation) -> Table:
    """Every source by every metric."""
    some = next(iter(evaluation.scores.values()))
    columns = [(heading, metric, cell) for metric in some for heading, cell in _COLUMNS[metric]]
    rows = {
        source: tuple(cell(scores[metric]) for _, metric, cell in columns)
        for source, scores in evaluation.scores.items()
    }
    return Table(tuple(heading for heading, _, _ in columns), rows)


def _distance(score: Score) -> Cell:
    interval = score["interval"]
    return Cell(number(score["value"]), f"[{number(interval[0])}, {number(interval[1])}]" if interval else "")


def _found(score: Score) -> Cell:
    return Cell(f"{score['value']} / {score['of']}")


def _mean(score: Score) -> Cell:
    return Cell(number(score["mean"]), f"± {number(score['std'])}")


def _field(name: str) -> Callable[[Score], Cell]:
    return lambda score: Cell(number(score[name]))


def _orders(name: str) -> Callable[[Score], Cell]:
    return lambda score: Cell(
        " ".join("undefined" if (x := score[f"{name}_{n}"]) is None else f"{x:.3f}" for n in (2, 3, 4, 5))
    )


def _percent(score: Score) -> Cell:
    return Cell(f"{score['high_quality']:.1%}")


_COLUMNS: dict[str, tuple[tuple[str, Callable[[Any], Cell]], ...]] = {
    "fid": (("FID ↓", _distance),),
    "classes": (("classes found ↑", _found), ("class imbalance ↓", _field("total_variation"))),
    "inception_score": (("inception score ↑", _mean),),
    "bleu": (("BLEU-2, 3, 4, 5 ↑", _orders("bleu")),),
    "self_bleu": (
        ("self-BLEU-2, 3, 4, 5 ↓", _orders("self_bleu")),
        ("distinct tokens ↑", _field("distinct_tokens")),
    ),
    "nll_test": (("NLL-test ↓", _field("value")),),
    "mode_coverage": (
        ("modes reached ↑", _found),
        ("high quality ↑", _percent),
        ("mode imbalance ↓", _field("kl")),
    ),
}
