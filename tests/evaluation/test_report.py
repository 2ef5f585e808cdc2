from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from gancore.evaluation import Evaluation, write_report
from gancore.evaluation.table import number, score_table
from gancore.figures import image_grid
from gancore.samplers import SamplerInfo

if TYPE_CHECKING:
    from pathlib import Path

HISTORY = [{"step": k, "seconds": 0.1 * k, "critic": 1.0 / k, "generator": 1.0} for k in range(1, 60)]


def score(value: float, **more: Any) -> dict[str, Any]:
    protocol = {
        "features": "classifier",
        "data": "d",
        "accuracy": 0.991,
        "n_held_out": 450,
        "weights_sha256": "ab" * 32,
    }
    return {"value": value, "interval": (value - 1, value + 1), "n_real": 90, "n_fake": 64, "protocol": protocol} | more


def classes(found: int) -> dict[str, Any]:
    counts, real = {"zero": 40, "one": 24}, {"zero": 45, "one": 45}
    return score(found, interval=None, of=2, counts=counts, real_counts=real, total_variation=0.125)


def evaluation(**changes: Any) -> Evaluation:
    noise = torch.rand(3, 9, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    sources = {"untrained": 400.0, "plain": 20.0, "ddls": 19.0}
    whole: dict[str, Any] = {
        "run": {
            "system": "dcgan",
            "choices": {"width": 8},
            "changed": {"width": 8},
            "recipe": {"objective": "nonsaturating()"},
            "data": "digits",
            "shape": [1, 8, 8],
            "seed": 0,
            "step": 1500,
            "folder": "runs/my run",
        },
        "protocol": {
            "data": "digits",
            "n_real": 90,
            "n_fake": 64,
            "seed": 0,
            "calibration": {"data": "digits", "n": 90, "held_out": False},
            "settings": {"plain": {}, "ddls": {}},
            "versions": {"gancore": "0.1.0", "python": "3.11"},
        },
        "scores": {name: {"fid": score(value), "classes": classes(2)} for name, value in sources.items()},
        "samplers": {
            "plain": SamplerInfo(sampler="plain", energies=(3.0,)),
            "ddls": SamplerInfo(
                sampler="ddls",
                energies=(3.0, 2.0, 1.5),
                step_size=0.01,
                temperature=1.0,
                effective_sample_size=30.0,
                r_hat=1.2,
                calibration={"slope": 2.5},
            ),
        },
        "failures": {},
        "samples": dict(zip(("real", "plain", "ddls"), noise, strict=True)),
    }
    return Evaluation(**(whole | changes))


class Page(HTMLParser):
    """Every element, and every text, of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "source", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def pictures(self) -> list[bytes]:
        urls = [e.get("src") or e.get("srcset") for tag, e in self.elements if tag in ("img", "source")]
        return [base64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True) for url in urls if url]


def written(folder: Path, found: Evaluation, **settings: Any) -> Page:
    return Page(write_report(found, folder, **settings)["report.html"].read_text(encoding="utf-8"))


def test_the_report_needs_nothing_else(tmp_path: Path) -> None:
    page = written(tmp_path, evaluation(), history=HISTORY)
    assert not page.open
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    for _, attributes in page.elements:
        for name in ("src", "srcset", "href", "data", "poster"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "url(" not in "".join(page.texts)
    assert "@import" not in "".join(page.texts)
    # Three grids, and curves and energies in two themes.
    assert len(page.pictures()) == 3 + 2 + 2


def test_the_grids_before_and_after_are_in_it_pixel_by_pixel(tmp_path: Path) -> None:
    found = evaluation()
    embedded = [np.asarray(Image.open(io.BytesIO(png))) for png in written(tmp_path, found).pictures()[:3]]
    for picture, source in zip(embedded, ("real", "plain", "ddls"), strict=True):
        assert np.array_equal(picture, np.asarray(image_grid(found.samples[source])))


def test_it_reads_in_dark_and_light(tmp_path: Path) -> None:
    page = written(tmp_path, evaluation(), history=HISTORY)
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.elements
    themed = [e["media"] for tag, e in page.elements if tag == "source"]
    assert themed == ["(prefers-color-scheme: dark)"] * 2
    style = "".join(page.texts)
    used = set(re.findall(r"var\((--\w+)\)", style))
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert used <= set(re.findall(r"--\w+", light))
    assert used <= set(re.findall(r"--\w+", dark))


def test_what_a_person_wrote_is_not_markup(tmp_path: Path) -> None:
    found = evaluation()
    evil = "<script>alert('&')</script>"
    found.run["data"] = evil
    found.scores["plain"]["classes"]["protocol"]["data"] = evil
    found.failures["ddls"] = evil
    page = written(tmp_path, found)
    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert f"dcgan on {evil}" in page.texts


def test_every_number_of_the_table_is_said(tmp_path: Path) -> None:
    found = evaluation()
    text = " ".join(written(tmp_path, found).texts)
    for cells in score_table(found).rows.values():
        for cell in cells:
            assert cell.text in text
            assert cell.small in text
    assert "calibrated on 90 samples of digits, which it was trained on too" in text
    for said in ("20.0 times lower than untrained", "5% lower than plain", "99.1% right on 450", "2 / 2", "ab" * 8):
        assert said in text
    assert (
        "gancore train dcgan --data digits --steps 1500 --seed 0 --set width=8 --out 'runs/my run'\n"
        "gancore evaluate 'runs/my run' --samplers plain,ddls -n 64 --seed 0"
    ) in text


@pytest.mark.parametrize(("value", "said"), [(30.0, "50% higher than plain"), (50.0, "2.5 times higher than plain")])
def test_worse_is_called_higher(value: float, said: str, tmp_path: Path) -> None:
    found = evaluation()
    found.scores["ddls"]["fid"]["value"] = value
    assert said in " ".join(written(tmp_path, found).texts)


def test_a_failure_is_said(tmp_path: Path) -> None:
    found = evaluation(failures={"ddls": "the critic knows nothing"})
    assert "the critic knows nothing" in " ".join(written(tmp_path, found).texts)


def test_points_are_scattered(tmp_path: Path) -> None:
    cloud = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    modes = score(7, interval=None, of=8, high_quality=0.5, kl=0.1)
    found = evaluation(
        samples={"real": cloud, "plain": cloud + 1},
        scores={name: {"mode_coverage": modes, "fid": score(2.0)} for name in ("untrained", "plain")},
        centers=torch.eye(2),
    )
    page = written(tmp_path, found)
    assert "7 / 8" in " ".join(page.texts)
    assert len(page.pictures()) == 2 + 2
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.width > picture.height


def test_all_files_are_written_and_whole(tmp_path: Path) -> None:
    files = write_report(evaluation(), tmp_path / "new", history=HISTORY)
    assert set(files) == {"metrics.json", "samples.png", "curves.png", "report.html"}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(files)
    content = json.loads(files["metrics.json"].read_text(encoding="utf-8"))
    assert content["format"] == "gancore metrics"
    assert content["scores"]["ddls"]["fid"]["value"] == 19.0
    assert content["samplers"]["ddls"]["energies"] == [3.0, 2.0, 1.5]
    for name in ("samples.png", "curves.png"):
        with Image.open(files[name]) as picture:
            picture.verify()


def test_without_history_there_are_no_curves(tmp_path: Path) -> None:
    assert "curves.png" not in write_report(evaluation(), tmp_path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (99.94, "99.9"),
        (99.96, "100"),
        (123456.0, "123,456"),
        (float("nan"), "undefined"),
        (-5.0, "-5.00"),
    ],
)
def test_numbers_read_well(value: float, text: str) -> None:
    assert number(value) == text


def test_samplers_without_steps_say_what_they_asked_and_took(tmp_path: Path) -> None:
    info = SamplerInfo(sampler="metropolis_hastings", acceptance=0.25, critic_calls=1234, calibration={"slope": 0.5})
    found = evaluation(samplers={"plain": SamplerInfo(sampler="plain"), "metropolis_hastings": info})
    text = write_report(found, tmp_path)["report.html"].read_text(encoding="utf-8")
    assert "Sampler: metropolis_hastings" in text
    assert "Sampler: plain" not in text
    assert "25.0%" in text
    assert "1,234" in text
    assert "step size" not in text
