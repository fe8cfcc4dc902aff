"""What an input learns for a fold comes from training clips alone."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import feature_set
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import StandardScaler

from emobench import features
from emobench.experiments.inputs import AudioInput, Side, TextInput
from emobench.scaling import Moments, Standard

TRAINING, TEST = np.array([0, 2, 3, 5, 6]), np.array([1, 4, 7])
TABLE = pd.DataFrame(
    {
        "speaker": ["a", "a", "b", "b", "c", "b", "a", "c"],
        "emotion": ["neutral", "neutral", "fear", "neutral", "neutral", "fear", "fear", "fear"],
    },
    index=[f"clip{n}" for n in range(8)],
)
LENGTHS = [70, 400, 33, 90, 300, 120, 51, 500]


def clips(columns: int, lengths=LENGTHS, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [
        random.normal(n, 1 + n, (rows, columns)).astype(np.float32)
        for n, rows in enumerate(lengths)
    ]


def side(values: list[np.ndarray]) -> Side:
    """Return cached values as a side of a fold hears them."""
    return Side(feature_set(TABLE.index, values), np.arange(len(values)))


def heard(name: str, scaling, learnt, tested=None, **params) -> AudioInput:
    one = side(learnt)
    other = one if tested is None else side(tested)
    return AudioInput(features.get(name), features.spec(name, **params), scaling, one, other)


def with_other_tests(values: list[np.ndarray]) -> list[np.ndarray]:
    """Return clips of which those that are tested have other values and another length."""
    changed = list(values)
    for position in TEST:
        changed[position] = np.repeat(values[position] * -3 + 7, 5, axis=0)
    return changed


def assert_same_training(first, second) -> None:
    assert first.shape == second.shape
    for position in TRAINING:
        np.testing.assert_array_equal(
            first.source.clip(position), second.source.clip(position), strict=True
        )


@pytest.mark.parametrize("scaling", ["speaker", "training", "training-neutral", "none"])
@pytest.mark.parametrize("name", ["lld32", "dualmel"])
def test_no_test_clip_changes_what_is_trained_on(name, scaling):
    values = clips(32 if name == "lld32" else 64)
    before = heard(name, scaling, values).prepare(TABLE, TRAINING, TEST)
    after = heard(name, scaling, with_other_tests(values)).prepare(TABLE, TRAINING, TEST)
    assert_same_training(before, after)
    assert before.fitted.facts == after.fitted.facts


def test_a_fold_has_the_median_length_of_its_training_clips():
    prepared = heard("dualmel", "none", clips(64)).prepare(TABLE, TRAINING, TEST)
    median = np.median([LENGTHS[position] for position in TRAINING])
    frames = 16 * round(median / 16)
    assert frames != 16 * round(np.median(LENGTHS) / 16)
    assert prepared.fitted.facts["median_frames"] == median
    for position in range(len(TABLE)):
        assert prepared.source.clip(position).shape == (64, frames, 1) == prepared.shape


def test_neutral_training_clips_alone_set_the_scale():
    values = clips(32)
    prepared = heard("lld32", "training-neutral", values).prepare(TABLE, TRAINING, TEST)
    neutral = [n for n in TRAINING if TABLE["emotion"].iloc[n] == "neutral"]
    scaler = StandardScaler().fit(np.concatenate([values[n] for n in neutral]))
    for position in range(len(TABLE)):
        expected = scaler.transform(values[position])
        np.testing.assert_allclose(prepared.source.clip(position), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["lld32", "dualmel", "mfcc39-750", "frames640"])
@pytest.mark.parametrize("scaling", ["speaker", "training", "training-neutral", "none"])
def test_what_was_learnt_is_values_that_need_no_clip(name, scaling):
    columns = {"lld32": 32, "dualmel": 64, "mfcc39-750": 39, "frames640": 1}[name]
    values = clips(columns)
    prepared = heard(name, scaling, values).prepare(TABLE, TRAINING, TEST)
    learnt = pickle.loads(pickle.dumps(prepared.fitted_input))
    assert len(pickle.dumps(learnt)) < 5_000 < sum(each.nbytes for each in values)
    for position in TEST:
        own = np.flatnonzero(TABLE["speaker"] == TABLE["speaker"].iloc[position])
        taught = own[np.isin(own, TRAINING)]
        standard = None
        if scaling == "speaker":
            who = taught if len(taught) else own
            standard = Standard.of(Moments.stack([Moments.of(values[n]) for n in who]))
        found = learnt.apply(values[position], standard)
        np.testing.assert_array_equal(found, prepared.source.clip(position), strict=True)


def test_nobody_in_particular_is_scaled_by_all_training_clips():
    values = clips(32)
    learnt = heard("lld32", "speaker", values).prepare(TABLE, TRAINING, TEST).fitted_input
    scaler = StandardScaler().fit(np.concatenate([values[n] for n in TRAINING]))
    found = learnt.apply(values[TEST[0]])
    np.testing.assert_allclose(found, scaler.transform(values[TEST[0]]), atol=1e-4)


@pytest.mark.parametrize("scaling", ["speaker", "training", "training-neutral", "none"])
def test_a_condition_of_the_test_side_leaves_training_alone(scaling):
    clean, coded = clips(32), clips(32, seed=1)
    plain = heard("lld32", scaling, clean).prepare(TABLE, TRAINING, TEST)
    under = heard("lld32", scaling, clean, coded).prepare(TABLE, TRAINING, TEST)
    assert_same_training(plain, under)
    tuning = heard("lld32", scaling, clean, coded).prepare(TABLE, TRAINING, TEST[:0])
    for position in TEST:
        assert not np.array_equal(plain.source.clip(position), under.source.clip(position))
        np.testing.assert_array_equal(plain.source.clip(position), tuning.source.clip(position))


def test_the_vocabulary_is_that_of_the_training_texts():
    texts = ["so what", "secret one", "no so", "what then", "secret two", "no", "then so", "hidden"]
    spec = features.spec("tokens", length=4)
    prepared = TextInput(features.get("tokens"), spec, texts).prepare(TABLE, TRAINING, TEST)
    words = CountVectorizer(token_pattern=r"\w+").fit([texts[n] for n in TRAINING])
    known = set(words.vocabulary_)
    assert set(prepared.fitted.state) == known
    for position in range(len(TABLE)):
        found = prepared.source.clip(position)
        expected = [word in known for word in texts[position].split()]
        assert [number > 1 for number in found[: len(expected)]] == expected
        np.testing.assert_array_equal(found[len(expected) :], 0)
    texts = [text if n in TRAINING else f"other {text} more" for n, text in enumerate(texts)]
    again = TextInput(features.get("tokens"), spec, texts).prepare(TABLE, TRAINING, TEST)
    assert again.fitted.state == prepared.fitted.state
    assert_same_training(prepared, again)
