"""A bundle predicts what the fold did that it was made of, from files and without the corpus."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import perform_here, write_tiny_corpus
from exports import export_to
from scipy.special import softmax

import emobench
from emobench import corpora
from emobench.errors import BundleError, SpecError
from emobench.executors.worker import perform
from emobench.run_options import Selection
from emobench.runs import execute, plan

TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Train without a process for each model."""
    perform_here(monkeypatch, lambda work: perform(work, lambda epoch: None))


@pytest.fixture
def texts(tiny_data, tmp_path):
    """What the speakers of `tiny` say, in a file."""
    words = ["no", "yes please", "what now", "I see"]
    table = pd.DataFrame({"id": sorted(path.stem for path in (tiny_data / "tiny").glob("*.wav"))})
    table["text"] = [words[len(name) * number % 4] for number, name in enumerate(table["id"])]
    table.to_csv(tmp_path / "texts.csv", index=False)
    return tmp_path / "texts.csv"


def ran(places, model, corpus="tiny", protocol="smoke", **options):
    """Run a fold; return its predictions with what a user has of its clips."""
    selection = Selection(model, corpus, protocol, folds=(0,), repetitions=1, epochs=1, **options)
    summary = execute(plan(selection, places), places)
    assert summary.failures == {}
    [path] = places.results.rglob("fold-00*-1.parquet")
    stored = pd.read_parquet(path).set_index("id")
    entry = corpora.load_registry(places.datasets).get(corpus)
    table = corpora.load(entry, places.data, places.cache)
    if places.transcripts:
        given = pd.read_csv(places.transcripts).set_index("id")["text"]
        table["transcript"] = given.reindex(table.index)
    return stored.join(table[["path", "transcript"]])


def elsewhere(clips: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return the clips as files of other names in another folder, in another order."""
    folder.mkdir()
    asked = clips[["path", "speaker", "transcript"]].iloc[::-1].copy()
    asked["path"] = [
        shutil.copy(path, folder / f"{number}.wav") for number, path in enumerate(asked["path"])
    ]
    return asked


def assert_same(found: pd.DataFrame, stored: pd.DataFrame) -> None:
    chances = [name for name in found if name.startswith("p_")]
    assert chances
    assert (found["error"] == "").all()
    np.testing.assert_allclose(found[chances], stored[chances].iloc[::-1], atol=TOLERANCE)
    assert list(found["predicted"]) == list(stored["predicted"].iloc[::-1])


MODELS = (
    *("svm-is09", "librosa-svm", "aldeneh2017-logmel40", "yoon2018-are"),
    *("wang2020-dslstm", "mirsamadi2017-attention-lld"),
)


@pytest.mark.parametrize("model", MODELS)
def test_a_bundle_of_a_fold_predicts_what_the_fold_did(tiny_places, tmp_path, model):
    stored = ran(tiny_places, model)
    made = export_to(tmp_path / "bundle", tiny_places, model, fold=0, epochs=1)
    assert made["verified"]["largest_difference"] <= TOLERANCE
    loaded = emobench.load_model(tmp_path / "bundle")
    assert_same(loaded.predict(elsewhere(stored, tmp_path / "other")), stored)
    card = (tmp_path / "bundle" / "README.md").read_text()
    uar = stored.groupby("label").apply(lambda own: (own["predicted"] == own.name).mean()).mean()
    assert f"its UAR is {100 * uar:.1f} %" in card


@pytest.mark.slow
@pytest.mark.parametrize("model", [*MODELS, "yoon2018-mdre"])
def test_the_same_on_the_demo_corpus(tiny_places, tmp_path, model):
    places = replace(tiny_places, data=tmp_path / "corpora", datasets=())
    stored = ran(places, model, corpus="demo")
    made = export_to(tmp_path / "bundle", places, model, "demo", fold=0, epochs=1)
    assert made["verified"]["largest_difference"] <= TOLERANCE
    loaded = emobench.load_model(tmp_path / "bundle")
    assert_same(loaded.predict(elsewhere(stored, tmp_path / "other")), stored)


def test_a_bundle_tells_how_far_it_is_from_a_fold_whose_clips_had_neighbours(tiny_places, tmp_path):
    """Under keesing2020 batches are padded to their longest clip; a bundle knows no batch."""
    model = "aldeneh2017-logmel40:filters=16,units=32"
    stored = ran(tiny_places, model, protocol="keesing2020")
    made = export_to(
        tmp_path / "bundle", tiny_places, model, fold=0, epochs=1, protocol="keesing2020"
    )
    assert made["verified"]["largest_difference"] <= TOLERANCE
    loaded = emobench.load_model(tmp_path / "bundle")
    asked = elsewhere(stored, tmp_path / "other")
    found = loaded.predict(asked)
    chances = [name for name in found if name.startswith("p_")]
    apart = np.abs(found[chances].to_numpy() - stored[chances].iloc[::-1].to_numpy()).max()
    assert made["alone"]["largest_difference"] == pytest.approx(apart, abs=1e-6)
    assert apart > TOLERANCE
    other = int((found["predicted"].to_numpy() != stored["predicted"].iloc[::-1]).sum())
    assert made["alone"]["other_labels"] == other
    card = " ".join((tmp_path / "bundle" / "README.md").read_text().split())
    assert f"by {apart:.1e} at most from those of the fold, {other} clip" in card


def test_a_bundle_of_a_model_of_text_has_the_words_of_its_training(tiny_places, tmp_path, texts):
    places = replace(tiny_places, transcripts=texts)
    stored = ran(places, "yoon2018-tre")
    export_to(tmp_path / "bundle", places, "yoon2018-tre", fold=0, epochs=1)
    model = emobench.load_model(tmp_path / "bundle")
    asked = elsewhere(stored, tmp_path / "other")
    assert_same(model.predict(asked), stored)
    silent = model.predict(asked.assign(transcript=None))
    assert (silent["error"] == "has no transcript, which the model needs.").all()
    assert silent["predicted"].isna().all()


@pytest.mark.parametrize("model", ["encoder-svm:layer=1", "encoder-layer", "encoder-linear"])
def test_a_bundle_of_a_model_on_an_encoder_needs_that_very_encoder(tiny_places, tmp_path, model):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx_encoders import write_encoder

    own, other = (write_encoder(tmp_path / f"encoder{seed}", seed=seed) for seed in (0, 1))
    places = replace(tiny_places, encoder=own)
    stored = ran(places, model)
    made = export_to(tmp_path / "bundle", places, model, fold=0, epochs=1)
    assert made["verified"]["largest_difference"] <= TOLERANCE
    moved = Path(shutil.move(own, tmp_path / "moved"))
    assert str(own) not in (tmp_path / "bundle" / "bundle.json").read_text()
    with pytest.raises(BundleError, match=r"is fed from the encoder .*Give its folder with --enc"):
        emobench.load_model(tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"is fed from the encoder .*, and .*encoder1 holds"):
        emobench.load_model(tmp_path / "bundle", encoder=other)
    loaded = emobench.load_model(tmp_path / "bundle", encoder=moved)
    assert_same(loaded.predict(elsewhere(stored, tmp_path / "other")), stored)
    assert "the encoder that the model is fed from" in (tmp_path / "bundle/README.md").read_text()


def test_samples_are_predicted_as_their_files_are(tiny_places, tmp_path):
    stored = ran(tiny_places, "svm-is09")
    export_to(tmp_path / "b", tiny_places, fold=0)
    sounds = [soundfile.read(path, dtype="float32")[0] for path in stored["path"].iloc[::-1]]
    speakers = list(stored["speaker"].iloc[::-1])
    model = emobench.load_model(tmp_path / "b")
    assert_same(model.predict(sounds, sample_rate=16_000, speakers=speakers), stored)


def test_a_model_of_all_speakers_is_that_of_scikit_learn(tiny_places, tmp_path):
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from emobench.features import extract
    from emobench.weights import balanced

    out = tmp_path / "bundle"
    export_to(out, tiny_places)
    entry = corpora.load_registry(tiny_places.datasets).get("tiny")
    table = corpora.load(entry, tiny_places.data, tiny_places.cache)
    values = np.concatenate([extract("is09", *soundfile.read(path)) for path in table["path"]])
    for speaker in table["speaker"].unique():
        own = (table["speaker"] == speaker).to_numpy()
        values[own] = np.nan_to_num(StandardScaler().fit_transform(values[own]))
    labels = list(table["label"])
    machine = SVC(C=4.0, gamma=2.0**-12, break_ties=True)
    machine.fit(values, labels, sample_weight=balanced(labels))
    expected = softmax(machine.decision_function(values), axis=1)
    found = emobench.load_model(out).predict(table[["path", "speaker"]])
    columns = [f"p_{label}" for label in machine.classes_]
    np.testing.assert_allclose(found[columns], expected, atol=1e-4)


def test_corpora_are_taken_together(tiny_places, tmp_path):
    registry = tmp_path / "two.yaml"
    text = tiny_places.datasets[0].read_text()
    registry.write_text(text.replace("tiny:", "smaller:", 1).replace("'*.wav'", "'*_2.wav'"))
    shutil.copytree(tiny_places.data, tmp_path / "data")
    shutil.copytree(tiny_places.data / "tiny", tmp_path / "data" / "smaller")
    places = replace(
        tiny_places, data=tmp_path / "data", datasets=(*tiny_places.datasets, registry)
    )
    export_to(tmp_path / "b", places, corpus=("tiny", "smaller"))
    about = json.loads((tmp_path / "b" / "bundle.json").read_text())
    assert [each["name"] for each in about["training"]["corpora"]] == ["tiny", "smaller"]
    assert (about["training"]["clips"], about["training"]["speakers"]) == (24 + 12, 8)


@pytest.fixture
def two(tiny_places, tmp_path):
    """Places with two corpora of other speakers and other sounds."""
    registry = tmp_path / "two.yaml"
    text = tiny_places.datasets[0].read_text().replace("Four speakers", "Three speakers")
    registry.write_text(text.replace("tiny:", "other:", 1))
    shutil.copytree(tiny_places.data, tmp_path / "data")
    write_tiny_corpus(tmp_path / "made", speakers=3, repetitions=2)
    for path in sorted((tmp_path / "made" / "tiny").glob("*.wav")):
        sound, rate = soundfile.read(path)
        name = f"s{int(path.name[1]) + 5}{path.name[2:]}"
        (tmp_path / "data" / "other").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "data" / "other" / name, sound[::-1] * 0.9, rate)
    return replace(tiny_places, data=tmp_path / "data", datasets=(*tiny_places.datasets, registry))


@pytest.mark.parametrize("fold", [None, 0])
def test_of_a_pair_one_side_is_trained_on(two, tmp_path, fold):
    summary = execute(plan(Selection("svm-is09", "tiny", test_corpus="other"), two), two)
    assert summary.failures == {}
    made = export_to(tmp_path / "b", two, corpus="tiny-to-other", protocol="losgo", fold=fold)
    assert made["fold"] == 0
    assert made["verified"]["largest_difference"] <= TOLERANCE
    about = json.loads((tmp_path / "b" / "bundle.json").read_text())["training"]
    assert [each["name"] for each in about["corpora"]] == ["tiny"]
    assert (about["clips"], about["speakers"], about["held_out"]) == (24, 4, ["other"])
    [path] = two.results.rglob("fold-00*-1.parquet")
    stored = pd.read_parquet(path).set_index("id")
    entry = corpora.load_registry(two.datasets).get("other")
    table = corpora.load(entry, two.data, two.cache)
    found = emobench.load_model(tmp_path / "b").predict(table[["path", "speaker"]])
    chances = [name for name in found if name.startswith("p_")]
    expected = stored.loc["other/" + table.index, chances]
    np.testing.assert_allclose(found[chances], expected, atol=TOLERANCE)
    card = " ".join((tmp_path / "b" / "README.md").read_text().split())
    assert "# svm-is09, trained on Four speakers of three tones Labels" in card
    uar = 100 * np.mean(
        [(own["predicted"] == label).mean() for label, own in stored.groupby("label")]
    )
    told = f"Trained on tiny and tested on other, protocol `losgo`: **UAR {uar:.1f} %**"
    assert told in card
    # The card of a model of all of `tiny` tells it, too.
    export_to(tmp_path / "whole", two, corpus="tiny", protocol="losgo")
    assert told in " ".join((tmp_path / "whole" / "README.md").read_text().split())


def test_corpora_that_are_taken_together_may_be_joined_by_a_plus(two, tmp_path):
    export_to(tmp_path / "b", two, corpus="tiny+other")
    about = json.loads((tmp_path / "b" / "bundle.json").read_text())["training"]
    assert [each["name"] for each in about["corpora"]] == ["other", "tiny"]
    assert about["clips"] == 24 + 18
    with pytest.raises(SpecError, match="found tiny-to-other, which is trained on one side"):
        export_to(tmp_path / "c", two, corpus=("tiny", "tiny-to-other"))
    with pytest.raises(SpecError, match="recordings of their own, found tiny several times"):
        export_to(tmp_path / "c", two, corpus=("tiny+other", "tiny"))


def test_what_differs_from_the_file_is_not_exported_unasked(tiny_places, tmp_path):
    ran(tiny_places, "svm-is09")
    [path] = tiny_places.results.rglob("fold-00*.parquet")
    [record] = tiny_places.results.rglob("fold-00*.json")
    from emobench.store import Store
    from emobench.store.vouching import digest

    changed = pd.read_parquet(path)
    changed["p_anger"] += np.float32(0.01)
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata
    pq.write_table(
        pa.Table.from_pandas(changed, preserve_index=False).replace_schema_metadata(metadata), path
    )
    content = json.loads(record.read_text())
    content["sha256"]["predictions"] = digest(path.read_bytes())
    content["versions"]["numpy"] = "1.0"
    record.write_text(json.dumps(content))
    assert Store(tiny_places.results)
    with pytest.raises(BundleError, match=r"differ by up to 0\.01.*numpy 1\.0 \(here"):
        export_to(tmp_path / "b", tiny_places, fold=0)
    assert not (tmp_path / "b").exists()
    made = export_to(tmp_path / "b", tiny_places, fold=0, unverified=True)
    assert made["verified"]["largest_difference"] == pytest.approx(0.01, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"fold": 7}, r"--folds: expected numbers from 0 to 1 for tiny, found 7"),
        (
            {"model": "svm-is08"},
            r"--model: expected the name of a model, found 'svm-is08'. Did you mean 'svm-is09'",
        ),
        ({"corpus": "tinny"}, r"corpus: expected one of .*found 'tinny'"),
        (
            {"model": ("svm-is09", "librosa-svm")},
            r"expected one model, found svm-is09, librosa-svm",
        ),
        ({"repetition": 2}, r"--repetition: expected 1, as every repetition of svm-is09"),
        ({"onnx": True}, r"--onnx: expected a network, found svm-is09"),
        ({"model": "latif2019", "protocol": "wang2020-random5"}, r"takes the best epoch on test"),
        ({"model": "yoon2018-tre"}, r"yoon2018-tre on tiny: the corpus has no transcripts"),
    ],
)
def test_what_cannot_be_exported_is_said_before_it_is_trained(
    tiny_places, tmp_path, options, match
):
    with pytest.raises(SpecError, match=match):
        export_to(tmp_path / "b", tiny_places, **options)
    assert not (tmp_path / "b").exists()


def test_no_folder_is_written_over(tiny_places, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("")
    with pytest.raises(BundleError, match="expected a folder that is not there yet, found someth"):
        export_to(tmp_path / "b", tiny_places)


def test_the_card_tells_what_is_on_file(tiny_places, tmp_path):
    out = tmp_path / "without"
    export_to(out, tiny_places)
    assert "how well it does there is not known" in (out / "README.md").read_text()
    stored = ran(tiny_places, "svm-is09")
    execute(plan(Selection("svm-is09", "tiny", "smoke"), tiny_places), tiny_places)
    tables = [pd.read_parquet(path) for path in tiny_places.results.rglob("*.parquet")]
    assert len(tables) == 2
    uar = np.mean(
        [
            table.groupby("label").apply(lambda own: (own["predicted"] == own.name).mean()).mean()
            for table in tables
        ]
    )
    out = tmp_path / "with"
    export_to(out, tiny_places)
    card = (out / "README.md").read_text()
    assert f"**UAR {100 * uar:.1f} %**" in card
    assert "chance is 33.3 %" in card
    labels = sorted(stored["label"].unique())
    everything = pd.concat(tables)
    for label in labels:
        own = everything[everything["label"] == label]
        counts = [int((own["predicted"] == other).sum()) for other in ("anger", "sadness")]
        assert f"| {label} | " in card
        row = next(line for line in card.splitlines() if line.startswith(f"| {label} |"))
        cells = row.split(" | ")
        head = next(line for line in card.splitlines() if line.startswith("|  | anger"))
        where = {name: at for at, name in enumerate(head.split(" | "))}
        assert [int(cells[where[name]]) for name in ("anger", "sadness")] == counts
    assert "The sex of the speakers is not known" in card
