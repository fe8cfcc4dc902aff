"""Layers against Keras' own of the same weights, and against plain NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emobench.models import layers


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def trained(model: keras.Model, inputs: np.ndarray) -> list[np.ndarray]:
    """Training loss, weights after a step, and predictions after it."""
    model.compile(keras.optimizers.SGD(0.1), "mean_squared_error", jit_compile=False)
    targets = noise(len(inputs), *model.output_shape[1:], seed=9)
    if None in targets.shape:
        raise AssertionError("shapes must be known")
    loss = model.train_on_batch(inputs, targets)
    return [np.array(loss), *map(np.array, model.get_weights()), model.predict(inputs, verbose=0)]


def plain_block(filters, size, padding, shape):
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(filters, size, padding=padding),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(2, padding=padding),
        ]
    )


def plain_frames(filters, width, hop, samples):
    return keras.Sequential(
        [
            keras.Input((samples, 1)),
            keras.layers.Conv1D(filters, width, strides=hop, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling1D(2),
        ]
    )


def block_weights(channels: tuple[int, ...], filters: int) -> list[np.ndarray]:
    """Kernel, bias, gamma (half of them negative), beta, moving mean and variance."""
    rows = [noise(filters, seed=seed) * 0.3 for seed in range(1, 5)]
    return [noise(*channels, filters) * 0.2, *rows, np.abs(noise(filters, seed=5)) + 0.5]


@pytest.mark.parametrize(
    ("block", "options", "size", "shape"),
    [
        (layers.ConvolutionBlock, {"padding": "same"}, (2, 2), (7, 9, 1)),
        (layers.ConvolutionBlock, {}, (5, 3), (16, 12, 3)),
        (layers.PatchConvolutionBlock, {}, (2, 2), (7, 8, 1)),
        (layers.PatchConvolutionBlock, {}, (3, 2), (8, 9, 2)),
    ],
)
def test_convolution_block_is_the_four_layers_in_one(block, options, size, shape):
    weights = block_weights((*size, shape[-1]), 6)
    same = options or block is layers.PatchConvolutionBlock
    plain = plain_block(6, size, "same" if same else "valid", shape)
    block = keras.Sequential([keras.Input(shape), block(6, size, **options)])
    assert block.output_shape == plain.output_shape
    inputs = noise(5, *shape)
    for model in (plain, block):
        model.set_weights(weights)
    np.testing.assert_allclose(
        block.predict(inputs, verbose=0), plain.predict(inputs, verbose=0), atol=1e-5
    )
    for ours, theirs in zip(trained(block, inputs), trained(plain, inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("width", [240, 400, 1600])
@pytest.mark.parametrize("samples", [320, 800, 1601, 2000, 2239, 8000])
def test_product_over_frames_is_the_strided_convolution(width, samples):
    kernel = noise(width, 1, 4) * 0.05
    signal = noise(2, samples, 1)
    expected = keras.ops.conv(signal, kernel, strides=160, padding="same")
    found = layers.convolve_hops(layers.hops_of(signal, width, 160), kernel)
    np.testing.assert_allclose(np.array(found), np.array(expected), atol=1e-5)


@pytest.mark.parametrize("samples", [1600, 1999])
def test_frame_block_is_the_four_layers_in_one(samples):
    weights = block_weights((400, 1), 5)
    plain = plain_frames(5, 400, 160, samples)
    block = keras.Sequential([keras.Input((samples, 1)), layers.FrameConvolutionBlock(5, 400, 160)])
    inputs = noise(4, samples, 1)
    for model in (plain, block):
        model.set_weights(weights)
    assert block.output_shape == plain.output_shape
    np.testing.assert_allclose(
        block.predict(inputs, verbose=0), plain.predict(inputs, verbose=0), atol=1e-5
    )
    for ours, theirs in zip(trained(block, inputs), trained(plain, inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("plain", "cell"),
    [(keras.layers.LSTM, layers.LSTMCell), (keras.layers.GRU, layers.GRUCell)],
)
def test_projected_recurrence_is_that_of_keras(plain, cell, masked):
    inputs = noise(3, 7, 5)
    if masked:
        inputs[1, 4:] = 0
    outputs = []
    weights = None
    for layer in (
        plain(4, return_sequences=True, zero_output_for_mask=plain is keras.layers.LSTM),
        layers.ProjectedRNN(cell(4), return_sequences=True),
    ):
        first = [keras.layers.Masking()] if masked else []
        model = keras.Sequential([keras.Input((7, 5)), *first, layer])
        if weights is None:
            weights = [noise(*weight.shape, seed=2) * 0.5 for weight in model.weights]
        model.set_weights(weights)
        outputs.append([model.predict(inputs, verbose=0), *trained(model, inputs)])
    for ours, theirs in zip(*outputs, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_attention_weighs_by_the_softmax_of_a_dot_product():
    states, mask = noise(2, 5, 3), np.array([[True] * 5, [True] * 3 + [False] * 2])
    layer = layers.AttentionPooling()
    found = np.array(layer(states, mask=mask))
    context = np.array(layer.context)[:, 0]
    for clip in range(2):
        kept = states[clip, mask[clip]].astype(float)
        weights = np.exp([step @ context for step in kept])
        expected = sum(w * step for w, step in zip(weights / weights.sum(), kept, strict=True))
        np.testing.assert_allclose(found[clip], expected, atol=1e-6)


@pytest.mark.parametrize("over_maps", [False, True])
@pytest.mark.parametrize(("samples", "width"), [(12, 5), (12, 4), (10, 5), (16, 40)])
def test_convolution_of_rows_is_that_of_each_row(samples, width, over_maps):
    inputs = noise(2, 3, samples, 2)
    convolution = keras.layers.Conv2D(6, (1, width), padding="same", activation="relu")
    if over_maps:
        ours = layers.MapPooledRowConv1D(6, width, pool=3)
        over_three = [
            keras.layers.Reshape((3 * samples * 2, 3, 1)),
            keras.layers.MaxPooling2D((1, 3)),
            keras.layers.Reshape((3, samples, 2)),
        ]
        plain = [convolution, *over_three]
    else:
        ours = layers.PooledRowConv1D(6, width, pool=2)
        plain = [convolution, keras.layers.MaxPooling2D((1, 2))]
    models = [keras.Sequential([keras.Input((3, samples, 2)), *each]) for each in ([ours], plain)]
    assert models[0].output_shape == models[1].output_shape
    kernel, bias = noise(width, 2, 6, seed=1), noise(6, seed=2)
    models[0].set_weights([kernel, bias])
    models[1].set_weights([kernel[None], bias])
    np.testing.assert_allclose(*(model.predict(inputs, verbose=0) for model in models), atol=1e-5)
    for found, expected in zip(*(trained(model, inputs) for model in models), strict=True):
        np.testing.assert_allclose(found, expected.reshape(found.shape), atol=1e-5)
