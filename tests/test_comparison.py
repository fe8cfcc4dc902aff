"""Two models on the same speakers, or all: what is told apart, and how often by mistake."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, recall_score
from stored import Filled, current, experiment, predictions, result

from emobench import metric_table
from emobench.analysis import paired_tests
from emobench.analysis.comparison import compare
from emobench.analysis.intervals import mean_interval
from emobench.cli.compare import compare as command
from emobench.errors import StoreError
from emobench.results import speakers
from emobench.results.result import Result
from emobench.spec import Job

CLASSES = ("anger", "neutral", "sadness")


def table(
    *,
    n_speakers: int = 8,
    n_folds: int = 4,
    repetitions: int = 2,
    skill: float = 0.6,
    seed: int = 0,
) -> pd.DataFrame:
    """Return predictions of speakers in groups, some of whom lack a class."""
    generator = np.random.default_rng(seed)
    parts = []
    for repetition in range(1, repetitions + 1):
        for speaker in range(n_speakers):
            truth = np.array(CLASSES)[np.arange(13 + speaker) % (2 + speaker % 2)]
            guess = generator.choice(CLASSES, len(truth))
            right = generator.random(len(truth)) < skill
            parts.append(
                pd.DataFrame(
                    {
                        "id": [f"{speaker}-{clip}" for clip in range(len(truth))],
                        "label": truth,
                        "predicted": np.where(right, truth, guess),
                        "speaker": f"s{speaker}",
                        "group": f"g{speaker % n_folds}",
                        "fold": speaker % n_folds,
                        "repetition": repetition,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def as_result(data: pd.DataFrame) -> Result:
    return result(data, labels=CLASSES)


def test_uar_of_each_speaker_is_scikit_learn_s():
    data = table()
    found = speakers.by_speaker(data)
    for name, part in data.groupby("speaker"):
        expected = [
            recall_score(
                *(each["label"], each["predicted"]), labels=each["label"].unique(), average="macro"
            )
            for _, each in part.groupby("repetition")
        ]
        assert found[name] == pytest.approx(np.mean(expected))
    assert list(found) == sorted(found)


def test_unknown_speakers_are_their_groups():
    data = table().assign(speaker=None)
    assert list(speakers.by_speaker(data)) == ["g0", "g1", "g2", "g3"]
    assert list(speakers.by_speaker(data.assign(group=None))) == ["0", "1", "2", "3"]


def loop_over_signs(values: np.ndarray) -> float:
    """Return how often a sum is as far from 0 as this one, over all signs, one after another."""
    extreme = [
        abs(sum(sign * value for sign, value in zip(signs, values, strict=True)))
        >= abs(sum(values)) - 1e-9
        for signs in itertools.product((-1, 1), repeat=len(values))
    ]
    return float(np.mean(extreme))


@pytest.mark.parametrize("n_speakers", [2, 5, 10])
@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_sign_flips_are_all_combinations_of_signs(n_speakers, shift):
    values = np.random.default_rng(n_speakers).normal(shift, 0.1, n_speakers)
    assert paired_tests.sign_flips(values) == pytest.approx(loop_over_signs(values))
    rounded = np.round(values, 1)  # with ties, and zeros
    assert paired_tests.sign_flips(rounded) == pytest.approx(loop_over_signs(rounded))


def test_many_speakers_are_flipped_at_random():
    values = np.random.default_rng(3).normal(0.02, 0.1, 40)
    signs = np.random.default_rng(4).choice([-1, 1], size=(100_000, 40))
    expected = np.mean(abs(signs @ values) >= abs(values.sum()))
    found = paired_tests.sign_flips(values)
    assert found == pytest.approx(expected, abs=0.006)
    assert found == paired_tests.sign_flips(values)
    assert paired_tests.sign_flips(np.full(40, 0.1)) == pytest.approx(2 / 100_001)


@pytest.mark.parametrize("values", [[0.1, 0.2, -0.1, 0, 0.3], [0.1] * 10, [0, 0], [-1, 1]])
def test_the_sign_test_counts_tosses_of_a_coin(values):
    better, worse = sum(value > 0 for value in values), sum(value < 0 for value in values)
    tosses = list(itertools.product((0, 1), repeat=better + worse))
    uneven = [abs(2 * sum(heads) - len(heads)) >= abs(better - worse) for heads in tosses]
    assert paired_tests.sign_test(values) == pytest.approx(np.mean(uneven))


@pytest.mark.parametrize("n_speakers", [2, 4, 24])
def test_the_t_test_is_the_paired_one_and_that_of_the_interval(n_speakers):
    generator = np.random.default_rng(n_speakers)
    first, second = generator.uniform(0.4, 0.9, (2, n_speakers))
    expected = stats.ttest_rel(first, second).pvalue
    assert paired_tests.t_test(first - second) == pytest.approx(expected)
    low, high = mean_interval(first - second, 1 - expected)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-9)


def test_the_t_test_without_spread():
    assert paired_tests.t_test([0, 0, 0, 0]) == 1
    assert paired_tests.t_test([0.1] * 5) == 2 / 2**5
    assert paired_tests.t_test([0.3]) == 1


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([], []),
        ([0.2], [0.2]),
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.04, 0.01, 0.5, 0.011], [0.08, 0.04, 0.5, 0.04]),
        ([0.6, 0.7], [1, 1]),
    ],
)
def test_holm_is_what_r_gives(p_values, corrected):
    """As `p.adjust(p, "holm")` prints it."""
    assert paired_tests.holm(p_values) == pytest.approx(corrected)


def test_holm_rejects_step_by_step():
    for seed in range(50):
        p_values = np.random.default_rng(seed).uniform(0, 0.1, 6)
        rejected, left = set(), 6
        for index in np.argsort(p_values):
            if p_values[index] >= 0.05 / left:
                break
            rejected.add(int(index))
            left -= 1
        corrected = paired_tests.holm(p_values)
        assert {index for index, p in enumerate(corrected) if p < 0.05} == rejected


TRIALS = 1500


def differences(n_speakers: int, effect: float, *, balanced: bool) -> np.ndarray:
    """Return differences of UAR between two models that differ by `effect` in the population.

    Speakers differ in how hard they are, and in which model suits them; clips are right or wrong
    by chance, eight a class or between one and twenty.

    Returns:
        of shape `(TRIALS, speakers)`
    """
    generator = np.random.default_rng([n_speakers, round(100 * effect), balanced])
    shape = (TRIALS, n_speakers, 5)
    clips = np.full(shape, 8) if balanced else generator.integers(1, 20, shape)
    recall = generator.beta(6, 3, shape)
    uars = []
    for sign in (1, -1):
        suits = generator.normal(sign * effect / 2, 0.05, (TRIALS, n_speakers, 1))
        uars.append((generator.binomial(clips, np.clip(recall + suits, 0, 1)) / clips).mean(axis=2))
    return uars[0] - uars[1]


def told(test, n_speakers: int, effect: float, *, balanced: bool = True) -> float:
    """Return how often a test tells the models apart."""
    trials = differences(n_speakers, effect, balanced=balanced)
    return float(np.mean([test(row) < paired_tests.LEVEL for row in trials]))


@pytest.mark.parametrize("balanced", [True, False], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize("n_speakers", [4, 6, 10, 24])
def test_false_alarms_are_as_rare_as_they_should_be(n_speakers, balanced):
    assert 0.03 < told(paired_tests.t_test, n_speakers, 0, balanced=balanced) < 0.065


def test_exact_tests_are_blind_with_few_speakers():
    """Why the t-test decides: with four speakers no sign flips give p below 1/8."""
    trials = differences(4, 0.2, balanced=True)[:100]
    assert min(map(paired_tests.sign_flips, trials)) >= 2 / 2**4 - 1e-9
    assert told(paired_tests.t_test, 4, 0.2) > 0.5
    assert told(paired_tests.t_test, 10, 0.2) > 0.95


def test_speakers_are_paired():
    first, second = table(skill=0.9), table(skill=0.3, seed=1)
    found = compare(as_result(first), as_result(second))
    ours, theirs = speakers.by_speaker(first), speakers.by_speaker(second)
    assert found.difference == pytest.approx(np.mean([ours[name] - theirs[name] for name in ours]))
    assert (found.better, found.worse) == (8, 0)
    assert found.p_permutation == found.p_sign == 2 / 2**8
    pairs = [[ours[name] for name in sorted(ours)], [theirs[name] for name in sorted(ours)]]
    expected = stats.ttest_rel(*pairs)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(expected.confidence_interval(0.95))
    assert found.interval[0] > 0
    turned = compare(as_result(second), as_result(first))
    assert turned.difference == -found.difference
    assert (turned.worse, turned.p_permutation) == (8, found.p_permutation)
    same = compare(as_result(first), as_result(first))
    assert (same.difference, same.p, same.p_permutation, same.p_sign) == (0, 1, 1, 1)


def test_speakers_are_compared_by_any_metric():
    first, second = table(skill=0.9), table(skill=0.3, seed=1)
    found = compare(as_result(first), as_result(second), metric_table.get("wa"))
    for name, value in zip(found.speakers, found.first, strict=True):
        own = first[first["speaker"] == name]
        assert value == pytest.approx(np.mean(own["label"] == own["predicted"]))


def test_only_clips_of_both_count():
    first, second = table(), table(seed=1)
    cut = second[~second["id"].isin(["0-0", "0-1"]) & (second["speaker"] != "s7")]
    found = compare(as_result(first), as_result(cut))
    assert len(found.speakers) == 7
    assert found.left_out == 2 + 20
    assert found.clips == first["id"].nunique() - 22
    kept = first[first["id"].isin(cut["id"])]
    assert found.first == tuple(speakers.by_speaker(kept).values())
    with pytest.raises(StoreError, match=r"expected two speakers or more .* found 1. Run more"):
        compare(as_result(first), as_result(second[second["speaker"] == "s1"]))


def test_other_labels_are_refused():
    other = table()
    other.loc[other["id"] == "0-3", "label"] = "sadness"
    with pytest.raises(StoreError, match=r"expected the same labels, found 1 clips .* 0-3\. Run"):
        compare(as_result(table()), as_result(other))


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    from emobench import runs

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def invoke(filled: Filled, *arguments: str):
    words = [*arguments, "--corpus", "EmoDB", "--results", str(filled.results)]
    return CliRunner().invoke(command, words, standalone_mode=False)


def made(model: str, **options):
    return experiment("emo-db", model, "losgo", n_folds=5, **options)


def test_the_command(filled):
    filled.run(made("latif2019"), skill=0.9)
    filled.run(made("svm-is09"), skill=0.4, seed=1)
    done = invoke(filled, "latif2019", "svm-is09")
    assert done.exception is None
    text = " ".join(done.output.split())
    assert "EMO-DB, protocol losgo, 100 clips of 5 speakers" in text
    assert "the first is better for 5 speakers, worse for 0, equal for 0" in text
    assert "(paired t-test), p = 0.0625 (sign-flip permutation test), p = 0.0625 (sign t" in text
    facts = json.loads(invoke(filled, "latif2019", "svm-is09", "--json").output)
    ours = [
        balanced_accuracy_score(part["label"], part["predicted"])
        for part in (predictions(Job(fold), skill=0.9) for fold in range(5))
    ]
    assert list(facts["results"][0]["uar_by_speaker"].values()) == pytest.approx(
        [100 * value for value in ours], abs=1e-4
    )
    assert facts["interval"][0] < facts["difference"] < facts["interval"][1]


def test_the_command_names_what_there_is(filled):
    filled.run(made("svm-is09"))
    done = invoke(filled, "latif2019", "svm-is09")
    assert isinstance(done.exception, StoreError)
    assert "found none. Run `emobench run --model latif2019 --corpus emo-db`" in str(done.exception)
    half = made("latif2019")
    filled.run(half, jobs=[Job(0), Job(1)])
    done = invoke(filled, "latif2019", "svm-is09")
    assert f"latif2019 {half.fingerprint[:8]} (2 of 5 folds). Add --partial" in str(done.exception)
    done = invoke(filled, "latif2019", "svm-is09", "--partial")
    assert "incomplete: 2 of 5 folds" in done.output
    assert "left out: 60 clips" in done.output


def test_a_result_by_its_fingerprint(filled):
    filled.run(made("svm-is09"), skill=0.9)
    heard = made("svm-is09", condition={"name": "mp3:8k", "sides": "test"})
    filled.run(heard, skill=0.3)
    done = invoke(filled, "svm-is09", f"svm-is09/{heard.fingerprint[:8]}")
    assert done.exception is None
    assert "svm-is09 with mp3:8k on test" in done.output
    assert "better for 5 speakers" in done.output
    done = invoke(filled, "svm-is09", "svm-is09/00000000")
    assert "svm-is09/00000000 on emo-db: expected a complete result" in str(done.exception)


def test_a_condition_is_never_taken_for_the_plain_result(filled):
    filled.run(made("svm-is09", condition={"name": "mp3:8k", "sides": "test"}))
    done = invoke(filled, "svm-is09", "svm-is09")
    assert isinstance(done.exception, StoreError)
    assert "with mp3:8k on test" in str(done.exception)


def test_two_models_and_a_corpus_or_all(filled):
    filled.run(made("svm-is09"))
    for words in (["svm-is09"], ["svm-is09"] * 3, [], ["svm-is09", "svm-is09", "--csv"]):
        done = invoke(filled, *words)
        assert isinstance(done.exception, click.UsageError)
        assert "expected" in done.exception.message
    done = invoke(filled, "--all", "--csv", "--json")
    assert "without --json" in done.exception.message


def test_all_models_against_each_other(filled):
    skills = {"latif2019": 0.95, "svm-is09": 0.9, "zhao2019": 0.3}
    for model, skill in skills.items():
        filled.run(made(model), skill=skill)
    filled.run(made("zhang2019"), jobs=[Job(0)])
    filled.run(made("svm-is09", condition={"name": "mp3:8k", "sides": "test"}), skill=0.1)
    facts = json.loads(invoke(filled, "--all", "--json").output)
    (corpus,) = facts["corpora"]
    uars = {
        model: [
            balanced_accuracy_score(part["label"], part["predicted"])
            for part in (predictions(Job(fold), skill=skill) for fold in range(5))
        ]
        for model, skill in skills.items()
    }
    assert [one["model"] for one in corpus["results"]] == list(skills)
    raw = []
    for pair in corpus["pairs"]:
        expected = stats.ttest_rel(uars[pair["first"]], uars[pair["second"]])
        ends = 100 * np.array(expected.confidence_interval(0.95))
        assert [pair["low"], pair["high"]] == pytest.approx(ends, abs=1e-3)
        assert pair["p"] == pytest.approx(expected.pvalue, rel=1e-3)
        assert (pair["speakers"], pair["clips"], pair["comparable"]) == (5, 100, False)
        raw.append(expected.pvalue)
    found = [pair["p_holm"] for pair in corpus["pairs"]]
    assert found == pytest.approx(paired_tests.holm(raw), rel=1e-3)
    assert [pair["told_apart"] for pair in corpus["pairs"]] == [p < 0.05 for p in found]
    rows = list(csv.DictReader(io.StringIO(invoke(filled, "--all", "--csv").output)))
    assert [(row["first"], row["second"]) for row in rows] == [
        (pair["first"], pair["second"]) for pair in corpus["pairs"]
    ]
    assert [float(row["p_holm"]) for row in rows] == found
    text = invoke(filled, "--all").output
    assert text.count(" – ") == 3 + 1  # and in the heading
    assert "with Holm's correction over 3 pairs" in text
    assert "other clips than those of the complete corpus" in text
    assert "found 0 models on 0 corpora" in text
    fewer = invoke(filled, "--all", "zhao2019", "latif2019").output
    assert "svm-is09" not in fewer
    assert "over 1 pair;" in fewer
    assert "zhang2019" in invoke(filled, "--all", "--partial").output


def test_all_of_nothing(filled):
    filled.run(made("svm-is09"), jobs=[Job(0)])
    done = invoke(filled, "--all")
    assert isinstance(done.exception, StoreError)
    assert "expected complete results on emo-db, found none. Add --partial" in str(done.exception)
    assert "one model only" in invoke(filled, "--all", "--partial").output
