"""Intervals over speakers: against SciPy, and how often they hold the truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score
from stored import result

from emobench.analysis.intervals import SHARES, mean_interval, of_result, over_speakers

TRIALS = 4000
CLASSES = 4


@pytest.mark.parametrize("count", [2, 3, 10, 24])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_interval_is_the_one_of_scipy_s_test(count, level):
    values = np.random.default_rng(count).normal(0.6, 0.1, count)
    expected = stats.ttest_1samp(values, 0).confidence_interval(level)
    np.testing.assert_allclose(mean_interval(values, level), expected, rtol=1e-12)


def test_shares_stay_shares():
    assert mean_interval([0.1, 0.9], bounds=SHARES) == (0, 1)
    low, high = mean_interval([0.90, 0.99, 1.0, 1.0], bounds=SHARES)
    assert high == 1
    assert low == pytest.approx(mean_interval([0.90, 0.99, 1.0, 1.0])[0])
    assert mean_interval([0.25, 0.25, 0.25]) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [
        ([], 0.95, r"values: expected those of two speakers or more, found 0"),
        ([0.5], 0.95, r"values: expected those of two speakers or more, found 1"),
        ([0.5, math.nan], 0.95, r"values: expected finite numbers, found \[0\.5, nan\]"),
        ([0.5, 0.6], 95, r"level: expected a share between 0 and 1 such as 0\.95, found 95"),
    ],
)
def test_what_gives_no_interval_is_said(values, level, message):
    with pytest.raises(ValueError, match=message):
        mean_interval(values, level)


def uars(n_speakers: int, *, balanced: bool, mean: float, sd: float) -> np.ndarray:
    """Return what speakers of many corpora score, drawn anew for each.

    A speaker's true recall varies around the population's, and clips are right or wrong by
    chance: ten a class, or between one and some forty, another number for each speaker.

    Returns:
        UAR of each speaker, of shape `(TRIALS, speakers)`
    """
    generator = np.random.default_rng([n_speakers, balanced, round(100 * mean)])
    both = mean * (1 - mean) / sd**2 - 1
    recall = generator.beta(mean * both, (1 - mean) * both, (TRIALS, n_speakers, 1))
    clips = np.full((TRIALS, n_speakers, CLASSES), 10)
    if not balanced:
        typical = generator.integers(2, 31, (TRIALS, n_speakers, 1))
        clips = np.maximum(1, generator.poisson(typical, clips.shape))
    return (generator.binomial(clips, recall) / clips).mean(axis=2)


def coverage(ends: np.ndarray, mean: float) -> float:
    """Return how often intervals of shape `(trials, 2)` hold the mean."""
    return float(np.mean((ends[:, 0] <= mean) & (mean <= ends[:, 1])))


@pytest.mark.parametrize("balanced", [True, False], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize("n_speakers", [4, 6, 10, 24])
@pytest.mark.parametrize(("mean", "sd"), [(0.6, 0.12), (0.8, 0.08)])
def test_95_of_100_intervals_hold_the_truth(n_speakers, balanced, mean, sd):
    values = uars(n_speakers, balanced=balanced, mean=mean, sd=sd)
    ends = np.array([mean_interval(row, bounds=SHARES) for row in values])
    assert 0.93 <= coverage(ends, mean) <= 0.97


def test_the_simulation_tells_intervals_that_are_too_short():
    values = uars(6, balanced=True, mean=0.6, sd=0.12)
    drawn = np.random.default_rng(0).integers(6, size=(200, 6))
    means = values[:, drawn].mean(axis=2)
    ends = np.percentile(means, [2.5, 97.5], axis=1).T
    assert 0.79 < coverage(ends, 0.6) < 0.90


def predictions(right: np.ndarray) -> pd.DataFrame:
    """Return predictions of clips of shape `(repetitions, speakers, clips)`: right, or not."""
    repetition, speaker, clip = (part.ravel() for part in np.indices(right.shape))
    truth = np.array(["anger", "neutral"])[clip % 2]
    other = np.array(["neutral", "anger"])[clip % 2]
    return pd.DataFrame(
        {
            "id": [f"{who}-{number}" for who, number in zip(speaker, clip, strict=True)],
            "label": truth,
            "predicted": np.where(right.ravel(), truth, other),
            "speaker": [f"s{who}" for who in speaker],
            "group": None,
            "fold": speaker,
            "repetition": repetition + 1,
        }
    )


def test_seeds_and_speakers_are_told_apart():
    right = np.random.default_rng(0).random((3, 5, 40)) < np.linspace(0.4, 0.9, 5)[:, None]
    data = predictions(right)
    scored = np.array(
        [
            balanced_accuracy_score(part["label"], part["predicted"])
            for _, part in data.groupby(["repetition", "speaker"])
        ]
    ).reshape(3, 5)
    held = result(data, labels=("anger", "neutral"))
    found = of_result(held)
    assert held.scores["uar_sd"] == pytest.approx(np.std(scored.mean(axis=1), ddof=1))
    assert found.sd == pytest.approx(np.std(scored.mean(axis=0), ddof=1))
    assert found.sd > 5 * held.scores["uar_sd"]
    expected = stats.ttest_1samp(scored.mean(axis=0), 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.centre == pytest.approx(held.scores["uar"])  # a fold is a speaker
    assert found.speakers == 5


def test_each_spread_has_a_source_of_its_own():
    alike = np.tile(np.arange(40) % 4 > 0, (1, 5, 1))
    seeds = result(predictions(np.concatenate([alike, ~alike])), labels=("anger", "neutral"))
    assert of_result(seeds).sd == pytest.approx(0)
    assert seeds.scores["uar_sd"] == pytest.approx(0.5 / math.sqrt(2))


def test_groups_have_a_figure_of_their_own():
    """Where two speakers are one fold, the fold's recalls count clips, the interval speakers."""
    right = np.random.default_rng(1).random((1, 8, 40)) < np.linspace(0.3, 0.9, 8)[:, None]
    data = predictions(right)
    few = data[(data["fold"] % 2 == 0) | (data["id"].str.extract(r"-(\d+)$")[0].astype(int) < 6)]
    held = result(few.assign(fold=few["fold"] // 2), labels=("anger", "neutral"))
    uars = [
        balanced_accuracy_score(part["label"], part["predicted"])
        for _, part in few.groupby("speaker")
    ]
    assert of_result(held).centre == pytest.approx(np.mean(uars))
    folds = [
        balanced_accuracy_score(part["label"], part["predicted"])
        for _, part in few.groupby(few["fold"] // 2)
    ]
    assert held.scores["uar"] == pytest.approx(np.mean(folds))
    assert abs(held.scores["uar"] - of_result(held).centre) > 0.02


def test_too_few_speakers_tell_nothing():
    assert over_speakers([0.5, 0.5, 0.5]) is None
    assert over_speakers([0.5, 0.5, 0.5, 0.5]).speakers == 4
    one = result(predictions(np.ones((1, 5, 8), bool)))
    assert of_result(one) is not None
    part = replace(one, stored=replace(one.stored, records=one.stored.records[:4]))
    assert of_result(part) is None  # incomplete
