"""The networks of Mirsamadi et al. (2017): counts, poolings by hand, padding, functionals."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import scipy.stats

from emobench import models
from emobench.features import hsf32
from emobench.models.support_vector_machine import SupportVectorMachine
from emobench.training.losses import mean_log_likelihood

PARAMETERS = {
    "dnn-mean": (396_804, 398_343),
    "dnn-mmm": (400_900, 405_511),
    "dnn-full": (409_092, 419_847),
    "frame-lld": (165_892, 166_663),
    "final-lld": (165_892, 166_663),
    "mean-lld": (165_892, 166_663),
    "attention-lld": (166_148, 166_919),
    "frame-fft": (1_052_164, 1_052_935),
    "final-fft": (1_052_164, 1_052_935),
    "mean-fft": (1_052_164, 1_052_935),
    "attention-fft": (1_052_420, 1_053_191),
}
"""Total parameters for 4 and for 7 classes."""

LENGTHS = (11, 6, 1)
DEEP = "attention-lld:attention=deep"


def network(name: str) -> keras.Model:
    """A network with weights that are not those it begins with."""
    keras.utils.set_random_seed(0)
    model = models.build(f"mirsamadi2017-{name}", 4)
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(random.standard_normal(weight.shape, np.float32) * 0.1)
    return model


def clips(model: keras.Model) -> np.ndarray:
    """Clips of `LENGTHS`, padded with zeros; one holds digital silence in its middle."""
    columns = model.inputs[0].shape[-1]
    random = np.random.default_rng(2)
    given = random.standard_normal((len(LENGTHS), max(LENGTHS), columns), np.float32)
    for clip, length in zip(given, LENGTHS, strict=True):
        clip[length:] = 0
    given[0, 4:6] = 0
    return given


def chances(model: keras.Model, given: np.ndarray) -> np.ndarray:
    found = model({model.inputs[0].name: given}, training=False)
    return np.array(found["probabilities"] if isinstance(found, dict) else found)


def up_to(model: keras.Model, layer: str, given: np.ndarray) -> np.ndarray:
    """What the only layer of a kind puts out."""
    (found,) = [each for each in model.layers if type(each).__name__ == layer]
    return np.array(keras.Model(model.inputs, found.output)([given], training=False))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_counts_are_those_of_the_table(name):
    counts = [models.build(f"mirsamadi2017-{name}", k).count_params() for k in (4, 7)]
    assert counts == list(PARAMETERS[name])


@pytest.mark.parametrize("name", [*PARAMETERS, DEEP])
def test_a_padded_clip_is_the_clip_alone(name):
    model = network(name)
    given = clips(model)
    longer = np.concatenate([given, np.zeros_like(given)], axis=1)
    together = chances(model, longer)
    for clip, length, found in zip(given, LENGTHS, together, strict=True):
        np.testing.assert_allclose(found, chances(model, clip[None, :length])[0], atol=1e-6)


@pytest.mark.parametrize("pooling", ["frame", "final", "mean", "attention"])
def test_each_pooling_is_that_of_a_loop(pooling):
    model = network(f"{pooling}-lld")
    given = clips(model)
    kernel, bias = (np.array(weight) for weight in model.trainable_weights[-2:])
    found = chances(model, given)
    for clip, length, probabilities in zip(given, LENGTHS, found, strict=True):
        states = up_to(model, "Bidirectional", clip[None, :length])[0]
        if pooling == "frame":
            expected = np.mean([softmax(state @ kernel + bias) for state in states], axis=0)
        elif pooling == "final":
            expected = softmax(states @ kernel + bias)
        else:
            weights = np.full(length, 1 / length)
            if pooling == "attention":
                context = np.array(model.get_layer("attention").context)[:, 0]
                weights = softmax(np.array([state @ context for state in states]))
            expected = softmax(
                sum(w * s for w, s in zip(weights, states, strict=True)) @ kernel + bias
            )
        np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_the_final_state_is_the_forward_ones_end_and_the_backward_ones_beginning():
    final, mean = network("final-lld"), network("mean-lld")
    mean.set_weights(final.get_weights())
    given = clips(final)
    sequences, ends = (up_to(model, "Bidirectional", given) for model in (mean, final))
    for states, length, end in zip(sequences, LENGTHS, ends, strict=True):
        np.testing.assert_allclose(end[:128], states[length - 1, :128], atol=1e-6)
        np.testing.assert_allclose(end[128:], states[0, 128:], atol=1e-6)


def test_frame_wise_loss_is_the_mean_cross_entropy_of_the_frames():
    model = network("frame-lld")
    given, truth = clips(model), np.eye(4, dtype=np.float32)[[2, 0, 3]]
    output = model({"descriptors": given}, training=False)["frames"]
    found = np.array(mean_log_likelihood(truth, output))
    kernel, bias = (np.array(weight) for weight in model.trainable_weights[-2:])
    for clip, length, wanted, loss in zip(given, LENGTHS, truth, found, strict=True):
        states = up_to(model, "Bidirectional", clip[None, :length])[0]
        expected = np.mean([-np.log(softmax(s @ kernel + bias)) @ wanted for s in states])
        np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_frame_wise_networks_train_on_one_output_and_read_the_other():
    spec = models.get("mirsamadi2017-frame-lld")
    assert spec.prediction == "probabilities"
    assert {name: output.loss for name, output in spec.outputs.items()} == {
        "frames": "mean_log_likelihood",
        "probabilities": None,
    }


@pytest.mark.parametrize("name", ["attention-lld", DEEP])
def test_attention_begins_as_the_mean_and_leaves_padding_out(name):
    model = models.build(f"mirsamadi2017-{name}", 4)
    given = clips(model)
    layer = model.get_layer(models.get(f"mirsamadi2017-{name}").attends)
    states = up_to(model, "Bidirectional", given)
    mask = up_to(model, "PaddingMask", given)
    weights = np.array(layer.attention(states, mask))[..., 0]
    for row, length in zip(weights, LENGTHS, strict=True):
        np.testing.assert_allclose(row[:length], 1 / length, rtol=1e-6)
        assert (row[length:] == 0).all()


def test_dense_networks_pool_what_their_set_names():
    rows = {"mean": np.mean, "min": np.min, "max": np.max, "range": np.ptp, "std": np.std}
    for name, statistics in (
        ("mean", ["mean"]),
        ("mmm", ["mean", "min", "max"]),
        ("full", ["mean", "std", "min", "max", "range", "skewness", "kurtosis"]),
    ):
        model = network(f"dnn-{name}")
        given = clips(model)
        *_, dropout = (layer for layer in model.layers if isinstance(layer, keras.layers.Dropout))
        states = np.array(keras.Model(model.inputs, dropout.output)([given], training=False))
        pooled = up_to(model, "StatisticsPooling", given).reshape(3, len(statistics), 512)
        for place, statistic in enumerate(statistics):
            if statistic in rows:
                expected = rows[statistic](states[1, : LENGTHS[1]].astype(float), axis=0)
                np.testing.assert_allclose(pooled[1, place], expected, rtol=1e-3, atol=1e-4)


def test_constant_frames_train_on_numbers():
    model = models.build("mirsamadi2017-dnn-full", 4)
    model.compile("adam", "categorical_crossentropy", jit_compile=False)
    model.train_on_batch({"spectra": np.zeros((4, 5, 257), np.float32)}, np.eye(4))
    assert all(np.isfinite(np.array(weight)).all() for weight in model.weights)


def test_raw_spectra_alone_have_dense_layers_below():
    names = ("mirsamadi2017-mean-lld", "mirsamadi2017-mean-fft")
    assert [models.get(name).config.units for name in names] == [(), (512, 512)]
    assert [[spec.feature for spec in models.get(name).inputs.values()] for name in names] == [
        ["lld32"],
        ["fft257"],
    ]


@pytest.mark.parametrize(
    ("name", "functionals"),
    [("svm-mean", "mean"), ("svm-mmm", "mmm"), ("svm-full", "full"), ("svm-full:hsf=text", "text")],
)
def test_each_machine_reads_its_functionals(name, functionals):
    spec = models.get(f"mirsamadi2017-{name}")
    (read,) = spec.inputs.values()
    assert (read.feature, read.params) == ("hsf32", {"set": functionals})
    machine = spec.build(spec.config)
    assert isinstance(machine, SupportVectorMachine)
    assert machine.kernel == "rbf"
    assert (spec.config.C, spec.config.gamma) == (
        (2**-6, 2**-4, 2**-2, 1, 2**2, 2**4, 2**6),
        (2**-12, 2**-10, 2**-8, 2**-6, 2**-4, 2**-2),
    )


def test_functionals_are_those_of_scipy_and_a_straight_line():
    values = np.random.default_rng(3).gamma(2.0, size=(40, 5)).astype(np.float32)
    values[:, 1] += 1000
    found = hsf32.functionals(values)
    exact, time = values.astype(float), np.linspace(0, 1, 40)
    slope, intercept = np.polyfit(time, exact, 1)
    expected = {
        "mean": exact.mean(axis=0),
        "std": exact.std(axis=0),
        "min": exact.min(axis=0),
        "max": exact.max(axis=0),
        "range": np.ptp(exact, axis=0),
        "position of max": exact.argmax(axis=0) / 39,
        "position of min": exact.argmin(axis=0) / 39,
        "skewness": scipy.stats.skew(exact),
        "kurtosis": scipy.stats.kurtosis(exact),
        "slope": slope,
        "intercept": intercept,
    }
    assert list(found) == list(hsf32.SETS["text"])
    for name, values_found in found.items():
        np.testing.assert_allclose(values_found, expected[name], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("rows", [1, 30])
def test_functionals_of_a_constant_are_its_value_and_zeros(rows):
    found = hsf32.functionals(np.full((rows, 2), 0.1, np.float32))
    for name, values in found.items():
        level = name in ("mean", "min", "max", "intercept")
        np.testing.assert_allclose(values, np.float32(0.1) if level else 0.0, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("name", "columns"), [("mean", 32), ("mmm", 96), ("full", 224), ("text", 352)]
)
def test_functionals_of_a_clip_are_those_of_its_descriptors(name, columns):
    samples = 0.1 * np.random.default_rng(4).standard_normal(8000).astype(np.float32)
    found = hsf32.HSF32.extract(samples, set=name)
    assert found.shape == hsf32.HSF32.shape({"set": name}) == (1, columns)
    assert found.dtype == np.float32
    descriptors = hsf32.lld32(samples)
    np.testing.assert_allclose(found[0, :32], descriptors.mean(axis=0), rtol=1e-4, atol=1e-6)
    if name != "mean":
        start = 32 * hsf32.SETS[name].index("max")
        np.testing.assert_array_equal(found[0, start : start + 32], descriptors.max(axis=0))
