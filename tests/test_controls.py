"""Negative controls: labels that tell nothing, kept apart from results, and judged."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from onnx_encoders import write_encoder
from scipy import stats
from sklearn.metrics import recall_score
from stored import FakeRegistry, Filled, current, experiment, predictions

from emobench import controls, corpora, leaderboard, models
from emobench.analysis import attention
from emobench.analysis import controls as judging
from emobench.errors import SpecError
from emobench.experiments import context as contexts
from emobench.experiments.configuration import takes_encoder
from emobench.results.gathering import gather
from emobench.runs import Selection, current_fingerprint, execute, plan
from emobench.runs.preparing import prepare
from emobench.spec import Job, Places
from emobench.store import read_experiments, read_results

LABELS = ("anger", "fear", "joy", "sadness")


def table(n_speakers: int = 5, per_class: int = 3, labels=LABELS) -> pd.DataFrame:
    rows = [
        (f"s{speaker}-{label}-{number}", f"s{speaker}", label)
        for speaker in range(n_speakers)
        for label in labels
        for number in range(per_class)
    ]
    frame = pd.DataFrame(rows, columns=["id", "speaker", "label"]).set_index("id")
    return frame.assign(emotion=frame["label"], raw_emotion=frame["label"].str[:1])


# What is permuted


def test_labels_move_and_each_speaker_keeps_as_many_of_each():
    before = table()
    after = controls.permuted(before)
    counts = [each.groupby("speaker")["label"].value_counts() for each in (before, after)]
    pd.testing.assert_series_equal(counts[0].sort_index(), counts[1].sort_index())
    assert list(after.index) == list(before.index)
    for speaker, own in after.groupby("speaker"):
        assert (own["label"] != before.loc[own.index, "label"]).any(), speaker


def test_all_that_names_an_emotion_moves_together():
    after = controls.permuted(table())
    assert (after["label"] == after["emotion"]).all()
    assert (after["label"].str[:1] == after["raw_emotion"]).all()


def test_a_speakers_permutation_is_that_speakers_own():
    whole = controls.permuted(table())
    shuffled = controls.permuted(table().sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(shuffled.sort_index(), whole.sort_index())
    fewer = controls.permuted(table(3))
    pd.testing.assert_frame_equal(fewer, whole.loc[fewer.index])


def test_speakers_are_permuted_apart():
    drawn = {
        tuple(own["label"]) for _, own in controls.permuted(table(n_speakers=8)).groupby("speaker")
    }
    assert len(drawn) == 8


def test_what_it_is_given_stays_as_it_is():
    before = table()
    controls.permuted(before)
    pd.testing.assert_frame_equal(before, table())


def test_speakers_of_one_label_are_told():
    clips = table()
    clips.loc[clips["speaker"] == "s1", "label"] = "fear"
    assert controls.unmoved(clips) == ["s1"]


# How it is run


def run(places, *models, **options):
    selection = Selection(models, ("tiny",), "smoke", **options)
    return execute(plan(selection, places), places)


def test_a_control_is_an_experiment_of_its_own(tiny_places):
    assert run(tiny_places, "svm-is09").done == 2
    assert run(tiny_places, "svm-is09", control="labels").done == 2
    assert run(tiny_places, "svm-is09", control="labels").kept == 2
    plain, control = sorted(
        read_experiments(tiny_places.results),
        key=lambda stored: "control" in stored.experiment["configuration"],
    )
    assert "control" not in plain.experiment["configuration"]
    assert control.experiment["configuration"]["control"] == {
        "name": "labels",
        "within": "speaker",
        "seed": 0,
        "version": 1,
    }
    truth = corpora.load(corpora.load_registry(tiny_places.datasets).get("tiny"), tiny_places.data)
    expected = controls.permuted(truth.sort_index())["label"]
    for stored, labels in ((plain, truth["label"]), (control, expected)):
        tested = stored.predictions.set_index("id")["label"].astype(str)
        assert (tested == labels.loc[tested.index]).all()
        assert (
            current_fingerprint(stored.experiment, corpora.load_registry(tiny_places.datasets))
            == stored.experiment["configuration_fingerprint"]
        )
    results = read_results(tiny_places.results)
    assert results["control"].value_counts().to_dict() == {"none": 12, "labels": 12}


def test_a_worker_permutes_what_was_planned(tiny_places):
    planned = plan(Selection(("svm-is09",), ("tiny",), control="labels"), tiny_places)
    corpus, (model,) = planned.pairs[0]
    step, data = prepare(corpus, model, planned, tiny_places)
    contexts._open.clear()
    context = contexts.open_context(step.experiment, tiny_places)
    assert list(context.data.table["label"]) == list(data.table["label"])
    assert context.data.table["label"].ne(context.data.table.index.str.split("_").str[1]).any()


def test_a_control_that_changed_since_is_stale(tiny_places, monkeypatch):
    run(tiny_places, "svm-is09", control="labels", folds=(0,))
    (stored,) = read_experiments(tiny_places.results)
    monkeypatch.setattr(controls, "VERSION", controls.VERSION + 1)
    today = current_fingerprint(stored.experiment, corpora.load_registry(tiny_places.datasets))
    assert today != stored.experiment["configuration_fingerprint"]


def test_a_control_that_says_little_is_told(tiny_places, tmp_path, caplog):
    other = tmp_path / "data"
    other.mkdir()
    (other / "tiny").mkdir()
    for path in (tiny_places.data / "tiny").iterdir():
        if not path.name.startswith("s4") or "anger" in path.name:
            (other / "tiny" / path.name).symlink_to(path)
    run(replace(tiny_places, data=other), "svm-is09", control="labels", folds=(0,))
    assert "tiny: 1 speaker of 4 have clips of one label only" in caplog.text


def test_another_control_is_refused(tiny_places):
    with pytest.raises(SpecError, match="--control: expected one of none, labels, found 'sound'"):
        run(tiny_places, "svm-is09", control="sound")


# How it is kept apart


@pytest.fixture
def filled(tmp_path) -> Filled:
    """A result, and a control that came out far better."""
    made = Filled(tmp_path)
    made.run(experiment(n_folds=6), skill=0.5)
    made.run(experiment(n_folds=6, control=controls.identity("labels")), skill=1.0)
    return made


def test_a_control_is_never_a_result(filled):
    gathered = gather(
        filled.results,
        protocol="keesing2020",
        current=current,
        partial=True,
        registry=FakeRegistry(),
    )
    assert [bool(one.control) for one in (*gathered.shown, *gathered.others)] == [False]
    assert [one.control for one in gathered.controls] == ["labels"]


def test_the_leaderboard_judges_it_and_shows_no_number_of_it(filled):
    board = leaderboard.build(
        filled.results, protocol="keesing2020", current=current, registry=FakeRegistry()
    )
    (row,) = board.rows
    (cell,) = row.cells.values()
    assert cell.scores["uar"] < 0.9
    (notice,) = [each for each in board.notices if each.kind == "control"]
    assert notice.text.startswith("emo-db svm-is09 with permuted labels ")
    assert (
        "UAR 100.0, 95 % interval 100.0 to 100.0 over 6 speakers does NOT hold chance (25.0)"
        in (notice.text)
    )
    for form in ("table", "markdown"):
        text = leaderboard.render(board, form)
        assert "Negative controls, on labels that were permuted within each speaker" in text
    told = json.loads(leaderboard.render(board, "json"))["leaderboards"][0]
    assert told["notices"]["control"] == [notice.text]
    assert list(told["rows"][0]["results"]) == ["svm-is09"]


# How it is judged


def outcome(skill: float, n_folds: int = 8, seed: int = 0, repetitions: int = 1) -> pd.DataFrame:
    jobs = [Job(fold, 1 + number) for number in range(repetitions) for fold in range(n_folds)]
    return pd.concat([predictions(job, skill=skill, seed=seed) for job in jobs])


def test_the_interval_is_students_over_speakers():
    given = outcome(skill=0.1, repetitions=2)
    verdict = judging.judge(given)
    uars = [
        np.mean(
            [
                recall_score(part["label"], part["predicted"], average="macro")
                for _, part in own.groupby("repetition")
            ]
        )
        for _, own in given.groupby("speaker")
    ]
    low, high = stats.t.interval(0.95, len(uars) - 1, np.mean(uars), stats.sem(uars))
    assert verdict.uar == pytest.approx(np.mean(uars))
    assert (verdict.low, verdict.high) == pytest.approx((low, high))
    assert (verdict.chance, verdict.speakers) == (pytest.approx(0.25), 8)


@pytest.mark.parametrize(("skill", "passes"), [(0.0, True), (0.3, False), (1.0, False)])
def test_what_is_better_than_guessing_does_not_pass(skill, passes):
    verdict = judging.judge(outcome(skill))
    assert verdict.passes == passes
    assert ("does NOT hold" in judging.describe(verdict)) != passes


def test_of_sound_controls_about_one_in_twenty_is_suspected():
    found = [judging.judge(outcome(skill=0.0, seed=seed)).passes for seed in range(100)]
    assert 0.88 < np.mean(found) < 1


def test_chance_of_a_speaker_without_a_class_is_what_a_permutation_gives():
    """Against many permutations: a predictor that favours a class that is there."""
    random = np.random.default_rng(0)
    rows = []
    for speaker, classes in (("a", LABELS[:2]), ("b", LABELS)):
        for number in range(40):
            favoured = LABELS[0] if number % 4 else LABELS[3]
            rows.append((f"{speaker}{number}", speaker, classes[number % len(classes)], favoured))
    given = pd.DataFrame(rows, columns=["id", "speaker", "label", "predicted"])
    given = given.assign(group=given["speaker"], fold=0, repetition=1)
    simulated = []
    for _ in range(300):
        for _, own in given.groupby("speaker"):
            dealt = random.permutation(own["label"])
            simulated.append(
                np.mean([(own["predicted"][dealt == each] == each).mean() for each in set(dealt)])
            )
    verdict = judging.judge(given)
    assert verdict.chance == pytest.approx(np.mean(simulated), abs=0.01)
    assert verdict.chance > 0.3


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.mark.long
@pytest.mark.parametrize("model", models.names())
def test_every_model_is_at_chance_on_permuted_labels(model, demo_cache, tmp_path):
    """At a level that one sound model in a thousand fails, for there are many."""
    places = Places(tmp_path / "results", demo_cache, tmp_path)
    if takes_encoder(models.get(model)):
        pytest.importorskip("onnx", reason="needs onnx, which makes an encoder")
        pytest.importorskip("onnxruntime", reason="needs onnxruntime, which computes with it")
        places = replace(places, encoder=write_encoder(tmp_path / "encoder"))
    selection = Selection(model, "demo", repetitions=1, epochs=2, control="labels")
    summary = execute(plan(selection, places), places)
    assert summary.failures == {}
    (stored,) = read_experiments(places.results)
    verdict = judging.judge(stored.predictions, level=0.999)
    assert verdict.speakers == 6
    assert verdict.passes, judging.describe(verdict)


def test_one_speaker_is_no_interval():
    with pytest.raises(ValueError, match="expected those of two speakers or more"):
        judging.judge(outcome(0.0, n_folds=1))


def test_attention_is_not_drawn_of_a_control(filled):
    chosen = attention.find(
        filled.results,
        corpus="emo-db",
        model="svm-is09",
        protocol="keesing2020",
        current=current,
    )
    assert "control" not in chosen.experiment["configuration"]
