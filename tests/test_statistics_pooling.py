"""Pooling of padded clips, against SciPy and loops over the clips alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import scipy.stats

from emobench.models import layers
from emobench.models.layers.statistics import STATISTICS

LENGTHS = (9, 4, 1)
"""Own steps of three clips padded to 9."""

ORACLES = {
    "mean": lambda x: x.mean(axis=0),
    "std": lambda x: x.std(axis=0),
    "min": lambda x: x.min(axis=0),
    "max": lambda x: x.max(axis=0),
    "range": lambda x: np.ptp(x, axis=0),
    "skewness": lambda x: np.nan_to_num(scipy.stats.skew(x, axis=0)),
    "kurtosis": lambda x: np.nan_to_num(scipy.stats.kurtosis(x, axis=0)),
}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def padded(columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips of `LENGTHS`, wrong numbers behind them, and the mask."""
    clips = noise(len(LENGTHS), max(LENGTHS), columns)
    mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    clips[~mask] = 77.0
    return clips, mask


def gradients(layer: keras.layers.Layer, clips: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """Change of a projection of the clips in one step of gradient descent."""
    x, m = keras.Input(clips.shape[1:]), keras.Input(mask.shape[1:], dtype="bool")
    columns = clips.shape[-1]
    projected = keras.layers.Dense(columns, kernel_initializer="identity")(x)
    model = keras.Model([x, m], keras.layers.Dense(1)(layer(projected, mask=m)))
    model.compile(keras.optimizers.SGD(1.0), "mean_squared_error", jit_compile=False)
    model.train_on_batch([clips, mask], np.ones((len(clips), 1), np.float32))
    return [np.array(weight) for weight in model.weights]


@pytest.mark.filterwarnings("ignore:Precision loss")  # SciPy, of the constant column
@pytest.mark.parametrize("statistic", STATISTICS)
def test_each_statistic_is_that_of_the_clips_own_steps(statistic):
    clips, mask = padded(5)
    clips[0, :, 0] = 3.1  # constant: no deviation, neither skew nor peaked
    clips[0, :9, 1] = 50.0 + 0.1 * noise(9)
    with np.errstate(all="ignore"):
        expected = [
            ORACLES[statistic](clip[:length].astype(float))
            for clip, length in zip(clips, LENGTHS, strict=True)
        ]
    if statistic in ("skewness", "kurtosis"):
        expected[0][0] = 0.0
    found = np.array(layers.StatisticsPooling([statistic])(clips, mask=mask))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_statistics_follow_one_another_in_the_order_asked_for():
    clips, mask = padded(3)
    found = np.array(layers.StatisticsPooling(STATISTICS)(clips, mask=mask))
    each = [np.array(layers.StatisticsPooling([name])(clips, mask=mask)) for name in STATISTICS]
    np.testing.assert_array_equal(found, np.concatenate(each, axis=1))
    assert layers.StatisticsPooling(STATISTICS).compute_output_shape((None, 9, 3)) == (None, 21)


def test_without_a_mask_every_step_counts():
    clips, _ = padded(3)
    found = layers.StatisticsPooling(["mean", "max"])(clips)
    expected = np.concatenate([clips.mean(axis=1), clips.max(axis=1)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_constant_columns_have_gradients_that_are_numbers():
    clips, mask = padded(4)
    clips[:, :, 0], clips[1] = 0.0, 0.0
    weights = gradients(layers.StatisticsPooling(STATISTICS), clips, mask)
    assert all(np.isfinite(weight).all() for weight in weights)


def test_padding_has_no_gradient():
    clips, mask = padded(4)
    other = np.where(mask[..., None], clips, -5.0).astype(np.float32)
    outcomes = []
    for given in (clips, other):
        keras.utils.set_random_seed(1)
        outcomes.append(gradients(layers.StatisticsPooling(STATISTICS), given, mask))
    for first, second in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("wrong", [["mode"], []])
def test_unknown_statistics_are_refused(wrong):
    with pytest.raises(ValueError, match="statistics: expected some of mean, std"):
        layers.StatisticsPooling(wrong)


def test_the_last_step_is_the_last_before_the_padding():
    clips, mask = padded(3)
    found = np.array(layers.LastStep()(clips, mask=mask))
    expected = [clip[length - 1] for clip, length in zip(clips, LENGTHS, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(np.array(layers.LastStep()(clips)), clips[:, -1])


def test_deep_attention_weighs_by_a_hidden_layer():
    clips, mask = padded(3)
    layer = layers.DeepAttentionPooling(4, initializer="glorot_uniform")
    found = np.array(layer(clips, mask=mask))
    kernel, bias, context = (np.array(weight, dtype=float) for weight in layer.weights)
    for clip, length, pooled in zip(clips, LENGTHS, found, strict=True):
        scores = [np.exp(np.tanh(step @ kernel + bias) @ context[:, 0]) for step in clip[:length]]
        expected = sum(w / sum(scores) * step for w, step in zip(scores, clip, strict=False))
        np.testing.assert_allclose(pooled, expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["AttentionPooling", "DeepAttentionPooling"])
def test_attention_from_zeros_is_the_mean_at_the_start(pooling):
    clips, mask = padded(3)
    options = {"units": 4} if pooling == "DeepAttentionPooling" else {}
    layer = getattr(layers, pooling)(initializer="zeros", **options)
    mean = layers.StatisticsPooling()(clips, mask=mask)
    np.testing.assert_allclose(np.array(layer(clips, mask=mask)), np.array(mean), atol=1e-5)


def zero_padded(columns: int) -> np.ndarray:
    clips, mask = padded(columns)
    return np.where(mask[..., None], clips, 0.0).astype(np.float32)


@pytest.mark.parametrize(
    "layer",
    [
        layers.StatisticsPooling(["max", "std"]),
        layers.LastStep(),
        layers.DeepAttentionPooling(4),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_saved_and_loaded_layers_are_the_same(layer, tmp_path):
    x = keras.Input((None, 3))
    model = keras.Model(x, layer(x, mask=layers.PaddingMask()(x)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    clips = zero_padded(3)
    np.testing.assert_array_equal(loaded.predict(clips, verbose=0), model.predict(clips, verbose=0))
    assert model.output_shape == (None, *model.predict(clips, verbose=0).shape[1:])
