"""What is told of a result beside its score, against loops, scikit-learn and SciPy."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from stored import LABELS, predictions, result

from emobench import metrics
from emobench.analysis.calibration import BINS, calibration
from emobench.analysis.class_recalls import class_recalls
from emobench.analysis.hard_clips import hard_clips, said_of
from emobench.analysis.intervals import mean_interval
from emobench.analysis.learning_curves import learning_curves
from emobench.analysis.paired_tests import better, holm, sign_flips, sign_test, t_test
from emobench.analysis.speaker_scores import by_speaker
from emobench.analysis.speed import speeds
from emobench.errors import StoreError
from emobench.leaderboard.further_tables import under_conditions
from emobench.leaderboard.grid import ABSENT, Grid, Item, footnotes, item_of, mark
from emobench.leaderboard.markdown_table import aligned
from emobench.metric_table import UAR
from emobench.results import speakers
from emobench.results.selection import repeated_clips
from emobench.spec import Job

JOBS = [Job(fold, repetition) for repetition in (1, 2) for fold in range(6)]
TABLE = pd.concat([predictions(job, n_clips=24, skill=0.5 + job.fold / 15) for job in JOBS])
RANDOM = np.random.default_rng(11)


def uar(table: pd.DataFrame) -> float:
    """Return the UAR as scikit-learn has it."""
    return sklearn_metrics.balanced_accuracy_score(table["label"], table["predicted"])


def test_who_speaks_is_known_or_is_the_group_or_the_fold():
    table = TABLE.assign(speaker=None)
    assert set(speakers.names(table)) == {f"speaker{fold}" for fold in range(6)}
    assert set(speakers.names(table.assign(group=None))) == {str(fold) for fold in range(6)}
    mixed = TABLE.assign(speaker=TABLE["speaker"].where(TABLE["fold"] != 2), group="together")
    assert set(speakers.names(mixed)) == {"together", *(f"speaker{n}" for n in (0, 1, 3, 4, 5))}


def test_the_score_of_a_speaker_is_the_mean_over_repetitions():
    found = by_speaker(TABLE)
    assert [one.name for one in found] == [f"speaker{fold}" for fold in range(6)]
    for fold, one in enumerate(found):
        own = TABLE[TABLE["fold"] == fold]
        expected = np.mean([uar(table) for _, table in own.groupby("repetition")])
        assert one.uar == pytest.approx(expected)
        assert one.clips == 24
    assert {one.sex for one in found} == {"female"}  # half of the clips do not say
    contradictory = TABLE.assign(sex=["female", "male"] * (len(TABLE) // 2))
    assert {one.sex for one in by_speaker(contradictory)} == {"unknown"}
    assert {one.sex for one in by_speaker(TABLE.assign(sex=None))} == {"unknown"}


def test_recalls_of_classes_are_those_of_scikit_learn():
    found = class_recalls(result(TABLE))
    expected = sklearn_metrics.recall_score(
        TABLE["label"], TABLE["predicted"], labels=LABELS, average=None
    )
    assert [one.label for one in found] == list(LABELS)
    assert [one.recall for one in found] == pytest.approx(list(expected))
    for one in found:
        own = TABLE[TABLE["label"] == one.label]
        each = [(table["predicted"] == one.label).mean() for _, table in own.groupby("speaker")]
        low, high = mean_interval(each, bounds=(0, 1))
        assert (one.interval.low, one.interval.high) == pytest.approx((low, high))
        assert (one.speakers, one.clips) == (6, own["id"].nunique())


def test_a_class_without_clips_has_no_recall():
    labels = (*LABELS, "surprise")
    *_, lacking = class_recalls(result(TABLE, labels=labels))
    assert (lacking.recall, lacking.interval, lacking.clips) == (None, None, 0)


def test_calibration_is_that_of_a_loop():
    found = calibration(TABLE, LABELS)
    bins = [[] for _ in range(BINS)]
    for row in TABLE.to_dict("records"):
        confidence = float(row[f"p_{row['predicted']}"])
        number = next(place for place in range(BINS) if confidence <= (place + 1) / BINS)
        bins[number].append((confidence, row["predicted"] == row["label"]))
    expected = 0.0
    for one, own in zip(found.bins, bins, strict=True):
        assert one.predictions == len(own)
        if own:
            confidence, right = np.mean(own, axis=0)
            assert one.confidence == pytest.approx(confidence)
            assert one.accuracy == pytest.approx(right)
            expected += len(own) / len(TABLE) * abs(right - confidence)
    assert found.ece == pytest.approx(expected)


def test_no_calibration_without_probabilities():
    assert calibration(TABLE[:0], LABELS) is None
    assert calibration(TABLE.drop(columns="p_anger"), LABELS) is None
    assert calibration(TABLE.assign(p_anger=math.nan), LABELS) is None
    assert calibration(TABLE.assign(predicted="other"), LABELS) is None
    sure = TABLE.assign(predicted=TABLE["label"], **{f"p_{label}": 1.0 for label in LABELS})
    assert calibration(sure, LABELS).ece == 0


def test_hard_clips_are_those_of_a_loop():
    tables = [
        pd.concat([predictions(job, skill=0.3, seed=seed) for job in JOBS]) for seed in range(3)
    ]
    results = [result(table, f"model-{seed}") for seed, table in enumerate(tables)]
    expected = {}
    for clip in tables[0]["id"].unique():
        rows = [table[table["id"] == clip] for table in tables]
        wrong = sum((own["label"] != own["predicted"]).mean() >= 0.5 for own in rows)
        if wrong > 1.5:
            missed = Counter(
                guess
                for own in rows
                for guess, label in zip(own["predicted"], own["label"], strict=True)
                if guess != label
            )
            most = max(missed.values())
            expected[clip] = (wrong, min(name for name in missed if missed[name] == most))
    found = hard_clips(results)
    assert {one.clip: (one.wrong, one.taken_for) for one in found} == expected
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    assert {one.models for one in found} == {3}
    for one in found:
        assert one.speaker == one.clip.partition("-")[0]
        assert one.label == LABELS[int(one.clip[-3:]) % len(LABELS)]


def test_what_a_model_said_of_a_clip():
    table = pd.concat([predictions(Job(0, repetition), n_clips=4) for repetition in (1, 2, 3)])
    table.loc[table["id"] == "speaker0-clip001", "predicted"] = ["anger", "sadness", "sadness"]
    one = result(table)
    assert said_of(one, "speaker0-clip001") == "sadness, anger"
    assert said_of(one, "another") == ""


def test_a_clip_that_is_tested_twice_is_named():
    assert repeated_clips(result(TABLE)) == []
    twice = pd.concat([TABLE, TABLE[:2].assign(fold=5)])
    assert repeated_clips(result(twice)) == sorted(TABLE["id"][:2])


@pytest.mark.parametrize("speakers_", [4, 7, 12])
def test_tests_of_differences_are_those_of_their_books(speakers_):
    values = RANDOM.normal(0.05, 0.1, speakers_)
    t = values.mean() / (values.std(ddof=1) / math.sqrt(speakers_))
    from scipy import stats

    assert t_test(values) == pytest.approx(2 * stats.t.sf(abs(t), speakers_ - 1))
    flips = [
        abs(np.dot(signs, values)) >= abs(values.sum()) - 1e-12
        for signs in itertools.product((-1, 1), repeat=speakers_)
    ]
    assert sign_flips(values) == pytest.approx(np.mean(flips))
    above = int((values > 0).sum())
    tails = [
        math.comb(speakers_, k)
        for k in range(speakers_ + 1)
        if math.comb(speakers_, k) <= math.comb(speakers_, above)
    ]
    assert sign_test(values) == pytest.approx(sum(tails) / 2**speakers_)
    assert better(values) == above


def test_equal_models_are_not_told_apart():
    for test in (t_test, sign_flips, sign_test):
        assert test(np.zeros(6)) == 1
    assert t_test([0.3]) == 1
    assert t_test(np.full(6, 0.1)) == pytest.approx(2 / 2**6)  # no spread: the signs decide


def test_holm_is_that_of_a_loop():
    for size in range(1, 7):
        values = list(RANDOM.uniform(0, 0.2, size))
        order = sorted(values)
        expected = [
            max(min(1, (size - rank) * order[rank]) for rank in range(order.index(value) + 1))
            for value in values
        ]
        assert holm(values) == pytest.approx(expected)
    assert holm([]) == []


def with_records(*records: dict, **changes: object):
    one = result(TABLE)
    return replace(one, stored=replace(one.stored, records=records, **changes))


def test_curves_are_read_from_records():
    records = (
        {"fold": 1, "repetition": 1, "loss": [3, 2, None], "epochs": 6, "best_epoch": 4},
        {"fold": 0, "repetition": 2, "loss": [1.5], "development_loss": [1.25], "held_out": ["a"]},
        {"fold": None, "repetition": 1, "loss": [9]},
        {"fold": 0, "repetition": 1, "loss": [], "epochs": 3},
    )
    first, second = learning_curves(with_records(*records).stored)
    assert (first.fold, first.repetition, first.held_out) == (0, 2, ("a",))
    assert (first.epochs, first.training, first.development) == ((1,), (1.5,), (1.25,))
    assert (second.epochs, second.best) == ((2, 4, 6), 4)
    assert second.training[:2] == (3, 2)
    assert math.isnan(second.training[2])  # JSON has no NaN


def test_an_estimator_has_no_curves():
    with pytest.raises(StoreError, match="expected losses of a network, found none on file"):
        learning_curves(with_records({"fold": 0, "repetition": 1}).stored)


def test_speed_is_clips_over_seconds():
    records = (
        {"fold": 0, "repetition": 1, "n_training": 100, "seconds": 2.0, "device": "CPU"},
        {"fold": 1, "repetition": 1, "n_training": 50, "seconds": 1.0, "device": "GPU"},
        {"fold": None, "repetition": 1, "n_training": 9, "seconds": 9.0},
        {"fold": 2, "repetition": 1, "n_training": 9, "seconds": 0.0},
        {"fold": 3, "repetition": 1, "n_training": 9, "seconds": "long"},
        {"fold": 4, "repetition": 1, "seconds": 3.0},
    )
    (found,) = speeds([with_records(*records)])
    assert found.clips_per_second == 50
    assert found.device == "CPU and GPU"
    assert speeds([with_records({"fold": 0, "repetition": 1})]) == ()


def test_a_footnote_has_one_mark_wherever_it_is_needed():
    notes: dict[str, str] = {}
    marks = [mark(f"note {number}", notes) for number in (1, 2, 1, *range(3, 13), 2)]
    assert marks[:3] == ["¹", "²", "¹"]
    assert marks[-2:] == ["¹²", "²"]
    assert footnotes([], notes)[:2] == ("¹ note 1", "² note 2")


def test_a_cell_is_told_in_words():
    whole = result(TABLE)
    means = TABLE.groupby(["repetition", "fold"])[["label", "predicted"]].apply(uar)
    each = means.groupby("repetition").mean()
    expected = f"{100 * each.mean():.1f} ± {100 * each.std(ddof=1):.1f}"
    assert item_of(None, UAR, {}) == Item(ABSENT)
    found = item_of(whole, UAR, {})
    assert found.own == expected
    assert found.mark == ""
    part = replace(whole, stored=replace(whole.stored, records=whole.stored.records[:7]))
    told = item_of(part, UAR, {})
    assert told.mark == "†7/12"
    assert "±" not in told.own
    assert footnotes([whole, part], {})[0].startswith("† incomplete: folds done / folds of all")
    assert footnotes([whole], {}) == ()


def test_a_wide_table_is_cut_by_its_columns():
    items = tuple(Item(str(number)) for number in range(5))
    grid = Grid("c", tuple((str(number),) for number in range(5)), (("row", items),), ())
    part = grid.part(1, 3)
    assert part.header == (("1",), ("2",))
    assert part.rows == (("row", items[1:3]),)
    assert part.caption == "c"


def test_no_conditions_no_tables():
    assert under_conditions([], UAR) == ()


def test_a_markdown_table_is_aligned_in_its_source():
    text = aligned(["a", "long header", "c"], [["1", "2", "three"], ["", "é", "日本"]])
    lines = text.split("\n")
    assert len({len(line) for line in lines}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["a", "long header", "c"]
    assert cells[2:] == [["1", "2", "three"], ["", "é", "日本"]]
    assert cells[1][0].startswith(":-") or cells[1][0] == ":"
    assert all(cell[0] == cell[-1] == ":" for cell in cells[1][1:])


@pytest.mark.parametrize(
    ("share", "text"), [(0.0241, "+2.4"), (-0.0005, "-0.1"), (0.0, "+0.0"), (-1e-9, "+0.0")]
)
def test_differences_have_a_sign_but_zero_has_none_of_its_own(share, text):
    assert metrics.signed(share) == text
