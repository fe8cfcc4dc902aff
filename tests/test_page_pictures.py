"""Pictures of pages show what those for papers show: each is read back, by its own axes."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from xml.etree import ElementTree

import numpy as np
import pytest

from emobench import plots
from emobench.analysis.bitrates import Curve, Point
from emobench.analysis.intervals import Interval, over_speakers
from emobench.analysis.learning_curves import LearningCurve
from emobench.analysis.ranks import Ranking, ScoreTable
from emobench.analysis.speaker_scores import SpeakerScore
from emobench.analysis.speed import Speed
from emobench.report.pictures import bitrates, curves, ranks, speakers, speed
from emobench.results.columns import Column

NUMBER = r"-?\d+(?:\.\d+)?"


def drawn(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def paths(picture: ElementTree.Element, kind: str) -> list[list[tuple[float, float]]]:
    """Points of all lines of a kind."""
    return [
        [(float(x), float(y)) for x, y in re.findall(rf"({NUMBER}) ({NUMBER})", one.get("d"))]
        for one in picture.iter("path")
        if one.get("class") == kind
    ]


def centres(picture: ElementTree.Element) -> dict[str, tuple[float, float]]:
    """Where the middle of each marker is, by what it says."""
    found = {}
    for one in picture.iter():
        if not (one.get("class") or "").startswith("m "):
            continue
        if one.tag == "circle":
            place = float(one.get("cx")), float(one.get("cy"))
        elif one.tag == "rect":
            place = tuple(
                float(one.get(corner)) + float(one.get(size)) / 2
                for corner, size in (("x", "width"), ("y", "height"))
            )
        else:
            raise AssertionError(f"a marker of another shape: {one.get('d')}")
        found["".join(one.itertext())] = place
    return found


def ruler(picture: ElementTree.Element, *, upright: bool = False, logarithmic: bool = False):
    """What turns pixels into values, from the numbers that are written along an axis."""
    along, beside = ("y", "x") if upright else ("x", "y")
    rows = defaultdict(dict)
    for text in picture.iter("text"):
        if re.fullmatch(NUMBER, text.text or ""):
            rows[text.get(beside)][float(text.text)] = float(text.get(along))
    ticks = max(rows.values(), key=len)
    assert len(ticks) > 1
    values = np.array(list(ticks))
    slope, start = np.polyfit(list(ticks.values()), np.log(values) if logarithmic else values, 1)
    return lambda pixel: math.exp(slope * pixel + start) if logarithmic else slope * pixel + start


def test_speakers():
    some = [SpeakerScore(f"s{n:02d}", ("female", "male")[n % 2], 0.2 + n / 37, 9) for n in range(9)]
    held = over_speakers([one.uar for one in some])
    picture = drawn(speakers.speakers(some, held, 0.25, "title", 1))
    (panel,) = plots.speakers([plots.Panel("a", some, (held.low, held.high), 0.25)], "title").axes
    value = ruler(picture)
    on_page = sorted(value(x) for x, _ in centres(picture).values())
    dots = [line for line in panel.lines if line.get_linestyle() == "None"]
    on_paper = sorted(x for line in dots for x in line.get_xdata())
    assert len(dots) == 2
    assert on_page == pytest.approx(on_paper, abs=0.1)
    assert on_page == pytest.approx(sorted(100 * one.uar for one in some), abs=0.1)
    ((mean, _), _) = paths(picture, "axis")[-1]
    assert value(mean) == pytest.approx(100 * np.mean([one.uar for one in some]), abs=0.1)
    (band,) = (one for one in picture.iter("rect") if one.get("class") == "band")
    low = float(band.get("x"))
    ends = value(low), value(low + float(band.get("width")))
    assert ends == pytest.approx((100 * held.low, 100 * held.high), abs=0.1)


def test_ranks():
    # Figure 1 (a) of Demsar (JMLR 2006), the critical difference shortened to have two bars.
    known = {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    table = ScoreTable(tuple(map(Column, known)), ("a",), np.zeros((1, 4)), ())
    found = Ranking(table, tuple(known.values()), 9.0, 0.01, 1.05, np.ones((4, 4)))
    picture = drawn(ranks.ranks(found, "title", 1))
    value = ruler(picture)
    names = [text.text for text in picture.iter("text") if "C4.5" in text.text]
    assert names == ["C4.5+m+cf  1.96", "C4.5+m  2.00", "2.89  C4.5+cf", "3.14  C4.5"]
    shown = [value(line[0][0]) for line in paths(picture, "rule")]
    assert shown == pytest.approx(sorted(known.values()), abs=0.01)
    bars = [[value(x) for x, _ in line] for line in paths(picture, "thick")]
    joined = [[rank for rank in sorted(known.values()) if low < rank < high] for low, high in bars]
    assert joined == [[1.964, 2.0, 2.893], [2.893, 3.143]]
    groups = [[column.name for column in group] for group in found.groups()]
    (panel,) = plots.ranks(known, found.critical, groups, "title").axes
    thick = [line.get_xdata() for line in panel.lines if line.get_linewidth() == 4]
    on_paper = [[rank for rank in sorted(known.values()) if a < rank < b] for a, b in thick]
    assert joined == on_paper
    ruled = max(paths(picture, "axis"), key=len)
    (start, _), (end, _) = ruled[1:3]
    assert value(end) - value(start) == pytest.approx(1.05, abs=0.01)


def test_speed():
    some = [Speed(f"m{n}", 0.3 + n / 10, 3.0 * 4**n, "cpu", 4, 4) for n in range(5)]
    picture = drawn(speed.speed(some, 0.25, "title", 1))
    rate, uar = ruler(picture, logarithmic=True), ruler(picture, upright=True)
    places = [(float(one.get("cx")), float(one.get("cy"))) for one in picture.iter("circle")]
    (panel,) = plots.speed(some, 0.25, "title").axes
    on_paper = panel.lines[0]
    assert sorted(rate(x) for x, _ in places) == pytest.approx(
        sorted(on_paper.get_xdata()), rel=0.01
    )
    assert sorted(uar(y + 4) for _, y in places) == pytest.approx(
        sorted(on_paper.get_ydata()), abs=0.1
    )


def test_curves():
    losses = (2.0, 1.0, math.nan, 0.25)
    one = LearningCurve(0, 1, ("a",), (1.0, 2.0, 3.0, 4.0), losses, (1.5, 1.25), 2.0)
    picture = drawn(curves.curves([one], "title", 1, points=40))
    (panel,) = plots.curves([one], "title").axes
    epoch, loss = ruler(picture), ruler(picture, upright=True)
    (training,) = paths(picture, "l s0")
    (watched,) = paths(picture, "l s1 dashed")
    told, told_too, best = panel.lines
    pairs = zip(told.get_xdata(), told.get_ydata(), strict=True)
    finite = [pair for pair in pairs if math.isfinite(pair[1])]
    assert [(epoch(x), loss(y + 4)) for x, y in training] == [
        pytest.approx(pair, abs=0.05) for pair in finite
    ]
    assert [loss(y + 4) for _, y in watched] == pytest.approx(list(told_too.get_ydata()), abs=0.05)
    ((x, _), _) = paths(picture, "rule")[0]
    assert epoch(x) == pytest.approx(best.get_xdata()[0], abs=0.05)


def test_bitrates():
    def point(kbps, uar):
        return Point(kbps, uar, Interval(uar - 0.1, uar + 0.05, uar, 0.1, 4), 4, 4, "f")

    rates = (8, 16, 32, 64)
    points = tuple(point(kbps, 0.3 + n / 10) for n, kbps in enumerate(rates))
    one = Curve("losgo", "emo-db", "EMO-DB", "m", "test", 0.25, point(None, 0.7), points)
    picture = drawn(bitrates.bitrates([one], "title", 1))
    kbps, uar = ruler(picture, logarithmic=True), ruler(picture, upright=True)
    (panel,) = plots.bitrates([one]).axes
    line = panel.lines[0]
    marks = {told: place for told, place in centres(picture).items() if "kbit" in told}
    assert [kbps(x) for x, _ in marks.values()] == pytest.approx(list(line.get_xdata()), rel=0.01)
    assert [uar(y + 4) for _, y in marks.values()] == pytest.approx(list(line.get_ydata()), abs=0.2)
    spread = [
        sorted(uar(y + 4) for _, y in ends) for ends in paths(picture, "l s0") if len(ends) == 2
    ]
    assert spread[0] == pytest.approx([20, 35], abs=0.3)
    plain = next(place for told, place in centres(picture).items() if "as it is" in told)
    assert uar(plain[1] + 4) == pytest.approx(70, abs=0.2)
