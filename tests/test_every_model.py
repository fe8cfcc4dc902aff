"""The questions that every registered network must answer; a new one is asked without being named.

Only `PARAMETERS`, counts from the published tables, grows with the registry.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import pytest

from emobench import models
from emobench.errors import SpecError

if TYPE_CHECKING:
    import keras

NETWORKS = [name for name in models.names() if models.get(name).kind == "network"]
USUAL = (
    "aldeneh2017-logmel40",
    "encoder-linear",
    "krishna2019-combined-word",
    "latif2019",
    "librosa-mlp",
    "mirsamadi2017-attention-lld",
    "mirsamadi2017-frame-lld",
    "wang2020-dslstm",
    "yoon2018-mdrea",
    "zhao2019",
)
"""One network of each kind, for questions that take seconds; the others are slow."""
USUAL_FIRST = [
    pytest.param(name, marks=() if name in USUAL else pytest.mark.slow) for name in NETWORKS
]
TABLE_50 = 3747 * 50  # the embedding of the vocabulary of IEMOCAP

PARAMETERS = {
    "aldeneh2017-logmel40": (4_472_324, 4_475_399),
    "aldeneh2017-logmel240": (13_688_324, 13_691_399),
    "aldeneh2017-spec240": (13_688_324, 13_691_399),
    "latif2019": (1_275_772, 1_278_847),
    "zhang2019": (706_836, 707_223),
    "zhao2019": (597_700, 598_087),
    "zhao2019-logmel40": (597_700, 598_087),
    # 200 more columns into two directions of four gates of 128 units
    "zhao2019-logmel240": (597_700 + 204_800, 598_087 + 204_800),
    "zhao2019-spec240": (597_700 + 204_800, 598_087 + 204_800),
    "encoder-linear": (13 + 4 * 1_537, 13 + 7 * 1_537),
    "krishna2019-acoustic": (233_732, 234_503),
    "krishna2019-speech": (315_908 + TABLE_50, 316_679 + TABLE_50),
    "krishna2019-word": (315_908 + TABLE_50, 316_679 + TABLE_50),
    "krishna2019-combined-speech": (614_148 + TABLE_50, 614_919 + TABLE_50),
    "krishna2019-combined-word": (614_148 + TABLE_50, 614_919 + TABLE_50),
    "librosa-mlp": (55_504, 56_407),
    "librosa-lstm": (290_308, 290_695),
    **dict.fromkeys(
        ("mirsamadi2017-frame-lld", "mirsamadi2017-final-lld", "mirsamadi2017-mean-lld"),
        (165_892, 166_663),
    ),
    "mirsamadi2017-attention-lld": (166_148, 166_919),
    **dict.fromkeys(
        ("mirsamadi2017-frame-fft", "mirsamadi2017-final-fft", "mirsamadi2017-mean-fft"),
        (1_052_164, 1_052_935),
    ),
    "mirsamadi2017-attention-fft": (1_052_420, 1_053_191),
    "mirsamadi2017-dnn-mean": (396_804, 398_343),
    "mirsamadi2017-dnn-mmm": (400_900, 405_511),
    "mirsamadi2017-dnn-full": (409_092, 419_847),
    # Trained ones as published, and the moving statistics of the batch normalisations: 160 for a
    # convolutional block, and for the DS-LSTM 800 for its states and 3200 for each of 55 steps.
    "wang2020-base1": (513_604, 514_207),
    "wang2020-base2": (666_452 + 160, 667_055 + 160),
    "wang2020-base3": (871_252 + 160, 871_855 + 160),
    "wang2020-base4": (1_537_704 + 320, 1_538_910 + 320),
    "wang2020-base5": (2_051_308 + 320, 2_053_117 + 320),
    "wang2020-base6": (1_180_056 + 160, 1_181_262 + 160),
    "wang2020-dslstm": (1_858_500 + 1_120 + 176_000, 1_859_103 + 1_120 + 176_000),
    "wang2020-dual": (2_372_104 + 1_120 + 176_000, 2_373_310 + 1_120 + 176_000),
    "yoon2018-are": (144_944, 145_652),
    "yoon2018-tre": (1_425_504, 1_426_107),
    "yoon2018-mdre": (1_617_284, 1_617_938),
    "yoon2018-mdrea": (1_617_504, 1_618_707),
}
"""Total parameters for 4 and for 7 classes."""

SUBTRACTED = {"bias": ("moving_mean",)}
"""Weights whose gradient is zero, as the normalisation after them subtracts what they add."""

ON_JAX = """
import sys, numpy as np
from tests.test_every_model import NETWORKS, predict_and_train
np.savez(sys.argv[1], **{name: predict_and_train(name) for name in NETWORKS})
"""


@pytest.fixture(autouse=True, scope="module")
def only_what_is_made_here_is_searched():
    """Leave what is there already out of searches for garbage, which become quick."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_network_is_kept(only_what_is_made_here_is_searched):
    """Free a test's networks, which refer to themselves; Python would let gigabytes pile up."""
    yield
    gc.collect()


def is_text(name: str, key: str) -> bool:
    """Whether an input holds word numbers."""
    return models.get(name).inputs[key].feature == "tokens"


def small_shapes(name: str, times: int = 1, pictures: int | None = None) -> dict[str, tuple]:
    """Shapes of the shortest clip, as wide as the paper's, or of one `times` as long.

    Spectrograms that are one picture are `pictures` times as long, if that is given.
    """
    shapes = {}
    for key, paper in models.shapes(name).items():
        least = models.smallest(name)[key]
        if len(paper) == 3:
            shapes[key] = (least[0], least[1] * (pictures or times), 1)
        else:
            rows = least[0] * times * (4 if is_text(name, key) else 1)
            shapes[key] = (min(rows, paper[0] or rows), *paper[1:])
    return shapes


def clips(
    name: str, count: int, times: int = 1, pictures: int | None = None
) -> dict[str, np.ndarray]:
    """Noise of the smallest shape, or `times` as long; words where a text is read."""
    random = np.random.default_rng(0)
    made = {}
    for key, shape in small_shapes(name, times, pictures).items():
        if is_text(name, key):
            made[key] = random.integers(1, 3747, (count, *shape)).astype(np.float32)
        else:
            made[key] = random.standard_normal((count, *shape), np.float32)
    return made


LEARNERS: WeakKeyDictionary[keras.Model, keras.Model] = WeakKeyDictionary()
"""What trains a network: the same layers, up to the logits."""


def compiled(name: str, optimizer: str, rate: float, *, times: int = 1, seed: int = 0):
    """A network for 4 classes and the smallest shape, ready to train."""
    import keras

    from emobench.training.network import Network

    keras.utils.set_random_seed(seed)
    network = Network(models.get(name), small_shapes(name, times), 4)
    network.learner.optimizer = keras.optimizers.get(
        {"class_name": optimizer, "config": {"learning_rate": rate}}
    )
    network.learner.optimizer.build(network.learner.trainable_variables)
    LEARNERS[network.model] = network.learner
    return network.model


def train(name: str, model: keras.Model, inputs: dict[str, np.ndarray], truth: np.ndarray) -> None:
    """Train on one batch."""
    targets = np.eye(4, dtype=np.float32)[truth]
    outputs = models.get(name).outputs
    trained = [key for key, output in outputs.items() if output.loss]
    LEARNERS[model].train_on_batch(
        inputs, dict.fromkeys(trained, targets) if len(outputs) > 1 else targets
    )


def chances(name: str, outputs) -> np.ndarray:
    """The probabilities among what a network gave."""
    if isinstance(outputs, dict):
        outputs = outputs[models.get(name).prediction]
    return np.asarray(outputs)


def prepared(name: str) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """A network whose weights no backend has drawn, and clips for it."""
    model = compiled(name, "SGD", 1e-2)
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(random.standard_normal(weight.shape, np.float32) * 0.05)
    return model, clips(name, 4)


def predict_and_train(name: str) -> np.ndarray:
    """Predictions before a training step, which must change the weights to finite numbers."""
    model, inputs = prepared(name)
    before = chances(name, model.predict(inputs, verbose=0))
    start = np.array(model.trainable_weights[-1])
    train(name, model, inputs, np.arange(4))
    assert all(np.isfinite(np.array(weight)).all() for weight in model.weights)
    assert not np.array_equal(start, np.array(model.trainable_weights[-1]))
    return before


@pytest.mark.parametrize("name", NETWORKS)
def test_parameter_counts_are_the_published_ones(name):
    counts = tuple(models.build(name, n_classes).count_params() for n_classes in (4, 7))
    assert counts == PARAMETERS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_builds_for_two_to_nine_classes_and_gives_probabilities(name):
    for n_classes in (2, 9):
        model = models.build(name, n_classes, small_shapes(name))
        found = chances(name, model(clips(name, 3)))
        assert found.shape == (3, n_classes)
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_is_trained(name):
    times = 4  # so that recurrent layers have a second step
    model = compiled(name, "SGD", 1.0, times=times)
    before = [np.array(weight) for weight in model.trainable_weights]
    train(name, model, clips(name, 4, times), np.arange(4))
    for weight, start in zip(model.trainable_weights, before, strict=True):
        *layer, last = weight.path.split("/")
        siblings = {
            other.path.split("/")[-1]
            for other in model.weights
            if other.path.split("/")[:-1] == layer
        }
        subtracted = last in SUBTRACTED and siblings >= set(SUBTRACTED[last])
        assert np.isfinite(np.array(weight)).all(), weight.path
        assert (not np.array_equal(np.array(weight), start)) != subtracted, weight.path


@pytest.mark.parametrize("name", USUAL_FIRST)
def test_saved_and_loaded_it_predicts_the_same(name, tmp_path):
    import keras

    model = compiled(name, "Adam", 1e-3)
    inputs = clips(name, 4)
    train(name, model, inputs, np.arange(4))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        chances(name, loaded.predict(inputs, verbose=0)),
        chances(name, model.predict(inputs, verbose=0)),
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_same_seed_same_weights(name):
    first, again, other = (compiled(name, "SGD", 1e-3, seed=seed).weights for seed in (3, 3, 4))
    same = [np.array_equal(np.array(a), np.array(b)) for a, b in zip(first, again, strict=True)]
    assert all(same)
    assert any(
        not np.array_equal(np.array(a), np.array(b)) for a, b in zip(first, other, strict=True)
    )


@pytest.mark.parametrize("name", USUAL_FIRST)
def test_overfits_sixteen_clips(name):
    model = compiled(name, "Adam", 1e-3)
    inputs = clips(name, 16)
    truth = np.arange(16) % 4
    found = np.full(16, -1)
    for _ in range(40):
        for _ in range(10):
            train(name, model, inputs, truth)
        found = chances(name, model.predict(inputs, verbose=0)).argmax(1)
        if (found == truth).all():
            break
    np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize("name", NETWORKS)
def test_longer_clips_are_accepted_and_padding_leaves_masked_models_alone(name):
    masked = models.get(name).masked
    # A picture is not padded but stretched; an input of one row has one, and an encoder its layers.
    encoded = [key for key, used in models.get(name).inputs.items() if used.feature == "encoder"]
    fixed = {*encoded, *(key for key, shape in models.shapes(name).items() if shape[0] == 1)}
    shapes = {
        key: shape if len(shape) == 3 or key in fixed else (None, *shape[1:])
        for key, shape in small_shapes(name, 2, pictures=1 if masked else 2).items()
    }
    model = models.build(name, 4, shapes)
    short = clips(name, 3, 1, pictures=1 if masked else 2)
    padded = clips(name, 3, 2, pictures=1 if masked else 2)
    for key, value in padded.items():
        value[:, : short[key].shape[1]] = short[key]
        value[:, short[key].shape[1] :] = 0
    on_padded = chances(name, model.predict(padded, verbose=0))
    assert np.isfinite(on_padded).all()
    if masked:
        on_short = chances(name, model.predict(short, verbose=0))
        np.testing.assert_allclose(on_padded, on_short, atol=1e-6)


@pytest.mark.slow
def test_jax_predicts_what_tensorflow_does_and_trains(tmp_path):
    root = Path(__file__).parent.parent
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(root),
    }
    file = tmp_path / "jax.npz"
    subprocess.run(
        [sys.executable, "-c", ON_JAX, str(file)],
        check=True,
        cwd=root,
        env=environment,
        timeout=500,
    )
    on_jax = np.load(file)
    for name in NETWORKS:
        model, inputs = prepared(name)
        here = chances(name, model(inputs))
        np.testing.assert_allclose(on_jax[name], here, atol=1e-4, err_msg=name)


def test_listing_models_imports_neither_keras_nor_scikit_learn():
    code = (
        "import sys; from emobench import models; models.names(); "
        "assert not {'keras', 'sklearn', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


def test_names_are_found_however_they_are_written():
    assert models.get("Latif_2019 ").name == "latif2019"
    assert models.get("ALDENEH2017 LOGMEL40").name == "aldeneh2017-logmel40"


@pytest.mark.parametrize(
    ("arguments", "config", "message"),
    [
        (("latif2018", 4), {}, r"found 'latif2018'\. Did you mean 'latif2019'"),
        (("svm-is09", 4), {}, "expected a network, found an estimator"),
        (("latif2019", 1), {}, "expected 2 classes or more, found 1"),
        (("latif2019", 4), {"dropuot": 0.1}, "found 'dropuot'. Did you mean 'dropout'"),
        (
            ("latif2019", 4),
            {"dropout": "much"},
            r"expected dropout as a number, found 'much'. The paper's value is 0.3",
        ),
        (("latif2019", 4, {"samples": (None, 1)}), {}, "inputs waveform, found samples"),
        (("latif2019", 4, {"waveform": (300, 1)}), {}, r"\(320, 1\) or more, found \(300, 1\)"),
        (("zhao2019", 4, {"spectrogram": (498,)}), {}, r"or more, found \(498,\)"),
    ],
)
def test_mistakes_are_explained(arguments, config, message):
    with pytest.raises(SpecError, match=message):
        models.build(*arguments, **config)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'latif2019': expected a new name"):
        models.register(models.get("latif2019"))
