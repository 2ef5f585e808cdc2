"""What a report says about an evaluation, without any markup."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from gancore import registry
from gancore.evaluation.table import number, score_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gancore.evaluation.result import Evaluation, Score
    from gancore.samplers import SamplerInfo

__all__ = ["caption", "sampler_facts", "words"]

_OF_CLASSIFIER = ("architecture", "batch_size", "data", "n_held_out", "n_train", "seed", "steps")
"""What of a protocol could be mistaken for the run's own."""


def words(evaluation: Evaluation) -> dict[str, Any]:
    """All texts of the report, by their place in the template."""
    run, protocol = evaluation.run, evaluation.protocol
    table = score_table(evaluation)
    bars, bar_names = _bars(evaluation)
    return {
        "title": f"{run['system']} on {run['data']}",
        "subtitle": f"Step {run['step']:,}, seed {run['seed']}. {protocol['n_fake']:,} samples of each source, judged "
        f"against {protocol['n_real']:,} real ones.",
        "cards": _cards(evaluation),
        "samples_note": "Every source but the real one starts from the same latent codes"
        + (
            "."
            if evaluation.of_points or evaluation.of_tokens
            else ": samples in the same place show what a sampler makes of what the generator gives."
        ),
        "scores_note": _scores_note(evaluation),
        "columns": table.columns,
        "rows": [{"source": source, "cells": cells} for source, cells in table.rows.items()],
        "bars": bars,
        "bar_names": bar_names,
        "run_facts": [
            ("system", run["system"]),
            *((key.replace("_", " "), value) for key, value in run["recipe"].items()),
            ("data", f"{run['data']}, shape {' x '.join(map(str, run['shape']))}"),
            ("step", f"{run['step']:,}"),
            ("seed", run["seed"]),
        ],
        "protocol_facts": _protocol_facts(evaluation),
        "commands": _commands(evaluation),
    }


def caption(source: str) -> str:
    """What a source of samples is."""
    if source == "real":
        return "from the data"
    return registry.describe("samplers", source).partition(":")[0].rstrip(".").lower()


def sampler_facts(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Name, summary and diagnostics of each sampler that asks the critic."""
    found = []
    for name, info in evaluation.samplers.items():
        if info.step_size is None and info.critic_calls == 0:
            continue
        summary = registry.describe("samplers", name)
        if info.calibration:
            summary += f" {_calibration(evaluation)}"
        found.append({"name": name, "summary": summary, "facts": [*_chain_facts(info), *_call_facts(info)]})
    return found


def _chain_facts(info: SamplerInfo) -> Iterator[tuple[str, str]]:
    """What is said of chains alone."""
    if info.step_size is not None:
        yield "steps", f"{len(info.energies) - 1:,}"
        yield "step size", number(info.step_size)
        yield "temperature", number(info.temperature)
    if info.acceptance is not None or info.step_size is not None:
        yield "acceptance", "unadjusted" if info.acceptance is None else f"{info.acceptance:.1%}"
    for name, value in (
        ("effective sample size", info.effective_sample_size),
        ("R-hat", info.r_hat),
        ("nested R-hat", info.nested_r_hat),
    ):
        if value is not None:
            yield name, number(value)
    if info.energies:
        yield "mean energy", f"{number(info.energies[0])} to {number(info.energies[-1])}"


def _call_facts(info: SamplerInfo) -> Iterator[tuple[str, str]]:
    """What is said of every sampler that asks the critic."""
    yield "critic calls", f"{info.critic_calls:,}"
    for key, value in info.calibration.items():
        yield f"calibration: {key.replace('_', ' ')}", number(value)


def _calibration(evaluation: Evaluation) -> str:
    on = evaluation.protocol["calibration"]
    seen = ", which it was trained on too" if on["data"] == evaluation.run["data"] else ""
    part = "held-out samples" if on["held_out"] else "samples"
    return f"The critic is calibrated on {on['n']:,} {part} of {on['data']}{'' if on['held_out'] else seen}."


def _cards(evaluation: Evaluation) -> list[dict[str, Any]]:
    cards = []
    distances = {source: scores["fid"]["value"] for source, scores in evaluation.scores.items() if "fid" in scores}
    for source, value in distances.items():
        cards.append(
            {
                "of": f"FID, {source}",
                "value": number(value),
                "more": _compared(source, distances),
                "best": value == min(distances.values()),
            }
        )
    for metric, name in (("classes", "Classes found"), ("mode_coverage", "Modes reached")):
        found = {source: scores[metric] for source, scores in evaluation.scores.items() if metric in scores}
        if found:
            source, score = list(found.items())[-1]
            more = f"by {source}" + (
                f", {score['high_quality']:.0%} of samples at one" if "high_quality" in score else ""
            )
            cards.append({"of": name, "value": f"{score['value']} / {score['of']}", "more": more, "best": False})
    return cards


def _compared(source: str, distances: dict[str, float]) -> str:
    """How far a distance is from the one that it should improve on."""
    if source == "untrained":
        return "where training began"
    base = "plain" if source != "plain" and "plain" in distances else "untrained"
    if min(distances[base], distances[source]) <= 0:
        return ""
    ratio = distances[source] / distances[base]
    factor, direction = max(ratio, 1 / ratio), "lower" if ratio < 1 else "higher"
    return (
        f"{factor:.1f} times {direction} than {base}"
        if factor >= 2
        else f"{abs(ratio - 1):.0%} {direction} than {base}"
    )


def _scores_note(evaluation: Evaluation) -> str:
    protocol = _protocol(evaluation)
    if "bleu" in protocol:
        return (
            f"BLEU: {protocol['bleu']}. Self-BLEU: {protocol['self_bleu']}. NLL-test in nats a token. Likely sentences "
            "and diverse ones are both wanted: one figure alone can be won by losing the other. Arrows point to better."
        )
    if "accuracy" in protocol:
        features = (
            f"FID in the features of a classifier trained on {protocol['data']}, {protocol['accuracy']:.1%} right on "
            f"{protocol['n_held_out']:,} held-out real images."
        )
    else:
        features = f"FID on {protocol.get('features', 'the samples as they are')}."
    return f"{features} Brackets hold 95 % intervals. Arrows point to better."


def _bars(evaluation: Evaluation) -> tuple[list[dict[str, Any]], list[str]]:
    """Heights in percent of the tallest bar: for each class the share among real samples, then by source."""
    found: dict[str, Score] = {
        source: scores["classes"]
        for source, scores in evaluation.scores.items()
        if "classes" in scores and source != "untrained"
    }
    if not found:
        return [], []
    first = next(iter(found.values()))
    real: dict[str, int] = first["real_counts"]
    shares = {
        name: [count / first["n_real"], *(score["counts"][name] / score["n_fake"] for score in found.values())]
        for name, count in real.items()
    }
    tallest = max(max(row) for row in shares.values())
    bars = [
        {"name": name, "heights": [round(100 * share / tallest, 1) for share in row]} for name, row in shares.items()
    ]
    return bars, ["real", *found]


def _protocol(evaluation: Evaluation) -> dict[str, Any]:
    """The protocol of the first score that says how it was made."""
    some = next(iter(evaluation.scores.values()))
    protocol: dict[str, Any] = next(iter(some.values()))["protocol"]
    return some["fid"]["protocol"] if "fid" in some else protocol


def _protocol_facts(evaluation: Evaluation) -> list[tuple[str, Any]]:
    shared = evaluation.protocol
    facts: list[tuple[str, Any]] = [
        ("real samples", f"{shared['n_real']:,} of {shared['data']}"),
        ("samples of each source", f"{shared['n_fake']:,}"),
        ("seed of the codes", shared["seed"]),
    ]
    for key, value in _protocol(evaluation).items():
        if key == "weights_sha256":
            facts.append(("classifier: sha256", value[:16]))
        elif key == "accuracy":
            facts.append(("classifier: accuracy", f"{value:.2%}"))
        elif isinstance(value, str | int | float):
            facts.append((("classifier: " if key in _OF_CLASSIFIER else "") + key.replace("_", " "), value))
    return [*facts, *shared["versions"].items()]


def _commands(evaluation: Evaluation) -> str:
    run, protocol = evaluation.run, evaluation.protocol
    folder = shlex.quote(run["folder"]) if run["folder"] else "RUN"
    asked = f"--samplers {','.join(evaluation.samplers)} -n {protocol['n_fake']} --seed {protocol['seed']}"
    lines = [f"gancore evaluate {folder} {asked}"]
    if run["system"] in registry.names("systems"):
        words = [run["system"], "--data", run["data"], "--steps", run["step"], "--seed", run["seed"]]
        choices = [f"{key}={value}" for key, value in run["changed"].items()]
        words += ["--set", *choices] if choices else []
        lines.insert(0, f"gancore train {' '.join(shlex.quote(str(word)) for word in words)} --out {folder}")
    return "\n".join(lines)
