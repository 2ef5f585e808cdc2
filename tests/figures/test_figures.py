from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gancore.errors import DataError, ShapeError
from gancore.figures import DARK, LIGHT, Theme, energy_curve, loss_curves, png_bytes, scatter

ROWS = [{"step": 10 * k, "seconds": float(k), "critic": np.sin(k), "generator": 1.0 + k} for k in range(1, 121)]


def titles(figure: object) -> list[str]:
    return [panel.get_title(loc="left") for panel in figure.axes]


def test_players_share_a_panel_and_the_rest_have_their_own() -> None:
    rows = [{**row, "gradient_penalty": 0.1} for row in ROWS] + [{"step": 1300, "fid": 8.0}]
    assert titles(loss_curves(ROWS)) == ["Losses"]
    assert titles(loss_curves(rows)) == ["Losses", "Gradient penalty", "FID"]


@given(st.lists(st.floats(-1e3, 1e3), min_size=41, max_size=200))
def test_the_bold_line_is_the_centred_mean_of_the_thin_one(values: list[float]) -> None:
    rows = [{"step": k, "critic": value} for k, value in enumerate(values)]
    thin, bold = loss_curves(rows).axes[0].get_lines()
    assert thin.get_ydata().tolist() == values
    window = -(-len(values) // 40)
    before = window // 2
    mean = [np.mean(values[max(k - before, 0) : k - before + window]) for k in range(len(values))]
    np.testing.assert_allclose(bold.get_ydata(), mean, atol=1e-9)


def test_few_values_are_drawn_as_they_are() -> None:
    (line,) = loss_curves([{"step": k, "fid": 9.0 - k} for k in range(5)]).axes[0].get_lines()
    assert line.get_ydata().tolist() == [9, 8, 7, 6, 5]
    assert line.get_marker() == "o"


@pytest.mark.parametrize(("values", "scale"), [([90.0, 1.0], "log"), ([9.0, 1.0], "linear"), ([90.0, 0.0], "linear")])
def test_what_falls_by_decades_is_drawn_on_them(values: list[float], scale: str) -> None:
    rows = [{"step": k, "fid": value} for k, value in enumerate(values)]
    assert loss_curves(rows).axes[0].get_yscale() == scale


def test_rows_may_lack_what_others_have() -> None:
    figure = loss_curves([{"step": 1, "critic": 1.0}, {"step": 2, "critic": 2.0, "fid": 5.0}])
    assert [line.get_xdata().tolist() for panel in figure.axes for line in panel.get_lines()] == [[1, 2], [2]]


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(DataError, match="history"):
        loss_curves([{"step": 1, "seconds": 0.1}])
    with pytest.raises(DataError, match="energies"):
        energy_curve([])
    with pytest.raises(ShapeError, match="points"):
        scatter({})
    with pytest.raises(ShapeError, match="fake"):
        scatter({"real": np.zeros((3, 2)), "fake": np.zeros((3, 1))})


def test_every_source_is_drawn_on_the_axes_of_the_first() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, 2)), 100 + rng.normal(size=(6000, 3))
    figure = scatter({"real": real, "fake": fake}, centers=np.eye(2))
    assert titles(figure) == ["real", "fake"]
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert first.get_xlim()[1] < 10
    np.testing.assert_allclose(first.collections[0].get_offsets(), real)
    np.testing.assert_allclose(second.collections[0].get_offsets(), fake[:5000, :2])
    np.testing.assert_allclose(second.collections[1].get_offsets(), np.eye(2))


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, as WCAG 2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "page"), [(LIGHT, "#ffffff"), (DARK, "#0d1117")])
def test_ink_is_read_on_its_page(theme: Theme, page: str) -> None:
    def contrast(colour: str) -> float:
        light, dark = sorted((luminance(colour), luminance(page)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    assert contrast(theme.ink) >= 7
    assert contrast(theme.muted) >= 4.5
    assert min(map(contrast, theme.series)) >= 3


def test_a_figure_has_the_background_that_was_asked_for() -> None:
    figure = energy_curve([3.0, 2.0, 1.5])
    clear = np.asarray(Image.open(io.BytesIO(png_bytes(figure))))
    white = np.asarray(Image.open(io.BytesIO(png_bytes(figure, background="white"))))
    assert clear[0, 0].tolist()[3] == 0
    assert white[0, 0].tolist() == [255, 255, 255, 255]


def test_drawing_leaves_no_global_state() -> None:
    code = """
import sys
from gancore import figures
assert "matplotlib" not in sys.modules and "PIL" not in sys.modules, "importing must stay light"
figures.png_bytes(figures.energy_curve([2.0, 1.0]))
assert "matplotlib.pyplot" not in sys.modules, "pyplot keeps every figure and picks a display"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
