"""Frozen encoders: the card, the values, the cache, the classifiers on top, and what they heard."""

from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from stored import FakeRegistry, Filled, current
from stored import experiment as described_experiment

from emobench import audio, corpora, encoders, features, leaderboard, models, protocols
from emobench.audit.of_stored import of_results as audit_of_results
from emobench.cli import main
from emobench.errors import FeatureError, SpecError
from emobench.experiments import configuration, current_fingerprint, extras
from emobench.features import cache as caching
from emobench.features import extraction
from emobench.models.encoder_heads import LayerConfig, LayerMachine
from emobench.results.lookup import Lookup
from emobench.runs import Selection, execute, plan
from emobench.runs.extraction import parse
from emobench.store import read_experiments

pytest.importorskip("onnx", reason="needs onnx, which makes the encoders of these tests")
pytest.importorskip("onnxruntime", reason="needs onnxruntime, which computes with them")

from onnx_encoders import CARD, LAYERS, WIDTH, model, reference, write_encoder

RATE = 16_000


def noise(seconds: float = 0.7, seed: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (0.1 * random.standard_normal(round(seconds * RATE))).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    return write_encoder(tmp_path / "encoder")


# The card -----------------------------------------------------------------------------------------


def test_a_card_is_read_as_it_is_written(folder):
    card = encoders.read_card(folder)
    assert (card.name, card.sampling_rate, card.layers) == ("tiny-random", 16_000, LAYERS)
    assert card.training_corpora == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widht": 6}, r"card.yaml: expected one of the known keys, found 'widht'. Did you mean"),
        ({"width": None}, r"card.yaml: expected the key width, found none"),
        ({"layers": "three"}, r"layers: expected a valid integer.*found 'three'"),
        ({"layers": 0}, r"layers: expected greater than or equal to 1, found '0'"),
        ({"sha256": "abc"}, r"sha256: expected match pattern.*found 'abc'"),
        ({"training_corpora": "iemocap"}, r"training_corpora: expected a valid tuple"),
        ({"file": "../model.onnx"}, r"file: expected match pattern"),
        ({"name": "a b"}, r"name: expected match pattern"),
    ],
)
def test_a_wrong_card_is_explained(tmp_path, change, message):
    with pytest.raises(SpecError, match=message):
        encoders.read_card(write_encoder(tmp_path / "encoder", **change))


def test_a_key_that_stands_twice_is_refused(folder):
    with (folder / "card.yaml").open("a") as stream:
        stream.write("name: another\n")
    with pytest.raises(SpecError, match="expected YAML in UTF-8, found: a key twice"):
        encoders.read_card(folder)


def test_folders_without_a_card_are_told_apart(tmp_path):
    with pytest.raises(SpecError, match="expected the folder of an encoder"):
        encoders.read_card(tmp_path / "absent")
    with pytest.raises(SpecError, match=r"found no card\.yaml\. The keys of a card: name, format"):
        encoders.read_card(tmp_path)
    (tmp_path / "metadata.json").write_text("{}")
    with pytest.raises(SpecError, match=r"beside the preset of KerasHub, found none\. Write one"):
        encoders.read_card(tmp_path)


def test_a_model_that_is_not_the_one_of_the_card_is_refused(folder):
    (folder / "model.onnx").write_bytes(model(seed=9))
    with pytest.raises(SpecError, match=r"expected the SHA-256 of card\.yaml"):
        encoders.identity(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(SpecError, match=r"expected the ONNX model that card\.yaml names"):
        encoders.identity(folder)


def vouched(folder, content: bytes):
    """Put a file in place of the model, and its hash into the card."""
    import hashlib

    (folder / "model.onnx").write_bytes(content)
    card = yaml.safe_load((folder / "card.yaml").read_text())
    card["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "card.yaml").write_text(yaml.safe_dump(card))


def test_models_that_cannot_be_used_are_explained(folder, tmp_path):
    from onnx import ModelProto, TensorProto, helper
    from onnx.external_data_helper import set_external_data

    vouched(folder, b"no model")
    with pytest.raises(FeatureError, match="expected an ONNX model that onnxruntime"):
        encoders.open_encoder(folder)
    made = ModelProto.FromString(model())
    weight = made.graph.initializer[1]
    set_external_data(weight, "weights.bin")
    vouched(folder, made.SerializeToString())
    with pytest.raises(FeatureError, match="found one with weights in another"):
        encoders.open_encoder(folder)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["mel"], ["out"])],
        "mel",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["b", 80, "t"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["b", 80, "t"])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    vouched(folder, made.SerializeToString())
    with pytest.raises(FeatureError, match=r"expected one input, float32 of shape \(batch, samp"):
        encoders.open_encoder(folder)


# Values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stacked", [False, True])
def test_values_are_mean_and_deviation_of_every_layer(tmp_path, stacked):
    folder = write_encoder(tmp_path / "encoder", stacked=stacked)
    samples = noise()
    values = features.extract("encoder", samples, RATE, encoder=str(folder))
    layers = reference(samples)
    expected = np.stack([layers.mean(axis=1), layers.std(axis=1)], axis=1)
    assert values.shape == (1, LAYERS * 2 * WIDTH)
    np.testing.assert_allclose(values.reshape(LAYERS, 2, WIDTH), expected, atol=1e-5)


def test_sound_is_brought_to_the_rate_of_the_card(tmp_path):
    folder = write_encoder(tmp_path / "encoder", sampling_rate=8_000)
    encoder = encoders.open_encoder(folder)
    time = np.arange(8_000) / 8_000
    swell = np.sin(np.pi * time) ** 2  # no edge for the filters to ring at
    tone = (swell * (np.sin(2 * np.pi * 310 * time) + np.sin(7_000 * time))).astype(np.float32)
    assert encoder.encode(tone[None]).shape[2] == len(reference(tone)[0])
    values = features.extract("encoder", tone, 8_000, encoder=str(folder))
    # To 16 kHz, where every front-end begins, and back: a tone survives that.
    expected = reference(tone)
    expected = np.stack([expected.mean(axis=1), expected.std(axis=1)], axis=1)
    np.testing.assert_allclose(values.reshape(LAYERS, 2, WIDTH), expected, atol=1e-3)


def test_what_a_model_sees_of_a_clip(folder):
    front_end = features.get("encoder")
    cached = np.arange(LAYERS * 2 * WIDTH, dtype=np.float32)[None]
    layers = cached.reshape(LAYERS, 2 * WIDTH)
    for layer, expected in (
        ("all", layers),
        ("mean", layers.mean(axis=0)[None]),
        ("2", layers[2:]),
    ):
        params = {"encoder": str(folder), "layer": layer}
        fitted = front_end.fit((), params)
        seen = front_end.transform(cached, params, fitted.state)
        assert seen.shape == fitted.shape
        np.testing.assert_array_equal(seen, expected)
    with pytest.raises(SpecError, match=r"expected all, mean or a number from 0 to 2.*found '3'"):
        front_end.fit((), {"encoder": str(folder), "layer": "3"})


def test_an_encoder_that_is_not_what_its_card_says_is_refused(tmp_path):
    folder = write_encoder(tmp_path / "encoder", width=WIDTH + 1)
    with pytest.raises(FeatureError, match=r"expected 3 layers of 7 columns.*found 3 of 6"):
        features.extract("encoder", noise(), RATE, encoder=str(folder))


def test_a_front_end_without_its_folder_is_explained():
    with pytest.raises(FeatureError, match="Give it with --encoder FOLDER"):
        features.extract("encoder", noise(), RATE)


def test_the_cache_counts_content_and_not_path(folder, tmp_path, tiny_places, monkeypatch):
    cache = tmp_path / "cache"  # other tests fill the shared one, in any order
    table = corpora.load(
        corpora.load_registry(tiny_places.datasets).get("tiny"), tiny_places.data, cache
    )
    extracted = []
    compute = caching.extract_all
    monkeypatch.setattr(
        caching, "extract_all", lambda *args: (extracted.append(1), compute(*args))[1]
    )

    def load(where):
        spec = parse(f"encoder:{where}")
        return features.load(table, spec, cache=cache)

    first = load(folder)
    shutil.copytree(folder, tmp_path / "elsewhere")
    second = load(tmp_path / "elsewhere")
    (pack,), (again,) = first.packs, second.packs
    assert pack.folder == again.folder
    assert str(tmp_path) not in str(pack.folder.relative_to(cache))
    load(write_encoder(tmp_path / "renamed", name="other", licence="another"))
    assert len(extracted) == 1
    load(write_encoder(tmp_path / "trained", seed=1))
    assert len(extracted) == 2


def lacking(what, spec, condition, clips):
    """Extract, in the process that does, without something."""
    model = importlib.import_module("emobench.encoders.model")

    def exhausted(waveforms):
        raise RuntimeError("Failed to allocate memory for requested buffer of size 1")

    if what == "package":
        model.missing_package = lambda folder: "onnx"
    else:
        encoders.open_encoder(Path(dict(spec.params)["encoder"]))._compute = exhausted
    return extraction._extract_task(spec, condition, clips)


@pytest.mark.parametrize("what", ["package", "memory"])
def test_what_is_missing_for_a_moment_is_not_held_against_clips(
    folder, tmp_path, tiny_places, monkeypatch, what
):
    table = corpora.load(
        corpora.load_registry(tiny_places.datasets).get("tiny"), tiny_places.data, tiny_places.cache
    )
    spec, cache = parse(f"encoder:{folder}"), tmp_path / "cache"
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "_extract_task", partial(lacking, what))
        with pytest.raises(FeatureError, match=r"not installed|expected memory"):
            features.load(table, spec, cache=cache, skip_bad=True)
    found = features.load(table, spec, cache=cache)
    assert (len(found), found.bad) == (len(table), {})


def test_layers_are_standardised_by_speaker(folder, tiny_places):
    from emobench.experiments import dataset

    places = replace(tiny_places, encoder=folder)
    corpus = corpora.load_registry(places.datasets).get("tiny")
    data = dataset.load(corpus, models.get("encoder-layer"), places)
    assert data.inputs["layers"].learnt.values.moments.count.shape == (len(data.table), 0)
    found = data.matrix("layers", np.arange(6, 24), np.arange(6))
    raw = np.stack(
        [
            features.extract("encoder", audio.read(path), RATE, encoder=str(folder))[0]
            for path in data.table["path"]
        ]
    ).astype(np.float64)
    expected = np.zeros_like(raw)
    for speaker in set(data.table["speaker"]):
        own = (data.table["speaker"] == speaker).to_numpy()
        expected[own] = (raw[own] - raw[own].mean(axis=0)) / raw[own].std(axis=0)
    assert found.shape == (len(raw), LAYERS, 2 * WIDTH)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=2e-4)


# What tells an experiment -------------------------------------------------------------------------


def configured(places, folder, model="encoder-svm"):
    places = replace(places, encoder=folder)
    spec = models.get(model)
    from emobench.conditions import Condition

    beside = extras(spec, places, Condition(), "test")
    corpus = corpora.load_registry().get("demo")
    return configuration(corpus, spec, protocols.get("smoke"), extras=beside)


def test_a_configuration_holds_the_content_of_an_encoder_and_not_its_path(
    folder, tmp_path, tiny_places
):
    here = configured(tiny_places, folder)
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert configured(tiny_places, tmp_path / "elsewhere") == here
    assert str(tmp_path) not in json.dumps(here)
    assert here["encoder"]["sha256"] == encoders.read_card(folder).sha256
    assert configured(tiny_places, write_encoder(tmp_path / "b", seed=1)) != here
    heard = write_encoder(tmp_path / "c", training_corpora=["IEMOCAP"])
    assert configured(tiny_places, heard) != here
    assert "encoder" not in configured(tiny_places, folder, "svm-is09")


def test_models_of_encoders_are_left_out_where_none_is_given(tiny_places):
    with pytest.raises(SpecError, match="encoder-svm on tiny: it needs a frozen encoder"):
        plan(Selection(("encoder-svm",), ("tiny",)), tiny_places)
    left_out = plan(Selection(("all",), ("tiny",)), tiny_places).left_out
    assert "needs a frozen encoder" in left_out["encoder-linear on tiny"]


def test_a_layer_that_the_encoder_lacks_is_said_before_anything_runs(folder, tiny_places):
    places = replace(tiny_places, encoder=folder)
    with pytest.raises(SpecError, match="found '12'"):
        plan(Selection(("encoder-svm:layer=12",), ("tiny",)), places)


# Classifiers --------------------------------------------------------------------------------------


def test_the_layer_is_chosen_like_any_other_hyper_parameter():
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.svm import SVC

    random = np.random.default_rng(0)
    labels = np.array(["a", "b", "c"] * 20)
    values = random.standard_normal((60, 4, 5))
    values[:, 2] += (labels == "b")[:, None] * 1.0 + (labels == "c")[:, None] * -0.7
    splits = [(np.arange(0, 40), np.arange(40, 60)), (np.arange(20, 60), np.arange(0, 20))]
    costs = (0.01, 1.0)
    machine = LayerMachine(LayerConfig(C=costs))
    found = machine.tune(values, list(labels), splits, weights="none")
    assert machine.tune(iter([values, values]), list(labels), splits, weights="none") == found
    expected = {
        (layer, cost): np.mean(
            [
                balanced_accuracy_score(
                    labels[test],
                    SVC(C=cost, kernel="linear", break_ties=True)
                    .fit(values[train, layer], labels[train])
                    .predict(values[test, layer]),
                )
                for train, test in splits
            ]
        )
        for layer in range(4)
        for cost in costs
    }
    reached = {(cell["layer"], cell["C"]): cell["score"] for cell in found.scores}
    assert reached == pytest.approx(expected)
    best = max(expected, key=expected.get)
    assert (found.parameters["layer"], found.parameters["C"]) == best
    assert best[0] == 2
    fitted = machine.fit(values, list(labels), np.ones(60), found.parameters)
    by_hand = SVC(C=best[1], kernel="linear").fit(values[:, 2], labels).predict(values[:, 2])
    chosen = np.array(fitted.classes)[fitted.predict(values).argmax(axis=1)]
    np.testing.assert_array_equal(chosen, by_hand)


def test_the_middle_layer_stands_where_nothing_is_tuned():
    values = np.random.default_rng(0).standard_normal((12, 5, 3))
    fitted = LayerMachine(LayerConfig()).fit(values, ["a", "b"] * 6, np.ones(12), {"C": 1.0})
    assert fitted.layer == 2


def test_every_classifier_runs_and_names_the_encoder(tmp_path, tiny_places):
    folder = write_encoder(tmp_path / "encoder", training_corpora=["LibriSpeech", "Tiny"])
    places = replace(tiny_places, encoder=folder)
    names = ("encoder-svm", "encoder-svm:layer=1", "encoder-layer")
    selection = Selection(names, ("tiny",), "losgo", folds=(0,))
    summary = execute(plan(selection, places), places)
    assert summary.failures == {}
    stored = {one.experiment["model"]: one for one in read_experiments(places.results)}
    assert set(stored) == set(names)
    (record,) = stored["encoder-layer"].records
    assert record["parameters"]["layer"] in range(LAYERS)
    assert record["tuned_on"].startswith("training folds")
    assert {cell["layer"] for cell in record["grid"]} == set(range(LAYERS))
    digest = encoders.read_card(folder).sha256
    for one in stored.values():
        assert one.experiment["configuration"]["encoder"]["sha256"] == digest
    registry = corpora.load_registry(places.datasets)
    (audit,) = audit_of_results(
        places, registry=registry, current=lambda one: current_fingerprint(one, registry)
    )
    (heard,) = [one for one in audit.findings if one.kind == "encoder-heard-corpus"]
    assert heard.severity == "declared"
    assert "trained on Tiny, test speakers included" in heard.found
    assert not any(one.severity == "hard" for one in audit.findings)


def test_the_linear_classifier_trains(folder, tiny_places):
    places = replace(tiny_places, encoder=folder)
    summary = execute(plan(Selection(("encoder-linear",), ("tiny",), "smoke"), places), places)
    assert summary.failures == {}
    (stored,) = read_experiments(places.results)
    assert stored.records[0]["network_parameters"] == LAYERS + (2 * WIDTH + 1) * 3
    assert stored.records[0]["fitted"]["layers"] == {"encoder": "tiny-random", "layer": "all"}


def test_a_mixture_of_rows_is_a_softmax_of_them():
    from emobench.models.layers import RowMixture

    layer = RowMixture()
    values = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(layer(values)), values.mean(axis=1), atol=1e-6)
    preference = np.array([0.3, -1.0, 2.0], np.float32)
    layer.set_weights([preference])
    shares = np.exp(preference) / np.exp(preference).sum()
    expected = np.einsum("r,brc->bc", shares, values)
    np.testing.assert_allclose(np.asarray(layer(values)), expected, atol=1e-6)


def test_a_random_encoder_stays_at_chance_on_the_control(folder, tmp_path, tiny_places):
    from emobench.analysis.intervals import mean_interval

    places = replace(tiny_places, encoder=folder, data=None, datasets=())
    selection = Selection(("encoder-svm", "encoder-layer"), ("demo:control",), "losgo")
    summary = execute(plan(selection, places), places)
    assert summary.failures == {}
    both = read_experiments(places.results)
    assert len(both) == 2
    for table in (stored.predictions for stored in both):
        right = table["predicted"] == table["label"]
        by_label = right.groupby([table["speaker"], table["label"]]).mean()
        uars = by_label.groupby(level=0).mean()
        chance = 1 / table["label"].nunique()
        low, high = mean_interval(list(uars))
        assert len(uars) == 6
        assert low <= chance <= high


# What was heard -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registry():
    return corpora.load_registry()


@pytest.mark.parametrize(
    ("corpus", "named", "heard"),
    [
        ("emo-db", ["Emo DB", "LibriSpeech"], ("Emo DB",)),
        ("enterface05", ["eNTERFACE'05"], ("eNTERFACE'05",)),
        ("iemocap:paper-speakers", ["IEMOCAP"], ("IEMOCAP",)),
        ("iemocap", ["iemocap:paper-speakers"], ("iemocap:paper-speakers",)),
        ("jl", ["JL-corpus"], ("JL-corpus",)),
        ("ravdess", ["EMO-DB", "LibriSpeech"], ()),
        ("my-own", ["My own"], ("My own",)),
        ("ravdess", [], ()),
    ],
)
def test_what_an_encoder_heard_is_looked_up(registry, corpus, named, heard):
    assert Lookup(registry).heard(corpus, {"training_corpora": named}) == heard


@pytest.mark.parametrize("said", [None, {}, 3, {"training_corpora": "emo-db"}])
def test_what_no_card_says_was_not_heard(registry, said):
    assert Lookup(registry).heard("emo-db", said) == ()


@pytest.mark.parametrize(
    ("corpora_of_card", "asked", "heard"),
    [
        (["LibriSpeech", "Tiny"], {"corpus": ("tiny",)}, ["tiny"]),
        (["LibriSpeech"], {"corpus": ("tiny",)}, []),
        (["other"], {"corpus": ("tiny",), "test_corpus": ("other",)}, ["other"]),
        (["Tiny"], {"corpus": ("tiny",), "test_corpus": ("other",)}, []),
    ],
)
def test_what_was_heard_is_said_before_hours_are_spent(
    tmp_path, tiny_places, caplog, corpora_of_card, asked, heard
):
    folder = write_encoder(tmp_path / "encoder", training_corpora=corpora_of_card)
    registry = tmp_path / "both.yaml"
    tiny = tiny_places.datasets[0].read_text()
    registry.write_text(
        tiny + tiny.replace("tiny:", "other:").replace("Four speakers", "Four more")
    )
    plan(
        Selection("encoder-svm", **asked),
        replace(tiny_places, encoder=folder, datasets=(registry,)),
    )
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == len(heard)
    for line, corpus in zip(said, heard, strict=True):
        assert line.split(": ")[0].endswith(corpus)
        assert "the encoder tiny-random was trained on" in line
        assert "marked in every table and never the best" in line


def test_a_result_of_a_corpus_that_was_heard_is_marked_and_never_the_best(tmp_path):
    (tmp_path / "results").mkdir()
    filled = Filled(tmp_path / "results")
    card = {"sha256": "ab" * 32, "training_corpora": ["Berlin", "RAVDESS"]}
    for name, skill in (("deaf", 0.5), ("heard", 1.0)):
        told = {**card, "name": name}
        told |= {"training_corpora": []} if name == "deaf" else {}
        filled.run(
            described_experiment("ravdess", "encoder-svm", "losgo", encoder=told), skill=skill
        )
    board = leaderboard.build(
        filled.results, protocol="losgo", current=current, registry=FakeRegistry()
    )
    (row,) = board.rows
    cells = {column.name: cell for column, cell in row.cells.items()}
    assert set(cells) == {"encoder-svm+deaf@abababab", "encoder-svm+heard@abababab"}
    marked = cells["encoder-svm+heard@abababab"]
    assert any("heard this corpus" in note and "RAVDESS" in note for note in marked.notes)
    assert "its encoder heard this corpus" in marked.barred
    for form in ("table", "markdown", "csv", "json"):
        text = leaderboard.render(board, form)
        assert "heard this corpus" in text, form
        assert "deaf" in text
    (told,) = json.loads(leaderboard.render(board, "json"))["leaderboards"][0]["rows"]
    assert told["best"] == ["encoder-svm+deaf@abababab"]


# The command --------------------------------------------------------------------------------------


def check(folder, capsys) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(["encoders", "check", str(folder)])
    return stop.value.code or 0, capsys.readouterr().out


def test_a_good_encoder_passes_its_check(tmp_path, capsys):
    folder = write_encoder(tmp_path / "encoder", training_corpora=["berlin emodb", "LibriSpeech"])
    status, out = check(folder, capsys)
    assert status == 0, out
    for word in ("sha256", "shapes", "rate", "determinism", "silence", "batching"):
        assert f"ok     {word}" in out
    assert "LibriSpeech (not registered)" in out
    assert "100 frames a second at 16,000 Hz" in out


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 5}, "WRONG  shapes         expected 3 layers of 5 columns"),
        ({"over_batch": True}, "WRONG  batching       expected two clips at once"),
        ({"window": 4}, "WRONG  rate           expected frames that follow the length"),
        ({"sampling_rate": 192_000}, "Is the rate right?"),
        ({"sha256": "0" * 64}, "WRONG  files"),
        ({"layers": "many"}, "layers: expected a valid integer"),
    ],
)
def test_an_encoder_that_breaks_a_promise_fails_its_check(tmp_path, capsys, wrong, message):
    status, out = check(write_encoder(tmp_path / "encoder", **wrong), capsys)
    assert status == 1
    assert message in out
    assert out.endswith("not good\n")


def test_the_card_of_the_tests_is_complete():
    assert {*CARD, "sha256", "file", "format"} == set(encoders.Card.model_fields)
