"""The report of an evaluation: one HTML file that needs nothing else, and the pictures it is made of."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gancore import figures
from gancore._extras import require
from gancore._files import atomic_write
from gancore.evaluation import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from gancore.evaluation.result import Evaluation
    from gancore.figures import Theme

__all__ = ["write_report"]

_TEMPLATES = Path(__file__).with_name("templates")
_WHITE = "#ffffff"


def write_report(
    evaluation: Evaluation, folder: str | Path, *, history: Sequence[Mapping[str, float]] = ()
) -> dict[str, Path]:
    """Write ``metrics.json``, ``samples.png`` (text: ``samples.txt``), ``curves.png`` and the self-contained report.

    Parameters
    ----------
    evaluation : Evaluation
        What to report.
    folder : path
        Where to; it is made if it is not there.
    history : sequence of mappings
        Rows of the run's history, for the curves; without any, there are none.

    Returns
    -------
    dict of str to Path
        The files, by name.

    Raises
    ------
    OSError
        If a file cannot be written; each is whole or as it was before.

    Examples
    --------
    >>> import tempfile
    >>> import gancore
    >>> from gancore.evaluation import evaluate
    >>> run = gancore.train("gan", "ring", steps=2, progress=False)
    >>> found = evaluate(run, samplers=["plain"], n=50, progress=False)
    >>> sorted(write_report(found, tempfile.mkdtemp()))
    ['metrics.json', 'report.html', 'samples.png']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shown = {source: x for source, x in evaluation.samples.items() if source != "untrained"}
    files = {"metrics.json": evaluation.save(folder / "metrics.json")}
    if evaluation.of_tokens:
        files["samples.txt"] = _write_lines(evaluation, folder / "samples.txt")
    else:
        points = evaluation.of_points
        picture: Any = figures.scatter(shown, centers=evaluation.centers) if points else figures.sheet(shown)
        files["samples.png"] = figures.save_png(picture, folder / "samples.png", background=_WHITE)
    if history:
        curves = figures.loss_curves(history)
        files["curves.png"] = figures.save_png(curves, folder / "curves.png", background=_WHITE)
    page = _render(evaluation, history)
    with atomic_write(folder / "report.html") as aside:
        aside.write_text(page, encoding="utf-8")
    files["report.html"] = folder / "report.html"
    return files


def _render(evaluation: Evaluation, history: Sequence[Mapping[str, float]]) -> str:
    """The page."""
    jinja2 = require("jinja2", extra="train")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page: str = environment.get_template("report.html.j2").render(
        **wording.words(evaluation),
        **_pictures(evaluation, history),
        versions=evaluation.protocol["versions"],
        failures=evaluation.failures,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )
    return page


def _write_lines(evaluation: Evaluation, path: Path) -> Path:
    with atomic_write(path) as aside:
        aside.write_text("".join(f"{line}\n" for line in evaluation.lines("plain")), encoding="utf-8")
    return path


def _pictures(evaluation: Evaluation, history: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    content: dict[str, Any] = {"grids": [], "texts": [], "scatter": None, "curves": None}
    if evaluation.of_points:
        content["scatter"] = _themed(
            lambda theme: figures.scatter(evaluation.samples, centers=evaluation.centers, theme=theme)
        )
    elif evaluation.of_tokens:
        content["texts"] = [
            {"title": source, "caption": wording.caption(source), "lines": evaluation.lines(source)}
            for source in evaluation.samples
            if source != "untrained"
        ]
    else:
        content["grids"] = [
            {
                "title": source,
                "caption": wording.caption(source),
                "src": _embedded(figures.png_bytes(figures.image_grid(x))),
            }
            for source, x in evaluation.samples.items()
            if source != "untrained"
        ]
    if history:
        content["curves"] = _themed(lambda theme: figures.loss_curves(history, theme=theme))
    content["samplers"] = [
        {**facts, "energy": _energy(evaluation.samplers[facts["name"]].energies)}
        for facts in wording.sampler_facts(evaluation)
    ]
    return content


def _energy(energies: Sequence[float]) -> dict[str, str] | None:
    if len(energies) < 2:
        return None
    return _themed(lambda theme: figures.energy_curve(energies, theme=theme))


def _themed(draw: Callable[[Theme], Figure]) -> dict[str, str]:
    """A figure for light pages and one for dark."""
    return {
        "light": _embedded(figures.png_bytes(draw(figures.LIGHT))),
        "dark": _embedded(figures.png_bytes(draw(figures.DARK))),
    }


def _embedded(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
