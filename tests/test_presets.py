"""Presets of KerasHub as frozen encoders, made on the spot with random weights."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from emobench import encoders, features
from emobench.backend import start_backend
from emobench.cli import main
from emobench.encoders import model as opening
from emobench.encoders import preset
from emobench.errors import FeatureError, SpecError

CARD = {
    "name": "tiny-preset",
    "format": "keras-hub",
    "sampling_rate": 16_000,
    "width": 8,
    "licence": "none, it is noise",
    "citation": "made by a test",
    "training_corpora": [],
}
COMMON = {"vocabulary_size": 20, "hidden_dim": 8, "intermediate_dim": 16}
RATE = 16_000
SECONDS = 2
"""That the window of the test's Whisper lasts; the real one lasts 30."""


@pytest.fixture(scope="module")
def hub():
    """KerasHub, which loads Keras with it."""
    pytest.importorskip("keras_hub", reason="needs keras-hub, which makes presets and reads them")
    start_backend()
    import keras
    import keras_hub

    keras.utils.set_random_seed(2)
    return keras_hub


def vouched(folder: Path, **card: object) -> Path:
    """Write the card of a preset."""
    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.name in ("config.json", "audio_converter.json") or "weights" in path.name
    )
    lines = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names
    )
    digest = hashlib.sha256(lines.encode()).hexdigest()
    (folder / "card.yaml").write_text(yaml.safe_dump({**CARD, "sha256": digest, **card}))
    return folder


@pytest.fixture(scope="module")
def made(hub, tmp_path_factory) -> dict[str, Path]:
    """A preset of each kind, with its card."""
    folders = {name: tmp_path_factory.mktemp("presets") / name for name in ("whisper", "moonshine")}
    hub.models.WhisperBackbone(
        num_layers=3,
        num_heads=2,
        max_encoder_sequence_length=100 * SECONDS,
        max_decoder_sequence_length=8,
        **COMMON,
    ).save_to_preset(str(folders["whisper"]))
    hub.layers.WhisperAudioConverter(max_audio_length=SECONDS).save_to_preset(
        str(folders["whisper"])
    )
    hub.models.MoonshineBackbone(
        filter_dim=8,
        encoder_num_layers=2,
        decoder_num_layers=1,
        encoder_num_heads=2,
        decoder_num_heads=2,
        **COMMON,
    ).save_to_preset(str(folders["moonshine"]))
    hub.layers.MoonshineAudioConverter().save_to_preset(str(folders["moonshine"]))
    vouched(folders["whisper"], layers=4)
    vouched(folders["moonshine"], layers=3)
    return folders


def noise(seconds: float, seed: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (0.1 * random.standard_normal(round(seconds * RATE))).astype(np.float32)


def last_layer(hub, folder: Path, samples: np.ndarray) -> np.ndarray:
    """Return what the whole model calls the output of its encoder."""
    whole = hub.models.Backbone.from_preset(str(folder))
    converted = hub.layers.AudioConverter.from_preset(str(folder))(samples[None])
    one = np.ones((1, 1), "int32")
    given = {"decoder_token_ids": one, "decoder_padding_mask": one}
    if "encoder_features" in whole.input:
        given["encoder_features"] = np.asarray(converted)
    else:
        given["encoder_input_values"] = np.asarray(converted)
        given["encoder_padding_mask"] = np.ones((1, len(samples)), bool)
    return np.asarray(whole(given, training=False)["encoder_sequence_output"])[0]


@pytest.mark.parametrize(
    ("name", "seconds", "frames"),
    [("whisper", 0.7, 35), ("whisper", 1.003, 51), ("whisper", 3.0, 100), ("moonshine", 0.7, 27)],
)
def test_the_last_layer_is_what_the_whole_model_makes_of_it(hub, made, name, seconds, frames):
    samples = noise(seconds)
    found = encoders.open_encoder(made[name]).encode(samples[None])
    assert found.shape == (1, encoders.read_card(made[name]).layers, frames, 8)
    expected = last_layer(hub, made[name], samples)[:frames]
    np.testing.assert_allclose(found[0, -1], expected, atol=1e-5)
    for layer in range(found.shape[1] - 1):
        assert np.abs(found[0, layer] - found[0, layer + 1]).max() > 1e-3


@pytest.mark.parametrize("name", ["whisper", "moonshine"])
def test_values_are_mean_and_deviation_of_every_layer(made, name):
    samples = noise(0.9)
    values = features.extract("encoder", samples, RATE, encoder=str(made[name]))
    (layers,) = encoders.open_encoder(made[name]).encode(samples[None])
    expected = np.stack([layers.mean(axis=1), layers.std(axis=1)], axis=1)
    np.testing.assert_allclose(values.ravel(), expected.ravel(), atol=1e-5)


@pytest.mark.parametrize("name", ["whisper", "moonshine"])
def test_a_good_preset_passes_its_check(made, name, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["encoders", "check", str(made[name])])
    out = capsys.readouterr().out
    assert not stop.value.code, out
    for word in ("sha256", "shapes", "rate", "shortest clip", "determinism", "silence", "batching"):
        assert f"ok     {word}" in out


def test_a_model_on_a_preset_runs(made, tiny_places):
    from emobench.runs import Selection, execute, plan

    places = replace(tiny_places, encoder=made["whisper"])
    selection = Selection(("encoder-layer",), ("tiny",), "smoke", folds=(0,))
    summary = execute(plan(selection, places), places)
    assert summary.failures == {}
    assert summary.done == 1


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("config.json", {"class_name": "BertBackbone"}, "expected one of Whisper.*'BertBackbone'"),
        ("config.json", {"more": {"module": "os", "class_name": "system"}}, "found one of 'os'"),
        ("audio_converter.json", {"module": "mine.code"}, "found one of 'mine.code'"),
        ("config.json", {"config": {"num_layers": 2}}, "expected a preset that KerasHub"),
    ],
)
def test_presets_that_are_not_opened_are_explained(made, tmp_path, file, change, message):
    folder = Path(shutil.copytree(made["whisper"], tmp_path / "preset"))
    settings = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**settings, **change}))
    with pytest.raises(SpecError, match=r"expected the SHA-256 of card\.yaml, .*, found"):
        encoders.open_encoder(folder)
    with pytest.raises(FeatureError, match=message):
        encoders.open_encoder(vouched(folder, layers=4))


def test_a_card_with_another_rate_than_the_preset_is_refused(made, tmp_path):
    folder = Path(shutil.copytree(made["whisper"], tmp_path / "preset"))
    with pytest.raises(FeatureError, match=r"audio_converter\.json, 16000, found 8000 in its card"):
        encoders.open_encoder(vouched(folder, layers=4, sampling_rate=8_000))


# Without KerasHub ---------------------------------------------------------------------------------


@pytest.fixture
def described(tmp_path) -> Path:
    """What a preset says of itself, with weights that nothing reads."""
    folder = tmp_path / "preset"
    folder.mkdir()
    named = {"module": "keras_hub.src.models", "class_name": "WhisperBackbone", "config": {}}
    (folder / "config.json").write_text(json.dumps(named))
    (folder / "audio_converter.json").write_text('{"config": {"sampling_rate": 16000}}')
    (folder / "model.weights.h5").write_bytes(b"weights")
    return vouched(folder, layers=4)


def test_the_digest_is_that_of_the_list_that_sha256sum_prints(described):
    lines = [
        f"{hashlib.sha256((described / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("audio_converter.json", "config.json", "model.weights.h5")
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert encoders.identity(described)["sha256"] == digest
    (described / "model.weights.h5").write_bytes(b"others!")
    with pytest.raises(SpecError, match=rf"expected the SHA-256 of card\.yaml, {digest}, found"):
        encoders.identity(described)
    (described / "model.weights.h5").unlink()
    with pytest.raises(
        SpecError, match=r"model\.weights\.h5: expected a file of the preset, found"
    ):
        encoders.identity(described)


def test_weights_in_several_files_are_vouched_for(described):
    (described / "model.weights.h5").unlink()
    (described / "model.weights.json").write_text("{}")
    for number in range(2):
        (described / f"model_0000{number}.weights.h5").write_bytes(bytes([number]))
    names = [path.name for path in preset.files(described)]
    assert names == [
        *("audio_converter.json", "config.json", "model.weights.json"),
        *("model_00000.weights.h5", "model_00001.weights.h5"),
    ]


def test_a_package_that_is_missing_is_named(described, monkeypatch, tiny_places):
    from emobench.runs import Selection, plan

    monkeypatch.setattr(opening.preset, "PACKAGE", "keras_hub_of_nobody")
    monkeypatch.setitem(opening._EXTRAS, "keras_hub_of_nobody", "keras-hub")
    with pytest.raises(FeatureError, match=r'Run `pip install "emobench\[keras-hub\]"`'):
        encoders.open_encoder(described)
    places = replace(tiny_places, encoder=described)
    with pytest.raises(SpecError, match=r"its encoder needs `pip install emobench\[keras-hub\]`"):
        plan(Selection(("encoder-svm",), ("tiny",)), places)
