"""A network as ONNX gives the probabilities that Keras gives, padded and unpadded."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emobench import features, models
from emobench.bundles import onnx
from emobench.bundles.contents import Contents
from emobench.bundles.folder import open_bundle, write
from emobench.bundles.model import load_model
from emobench.errors import BundleError, SpecError
from emobench.experiments.fitted_input import FittedInput
from emobench.features import Fitted
from emobench.scaling import Standard
from emobench.spec import InputSpec

INSTALLED = all(importlib.util.find_spec(name) for name in onnx.PACKAGES)
needs_onnx = pytest.mark.skipif(not INSTALLED, reason="needs the packages of emobench[onnx]")
# tf2onnx and the packages that it loads, which are not ours to mend
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

LOOPS = (
    *("yoon2018-are", "yoon2018-mdrea", "mirsamadi2017-attention-lld", "wang2020-base5"),
    *("librosa-lstm", "krishna2019-combined-word"),
)
NETWORKS = [name for name in models.names() if models.get(name).kind == "network"]


def bundle(name: str, folder: Path) -> Path:
    """Write the bundle of a network whose weights are random, and none of them zero."""
    import keras

    from emobench.backend import start_backend

    start_backend()
    spec = models.get(name)
    keras.utils.set_random_seed(3)
    network = spec.build(spec.config, models.shapes(name), 5)
    random = np.random.default_rng(3)
    for weight in network.weights:
        inside = int(np.prod(weight.shape[:-1]))  # not so large that the softmax is all or nothing
        drawn = random.normal(0, 0.1 if inside == 1 else 0.3 / np.sqrt(inside), weight.shape)
        weight.assign(weight + (np.abs(drawn) if "variance" in weight.name else drawn))
    inputs = {key: fitted(item, models.shapes(name)[key]) for key, item in spec.inputs.items()}
    contents = Contents.of(spec, spec.config, tuple("abcde"), inputs)
    write(folder, contents, "# random", "0", lambda place: network.save(place / "model.keras"))
    return folder


def fitted(item: InputSpec, shape: tuple[int | None, ...]) -> FittedInput:
    """Return an input that was standardised with means of 0 and scales of 1."""
    spec, front_end = features.spec(item.feature, **item.params), features.get(item.feature)
    standard = None
    if not front_end.text:
        columns = features.get(front_end.source or item.feature).shape(dict(spec.params))[1]
        standard = Standard(np.zeros(columns), np.ones(columns), np.zeros(columns, bool))
    return FittedInput(spec, "none", standard, Fitted(shape))


def assert_agreement(folder: Path) -> None:
    """Compare the converted network with the bundle's on clips that it was not compared on."""
    import onnxruntime

    onnx.convert(folder)
    assert "model.onnx" in json.loads((folder / "bundle.json").read_text())["files"]
    model = load_model(folder)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    assert {each.name for each in session.get_inputs()} == set(model.contents.inputs)
    random = np.random.default_rng(8)
    for clips, rows in ((1, 700), (6, 960)):
        given = {}
        for name, item in model.contents.inputs.items():
            multiple = item.front_end.bucket_multiple
            padded = -(-rows // multiple) * multiple
            shape = [clips, *(padded if size is None else size for size in item.shape)]
            one_hot = len(item.shape) == 1
            values = random.integers(0, 40, shape) if one_hot else random.normal(0, 1.5, shape)
            if item.shape[0] is None:
                values[0, -rows // 3 :] = 0
            given[name] = values.astype(np.float32)
        known = model.predictor.model.predict_on_batch(given)
        known = known[model.predictor.output] if isinstance(known, dict) else known
        (found,) = session.run(["probabilities"], given)
        spread = np.ptp(known, axis=0).max() if clips > 1 else 1
        assert spread > 2e-4, "every clip is predicted alike"
        np.testing.assert_allclose(found, known, atol=min(1e-4, spread / 4))


@needs_onnx
@pytest.mark.parametrize("name", ["aldeneh2017-logmel40", "yoon2018-mdrea"])
def test_a_converted_network_agrees_with_keras(name, tmp_path):
    assert_agreement(bundle(name, tmp_path / "bundle"))


@needs_onnx
@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_converted(name, tmp_path):
    assert_agreement(bundle(name, tmp_path / "bundle"))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_that_is_converted_is_that_of_keras(reverse):
    from keras import ops

    from emobench.models.layers.time_loop import loops_made_by, over_time

    random = np.random.default_rng(5)
    rows, kernel = random.normal(size=(7, 2, 3)), random.normal(size=(3, 3))

    def step(carry, here):
        state = ops.tanh(ops.matmul(carry[0], kernel) + here[0] * here[1])
        return (state, carry[1] + state), (state, state * 2)

    given = (ops.zeros((2, 3), "float64"),) * 2, (rows, np.arange(7.0))
    found = over_time(step, *given, reverse=reverse)
    made = []

    def loop(*asked):
        made.append(asked)
        return onnx._loop(*asked)

    with loops_made_by(loop):
        converted = over_time(step, *given, reverse=reverse)
    assert len(made) == 1
    state, total = np.zeros((2, 3)), np.zeros((2, 3))
    kept = np.zeros((7, 2, 3))
    for at in reversed(range(7)) if reverse else range(7):
        state = np.tanh(state @ kernel + rows[at] * at)
        total, kept[at] = total + state, state
    for carried, stacked in (found, converted):
        np.testing.assert_allclose(carried[0], state, atol=1e-12)
        np.testing.assert_allclose(carried[1], total, atol=1e-12)
        np.testing.assert_allclose(stacked[0], kept, atol=1e-12)
        np.testing.assert_allclose(stacked[1], kept * 2, atol=1e-12)


@needs_onnx
def test_a_network_that_is_converted_wrongly_is_not_kept(tmp_path, monkeypatch):
    folder = bundle("librosa-mlp", tmp_path / "bundle")
    before = (folder / "bundle.json").read_bytes()
    write_right = onnx._write

    def write_wrong(network, *rest):
        write_right(network, *rest)
        kernel = network.weights[-2]
        kernel.assign(kernel * -1)

    monkeypatch.setattr(onnx, "_write", write_wrong)
    with pytest.raises(BundleError, match=r"expected probabilities as Keras computes them"):
        onnx.convert(folder)
    assert not (folder / "model.onnx").exists()
    assert (folder / "bundle.json").read_bytes() == before
    assert open_bundle(folder).contents.model == "librosa-mlp"


def test_packages_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(onnx, "PACKAGES", ("json", "tf2onnx_of_nobody"))
    with pytest.raises(SpecError, match=r"found no tf2onnx_of_nobody. Run `pip install emobench"):
        onnx.insist_on_converter()


@needs_onnx
def test_the_command_converts(tiny_data, tiny_cache, tmp_path, capsys):
    from emobench.cli import main

    words = ["export", "librosa-mlp:l2=0.001", "--corpus", "tiny", "--protocol", "smoke", "--onnx"]
    words += ["--epochs", "1", "--data", tiny_data, "--datasets", tiny_data / "datasets.yaml"]
    words += ["--cache", tiny_cache, "--results", tmp_path, "--out", tmp_path / "bundle"]
    with pytest.raises(SystemExit) as stop:
        main(list(map(str, words)))
    assert not stop.value.code, capsys.readouterr().err
    assert (tmp_path / "bundle" / "model.onnx").stat().st_size > 10_000
    shutil.rmtree(tmp_path / "bundle")
