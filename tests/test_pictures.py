"""Pictures of results: what they show is what the predictions and records hold."""

from __future__ import annotations

import importlib.resources
import itertools
import json
import os
import re

import drawn
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from stored import LABELS, Filled, current, experiment, predictions

from emobench import pictures
from emobench.analysis import learning_curves, speaker_scores, speed
from emobench.analysis.intervals import over_speakers
from emobench.analysis.ranks import Ranking, ScoreTable, cliques
from emobench.cli.plot import plot
from emobench.errors import SpecError, StoreError
from emobench.pictures import files
from emobench.pictures.drawing import Box, Drawing, ink_on
from emobench.results.columns import Column
from emobench.results.result import Result
from emobench.spec import Job
from emobench.store import read_experiments

MODEL = "latif2019"
STYLE = (importlib.resources.files("emobench.report") / "assets" / "style.css").read_text()


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    from emobench import runs

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def made(model: str = MODEL, **options):
    return experiment("emo-db", model, "losgo", n_folds=4, **options)


def tell(folder, **facts) -> None:
    """Add facts to the records of an experiment, other ones in each fold if they are functions."""
    for path in folder.glob("fold-*.json"):
        record = json.loads(path.read_text())
        told = {
            key: item(record["fold"]) if callable(item) else item for key, item in facts.items()
        }
        path.write_text(json.dumps({**record, **told}))


def invoke(filled: Filled, *words: object):
    words = [*map(str, words), "--results", str(filled.results)]
    return CliRunner().invoke(plot, words, standalone_mode=False)


@pytest.fixture
def draw(filled, tmp_path, monkeypatch):
    """Call the command and return the picture that it would save."""

    def call(*words: object) -> Drawing:
        saved = []
        with monkeypatch.context() as patch:
            patch.setattr(pictures, "save", lambda drawing, file: saved.append(drawing))
            done = invoke(filled, *words, "--corpus", "EmoDB", "--out", tmp_path / "a.svg")
        if done.exception:
            raise done.exception
        return saved[0]

    return call


def title(drawing: Drawing) -> str:
    return " ".join(drawn.words(drawing, "title"))


def test_confusion_is_scikit_learn_s(filled, draw):
    filled.run(made(repetitions=2), skill=0.6)
    drawing = draw("confusion", "--model", MODEL)
    tested = [predictions(Job(fold, number), skill=0.6) for number in (1, 2) for fold in range(4)]
    truth, predicted = (
        np.concatenate([part[column] for part in tested]) for column in ("label", "predicted")
    )
    counts = confusion_matrix(truth, predicted, labels=LABELS)
    shares = confusion_matrix(truth, predicted, labels=LABELS, normalize="true")
    written = [words for words in drawn.words(drawing) if re.fullmatch(r"\d+( %)?", words)]
    assert written[::2] == [f"{100 * share:.0f} %" for share in shares.flat]
    assert written[1::2] == [str(count) for count in counts.flat]
    cells = drawn.boxes(drawing, "heat")
    np.testing.assert_allclose([cell.share for cell in cells], shares.ravel())
    assert [cell.y for cell in cells] == sorted(cell.y for cell in cells)  # row by row
    named = [
        *LABELS,
        *(f"{label} ({n})" for label, n in zip(LABELS, counts.sum(axis=1), strict=True)),
    ]
    assert [words for words in drawn.words(drawing, "strong") if words in named] == named
    assert {"predicted class", "true class (clips)"} <= set(drawn.words(drawing, "t"))
    uars = [balanced_accuracy_score(part["label"], part["predicted"]) for part in tested]
    assert title(drawing).endswith(f"UAR {100 * np.mean(uars):.1f} %")
    assert drawn.words(drawing)[-1] == "percent of the row, and clips over 2 repetitions"


def test_a_class_without_clips_has_no_shares():
    drawing = pictures.confusion(np.array([[3, 1], [0, 0]]), ["a", "b"], "title")
    assert drawn.words(drawing).count("–") == 2
    assert [cell.share for cell in drawn.boxes(drawing, "heat")] == [0.75, 0.25, 0, 0]


def test_letters_in_cells_can_be_read():
    """WCAG asks for a contrast of 4.5 to 1 between small letters and what is behind them."""
    heat = linear_parts(files.style_of("heat")["fill"])
    for share in np.linspace(0, 1, 401):
        behind = luminance(share * heat + (1 - share))
        letters = luminance(linear_parts(files.style_of(ink_on(share))["ink"]))
        low, high = sorted([behind, letters])
        assert (high + 0.05) / (low + 0.05) >= 4.5, share


def linear_parts(colour: str) -> np.ndarray:
    """Red, green and blue as written, between 0 and 1."""
    return np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])


def luminance(part: np.ndarray) -> float:
    straight = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(straight @ [0.2126, 0.7152, 0.0722])


def test_every_speaker_is_a_dot_and_the_sex_is_marked(filled, draw):
    filled.run(made(), skill=0.6)
    drawing = draw("speakers", "--model", MODEL)
    uars = [
        100 * balanced_accuracy_score(part["label"], part["predicted"])
        for part in (predictions(Job(fold), skill=0.6) for fold in range(4))
    ]
    value = drawn.across(drawing)
    places = {said.partition(":")[0]: place for said, place in drawn.told(drawing).items() if said}
    assert {name: value(x) for name, (x, _) in places.items()} == {
        f"speaker{place}": pytest.approx(uar, abs=0.01) for place, uar in enumerate(uars)
    }
    order = sorted(range(4), key=lambda place: (-round(uars[place], 6), place))
    assert sorted(places, key=lambda name: places[name][1]) == [f"speaker{n}" for n in order]
    ((mean, _), _) = drawn.lines(drawing, "axis")[0]
    assert value(mean) == pytest.approx(np.mean(uars), abs=0.01)
    ((chance, _), _) = drawn.lines(drawing, "rule dashed")[0]
    assert value(chance) == pytest.approx(25, abs=0.01)
    (band,) = drawn.boxes(drawing, "band")[:1]
    held = over_speakers([uar / 100 for uar in uars])
    assert (value(band.x), value(band.x + band.width)) == pytest.approx(
        (100 * held.low, 100 * held.high), abs=0.01
    )
    assert drawn.key(drawing) == ["female", "mean over speakers", "its 95 % interval", "chance"]


def test_several_models_have_their_speakers_in_one_order(filled, draw):
    filled.run(made(), skill=0.6)
    filled.run(made("zhao2019"), skill=0.3, seed=1)
    drawing = draw("speakers", "--model", f"{MODEL},zhao2019")
    assert drawn.words(drawing, "strong") == [MODEL, "zhao2019"]
    assert "in the order of latif2019" in title(drawing)
    names = [words for words in drawn.words(drawing, "t") if words.startswith("speaker")]
    assert names[:4] == names[4:8]
    heights = [
        [y for said, (_, y) in drawn.told(drawing).items() if said.startswith(f"speaker{n}:")]
        for n in range(4)
    ]
    assert all(len(found) == 2 and found[0] == found[1] for found in heights)


def test_a_speaker_of_two_sexes_is_of_none(filled):
    table = predictions(Job(0)).assign(fold=0, repetition=1)
    (one,) = speaker_scores.by_speaker(table)
    assert (one.sex, one.clips) == ("female", 20)
    table.loc[1, "sex"] = "male"
    assert speaker_scores.by_speaker(table)[0].sex == "unknown"
    assert speaker_scores.by_speaker(table.assign(sex=None))[0].sex == "unknown"


def test_many_speakers_and_missing_sexes_are_told_by_shape_too():
    sexes = ("female", "male", "unknown")
    some = [
        speaker_scores.SpeakerScore(f"{number:03d}", sexes[number % 3], number / 100, 9)
        for number in range(60)
    ]
    drawing = pictures.speakers(some, None, 0.25, "title")
    assert len(drawn.shapes(drawing)) == 3
    assert drawn.key(drawing) == [*sexes, "mean over speakers", "chance"]
    assert not set(drawn.words(drawing)) & {one.name for one in some}
    named = pictures.speakers(some[:50], None, 0.25, "title")
    assert {one.name for one in some[:50]} <= set(drawn.words(named))


def test_a_speaker_whom_one_model_lacks_leaves_a_gap():
    some = [speaker_scores.SpeakerScore(name, "male", 0.5, 9) for name in "ac"]
    drawing = pictures.speakers(some, None, 0.25, "title", order="abc")
    assert [words for words in drawn.words(drawing) if words in "abc"] == ["a", "b", "c"]
    first, second = (y for _, y in drawn.told(drawing).values())
    whole = pictures.speakers(some, None, 0.25, "title", order="ac")
    above, below = (y for _, y in drawn.told(whole).values())
    assert second - first == 2 * (below - above)


def test_curves_are_those_of_the_records(filled, draw):
    folder = filled.run(made(repetitions=2))
    tell(
        folder,
        loss=lambda fold: [2.0 + fold, 1.0, None, 0.25],
        epochs=2.0,
        development_loss=[1.5, 1.25],
        best_epoch=1.0,
        held_out=lambda fold: [f"speaker{fold}"],
    )
    drawing = draw("curves", "--model", MODEL)
    assert drawn.words(drawing, "t strong") == [f"fold {fold} · speaker{fold}" for fold in range(4)]
    assert drawn.key(drawing) == ["loss on training clips", "on development clips", "epoch in use"]
    assert drawn.words(drawing)[-1] == "across: epochs; up: loss"
    loss = drawn.up(drawing)
    training = drawn.lines(drawing, "l s0")[:-1]  # the last is the key's
    # Two repetitions of four folds; a loss that is no number is a gap.
    assert [len(stroke) for stroke in training] == [2, 1] * 8
    for fold in range(4):
        first, last = training[4 * fold : 4 * fold + 2]
        assert [loss(y) for _, y in (*first, *last)] == pytest.approx([2 + fold, 1, 0.25], abs=0.01)
        (start, _), (then, _), (end, _) = (*first, *last)
        assert (end - start) / (then - start) == pytest.approx(3)
    watched = drawn.lines(drawing, "l s1 dashed")[:-1]
    assert [[loss(y) for _, y in stroke] for stroke in watched] == [
        pytest.approx([1.5, 1.25], abs=0.01)
    ] * 8
    best = drawn.lines(drawing, "rule")[0][0][0]
    assert best == pytest.approx(watched[0][1][0])  # the second point is that of epoch 1


def test_an_estimator_has_no_curve(filled, draw):
    filled.run(made("svm-is09"))
    with pytest.raises(StoreError, match=r"expected losses of a network, found none on file\. Est"):
        draw("curves", "--model", "svm-is09")


def test_many_who_are_held_out_are_counted():
    curve = learning_curves.LearningCurve(0, 1, ("a", "b", "c", "d", "e"), (1.0,), (2.0,), (), None)
    assert "fold 0 · 5 tested" in drawn.words(pictures.curves([curve], "title"))


def test_long_curves_are_thinned_for_pages_and_keep_their_end():
    epochs = tuple(float(n) for n in range(1, 1001))
    curve = learning_curves.LearningCurve(0, 1, ("a",), epochs, epochs[::-1], (), None)
    whole, thinned = (
        drawn.lines(pictures.curves([curve], "title", *points), "l s0")[0] for points in ((), (40,))
    )
    assert len(whole) == 1000
    assert len(thinned) <= 41
    assert (thinned[0], thinned[-1]) == (whole[0], whole[-1])


def test_speed_is_clips_of_a_fold_over_its_seconds(filled, draw):
    tell(filled.run(made(), skill=0.9), seconds=4.0, n_training=100, device="card")
    seconds = {"seconds": lambda fold: 1.0 + fold, "n_training": 100}
    tell(filled.run(made("zhao2019")), **seconds, device="cpu")
    filled.run(made("zhang2019"))  # says nothing of time
    tell(
        filled.run(made("svm-is09", condition={"name": "mp3:8k", "sides": "test"})),
        seconds=1.0,
        n_training=100,
    )
    results = [Result(one) for one in read_experiments(filled.results)]
    assert [(one.model, one.clips_per_second) for one in speed.speeds(results)] == [
        ("latif2019", 25.0),
        ("zhao2019", 40.0),
    ]
    drawing = draw("speed")
    assert drawn.key(drawing) == ["card", "cpu", "chance"]
    uar = [
        balanced_accuracy_score(part["label"], part["predicted"])
        for part in (predictions(Job(fold), skill=0.9) for fold in range(4))
    ]
    found = drawn.marks(drawing)
    value = drawn.up(drawing)
    assert value(found["s0"][0][1]) == pytest.approx(100 * np.mean(uar), abs=0.05)
    assert found["s0"][0][0] < found["s1"][0][0]  # 25 clips a second, and 40
    names = {"latif2019", "zhao2019", "zhang2019", "svm-is09"}
    assert names & set(drawn.words(drawing)) == {"latif2019", "zhao2019"}
    assert names & set(drawn.words(draw("speed", "--model", "zhao2019"))) == {"zhao2019"}
    with pytest.raises(StoreError, match=r"with their times, found none\. Add --partial"):
        draw("speed", "--model", "zhang2019")


def test_speeds_stand_where_their_axis_says():
    some = [speed.Speed(f"m{n}", 0.3 + n / 10, 3.0 * 4**n, "cpu", 4, 4) for n in range(5)]
    drawing = pictures.speed(some, 0.25, "title")
    rate, uar = drawn.across(drawing, logarithmic=True), drawn.up(drawing)
    found = sorted(drawn.marks(drawing)["s0"])
    assert [rate(x) for x, _ in found] == pytest.approx([3.0 * 4**n for n in range(5)], rel=1e-6)
    assert [uar(y) for _, y in found] == pytest.approx([30, 40, 50, 60, 70], abs=1e-6)


def test_names_of_close_points_lie_on_no_other_and_on_no_point():
    some = [speed.Speed(f"model-{n}", 0.5 + n / 400, 10.0 + n, "cpu", 4, 4) for n in range(8)]
    drawing = pictures.speed(some, 0.25, "title")
    names = [item for item in drawing.items if getattr(item, "words", "").startswith("model-")]
    assert len(names) == 8
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            apart = abs(one.x - other.x) > 50 or abs(one.y - other.y) >= 13
            assert apart, (one.words, other.words)
        for x, y in drawn.marks(drawing)["s0"]:
            assert not (one.x < x < one.x + 45 and abs(one.y - 4 - y) < 5), one.words


def test_the_critical_difference_diagram():
    # Figure 1 (a) of Demsar (JMLR 2006), with a shorter critical difference that makes two bars.
    known = {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    assert cliques(sorted(known.values()), 1.25) == [(0, 3)]
    table = ScoreTable(tuple(map(Column, known)), ("a",), np.zeros((1, 4)), ())
    found = Ranking(table, tuple(known.values()), 9.0, 0.01, 1.05, np.ones((4, 4)))
    drawing = pictures.ranks(found, "title")
    rank = drawn.across(drawing)
    assert [words for words in drawn.words(drawing) if "C4.5" in words] == [
        *("C4.5+m+cf  1.96", "C4.5+m  2.00", "2.89  C4.5+cf", "3.14  C4.5"),
    ]
    shown = [rank(line[0][0]) for line in drawn.lines(drawing, "rule")]
    assert shown == pytest.approx(sorted(known.values()), abs=1e-6)
    bars = [sorted(rank(x) for x, _ in line) for line in drawn.lines(drawing, "thick")]
    joined = [[one for one in sorted(known.values()) if low < one < high] for low, high in bars]
    assert joined == [[1.964, 2.0, 2.893], [2.893, 3.143]]
    assert len({line[0][1] for line in drawn.lines(drawing, "thick")}) == 2
    (ruled,) = (line for line in drawn.lines(drawing, "axis") if len(line) == 4)
    assert rank(ruled[2][0]) - rank(ruled[1][0]) == pytest.approx(1.05)
    assert "critical difference 1.05" in drawn.words(drawing)


@pytest.mark.parametrize(
    ("mean_ranks", "difference", "expected"),
    [
        ([1, 2], 0.5, []),
        ([1, 2], 1, [(0, 1)]),
        ([1, 2, 3, 4], 1, [(0, 1), (1, 2), (2, 3)]),
        ([1, 1.2, 2, 4, 4.5], 1, [(0, 2), (3, 4)]),
    ],
)
def test_no_bar_lies_inside_another(mean_ranks, difference, expected):
    assert cliques(mean_ranks, difference) == expected


@pytest.mark.parametrize("suffix", pictures.SUFFIXES)
def test_the_same_results_give_the_same_bytes(filled, tmp_path, suffix):
    tell(filled.run(made()), seconds=4.0, n_training=100, loss=[2.0, 1.0], epochs=2)
    for kind, *words in (
        *(("confusion", "--model", MODEL), ("speakers", "--model", MODEL)),
        *(("curves", "--model", MODEL), ("speed",)),
    ):
        written = [tmp_path / f"{kind}-{number}{suffix}" for number in range(2)]
        for file in written:
            done = invoke(filled, kind, *words, "--corpus", "emo-db", "--out", file)
            assert done.exception is None
        first, second = (file.read_bytes() for file in written)
        assert first == second
        assert not re.search(rb"20\d\d-\d\d-\d\d|Matplotlib v", first)


def test_a_file_is_coloured_as_it_is_drawn(tmp_path):
    """Read the pixels of a PNG back."""
    from matplotlib.image import imread

    drawing = Drawing(96, 48, "title")
    drawing.box(0, 0, 48, 48, "s1")
    drawing.box(48, 0, 48, 24, "heat", share=0.5)
    pictures.save(drawing, tmp_path / "a.png")
    pixels = imread(tmp_path / "a.png")[..., :3]
    assert pixels.shape == (100, 200, 3)
    orange, blue = (linear_parts(files.style_of(kind)["fill"]) for kind in ("s1", "heat"))
    np.testing.assert_allclose(pixels[50, 50], orange, atol=1 / 255)
    np.testing.assert_allclose(pixels[25, 150], 0.5 + 0.5 * blue, atol=2 / 255)
    np.testing.assert_allclose(pixels[75, 150], 1, atol=1 / 255)


def test_every_kind_that_pages_know_has_a_style_in_files():
    for kind in set(re.findall(r"svg \.([a-z]+)", STYLE)) - {"s"}:
        assert files.style_of(kind) != files.style_of(""), kind


def test_what_is_unfinished_is_said(filled, draw):
    filled.run(made(), jobs=[Job(0)])
    with pytest.raises(StoreError, match="Add --partial for an incomplete one"):
        draw("confusion", "--model", MODEL)
    assert "(1 of 4 folds)" in title(draw("confusion", "--model", MODEL, "--partial"))
    drawing = draw("speakers", "--model", MODEL, "--partial")
    assert drawn.words(drawing, "strong") == [f"{MODEL} (1 of 4 folds)"]
    assert "its 95 % interval" not in drawn.key(drawing)


def test_a_result_under_a_condition_is_named_by_its_fingerprint(filled, draw):
    heard = made(condition={"name": "mp3:8k", "sides": "test"})
    filled.run(heard)
    drawing = draw("confusion", "--model", f"{MODEL}/{heard.fingerprint[:8]}")
    assert "with mp3:8k on test" in title(drawing)


def test_a_title_and_a_key_stay_inside_the_picture():
    panel = Drawing(200, 100, "panel")
    for place in range(8):
        panel.explain(f"series number {place}", f"l s{place % 6}", place)
    whole = pictures.framed(pictures.beside(" ".join(["word"] * 30), [panel] * 2, in_a_row=2))
    assert len(drawn.words(whole, "title")) > 1
    assert len(drawn.key(whole)) == 8
    texts = [item for item in whole.items if getattr(item, "words", "").startswith("series")]
    assert len(texts) == 8
    assert len({item.y for item in texts}) > 1
    assert all(0 < item.x < item.x + 6.3 * len(item.words) <= whole.width for item in texts)
    assert max(item.y for item in texts) < whole.height


def test_series_of_one_colour_have_markers_of_their_own():
    drawing = Drawing(100, 100, "title")
    for place in range(36):
        drawing.marker(0, 0, place)
    looks = {
        (item.kind, type(item).__name__, 0 if isinstance(item, Box) else repr(item)[:400])
        for item in drawing.items
    }
    assert len(looks) == 36


def test_a_kind_of_file_is_refused_before_anything_is_read(tmp_path):
    words = ["confusion", "--model", "no", "--corpus", "no", "--out", str(tmp_path / "a.gif")]
    with pytest.raises(SpecError, match=r"--out .*a\.gif: expected a name that ends in \.svg"):
        CliRunner().invoke(plot, words, standalone_mode=False, catch_exceptions=False)


VISIONS = {  # severity 1 of Machado, Oliveira and Fernandes (IEEE TVCG 2009), on linear RGB
    "usual": np.eye(3),
    "protanopia": [
        *([0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216]),
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        *([0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413]),
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        *([1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602]),
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # of sRGB


def linear(colour: str) -> np.ndarray:
    part = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(colour: str, vision: str) -> np.ndarray:
    """Return a colour in CIELAB as someone sees it; distances above ten are plain to see."""
    xyz = TO_XYZ @ np.clip(VISIONS[vision] @ linear(colour), 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours, vision: str) -> float:
    pairs = itertools.combinations(colours, 2)
    return min(np.linalg.norm(lab(one, vision) - lab(other, vision)) for one, other in pairs)


def palettes() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Of the light and of the dark page: what is behind, and the colours of series."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)", 1)
    return {
        name: (
            re.search(r"--paper: (#\w{6})", part)[1],
            tuple(colour for _, colour in re.findall(r"--s(\d): (#\w{6})", part)),
        )
        for name, part in (("light", light), ("dark", dark))
    }


def test_files_have_the_colours_of_the_light_page():
    assert palettes()["light"][1] == files.COLOURS


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_colours_are_told_apart_by_everyone(vision, scheme):
    _, colours = palettes()[scheme]
    assert len(colours) == 6
    assert nearest(colours, vision) > 25
    assert nearest(["#a05000", "#508000"], "deuteranopia") < 15  # red and green are not


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out_from_what_is_behind(scheme):
    """WCAG asks for a contrast of 3 to 1 of what is no letter."""
    paper, colours = palettes()[scheme]
    behind = TO_XYZ[1] @ linear(paper)
    for colour in colours:
        low, high = sorted([behind, TO_XYZ[1] @ linear(colour)])
        assert (high + 0.05) / (low + 0.05) >= 3, colour
