"""Pictures of pages: scales against NumPy, and SVG that an XML parser reads."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from emobench.report.drawing import SERIES, Drawing, Scale, axes, series

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing: Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing.svg()))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 5), (40.2, 97.1), (0.001, 0.0042)])
def test_a_scale_is_a_straight_line(low, high):
    scale = Scale(low, high, 30, 330)
    for value in np.linspace(low, high, 7):
        assert scale(value) == pytest.approx(np.interp(value, [low, high], [30, 330]))


def test_a_scale_may_run_downwards():
    up = Scale(0, 100, 200, 20)
    assert (up(0), up(100), up(50)) == (200, 20, 110)


def test_equal_factors_are_equal_steps():
    scale = Scale(1, 1000, 0, 300, logarithmic=True)
    assert [scale(value) for value in (1, 10, 100, 1000)] == pytest.approx([0, 100, 200, 300])
    assert scale.ticks() == [1, 10, 100, 1000]
    assert Scale(3, 2000, 0, 1, logarithmic=True).ticks() == [10, 100, 1000]


def test_a_scale_of_one_value_puts_it_in_the_middle():
    assert Scale(5, 5, 0, 100)(5) == 50


@pytest.mark.parametrize(
    ("low", "high", "wanted", "expected"),
    [
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.25, 0.93, 4, [0.4, 0.6, 0.8]),
        (-7, 7, 5, [-5, 0, 5]),
        (0, 3, 3, [0, 1, 2, 3]),
        (16, 160, 5, [50, 100, 150]),
    ],
)
def test_ticks_are_round_and_inside(low, high, wanted, expected):
    found = Scale(low, high, 0, 1).ticks(wanted)
    assert found == pytest.approx(expected)


def test_ticks_are_never_outside():
    random = np.random.default_rng(0)
    for _ in range(200):
        low = random.uniform(-100, 100)
        high = low + 10 ** random.uniform(-3, 3)
        found = Scale(low, high, 0, 1).ticks()
        slack = 1e-6 * (high - low)
        assert all(low - slack <= value <= high + slack for value in found)
        assert 2 <= len(found) <= 11
        steps = np.diff(found)
        assert np.allclose(steps, steps[0])
        digits = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9)
        assert min(abs(digits - known) for known in (1, 2, 5, 10)) < 1e-6


def test_a_picture_is_read_aloud_by_its_title():
    root = parsed(Drawing(320, 200.25, "UAR < 50 % & more", 7))
    assert root.tag in ("svg", f"{SVG}svg")
    assert (root.get("width"), root.get("height"), root.get("role")) == ("320", "200.2", "img")
    assert root.get("viewBox") == "0 0 320 200.2"
    (title,) = list(root)
    assert title.text == "UAR < 50 % & more"
    assert root.get("aria-labelledby") == title.get("id") == "picture-7"


def test_a_line_has_gaps_where_nothing_is_known():
    drawing = Drawing(10, 10, "")
    drawing.line([(0, 1), (1, 2.55), (2, math.nan), (3, 4), (math.inf, 5), (5, -0.01)], "k")
    drawing.line([(math.nan, 1)], "k")  # nothing to draw
    (path,) = [element for element in parsed(drawing) if element.tag.endswith("path")]
    assert path.get("d") in ("M0 1L1 2.5M3 4M5 0", "M0 1L1 2.6M3 4M5 0")
    assert path.get("class") == "k"


def test_shapes_say_what_they_are():
    drawing = Drawing(10, 10, "")
    drawing.area([(0, 0), (1, 0), (1, 1)], "band")
    drawing.box(1, 2, -3, 4, "bar", "a <b>")
    drawing.text(5, 6, "x < y & z", "t", "middle")
    _, area, box, text = parsed(drawing)
    assert area.get("d") == "M0 0L1 0L1 1Z"
    assert (box.get("x"), box.get("y"), box.get("width"), box.get("height")) == ("1", "2", "0", "4")
    assert box[0].text == "a <b>"
    assert (text.text, text.get("text-anchor"), text.get("class")) == ("x < y & z", "middle", "t")


def test_every_series_has_a_marker_of_its_own():
    """Who sees no colours tells them apart by their shapes."""
    shapes = set()
    for position in range(SERIES):
        drawing = Drawing(10, 10, "")
        drawing.marker(5, 5, position, f"model {position}")
        element = parsed(drawing)[1]
        assert element.get("class") == f"m {series(position)}"
        assert element[0].text == f"model {position}"
        shapes.add((element.tag, element.get("d")))
    assert len(shapes) == SERIES
    assert series(0) == series(SERIES) == "s0"


def test_axes_have_numbers_and_titles():
    drawing = Drawing(400, 300, "")
    across, up = Scale(8, 256, 40, 380, logarithmic=True), Scale(0, 100, 260, 20)
    axes(drawing, across, up, titles=("kbit/s", "UAR"), ticks=([8, 64, 256], [0, 50, 100]))
    texts = [element for element in parsed(drawing) if element.tag.endswith("text")]
    assert [text.text for text in texts] == ["0", "50", "100", "8", "64", "256", "kbit/s", "UAR"]
    heights = [float(text.get("y")) for text in texts[:3]]
    assert heights == sorted(heights, reverse=True)
    places = [float(text.get("x")) for text in texts[3:6]]
    assert places[1] - places[0] == pytest.approx(3 * 340 / 5, abs=0.2)  # 8, 64: three octaves
    drawing = Drawing(400, 300, "")
    axes(drawing, Scale(0, 10, 40, 380), up, titles=("", ""))
    texts = [element.text for element in parsed(drawing) if element.tag.endswith("text")]
    assert [text for text in texts if text] == ["0", "20", "40", "60", "80", "100"] + [
        str(each) for each in range(0, 11, 2)
    ]
