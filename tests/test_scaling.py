from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.preprocessing import StandardScaler

from emobench.scaling import Moments, Scaler, fit

COLUMNS = 3
numbers = st.one_of(st.floats(-1e4, 1e4, width=32), st.sampled_from([0.1, np.nan, np.inf, -27.631]))


@st.composite
def clips(draw):
    n_clips = draw(st.integers(1, 6))
    rows = [draw(st.integers(0, 9)) for _ in range(n_clips)]
    return [draw(arrays.arrays(np.float32, (n, COLUMNS), elements=numbers)) for n in rows]


def fit_all(scaling, values, speakers=None, training=None, neutral=None) -> Scaler:
    moments = Moments.stack([Moments.of(clip) for clip in values])
    speakers = speakers or ["one"] * len(values)
    training = np.arange(len(values)) if training is None else np.asarray(training)
    return fit(scaling, moments, speakers=speakers, training=training, neutral=neutral)


def reference(rows: np.ndarray) -> StandardScaler:
    rows = np.where(np.isfinite(rows), rows, np.nan).astype(np.float64)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return StandardScaler().fit(rows)


def transform(scaler: StandardScaler, rows: np.ndarray) -> np.ndarray:
    rows = np.where(np.isfinite(rows), rows, np.nan).astype(np.float64)
    return np.nan_to_num(scaler.transform(rows)) if len(rows) else rows


def test_speaker_scaling_is_scikit_learns_for_each_speaker():
    random = np.random.default_rng(0)
    values = [random.normal(5, 3, (n, COLUMNS)).astype(np.float32) for n in (7, 1, 12, 4)]
    values[0][2, 1] = np.nan
    values[2][3] = np.inf
    for clip in values:
        clip[:, 2] = np.float32(0.1)
    speakers = ["b", "a", "b", "a"]
    scaler = fit_all("speaker", values, speakers, training=[0, 2])
    for position, clip in enumerate(values):
        own = np.concatenate(
            [v for v, s in zip(values, speakers, strict=True) if s == speakers[position]]
        )
        scaled = scaler.apply(position, clip)
        assert scaled.dtype == np.float32
        np.testing.assert_allclose(scaled, transform(reference(own), clip), atol=1e-6)
        np.testing.assert_array_equal(scaled[:, 2], 0.0)


def test_a_speaker_on_both_sides_is_scaled_by_training_clips_alone():
    random = np.random.default_rng(3)
    values = [random.normal(n, 1 + n, (9, COLUMNS)).astype(np.float32) for n in range(4)]
    scaler = fit_all("speaker", values, ["a", "a", "b", "b"], training=[0])
    for position, own in ((0, values[0]), (1, values[0]), (2, np.concatenate(values[2:]))):
        expected = transform(reference(own), values[position])
        np.testing.assert_allclose(scaler.apply(position, values[position]), expected, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(clips())
def test_any_clips_scale_as_their_concatenation_does(values):
    rows = np.concatenate(values)
    scaler = fit_all("speaker", values)
    if not np.isfinite(rows).any(axis=0).all():
        return
    expected = reference(rows)
    np.testing.assert_allclose(scaler.mean[0], expected.mean_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(scaler.scale[0], expected.scale_, rtol=1e-6, atol=1e-12)
    for position, clip in enumerate(values):
        scaled = scaler.apply(position, clip)
        np.testing.assert_allclose(scaled, transform(expected, clip), rtol=1e-4, atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(clips())
def test_merging_equals_one_pass(values):
    merged = Moments.stack([Moments.of(clip) for clip in values]).merge(np.arange(len(values)))
    rows = np.concatenate(values).astype(np.float64)
    for column in range(COLUMNS):
        finite = rows[np.isfinite(rows[:, column]), column]
        assert merged.count[0, column] == len(finite)
        if len(finite):
            np.testing.assert_allclose(merged.mean[0, column], finite.mean(), atol=1e-9)
            squares = ((finite - finite.mean()) ** 2).sum()
            np.testing.assert_allclose(merged.m2[0, column], squares, rtol=1e-9, atol=1e-7)
        else:
            assert merged.mean[0, column] == merged.m2[0, column] == 0


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-(2.0**99), 2.0**99, width=32), st.lists(st.integers(0, 50), min_size=1, max_size=8)
)
def test_constant_columns_become_exactly_zero(value, rows):
    values = [np.full((n, 1), value, dtype=np.float32) for n in rows]
    scaler = fit_all("speaker", values)
    for position, clip in enumerate(values):
        np.testing.assert_array_equal(scaler.apply(position, clip), np.zeros_like(clip))


def test_a_large_offset_costs_no_precision():
    random = np.random.default_rng(1)
    values = [(1e7 + random.normal(size=(1000, 1))).astype(np.float64) for _ in range(5)]
    merged = Moments.stack([Moments.of(clip) for clip in values]).merge(np.arange(5))
    variance = np.concatenate(values).var()
    np.testing.assert_allclose(merged.m2[0, 0] / merged.count[0, 0], variance, rtol=1e-9)


def test_a_column_that_never_varied_in_training_is_zero_everywhere():
    values = [np.array([[1.0, 5.0], [2.0, 5.0]]), np.array([[3.0, 900.0]])]
    scaler = fit_all("training", values, training=[0])
    np.testing.assert_array_equal(scaler.apply(1, values[1]), [[3.0, 0.0]])


def test_training_statistics_do_not_move_with_test_clips():
    random = np.random.default_rng(2)
    values = [random.normal(size=(5, COLUMNS)) for _ in range(4)]
    before = fit_all("training", values, training=[1, 3])
    after = fit_all(
        "training", [values[0] * 9, values[1], values[2] + 7, values[3]], training=[1, 3]
    )
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.scale, after.scale)
    rows = np.concatenate([values[1], values[3]])
    np.testing.assert_allclose(before.mean[0], rows.mean(axis=0))
    np.testing.assert_allclose(before.scale[0], rows.std(axis=0))


def test_neutral_training_clips_alone_where_there_are_any():
    values = [np.array([[float(n)], [float(n + 2)]]) for n in (0, 10, 20, 30)]
    neutral = np.array([False, True, False, True])
    scaler = fit_all("training-neutral", values, training=[0, 1, 2], neutral=neutral)
    assert scaler.mean[0, 0] == 11.0
    fallback = fit_all("training-neutral", values, training=[0, 2], neutral=neutral)
    assert fallback.mean[0, 0] == 11.0
    assert fallback.scale[0, 0] == pytest.approx(np.std([0, 2, 20, 22]))


def test_no_scaling_only_replaces_what_is_not_finite():
    values = [np.array([[1.5, np.nan, -np.inf]], dtype=np.float32)]
    np.testing.assert_array_equal(fit_all("none", values).apply(0, values[0]), [[1.5, 0.0, 0.0]])


def test_apply_leaves_its_input_alone():
    values = [np.array([[1.0, np.nan, 2.0], [3.0, 1.0, 2.0]], dtype=np.float32)]
    before = values[0].copy()
    fit_all("speaker", values).apply(0, values[0])
    np.testing.assert_array_equal(values[0], before)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"expected shape \(rows, columns\), found \(3,\)"):
        Moments.of(np.zeros(3))
    with pytest.raises(ValueError, match="speakers: expected 1, found 2"):
        fit_all("speaker", [np.zeros((2, 1))], ["a", "b"])
    with pytest.raises(ValueError, match="found 'clip'"):
        fit_all("clip", [np.zeros((2, 1))])
