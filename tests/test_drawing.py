"""Pictures of pages: scales against NumPy, and SVG that an XML parser reads."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from emobench.pictures.drawing import SERIES, Drawing, Scale, axes, ink_on, series
from emobench.pictures.framing import beside, framed, titled
from emobench.pictures.inline import svg

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing: Drawing, number: int = 0) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg(drawing, number)))


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
    root = parsed(Drawing(320, 200.25, "UAR < 50 % & more"), 7)
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


def test_a_share_of_a_colour_is_how_opaque_a_box_is():
    drawing = Drawing(10, 10, "")
    for share in (1.0, 0.5, 0.0):
        drawing.box(0, 0, 1, 1, "cell", share=share)
    assert [box.get("fill-opacity") for box in parsed(drawing)[1:]] == [None, "0.500", "0.000"]
    assert [ink_on(share) for share in (0.0, 0.77, 0.78, 1.0)] == [
        *("strong", "strong", "inverse", "inverse")
    ]


def test_a_picture_inside_of_another_is_moved():
    inner, outer = Drawing(10, 10, "inner"), Drawing(100, 100, "outer")
    inner.line([(0, 1), (2, 3)], "k")
    inner.box(1, 1, 2, 2, "bar")
    inner.text(3, 4, "word")
    inner.marker(5, 5, 0)
    inner.explain("ours", series=0)
    outer.explain("ours", series=0)
    outer.place(inner, 20, 30)
    outer.place(inner, 0, 0)
    _, line, box, text, circle, *again = parsed(outer)
    assert line.get("d") == "M20 31L22 33"
    assert (box.get("x"), box.get("y"), box.get("width")) == ("21", "31", "2")
    assert (text.get("x"), text.get("y")) == ("23", "34")
    assert (circle.get("cx"), circle.get("cy")) == ("25", "35")
    assert [element.tag for element in again] == [line.tag, box.tag, text.tag, circle.tag]
    assert len(outer.key) == 1
    assert len(inner.items) == 4  # and is as it was


@pytest.mark.parametrize(("panels", "in_a_row"), [(1, 3), (3, 3), (4, 3), (7, 3), (5, 1)])
def test_panels_stand_in_rows_of_about_one_length(panels, in_a_row):
    drawn = []
    for number in range(panels):
        panel = Drawing(100, 50, f"panel {number}")
        panel.box(0, 0, 100, 50, f"p{number}")
        drawn.append(panel)
    whole = framed(beside("Title", drawn, in_a_row=in_a_row), note="a note")
    boxes = [element for element in parsed(whole) if element.tag.endswith("rect")]
    corners = [(float(box.get("x")), float(box.get("y"))) for box in boxes]
    assert len(set(corners)) == panels
    rows = [[x for x, y in corners if y == row] for row in sorted({y for _, y in corners})]
    assert len(rows) == math.ceil(panels / in_a_row)
    assert max(map(len, rows)) <= in_a_row
    assert max(map(len, rows)) - min(map(len, rows[:-1] or rows)) == 0
    for x, y in corners:
        assert 0 <= x <= whole.width - 100
        assert 0 <= y <= whole.height - 50
    for (x, y), (u, v) in itertools.pairwise(corners):
        assert abs(x - u) >= 100 or abs(y - v) >= 50  # none lies over another
    words = [element.text for element in parsed(whole) if element.tag.endswith("text")]
    assert words[0] == "Title"
    assert words[-1] == "a note"
    assert [word for word in words if word.startswith("panel")] == [one.title for one in drawn]


@pytest.mark.parametrize("width", [120, 200, 400])
def test_a_long_title_keeps_its_words(width):
    title = "UAR by speaker, EMO-DB, protocol losgo\nthree repetitions"
    lines = titled(title, width)
    assert " ".join(lines) == " ".join(title.split())
    assert all(len(line) * 8.4 <= width or " " not in line for line in lines)
    assert titled("", 100) == [""]
