"""Pictures of single results: what they show is what the predictions and records hold."""

from __future__ import annotations

import itertools
import json
import math
import os
import re

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.text import Text
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from stored import LABELS, Filled, current, experiment, predictions

from emobench import plots
from emobench.analysis import learning_curves, speaker_scores, speed
from emobench.analysis.ranks import cliques
from emobench.cli.plot import plot
from emobench.errors import SpecError, StoreError
from emobench.plots import figures
from emobench.results.result import Result
from emobench.spec import Job
from emobench.store import read_experiments

MODEL = "latif2019"


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
    """Call the command and return the figure that it would save."""

    def call(*words: object):
        drawn = []
        with monkeypatch.context() as patch:
            patch.setattr(plots, "save", lambda figure, file: drawn.append(figure))
            done = invoke(filled, *words, "--corpus", "EmoDB", "--out", tmp_path / "a.svg")
        if done.exception:
            raise done.exception
        return drawn[0]

    return call


def texts(panel) -> list[str]:
    return [text.get_text() for text in panel.texts]


def test_confusion_is_scikit_learn_s(filled, draw):
    filled.run(made(repetitions=2), skill=0.6)
    figure = draw("confusion", "--model", MODEL)
    tested = [predictions(Job(fold, number), skill=0.6) for number in (1, 2) for fold in range(4)]
    truth, predicted = (
        np.concatenate([part[column] for part in tested]) for column in ("label", "predicted")
    )
    counts = confusion_matrix(truth, predicted, labels=LABELS)
    shares = confusion_matrix(truth, predicted, labels=LABELS, normalize="true")
    panel, bar = figure.axes
    assert texts(panel)[::2] == [f"{100 * share:.0f} %" for share in shares.flat]
    assert texts(panel)[1::2] == [str(count) for count in counts.flat]
    np.testing.assert_allclose(panel.images[0].get_array(), shares)
    assert [tick.get_text() for tick in panel.get_xticklabels()] == list(LABELS)
    assert [tick.get_text() for tick in panel.get_yticklabels()] == [
        f"{label} ({count})" for label, count in zip(LABELS, counts.sum(axis=1), strict=True)
    ]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("predicted class", "true class (clips)")
    assert bar.get_ylabel() == "percent of the row"
    uars = [balanced_accuracy_score(part["label"], part["predicted"]) for part in tested]
    assert figure.get_suptitle().splitlines()[-1] == f"UAR {100 * np.mean(uars):.1f} %"
    assert figure.get_supxlabel() == "counts over 2 repetitions"


def test_letters_in_cells_can_be_read():
    """WCAG asks for a contrast of 4.5 to 1 between small letters and what is behind them."""
    from matplotlib.colors import to_rgb

    def luminance(colour):
        part = [
            each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in colour
        ]
        return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]

    for right in range(0, 101, 4):
        figure = plots.confusion(np.array([[right, 100 - right], [0, 0]]), ["a", "b"], "title")
        panel = figure.axes[0]
        image = panel.images[0]
        for text, share in zip(panel.texts[:4:2], image.get_array()[0], strict=True):
            behind = luminance(image.to_rgba(share)[:3])
            letters = luminance(to_rgb(text.get_color()))
            low, high = sorted([behind, letters])
            assert (high + 0.05) / (low + 0.05) >= 4.5
        assert texts(panel)[4::2] == ["–", "–"]


def test_every_speaker_is_a_dot_and_the_sex_is_marked(filled, draw):
    filled.run(made(), skill=0.6)
    filled.run(made("zhao2019"), skill=0.3, seed=1)
    figure = draw("speakers", "--model", f"{MODEL},zhao2019")
    uars = [
        100 * balanced_accuracy_score(part["label"], part["predicted"])
        for part in (predictions(Job(fold), skill=0.6) for fold in range(4))
    ]
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == (MODEL, "zhao2019")
    order = sorted(range(4), key=lambda place: (round(uars[place], 6), place))
    assert [tick.get_text() for tick in first.get_yticklabels()] == [
        f"speaker{place}" for place in order
    ]
    dots = next(line for line in first.lines if line.get_label() == "female")
    shown = dict(zip(dots.get_ydata(), dots.get_xdata(), strict=True))
    assert [shown[place] for place in range(4)] == pytest.approx(np.sort(uars))
    mean = next(line for line in first.lines if line.get_label() == "mean over speakers")
    assert mean.get_xdata()[0] == pytest.approx(np.mean(uars))
    chance = next(line for line in first.lines if line.get_label() == "chance")
    assert chance.get_xdata()[0] == 25


def test_a_speaker_of_two_sexes_is_of_none(filled):
    table = predictions(Job(0)).assign(fold=0, repetition=1)
    (one,) = speaker_scores.by_speaker(table)
    assert (one.sex, one.clips) == ("female", 20)
    table.loc[1, "sex"] = "male"
    assert speaker_scores.by_speaker(table)[0].sex == "unknown"
    assert speaker_scores.by_speaker(table.assign(sex=None))[0].sex == "unknown"


def test_many_speakers_and_missing_sexes_are_told_by_shape_too():
    def score(number, sex):
        return speaker_scores.SpeakerScore(f"{number:03d}", sex, number / 100, 9)

    some = [score(number, ("female", "male")[number % 2]) for number in range(60)]
    other = [score(number, "unknown") for number in range(60)]
    panels = [plots.Panel("a", some, (0.1, 0.5), 0.25), plots.Panel("b", other, None, 0.25)]
    figure = plots.speakers(panels, "title")
    shapes = {
        line.get_label(): line.get_marker()
        for panel in figure.axes
        for line in panel.lines
        if line.get_linestyle() == "None"
    }
    assert len(set(shapes.values())) == 3
    assert figure.axes[0].get_ylabel() == "60 speakers"
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"female", "male", "unknown", "its 95 % interval", "chance"} <= set(named)


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
    figure = draw("curves", "--model", MODEL)
    assert [panel.get_title() for panel in figure.axes] == [
        f"fold {fold} (speaker{fold} tested)" for fold in range(4)
    ]
    for fold, panel in enumerate(figure.axes):
        training, watched, best = panel.lines[:3]
        assert len(panel.lines) == 2 * 3
        np.testing.assert_array_equal(training.get_xdata(), [0.5, 1, 1.5, 2])
        np.testing.assert_array_equal(training.get_ydata(), [2 + fold, 1, math.nan, 0.25])
        np.testing.assert_array_equal(watched.get_ydata(), [1.5, 1.25])
        assert best.get_xdata()[0] == 1
        assert panel.get_ylim()[0] == 0
        assert panel.get_ylim()[1] > 5
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *("training clips", "development clips", "epoch in use"),
    ]


def test_an_estimator_has_no_curve(filled, draw):
    filled.run(made("svm-is09"))
    with pytest.raises(StoreError, match=r"expected losses of a network, found none on file\. Est"):
        draw("curves", "--model", "svm-is09")


def test_many_who_are_held_out_are_counted():
    curve = learning_curves.LearningCurve(0, 1, ("a", "b", "c", "d", "e"), (1.0,), (2.0,), (), None)
    (panel,) = plots.curves([curve], "title").axes
    assert panel.get_title() == "fold 0 (5 tested)"


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
    (panel,) = draw("speed").axes
    points = {line.get_label(): line for line in panel.lines}
    assert set(points) == {"card", "cpu", "chance"}
    uar = [
        balanced_accuracy_score(part["label"], part["predicted"])
        for part in (predictions(Job(fold), skill=0.9) for fold in range(4))
    ]
    assert points["card"].get_ydata()[0] == pytest.approx(100 * np.mean(uar))
    assert points["card"].get_xdata()[0] == 25
    assert sorted(texts(panel)) == ["latif2019", "zhao2019"]
    assert sorted(texts(draw("speed", "--model", "zhao2019").axes[0])) == ["zhao2019"]
    with pytest.raises(StoreError, match=r"with their times, found none\. Add --partial"):
        draw("speed", "--model", "zhang2019")


def test_names_of_close_points_do_not_lie_on_each_other():
    results = [speed.Speed(f"model-{n}", 0.5 + n / 400, 10.0 + n, "cpu", 4, 4) for n in range(8)]
    figure = plots.speed(results, 0.25, "title")
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    for place, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[place + 1 :])


def test_the_critical_difference_diagram():
    # Figure 1 (a) of Demsar (JMLR 2006): ranks 3.143, 2.000, 2.893, 1.964; difference 1.25.
    names = {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    assert cliques(sorted(names.values()), 1.25) == [(0, 3)]
    groups = [("C4.5+cf", "C4.5"), ("C4.5+m+cf", "C4.5+m", "C4.5+cf")]
    figure = plots.ranks(names, 1.05, groups, "title")
    (panel,) = figure.axes
    bars = [line for line in panel.lines if line.get_linewidth() == 4]
    joined = [
        [rank for rank in sorted(names.values()) if low < rank < high]
        for low, high in (bar.get_xdata() for bar in bars)
    ]
    assert joined == [[1.964, 2.0, 2.893], [2.893, 3.143]]
    assert len({bar.get_ydata()[0] for bar in bars}) == 2
    assert [text for text in texts(panel) if "C4.5" in text] == [
        *("C4.5+m+cf  1.96", "C4.5+m  2.00", "2.89  C4.5+cf", "3.14  C4.5"),
    ]
    assert "critical difference 1.05" in texts(panel)
    figure.draw_without_rendering()
    for text in panel.texts:
        box = Text.get_window_extent(text)
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width


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


@pytest.mark.parametrize("suffix", plots.SUFFIXES)
def test_the_same_results_give_the_same_bytes(filled, tmp_path, suffix):
    tell(filled.run(made()), seconds=4.0, n_training=100, loss=[2.0, 1.0], epochs=2)
    for kind, *words in (
        *(("confusion", "--model", MODEL), ("speakers", "--model", MODEL)),
        *(("curves", "--model", MODEL), ("speed",)),
    ):
        files = [tmp_path / f"{kind}-{number}{suffix}" for number in range(2)]
        for file in files:
            done = invoke(filled, kind, *words, "--corpus", "emo-db", "--out", file)
            assert done.exception is None
        first, second = (file.read_bytes() for file in files)
        assert first == second
        assert not re.search(rb"20\d\d-\d\d-\d\d|Matplotlib v", first)


def test_what_is_unfinished_is_said(filled, draw):
    filled.run(made(), jobs=[Job(0)])
    with pytest.raises(StoreError, match="Add --partial for an incomplete one"):
        draw("confusion", "--model", MODEL)
    figure = draw("confusion", "--model", MODEL, "--partial")
    assert "(1 of 4 folds)" in " ".join(figure.get_suptitle().split())
    (panel,) = draw("speakers", "--model", MODEL, "--partial").axes
    assert panel.get_title() == f"{MODEL} (1 of 4 folds)"
    assert "its 95 % interval" not in panel.get_legend_handles_labels()[1]


def test_a_result_under_a_condition_is_named_by_its_fingerprint(filled, draw):
    heard = made(condition={"name": "mp3:8k", "sides": "test"})
    filled.run(heard)
    figure = draw("confusion", "--model", f"{MODEL}/{heard.fingerprint[:8]}")
    assert "with mp3:8k on test" in " ".join(figure.get_suptitle().split())


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


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_are_told_apart_by_everyone(vision):
    assert nearest(figures.COLOURS, vision) > 15
    assert nearest(["#a05000", "#508000"], "deuteranopia") < 15  # red and green are not


def test_colours_stand_out_from_white():
    """WCAG asks for a contrast of 3 to 1 of what is no letter."""
    for colour in figures.COLOURS:
        assert 1.05 / (TO_XYZ[1] @ linear(colour) + 0.05) >= 3
