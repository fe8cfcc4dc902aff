"""The leaderboard: what is shown, what is not, and that every figure comes from predictions."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from stored import FakeRegistry, Filled, current, experiment, older, predictions

from emobench import gate, leaderboard
from emobench.analysis import published
from emobench.cli.leaderboard import leaderboard as command
from emobench.errors import SpecError, StoreError
from emobench.leaderboard import Leaderboard, render
from emobench.metric_table import UAR
from emobench.results.columns import Column
from emobench.spec import Experiment, Job, Protocol

PAPER = (
    "aldeneh2017-logmel40",
    "aldeneh2017-logmel240",
    "aldeneh2017-spec240",
    "latif2019",
    "zhang2019",
    "zhao2019",
    "svm-is09",
)
FORMATS = ("table", "markdown", "csv", "json")


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def filled(tmp_path) -> Filled:
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def build(filled: Filled, protocol: str = "keesing2020", **options) -> Leaderboard:
    options = {"current": current, "registry": FakeRegistry(), **options}
    return leaderboard.build(filled.results, protocol=protocol, **options)


def cells(board: Leaderboard) -> dict[tuple[str, str], object]:
    rows = (*board.rows, *board.synthetic)
    return {(row.corpus, one.name): cell for row in rows for one, cell in row.cells.items()}


def kinds(board: Leaderboard) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for notice in board.notices:
        found.setdefault(notice.kind, []).append(notice.text)
    return found


def words(board: Leaderboard) -> str:
    """Return what a terminal shows, on one line."""
    return " ".join(render(board).split())


def markdown_row(text: str, title: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {title} ")]
    return [part.strip() for part in line.strip("|").split("|")]


def markdown_header(text: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith("| corpus"))
    return [part.strip().replace("<br>", "") for part in line.strip("|").split("|")]


def test_figures_are_scikit_learn_s(filled):
    filled.run(experiment(model="zhao2019", repetitions=3), skill=0.6)
    (cell,) = cells(build(filled)).values()
    table = pd.concat(
        predictions(Job(fold, repetition), skill=0.6)
        for repetition in (1, 2, 3)
        for fold in range(3)
    )
    uars, pooled, accuracies, f1s = [], [], [], []
    for _, part in table.groupby("repetition"):
        folds = [
            balanced_accuracy_score(fold["label"], fold["predicted"])
            for _, fold in part.groupby("fold")
        ]
        uars.append(np.mean(folds))
        pooled.append(balanced_accuracy_score(part["label"], part["predicted"]))
        accuracies.append(accuracy_score(part["label"], part["predicted"]))
        f1s.append(f1_score(part["label"], part["predicted"], average="macro"))
    assert cell.scores["uar"] == pytest.approx(np.mean(uars))
    assert cell.scores["uar_sd"] == pytest.approx(np.std(uars, ddof=1))
    assert cell.scores["uar_pooled"] == pytest.approx(np.mean(pooled))
    assert cell.scores["wa"] == pytest.approx(np.mean(accuracies))
    assert cell.scores["macro_f1"] == pytest.approx(np.mean(f1s))
    shown = f"{100 * np.mean(uars):.1f} ± {100 * np.std(uars, ddof=1):.1f}"
    for format in ("table", "markdown"):
        assert shown in render(build(filled), format)
    ((row,),) = [list(csv.DictReader(io.StringIO(render(build(filled), "csv"))))]
    assert float(row["uar"]) == pytest.approx(100 * np.mean(uars), abs=1e-4)
    assert float(row["wa"]) == pytest.approx(100 * np.mean(accuracies), abs=1e-4)


def test_scores_in_records_change_nothing_and_are_doubted(filled):
    folder = filled.run(experiment())
    before = render(build(filled), "csv")
    path = folder / "fold-01-repetition-1.json"
    record = json.loads(path.read_text())
    record["scores"]["uar"] = 0.99
    path.write_text(json.dumps(record))
    board = build(filled)
    assert render(board, "csv") == before
    (doubt,) = kinds(board)["damaged"]
    assert doubt.startswith("keesing2020/emo-db/svm-is09/")
    assert "fold-01-repetition-1.json: its scores are not those of its predictions" in doubt
    assert "uar 0.9900 on file" in doubt
    for format in ("table", "markdown", "json"):
        assert "0.9900 on file" in render(board, format).replace("\n    ", " ")


def test_predictions_decide(filled):
    folder = filled.run(experiment())
    path = folder / "fold-01-repetition-1.parquet"
    older(path.with_suffix(".json"))
    table = pq.read_table(path).to_pandas()
    table["predicted"] = table["label"]
    table.to_parquet(path)
    before = cells(build(Filled(filled.results)))["emo-db", "svm-is09"].scores["uar"]
    expected = np.mean(
        [
            balanced_accuracy_score(part["label"], part["predicted"])
            for part in (predictions(Job(0)), table, predictions(Job(2)))
        ]
    )
    assert before == pytest.approx(expected)
    assert "damaged" in kinds(build(filled))


def test_rows_and_columns_are_in_the_paper_s_order(filled):
    for corpus in ("ravdess", "iemocap:paper-speakers", "my-corpus", "emo-db", "iemocap"):
        for model in ("my-cnn", *reversed(PAPER), "another"):
            filled.run(experiment(corpus, model, n_folds=1))
    text = render(build(filled), "markdown")
    assert markdown_header(text) == ["corpus", *PAPER, "chance", "human"]
    first, *others = text.split("\n#### ")[1:]
    assert [part.partition("\n")[0] for part in others] == ["another", "my"]
    assert markdown_header(others[1]) == ["corpus", "my-cnn", "svm-is09", "chance"]
    titles = [line.split("|")[1].strip() for line in first.splitlines() if line.startswith("| ")]
    assert titles[2:] == [
        *("EMO-DB", "IEMOCAP", "IEMOCAP (paper-speakers)", "RAVDESS", "my-corpus")
    ]


def test_published_and_human_figures_stand_beside_ours(filled):
    filled.run(experiment("emo-db"))
    filled.run(experiment("crema-d"))
    text = render(build(filled), "markdown")
    ours = f"{100 * cells(build(filled))['emo-db', 'svm-is09'].scores['uar']:.1f}"
    row = dict(zip(markdown_header(text), markdown_row(text, "EMO-DB"), strict=True))
    assert row["svm-is09"] == f"{ours} (82.1)"  # not bold under this protocol
    assert row["aldeneh2017-logmel40"] == "– (73.2)"
    assert (row["chance"], row["human"]) == ("25.0", "84.3")
    row = dict(zip(markdown_header(text), markdown_row(text, "CREMA-D"), strict=True))
    assert row["latif2019"] == "– (42.4)"
    assert row["human"] == "40"
    assert "in round brackets the published value." in text


def test_published_figures_of_another_protocol_say_so(filled):
    filled.run(experiment("emo-db", protocol="losgo"))
    text = render(build(filled, "losgo"), "markdown")
    assert "which was obtained with another protocol (keesing2020)" in text
    assert "Caution" not in text


def test_caution_is_printed_with_the_numbers(filled):
    filled.run(experiment("emo-db"))
    for format in ("table", "markdown", "json"):
        assert "optimistic: the SVM is tuned on the evaluation folds" in render(
            build(filled), format
        )


def losgo(corpus: str, model: str, **options) -> Experiment:
    return experiment(corpus, model, "losgo", **options)


def test_best_complete_result_is_bold(filled):
    filled.run(losgo("crema-d", "latif2019", n_folds=6), skill=0.3)
    filled.run(losgo("crema-d", "zhao2019", n_folds=6), skill=0.9)
    filled.run(losgo("crema-d", "svm-is09", n_folds=6), skill=0.3, seed=1)
    filled.run(losgo("crema-d", "zhang2019", n_folds=6), skill=1, jobs=[Job(0)])
    filled.run(losgo("crema-d", "aldeneh2017-spec240", epochs_override=3, n_folds=6), skill=1)
    board = build(filled, "losgo", partial=True)
    row = dict(
        zip(
            markdown_header(render(board, "markdown")),
            markdown_row(render(board, "markdown"), "CREMA-D"),
            strict=True,
        )
    )
    assert [name for name, text in row.items() if "**" in text] == ["zhao2019"]
    assert row["zhang2019"] == "100.0 †1/6 (48.4)"
    assert row["aldeneh2017-spec240"] == "100.0 ¹ [100.0, 100.0] (63.4)"
    assert "¹ trained for 3 epochs only, by --epochs" in render(board, "markdown")
    (line,) = [line for line in render(board).splitlines() if line.startswith("CREMA-D")]
    assert line.count("*") == 1
    coloured = render(board, colour=True)
    assert coloured.count("\x1b[1m*") == 1
    assert "\x1b" not in render(board)


def test_equal_figures_are_equally_bold(filled):
    for model in ("latif2019", "zhao2019"):
        filled.run(losgo("emo-db", model), skill=1)
    assert render(build(filled, "losgo"), "markdown").count("**100.0**") == 2


def test_fewer_clips_than_the_complete_corpus_are_never_bold(filled):
    filled.run(losgo("emo-db", "latif2019", n_folds=2), skill=1)  # 40 of 60 clips
    filled.run(losgo("emo-db", "svm-is09"), skill=0.4)
    board = build(filled, "losgo")
    text = render(board, "markdown")
    row = dict(zip(markdown_header(text), markdown_row(text, "EMO-DB"), strict=True))
    assert row["latif2019"] == "100.0 ¹ (45.2)"
    assert row["svm-is09"].startswith("**")
    assert "¹ on 40 clips; the complete corpus has 60; not to be compared" in text
    (found,) = json.loads(render(board, "json"))["leaderboards"][0]["rows"]
    assert found["best"] == ["svm-is09"]
    assert found["results"]["latif2019"]["not_comparable"] == [
        "other clips than those of the complete corpus"
    ]
    filled.run(losgo("emo-db", "zhao2019", n_folds=4), skill=1)  # 80 clips are no copy of it either
    assert "zhao2019" not in str(build(filled, "losgo").rows[0].standing(UAR).best)


def test_what_is_published_with_test_clips_in_it_stands_apart(filled):
    sound = ["losgo", "wang2020", "krishna2019", "mirsamadi2017", "smoke"]
    leaky = ["keesing2020", "wang2020-random5", "yoon2018"]
    for protocol in (*leaky, *sound):
        filled.run(experiment("emo-db", "svm-is09", protocol), skill=0.9)
    boards = leaderboard.build_all(filled.results, current=current, registry=FakeRegistry())
    main, apart = render(boards, "markdown").split("\n## As published, not comparable\n")
    shown = [re.findall(r"^##+ Protocol `(.*)`", part, re.MULTILINE) for part in (main, apart)]
    assert shown == [sound, leaky]
    assert "class weights count the test clips." in apart
    assert "clips of one speaker are on both sides of the split; the test clips choose" in apart
    assert "**Bold**" not in apart
    assert not re.search(r"\*\*\d", apart)
    assert len(re.findall(r"\*\*\d", main.partition("`smoke`")[0])) == 4
    assert not re.search(r"\*\*\d", main.partition("`smoke`")[2])  # some folds only
    text = render(boards)
    assert (
        text.index("Protocol smoke")
        < text.index("As published")
        < text.index("Protocol keesing2020")
    )
    assert "*" not in text.partition("As published")[2]
    part = leaderboard.fragment(boards)
    assert part.index("`smoke`") < part.index("### As published") < part.index("#### Protocol")
    found = {one["protocol"]: one for one in json.loads(render(boards, "json"))["leaderboards"]}
    assert [name for name in found if found[name]["comparable"]] == sound
    assert all(not found[name]["rows"][0]["best"] for name in (*leaky, "smoke"))
    rows = list(csv.DictReader(io.StringIO(render(boards, "csv"))))
    assert {row["protocol"]: row["comparable"] for row in rows} == {
        name: "true" if name in sound[:-1] else "false" for name in (*sound, *leaky)
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"split": "random"}, "clips of one speaker are on both sides"),
        ({"split": "a new one"}, "clips of one speaker are on both sides"),
        ({"development": 0.2}, "held out with the test clips tell when to stop"),
        ({"tuning": "evaluation"}, "tuned on the evaluation folds"),
        ({"selection": "best-test-epoch"}, "the test clips choose the epoch"),
        ({"weights": "corpus"}, "class weights count the test clips"),
        ({"normalisation": "corpus"}, "inputs are standardised with the test clips"),
        ({"copies": 0.1}, "test clips are among the training clips"),
    ],
)
def test_the_gate_judges_by_what_a_protocol_does(change, reason):
    sound = Protocol("new", "a protocol that nobody has listed")
    assert gate.leaks(sound) == ()
    (found,) = gate.leaks(replace(sound, **change))
    assert reason in found
    judged = [rule.field for rule in gate.RULES]
    assert sorted([*judged, *gate.HARMLESS]) == sorted(field.name for field in fields(Protocol))
    for harmless in ({"weights": "none"}, {"split": "groups"}, {"tuning": "none"}):
        assert gate.leaks(replace(sound, **harmless)) == ()


def test_incomplete_results_need_to_be_asked_for(filled):
    made = experiment(repetitions=2)
    filled.run(made, jobs=[Job(0), Job(1), Job(2), Job(0, 2)])
    board = build(filled)
    assert not board.rows
    assert kinds(board)["incomplete"] == [
        f"emo-db svm-is09 {made.fingerprint[:8]}: 4 of 6 folds, 60 clips, tensorflow"
    ]
    assert "No complete results" in render(board)
    assert "Incomplete ones are shown with --partial" in words(board)
    shown = render(build(filled, partial=True), "markdown")
    assert "†4/6" in markdown_row(shown, "EMO-DB")[-3]
    assert "† incomplete: folds done / folds" in shown
    ((row,),) = [list(csv.DictReader(io.StringIO(render(build(filled, partial=True), "csv"))))]
    assert (row["complete"], row["folds_done"], row["folds"]) == ("false", "4", "6")


def test_further_repetitions_are_not_picked_from(filled):
    made = experiment(repetitions=1)
    filled.run(made, skill=0.3)
    before = cells(build(filled))["emo-db", "svm-is09"].scores
    filled.run(made, jobs=[Job(fold, 2) for fold in range(3)], skill=1)
    assert cells(build(filled))["emo-db", "svm-is09"].scores == before


def test_stale_results_are_listed_and_never_shown(filled):
    made = experiment()
    filled.run(made)
    for today, why in (("0" * 64, "the configuration has changed since"), (None, "unknown to")):
        board = build(filled, partial=True, current=lambda stored, today=today: today)
        assert not board.rows
        (line,) = kinds(board)["stale"]
        assert line.startswith(f"emo-db svm-is09 {made.fingerprint[:8]}: 3 of 3 folds; {why}")
        assert "Stale" in render(board)


def test_other_numbers_of_epochs_need_to_be_asked_for(filled):
    filled.run(experiment(model="zhang2019", epochs_override=3))
    filled.run(experiment(model="zhao2019", epochs_override=50))
    board = build(filled)
    assert list(cells(board)) == [("emo-db", "zhao2019")]  # 50 is this protocol's own number
    assert "trained for 3 epochs" in kinds(board)["incomplete"][0]
    assert len(cells(build(filled, partial=True))) == 2


def test_one_set_of_clips_is_shown(filled):
    expected = experiment(n_folds=3, clips="all")  # 60 clips, as the registry expects
    filled.run(expected, skill=0.5)
    filled.run(experiment(n_folds=4, clips="twice"), skill=0.9)
    filled.run(experiment(n_folds=2, clips="half"), skill=0.9)
    board = build(filled)
    assert cells(board)["emo-db", "svm-is09"].fingerprint == expected.fingerprint
    assert cells(board)["emo-db", "svm-is09"].notes == ()
    assert {line.split(": ")[1] for line in kinds(board)["alternative"]} == {
        "2 of 2 folds, 40 clips, tensorflow",
        "4 of 4 folds, 80 clips, tensorflow",
    }


def test_another_number_of_clips_than_published_is_noted(filled):
    made = experiment(n_folds=2, clips="half")
    filled.run(made)
    filled.run(experiment(n_folds=1, clips="quarter"))
    board = build(filled)
    assert cells(board)["emo-db", "svm-is09"].fingerprint == made.fingerprint
    assert "¹ on 40 clips; the complete corpus has 60" in render(board, "markdown")


def test_backends_are_not_mixed(filled):
    jax = experiment(model="latif2019", backend="jax", repetitions=2)
    filled.run(jax, skill=0.9)
    board = build(filled)
    assert cells(board)["emo-db", "latif2019"].notes == ("computed with JAX",)
    tensorflow = experiment(model="latif2019", backend="tensorflow", repetitions=2)
    filled.run(tensorflow, jobs=[Job(0), Job(1)], skill=0.2)
    for partial in (False, True):  # a complete result goes before an incomplete one
        shown = cells(build(filled, partial=partial))["emo-db", "latif2019"]
        assert shown.fingerprint == jax.fingerprint
    filled.run(tensorflow, skill=0.2)
    shown = cells(build(filled))["emo-db", "latif2019"]
    assert shown.fingerprint == tensorflow.fingerprint
    assert shown.notes == ()
    assert "jax" in kinds(build(filled))["alternative"][0]


def test_failures_are_listed_with_their_reason(filled):
    made = experiment(repetitions=1)
    filled.run(made, jobs=[Job(0), Job(1)])
    filled.store.fail(made, Job(2), "the worker died (signal 9)\nTraceback")
    filled.store.fail(made, Job(None), "")
    lines = kinds(build(filled))["failed"]
    name = f"emo-db svm-is09 {made.fingerprint[:8]}"
    assert lines == [
        f"{name}: fold 2 repetition 1: the worker died (signal 9)",
        f"{name}: tuning: no reason given",
    ]
    assert "Failed" in render(build(filled))


def test_a_clip_tested_twice_is_refused(filled):
    folder = filled.run(experiment())
    path = folder / "fold-01-repetition-1.parquet"
    older(path.with_suffix(".json"))
    table = pq.read_table(path).to_pandas()
    table["id"] = predictions(Job(0))["id"]
    table.to_parquet(path)
    board = build(filled)
    assert not board.rows
    assert "20 clips are tested in several folds, such as speaker0-clip000" in str(kinds(board))


def test_synthetic_corpora_stay_apart(filled):
    filled.run(experiment("demo", "svm-is09"))
    alone = build(filled)
    assert not alone.rows
    assert alone.synthetic
    for format in FORMATS:
        assert "demo" in render(alone, format).lower()
    assert "Synthetic" in render(alone, "markdown")
    assert ",true," in render(alone, "csv")
    assert "demo" not in leaderboard.fragment([alone]).lower()
    filled.run(experiment("emo-db", "svm-is09"))
    filled.run(experiment("demo", "zhao2019"), jobs=[Job(0)])
    both = build(filled)
    for format in ("markdown", "csv", "json"):
        assert "demo" not in render(both, format).lower()
    assert "demo" not in leaderboard.fragment([both]).lower()
    text = render(both)
    assert text.index("EMO-DB") < text.index("Synthetic voices") < text.index("Demo")


def test_pooled_tables_on_request(filled):
    filled.run(experiment("emo-db"))
    for format in ("table", "markdown"):
        plain, more = render(build(filled), format), render(build(filled), format, pooled=True)
        assert "Pooled UAR" not in plain
        assert "Pooled UAR in percent" in more
        assert "WA in percent" in more


def damages() -> Iterator[tuple[str, str]]:
    for name in ("experiment.json", "fold-00-repetition-1.json", "fold-00-repetition-1.parquet"):
        for content in ("", "{", "null", '{"fold": 0}', "\x00" * 100):
            yield name, content
    yield "fold-00-repetition-1.json", '{"fold": 0, "repetition": 1, "rows": "x", "scores": 3}'


@pytest.mark.parametrize(("name", "content"), list(damages()))
def test_damaged_files_are_listed(filled, name, content):
    filled.run(experiment("ravdess"))
    folder = filled.run(experiment("emo-db"))
    (folder / name).write_text(content)
    board = build(filled, partial=True)
    assert ("ravdess", "svm-is09") in cells(board)
    (line,) = kinds(board)["damaged"]
    assert line.startswith(folder.relative_to(filled.results).as_posix())
    for format in FORMATS:
        render(board, format)


def test_labels_that_nobody_knows(filled):
    folder = filled.run(experiment())
    path = folder / "experiment.json"
    content = json.loads(path.read_text())
    del content["sha256"]  # as in a record from before what it says was vouched for
    path.write_text(json.dumps({**content, "labels": ["joy"]}))
    board = build(filled)
    assert not board.rows
    assert "cannot be scored" in kinds(board)["damaged"][0]
    del content["labels"]
    path.write_text(json.dumps(content))
    assert build(filled).rows


def many(results: Path, order: int) -> Filled:
    """Fill a folder with the same records in some order."""
    filled = Filled(results)
    runs = [
        (experiment(corpus, model, protocol, n_folds=2, repetitions=2), index)
        for index, (corpus, model, protocol) in enumerate(
            (corpus, model, protocol)
            for corpus in ("emo-db", "ravdess", "demo", "mine")
            for model in ("svm-is09", "latif2019", "mine")
            for protocol in ("keesing2020", "losgo")
        )
    ]
    random.Random(order).shuffle(runs)
    for made, seed in runs:
        jobs = [Job(fold, repetition) for fold in range(2) for repetition in (1, 2)]
        random.Random(order + seed).shuffle(jobs)
        filled.run(made, jobs=jobs[: 3 if seed % 5 == 0 else 4], seed=seed)
    return filled


def test_regenerated_byte_for_byte(tmp_path):
    texts: dict[str, set[str]] = {format: set() for format in FORMATS}
    for place in ("here", "elsewhere"):
        filled = many(tmp_path / place, order=1)
        if place == "elsewhere":  # as unpacked by another program, later, in another order
            results = tmp_path / "copy"
            files = [path for path in filled.results.rglob("*") if path.is_file()]
            random.Random(2).shuffle(files)
            for number, path in enumerate(files):
                copy = results / path.relative_to(filled.results)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
                os.utime(copy, (number, number))
            filled = Filled(results)
        boards = leaderboard.build_all(filled.results, current=current, registry=FakeRegistry())
        for format, seen in texts.items():
            seen |= {render(boards, format, pooled=True) for _ in range(2)}
    for seen in texts.values():
        assert len(seen) == 1
        assert str(tmp_path) not in seen.pop()


def test_the_terminal_has_no_say(filled, monkeypatch):
    filled.run(experiment("emo-db"))
    before = render(build(filled))
    for name, value in (("COLUMNS", "20"), ("TERM", "dumb"), ("LC_ALL", "C"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    assert render(build(filled)) == before


@pytest.mark.parametrize("width", [20, 50, 80, 120, 200])
def test_wide_tables_are_cut_to_the_terminal(filled, width):
    for model in (*PAPER, "mine"):
        filled.run(experiment("emo-db", model, n_folds=1, repetitions=3))
    text = render(build(filled), width=width)
    longest = max(map(len, text.splitlines()))
    assert longest <= max(width, 40)
    for model in PAPER:
        assert model.partition("-")[0] in text
    assert text.count("(") >= len(PAPER)


def test_json_holds_everything(filled):
    filled.run(losgo("emo-db", "svm-is09", repetitions=2))
    content = json.loads(render(build(filled, "losgo"), "json"))
    (row,) = content["leaderboards"][0]["rows"]
    result = row["results"]["svm-is09"]
    assert row["published"]["svm-is09"] == 82.1
    assert row["best"] == ["svm-is09"]
    assert np.asarray(result["confusion"]).shape == (4, 4)
    assert np.asarray(result["confusion"]).sum() == 3 * 20 * 2
    assert result["uar_sd"] > 0


def test_embedding_in_a_readme():
    text = "# A\n\n<!-- leaderboard:start -->\nold\n<!-- leaderboard:end -->\n\nrest\n"
    once = leaderboard.embed(text, "| new |\n")
    assert once == (
        "# A\n\n<!-- leaderboard:start -->\n\n| new |\n\n<!-- leaderboard:end -->\n\nrest\n"
    )
    assert leaderboard.embed(once, "| new |\n") == once
    for broken in ("", "<!-- leaderboard:start -->", once + once):
        with pytest.raises(SpecError, match=r"--readme: expected one line .* Add them where"):
            leaderboard.embed(broken, "new")
    turned = "<!-- leaderboard:end --> <!-- leaderboard:start -->"
    with pytest.raises(SpecError, match=r"and a later one"):
        leaderboard.embed(turned, "new")


def test_the_readme_shows_the_table_of_the_document(filled):
    for model in PAPER[:3]:
        filled.run(experiment("emo-db", model))
    board = build(filled)
    rows = [line for line in leaderboard.fragment(board).splitlines() if line.startswith("|")]
    assert rows
    assert rows == [line for line in render(board, "markdown").splitlines() if line[:1] == "|"]


def test_nothing_yet(filled):
    for format, start in (
        ("table", "No results yet. `emobench run"),
        ("markdown", "No results yet. `emobench run"),
        ("csv", "protocol,corpus,"),
        ("json", '"leaderboards": []'),
    ):
        boards = leaderboard.build_all(filled.results, current=current, registry=FakeRegistry())
        assert start in render(boards, format)
    filled.run(experiment("emo-db"))
    assert "There are results for: keesing2020" in words(build(filled, "losgo"))
    with pytest.raises(StoreError, match=r"expected a folder of results, found none"):
        build(Filled(filled.results / "nowhere"))


def test_unknown_words(filled):
    with pytest.raises(SpecError, match=r"--protocol: expected one of losgo.*Did you mean"):
        build(filled, "keesing2002")
    with pytest.raises(SpecError, match=r"--format: expected one of table.*Did you mean 'csv'"):
        render([], "cvs")


def test_protocols_are_shown_in_their_order(tmp_path):
    filled = many(tmp_path, 1)
    filled.run(experiment("emo-db", protocol="mine"))
    filled.run(experiment("emo-db", protocol="smoke"))
    assert leaderboard.protocols_on_disk(tmp_path) == ["losgo", "keesing2020", "smoke", "mine"]
    board = build(filled, "mine")
    assert board.title == ""
    assert "Protocol mine" in render(board)


def test_published_figures():
    """Spot checks against the paper's Table 3, and its shape."""
    corpora = (
        *("cafe", "crema-d", "demos", "emo-db", "emofilm", "enterface05", "iemocap", "jl"),
        *("msp-improv", "portuguese", "ravdess", "savee", "shemo", "smartkom", "tess"),
    )
    for corpus in corpora:
        ours = published.figures(corpus)
        assert {model for model, one in ours.items() if one.protocol == "keesing2020"} == set(PAPER)
        assert all(0 < one.value < 100 for one in ours.values())
    humans = {corpus: published.human(corpus) for corpus in corpora}
    assert sum(value is not None for value in humans.values()) == 11
    assert (humans["ravdess"], humans["tess"], humans["cafe"]) == (62.5, 82, None)
    assert published.figures("ravdess")["aldeneh2017-spec240"].value == 60.0
    assert published.figures("smartkom")["svm-is09"].value == 28.5
    assert published.figures("emo-db")["svm-is09"].value == 82.1
    assert published.figures("iemocap")["wang2020-dual"].value == 73.3
    assert published.figures("demo") == {}
    assert published.figures("iemocap", "wa")["wang2020-dual"].value == 72.7
    assert published.figures("iemocap", "wap")["yoon2018-mdre"].value == 71.8
    columns = [Column(name) for name in reversed(PAPER)]
    assert [one.name for one in sorted(columns, key=lambda one: one.position)] == list(PAPER)


@pytest.fixture
def invoke(monkeypatch):
    from emobench import runs

    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))

    def call(*arguments: object):
        return CliRunner().invoke(command, [str(item) for item in arguments], standalone_mode=False)

    return call


def test_command(filled, invoke, tmp_path):
    filled.run(experiment("emo-db"))
    filled.run(experiment("emo-db", protocol="losgo"), jobs=[Job(0)])
    done = invoke("--results", filled.results)
    assert done.exception is None
    assert done.output.index("Protocol losgo") < done.output.index("Protocol keesing2020")
    assert "\x1b" not in done.output
    done = invoke("--results", filled.results, "--protocol", "losgo", "--partial", "--pooled")
    assert "†1/3" in done.output
    assert "Pooled UAR" in done.output
    assert "keesing2020 –" not in done.output
    readme = tmp_path / "README.md"
    readme.write_text("<!-- leaderboard:start -->\n<!-- leaderboard:end -->\n")
    out = tmp_path / "new/leaderboard.md"
    done = invoke(
        *("--results", filled.results, "--format", "markdown", "--out", out, "--readme", readme)
    )
    assert done.output == ""
    assert "| EMO-DB" in out.read_text()
    assert "| EMO-DB" in readme.read_text()
    done = invoke("--results", filled.results, "--format", "csv")
    assert done.stdout.startswith("protocol,corpus,")
    assert "losgo: incomplete: emo-db svm-is09" in done.stderr


def test_command_says_what_cannot_be_written(filled, invoke, tmp_path):
    (tmp_path / "file").write_text("")
    done = invoke("--results", filled.results, "--out", tmp_path / "file/board.md")
    assert isinstance(done.exception, SpecError)
    assert "expected a file that can be written" in str(done.exception)
    assert "name another file with --out" in str(done.exception)
    done = invoke("--results", filled.results, "--readme", tmp_path / "none.md")
    assert "expected a text file, found 'No such file" in str(done.exception)


def test_command_is_light_until_called():
    code = (
        "import sys, emobench.cli.leaderboard; "
        "print([name for name in ('pandas', 'keras', 'sklearn', 'pyarrow') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
