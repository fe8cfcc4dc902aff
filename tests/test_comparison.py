"""Two models on the same speakers, against SciPy, and intervals over speakers."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, recall_score
from stored import Filled, current, experiment, predictions

from emobench import metrics
from emobench.analysis import speakers
from emobench.analysis.comparison import compare, interval, sign_flips, sign_test
from emobench.cli.compare import compare as command
from emobench.errors import StoreError
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


def loop_over_draws(data: pd.DataFrame, drawn: np.ndarray) -> float:
    """Return the UAR of speakers that were drawn, by copying their clips."""
    who = sorted(data["speaker"].unique())
    values = []
    for _, repetition in data.groupby("repetition"):
        uars, weights = [], []
        for _, fold in repetition.groupby("fold"):
            inside = [name for name in who if name in set(fold["speaker"])]
            times = [int(drawn[who.index(name)]) for name in inside]
            copies = [
                fold[fold["speaker"] == name]
                for name, count in zip(inside, times, strict=True)
                for _ in range(count)
            ]
            if copies:
                clips = pd.concat(copies)
                uars.append(metrics.uar(clips["label"].tolist(), clips["predicted"].tolist()))
                weights.append(sum(times) / len(inside))
        values.append(np.average(uars, weights=weights))
    return float(np.mean(values))


@pytest.mark.parametrize("n_folds", [4, 8])
def test_a_draw_scores_the_speakers_that_were_drawn(n_folds):
    data = table(n_folds=n_folds)
    speaker, _ = speakers.names(data).factorize(sort=True)
    parts = speakers._parts(data, speaker, CLASSES)
    drawn = np.random.default_rng(0).multinomial(8, np.full(8, 1 / 8), 25)
    expected = [loop_over_draws(data, draw) for draw in drawn]
    np.testing.assert_allclose(speakers._uars(drawn, parts), expected)
    once = speakers._uars(np.ones((1, 8), int), parts)
    assert once[0] == pytest.approx(metrics.summarise(data)["uar"])


def test_intervals_over_speakers_are_scipy_s():
    """With a speaker a fold, what is drawn is a mean of the speakers' own UARs."""
    data = table(n_speakers=12, n_folds=12)
    found = speakers.uar_interval(data, CLASSES, draws=20_000)
    own = list(speakers.by_speaker(data).values())
    expected = stats.bootstrap(
        (own,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.speakers == 12
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.004)
    assert found == speakers.uar_interval(data, CLASSES, draws=20_000)


def test_too_few_speakers_to_draw_from():
    assert speakers.uar_interval(table(n_speakers=3), CLASSES) is None
    assert speakers.uar_interval(table(n_speakers=4), CLASSES) is not None


def test_a_repetition_of_one_speaker_only():
    data = table(repetitions=2)
    data = data[(data["repetition"] == 1) | (data["speaker"] == "s0")]
    found = speakers.uar_interval(data, CLASSES)
    assert 0 < found.low < found.high < 1


@pytest.mark.parametrize("n_speakers", [2, 5, 10, 13])
@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_sign_flips_are_scipy_s(n_speakers, shift):
    values = np.random.default_rng(n_speakers).normal(shift, 0.1, n_speakers)
    expected = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flips(values) == pytest.approx(expected.pvalue)


def test_many_speakers_are_flipped_at_random():
    values = np.random.default_rng(3).normal(0.02, 0.1, 40)
    expected = stats.permutation_test(
        *((values,), np.sum),
        permutation_type="samples",
        n_resamples=100_000,
        rng=np.random.default_rng(4),
    )
    assert sign_flips(values) == pytest.approx(expected.pvalue, abs=0.006)
    assert sign_flips(values) == sign_flips(values)
    assert sign_flips(np.full(40, 0.1)) == pytest.approx(1 / 100_001)


@pytest.mark.parametrize("values", [[0.1, 0.2, -0.1, 0, 0.3], [0.1] * 10, [0, 0], [-1, 1]])
def test_the_sign_test_is_scipy_s(values):
    better, worse = sum(value > 0 for value in values), sum(value < 0 for value in values)
    expected = stats.binomtest(better, better + worse).pvalue if better + worse else 1
    assert sign_test(values) == pytest.approx(expected)


def test_the_interval_of_a_mean_is_scipy_s():
    values = np.random.default_rng(0).normal(0.1, 0.2, 12)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    np.testing.assert_allclose(interval(values), expected, atol=0.01)
    assert interval([0.25, 0.25, 0.25]) == (0.25, 0.25)


def test_speakers_are_paired():
    first, second = table(skill=0.9), table(skill=0.3, seed=1)
    found = compare(first, second)
    ours, theirs = speakers.by_speaker(first), speakers.by_speaker(second)
    assert found.difference == pytest.approx(np.mean([ours[name] - theirs[name] for name in ours]))
    assert (found.better, found.worse) == (8, 0)
    assert found.p_permutation == found.p_sign == 2 / 2**8
    assert found.low > 0
    turned = compare(second, first)
    assert turned.difference == -found.difference
    assert (turned.worse, turned.p_permutation) == (8, found.p_permutation)
    same = compare(first, first)
    assert (same.difference, same.p_permutation, same.p_sign) == (0, 1, 1)


def test_only_clips_of_both_count():
    first, second = table(), table(seed=1)
    cut = second[~second["id"].isin(["0-0", "0-1"]) & (second["speaker"] != "s7")]
    found = compare(first, cut)
    assert len(found.speakers) == 7
    assert found.left_out == 2 + 20
    assert found.clips == first["id"].nunique() - 22
    kept = first[first["id"].isin(cut["id"])]
    assert found.first == tuple(speakers.by_speaker(kept).values())
    with pytest.raises(StoreError, match=r"expected two speakers or more .* found 1. Run more"):
        compare(first, second[second["speaker"] == "s1"])


def test_other_labels_are_refused():
    other = table()
    other.loc[other["id"] == "0-3", "label"] = "sadness"
    with pytest.raises(StoreError, match=r"expected the same labels, found 1 clips .* 0-3\. Run"):
        compare(table(), other)


def test_false_alarms_are_as_rare_as_they_should_be():
    generator = np.random.default_rng(0)
    alarms = [sign_flips(generator.normal(0, 1, 10)) <= 0.05 for _ in range(600)]
    assert 0.02 < np.mean(alarms) < 0.08


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
    assert "p = 0.0625 (sign-flip permutation test), p = 0.0625 (sign test)" in text
    assert "the interval is rather too short" in text
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
