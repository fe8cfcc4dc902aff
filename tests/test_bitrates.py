"""UAR against bitrate: the points are the predictions', and the picture shows them."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys

import drawn
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import balanced_accuracy_score
from stored import FakeRegistry, Filled, current, experiment, predictions

from emobench import pictures
from emobench.analysis import bitrates
from emobench.cli.bitrates import bitrates as command
from emobench.cli.bitrates import draw_curves
from emobench.cli.plot import plot
from emobench.errors import SpecError, StoreError
from emobench.spec import Job

RATES = (8, 64, 256)


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    from emobench import runs

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def made(corpus: str = "emo-db", model: str = "librosa-svm", kbps: int = 0, sides: str = "test"):
    heard = {"condition": {"name": f"mp3:{kbps}k", "sides": sides}} if kbps else {}
    return experiment(corpus, model, "losgo", n_folds=4, **heard)


def run_all(filled: Filled) -> None:
    for corpus in ("ravdess", "emo-db"):
        for model in ("librosa-svm", "librosa-mlp"):
            filled.run(made(corpus, model), skill=0.8)
            for kbps in RATES:
                filled.run(made(corpus, model, kbps), skill=0.8 - 2 / kbps, seed=kbps)
    filled.run(made(kbps=64, sides="training"), skill=0.2)


def curves(filled: Filled, **options) -> tuple[bitrates.Curve, ...]:
    options = {"protocol": "losgo", "current": current, "registry": FakeRegistry(), **options}
    return bitrates.curves(filled.results, **options)


def uar(skill: float, seed: int) -> float:
    folds = [predictions(Job(fold), skill=skill, seed=seed) for fold in range(4)]
    return float(
        np.mean([balanced_accuracy_score(fold["label"], fold["predicted"]) for fold in folds])
    )


def test_points_are_those_of_the_predictions(filled):
    run_all(filled)
    found = curves(filled)
    assert [(curve.corpus, curve.model, curve.sides) for curve in found] == [
        ("emo-db", "librosa-svm", "test"),
        ("emo-db", "librosa-svm", "training"),
        ("emo-db", "librosa-mlp", "test"),
        ("ravdess", "librosa-svm", "test"),
        ("ravdess", "librosa-mlp", "test"),
    ]
    for curve in found:
        assert curve.plain.uar == pytest.approx(uar(0.8, 0))
        assert curve.chance == 0.25
        if curve.sides == "test":
            assert [point.kbps for point in curve.points] == list(RATES)
            for point in curve.points:
                assert point.uar == pytest.approx(uar(0.8 - 2 / point.kbps, point.kbps))
                assert point.interval.low <= point.uar <= point.interval.high
                assert point.interval.speakers == 4


def test_a_choice_of_corpora_and_models(filled):
    run_all(filled)
    found = curves(filled, corpora={"ravdess"}, models={"librosa-mlp"})
    assert [(curve.corpus, curve.model) for curve in found] == [("ravdess", "librosa-mlp")]


def test_files_have_curves_of_their_own(filled):
    extras = {"condition": {"name": "mp3:8k", "sides": "test"}, "vectors": {"sha256": "ab" * 32}}
    filled.run(experiment("emo-db", "yoon2018-mdre", "losgo"))
    filled.run(experiment("emo-db", "yoon2018-mdre", "losgo", **extras))
    (curve,) = curves(filled)
    assert (curve.model, curve.plain) == ("yoon2018-mdre+vectors:abababab", None)


def test_csv(filled):
    run_all(filled)
    rows = list(csv.DictReader(io.StringIO(bitrates.to_csv(curves(filled)))))
    assert len(rows) == 4 * 4 + 2
    assert [row["kbps"] for row in rows[:4]] == ["", "8", "64", "256"]
    assert float(rows[0]["uar"]) == pytest.approx(100 * uar(0.8, 0), abs=1e-4)


def test_nothing_was_run_under_mp3(filled):
    filled.run(made())
    with pytest.raises(StoreError, match=r"found none\. Make some with `emobench run --model libr"):
        curves(filled)
    with pytest.raises(StoreError, match=r"--model zhao2019 --corpus ravdess --protocol losgo "):
        curves(filled, corpora={"ravdess"}, models={"zhao2019"})
    filled.run(made(kbps=8), jobs=[Job(0)])
    with pytest.raises(StoreError, match=r"found incomplete ones only\. Add --partial, or finish"):
        curves(filled)
    (curve,) = curves(filled, partial=True)
    (point,) = curve.points
    assert (point.done, point.wanted, point.interval) == (1, 4, None)


def test_the_picture_shows_the_points(filled):
    run_all(filled)
    found = [curve for curve in curves(filled) if curve.corpus == "emo-db"]
    drawing = pictures.bitrates(found, "EMO-DB")
    assert drawn.key(drawing) == [
        *("librosa-svm, tested on MP3", "librosa-svm, trained on MP3"),
        *("librosa-mlp, tested on MP3", "chance"),
    ]
    rate, value = drawn.across(drawing, logarithmic=True), drawn.up(drawing)
    for place, curve in enumerate(found):
        if len(curve.points) == 1:
            continue  # a marker, and no line
        line = max(drawn.lines(drawing, f"l s{place}"), key=len)
        assert [rate(x) for x, _ in line] == pytest.approx([p.kbps for p in curve.points])
        assert [value(y) for _, y in line] == pytest.approx([100 * p.uar for p in curve.points])
    (band,) = drawn.lines(drawing, "veil s0")
    ends = [value(y) for _, y in band]
    assert min(ends) == pytest.approx(100 * min(p.interval.low for p in found[0].points))
    assert max(ends) == pytest.approx(100 * max(p.interval.high for p in found[0].points))
    plain = [
        place
        for said, place in drawn.told(drawing).items()
        if said.startswith("librosa-svm, as it is")
    ]
    assert value(plain[0][1]) == pytest.approx(100 * found[0].plain.uar)


def test_a_series_looks_alike_in_every_panel(filled, monkeypatch, tmp_path):
    run_all(filled)
    saved = []
    monkeypatch.setattr(pictures, "save", lambda drawing, file: saved.append(drawing))
    draw_curves(curves(filled), tmp_path / "a.svg")
    (whole,) = saved
    assert drawn.words(whole, "strong") == ["EMO-DB", "RAVDESS"]
    told = [item for item in whole.items if getattr(item, "title", "").startswith("librosa-mlp")]
    assert len(told) == 2 * (len(RATES) + 1)
    assert {item.kind for item in told} == {"m s2"}


def test_the_picture_says_what_is_unfinished(filled):
    filled.run(made())
    filled.run(made(kbps=64))
    filled.run(made(kbps=8), jobs=[Job(0)])
    drawing = pictures.bitrates(curves(filled, partial=True), "title")
    assert drawn.key(drawing)[0] == "librosa-svm, tested on MP3 (1 of 4 folds)"


@pytest.mark.parametrize("suffix", pictures.SUFFIXES)
def test_the_same_results_give_the_same_bytes(filled, tmp_path, suffix):
    run_all(filled)
    contents = set()
    for name in ("one", "two"):
        file = tmp_path / "new" / f"{name}{suffix}"
        draw_curves(curves(filled), file)
        contents.add(file.read_bytes())
    assert len(contents) == 1
    assert len(contents.pop()) > 5000


@pytest.mark.parametrize("n_corpora", [1, 4])
def test_any_number_of_panels(filled, tmp_path, n_corpora):
    for corpus in ("emo-db", "ravdess", "iemocap", "crema-d")[:n_corpora]:
        filled.run(made(corpus, kbps=8))
    draw_curves(curves(filled), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"


def test_files_that_cannot_be_written(filled, tmp_path):
    filled.run(made(kbps=8))
    with pytest.raises(SpecError, match=r"expected a name that ends in \.svg, \.pdf, \.png, found"):
        draw_curves(curves(filled), tmp_path / "figure.jpeg")
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match=r"expected a file that can be written, .* with --out"):
        draw_curves(curves(filled), tmp_path / "file" / "figure.png")


def invoke(filled: Filled, *arguments: object, command=command):
    words = [*map(str, arguments), "--results", str(filled.results)]
    return CliRunner().invoke(command, words, standalone_mode=False)


def test_the_command(filled, tmp_path):
    run_all(filled)
    figure, table = tmp_path / "a/figure.svg", tmp_path / "b/table.csv"
    done = invoke(filled, "--corpus", "EmoDB", "--out", figure, "--csv", table)
    assert done.exception is None
    assert done.output == ""
    assert "<svg" in figure.read_text()
    assert "ravdess" not in table.read_text()
    printed = invoke(filled, "--model", "zhao2019,librosa-mlp")
    assert "librosa-svm" not in printed.output
    assert printed.output.startswith("protocol,corpus,model,condition_on,kbps,uar")
    assert isinstance(invoke(filled, "--protocol", "smoke").exception, StoreError)
    assert isinstance(invoke(filled, "--model", "librosa").exception, SpecError)


def test_both_commands_draw_the_same(filled, tmp_path):
    run_all(filled)
    words = ("--corpus", "EmoDB", "--model", "librosa-svm", "--out")
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    assert invoke(filled, *words, files[0]).exception is None
    done = invoke(filled, "bitrates", *words, files[1], command=plot)
    assert done.exception is None
    assert files[0].read_bytes() == files[1].read_bytes()


def test_matplotlib_is_loaded_by_drawing_only():
    code = (
        "import sys, emobench.pictures, emobench.cli.bitrates, emobench.cli.plot; "
        "print({'matplotlib', 'pandas', 'keras', 'sklearn'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
