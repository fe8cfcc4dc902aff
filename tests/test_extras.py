"""What a run may have beside corpus, model and protocol: conditions, texts, options, attention."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner
from conftest import feature_set, perform_here

from emobench import audio, conditions, corpora, features, models
from emobench.analysis.attention import by_voicing
from emobench.cli.attention import attention
from emobench.cli.progress import Progress
from emobench.conditions import Condition
from emobench.errors import CorpusError, SpecError, StoreError
from emobench.executors import Outcome
from emobench.experiments import dataset
from emobench.runs import Observer, Selection, current_fingerprint, execute, plan
from emobench.spec import Job, fingerprint
from emobench.store import StoredExperiment, read_attention, read_experiments
from emobench.store.attention import to_parquet

READS = "yoon2018-tre"
ATTENDS = "mirsamadi2017-attention-lld"


def run(places, *names, **options):
    selection = Selection(names, ("tiny",), **{"protocol": "smoke", **options})
    summary = execute(plan(selection, places), places)
    assert summary.failures == {}
    return read_experiments(places.results)


def tiny(places):
    return corpora.load_registry(places.datasets).get("tiny")


def texts(places, tmp_path, words):
    """Write a recogniser's table and return places that name it."""
    ids = corpora.load(tiny(places), places.data, places.cache).index
    file = tmp_path / "recognised.csv"
    pd.DataFrame({"id": ids, "text": [words(name) for name in ids]}).to_csv(file, index=False)
    return replace(places, transcripts=file)


@pytest.mark.parametrize(
    ("sides", "learnt", "tested"),
    [("test", "none", "mp3:8k"), ("training", "mp3:8k", "none"), ("both", "mp3:8k", "mp3:8k")],
)
def test_each_side_hears_its_condition(tiny_places, sides, learnt, tested):
    model = models.get("aldeneh2017-logmel40")
    applied = dataset.AppliedCondition(conditions.parse("mp3:8k"), sides)
    data = dataset.load(tiny(tiny_places), model, tiny_places, applied=applied)
    name = next(iter(data.inputs))
    training, test = np.arange(6, 24), np.arange(6)
    prepared = data.prepare(name, training, test)
    for position, condition in ((0, tested), (10, learnt)):
        samples = audio.read(data.table["path"].iloc[position])
        heard, _ = conditions.parse(condition).apply(samples)
        expected = features.extract("logmel", heard, audio.SAMPLE_RATE)
        scaled = prepared.source.clip(position)
        # Standardised by the speaker's own clips as that side hears them: undo it by its moments.
        speaker = data.table["speaker"].iloc[position]
        own = np.flatnonzero(data.table["speaker"] == speaker)
        frames = [
            features.extract(
                "logmel",
                conditions.parse(condition).apply(audio.read(data.table["path"].iloc[clip]))[0],
                audio.SAMPLE_RATE,
            )
            for clip in own
        ]
        stacked = np.concatenate(frames).astype(np.float64)
        spread = stacked.std(axis=0)
        spread[spread < 1e-6] = np.inf
        reference = (expected - stacked.mean(axis=0)) / spread
        np.testing.assert_allclose(scaled, reference, atol=2e-3)


def test_results_under_a_condition_are_results_of_their_own(tiny_places):
    stored = run(tiny_places, "svm-is09", condition=("none", "mp3:8k"))
    heard = {item.experiment["configuration"].get("condition", {}).get("name") for item in stored}
    assert heard == {None, "mp3:8k"}
    (under,) = [item for item in stored if "condition" in item.experiment["configuration"]]
    assert under.experiment["stream"]["effective_kbps"] == 8
    assert under.experiment["stream"]["sample_rate"] == 8_000
    registry = corpora.load_registry(tiny_places.datasets)
    for item in stored:
        assert len(item.records) == 2
        today = current_fingerprint(item.experiment, registry)
        assert today == fingerprint(item.experiment["configuration"])


def test_a_condition_that_does_not_exist_is_said_before_anything_runs(tiny_places):
    with pytest.raises(SpecError, match=r"condition: expected one of none, mp3:256k.*'mp3:65k'"):
        run(tiny_places, "svm-is09", condition=("mp3:65k",))
    assert not tiny_places.results.exists()


def test_texts_of_a_recogniser_make_a_model_run_that_reads(tiny_places, tmp_path):
    with pytest.raises(SpecError, match=f"{READS} on tiny: the corpus has no transcripts"):
        run(tiny_places, READS)
    told = texts(tiny_places, tmp_path, lambda name: f"it is {name.split('_')[1]}")
    (stored,) = run(told, READS)
    content = stored.experiment["configuration"]["transcripts"]
    told = texts(tiny_places, tmp_path, lambda name: "something else")
    both = run(told, READS)
    assert len(both) == 2
    assert len({item.experiment["fingerprint"] for item in both}) == 2
    assert content in [item.experiment["configuration"]["transcripts"] for item in both]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,words\na,b\n", "expected the columns id and text, found name, words"),
        ("id,text\nx,one\nx,two\n", "expected each id once, found 'x' again"),
        ("id,text\nx,one\n", "expected ids such as 's1_anger_1', found x"),
        ("", "expected a CSV file in UTF-8 with the columns id and text"),
    ],
)
def test_a_table_of_texts_that_cannot_be_used_is_explained(tiny_places, tmp_path, content, message):
    file = tmp_path / "texts.csv"
    file.write_text(content)
    with pytest.raises(CorpusError, match=message):
        dataset.load(tiny(tiny_places), models.get(READS), replace(tiny_places, transcripts=file))


def test_word_vectors_begin_the_embedding_and_count_by_content(tiny_places, tmp_path):
    told = texts(tiny_places, tmp_path, lambda name: "good day")
    (tmp_path / "vectors.txt").write_text("good " + " ".join(["0.25"] * 12) + "\n")
    stored = run(replace(told, vectors=tmp_path / "vectors.txt"), READS)
    (record, *_) = stored[0].records
    assert record["fitted"]["tokens"]["embedding_size"] == 12
    assert record["fitted"]["tokens"]["without_vector"] == 1
    configuration = stored[0].experiment["configuration"]
    assert set(configuration["vectors"]) == {"sha256"}
    assert str(tmp_path) not in str(configuration)


def test_constant_texts_tell_nothing(tiny_places, tmp_path):
    told = texts(tiny_places, tmp_path, lambda name: "the same words for every emotion")
    (stored,) = run(told, READS)
    for record in stored.records:
        assert record["scores"]["uar"] == pytest.approx(1 / 3)


def test_options_make_a_model_of_its_own(tiny_places):
    name = "svm-is09"
    stored = run(tiny_places, "mirsamadi2017-mean-lld:dropout=.25,lstm_units=4", name)
    named = {item.experiment["model"] for item in stored}
    assert named == {"mirsamadi2017-mean-lld:dropout=0.25,lstm_units=4", name}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wang2020-dual:time_fit=stretch", "time_fit as one of interpolate, truncate, pad"),
        ("latif2019:", "expected options like key=value after the colon, found ''"),
        ("krishna2019-acoustic:mask=maybe", "expected mask as true or false, found 'maybe'"),
    ],
)
def test_options_that_cannot_be_used_are_explained(name, message):
    with pytest.raises(SpecError, match=message):
        models.get(name)


def test_an_option_at_its_default_is_the_model_itself():
    assert models.get("wang2020-dual:time_fit=interpolate").name == "wang2020-dual"


def test_a_name_with_options_names_the_same_model_again():
    for given, name in (
        ("yoon2018-are:prosody=No", "yoon2018-are:prosody=false"),
        ("latif2019: epochs = 9, dropout = .5", "latif2019:dropout=0.5,epochs=9"),
    ):
        assert models.get(given).name == name
        assert models.get(name) == models.get(given)


def test_an_option_that_is_otherwise_searched_is_fixed():
    fixed = models.get("librosa-mlp:l2=.001")
    assert fixed.name == "librosa-mlp:l2=0.001"
    assert (fixed.config.l2, fixed.grid) == (0.001, {})


def test_the_front_ends_follow_the_options():
    inputs = models.get("wang2020-dual:preset=authors").inputs
    assert inputs["fine"].params["preset"] == "authors"
    assert models.shapes("wang2020-dual:preset=authors")["coarse"] == (256, 120, 1)


def test_attention_is_filed_beside_the_predictions(tiny_places):
    (stored,) = run(tiny_places, ATTENDS)
    table = corpora.load(tiny(tiny_places), tiny_places.data, tiny_places.cache)
    weights = read_attention(stored.folder, Job(1))
    assert list(weights) == list(stored.predictions.query("fold == 1")["id"])
    for name, found in weights.items():
        samples = audio.read(table.loc[name, "path"])
        assert len(found) == 1 + (len(samples) - 400) // 160
        assert found.sum() == pytest.approx(1, abs=1e-4)
        assert (found > 0).all()
    _shown_by_the_command(tiny_places, list(weights))


def _shown_by_the_command(places, clips):
    """Draw a clip, summarise all of them, and ask for what is not there."""
    pictures = places.results.parent
    known = [
        *("--corpus", "tiny", "--model", ATTENDS, "--protocol", "smoke"),
        *("--data", str(places.data), "--cache", str(places.cache)),
        *("--results", str(places.results), "--datasets", str(places.datasets[0])),
    ]
    asked = CliRunner().invoke(
        attention, [clips[0], *known, "--out", str(pictures / "clip.png")], catch_exceptions=False
    )
    assert f"{clips[0]}: " in asked.output
    assert (pictures / "clip.png").read_bytes().startswith(b"\x89PNG")
    told = CliRunner().invoke(
        attention, [*known, "--out", str(pictures / "all.csv")], catch_exceptions=False
    )
    assert "12 clips of 2 speakers; 1.00 is even attention" in told.output
    shares = pd.read_csv(pictures / "all.csv", index_col="id")
    assert set(clips) <= set(shares.index)
    assert shares["voiced_share"].between(0, 1).all()
    with pytest.raises(StoreError, match="expected a test clip of repetition 1 such as s"):
        CliRunner().invoke(attention, ["s9", *known], catch_exceptions=False)
    other = [*known[:3], "svm-is09", *known[4:]]
    with pytest.raises(StoreError, match="Run `emobench run --model svm-is09 --corpus tiny"):
        CliRunner().invoke(attention, [clips[0], *other], catch_exceptions=False)


def test_attention_is_told_by_voicing(tmp_path):
    """Half of a clip is silent and gets a fifth of the attention."""
    values = np.zeros((10, 32), np.float32)
    values[5:, 0], values[5:, 15] = 1.0, 120.0  # energy and F0
    weights = np.repeat([0.04, 0.16], 5)
    job = Job(0)
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / f"{job.name}.attention.parquet").write_bytes(to_parquet({"clip": weights}))
    predictions = pd.DataFrame({"id": ["clip"], "speaker": ["s1"], "repetition": 1, "fold": 0})
    record = {"fold": 0, "repetition": 1}
    stored = StoredExperiment(folder, {"model": ATTENDS}, (record,), predictions=predictions)
    descriptors = feature_set(["clip"], [values])
    (row,) = by_voicing(stored, descriptors).to_dict("records")
    assert row["speaker"] == "s1"
    assert (row["silent_share"], row["voiced_share"]) == (0.5, 0.5)
    assert row["silent"] == pytest.approx(0.4)
    assert row["voiced"] == pytest.approx(1.6)
    assert np.isnan(row["unvoiced"])


def test_a_grid_of_a_network_is_searched_inside_the_training_clips(tiny_places):
    stored = run(tiny_places, "librosa-mlp", protocol="losgo", folds=(0,), repetitions=1, epochs=2)
    (record,) = stored[0].records
    grid = models.get("librosa-mlp").grid["l2"]
    assert [cell["l2"] for cell in record["grid"]] == list(grid)
    # Three training speakers are left out one at a time.
    assert [len(cell["splits"]) for cell in record["grid"]] == [3] * len(grid)
    best = max(record["grid"], key=lambda cell: cell["score"])
    assert record["parameters"] == {"l2": best["l2"]}
    assert record["tuned_on"] == "training folds, speaker-disjoint"


def test_results_under_a_condition_that_computes_otherwise_today_are_stale(
    tiny_places, monkeypatch
):
    (stored,) = run(tiny_places, "svm-is09", condition=("mp3:8k",))
    registry = corpora.load_registry(tiny_places.datasets)
    then = stored.experiment["configuration_fingerprint"]
    assert current_fingerprint(stored.experiment, registry) == then
    monkeypatch.setattr(conditions, "VERSION", conditions.VERSION + 1)
    assert current_fingerprint(stored.experiment, registry) != then


def test_a_failure_under_one_condition_is_not_made_good_by_another(tiny_places, monkeypatch):
    def broken(work):
        coded = "condition" in work.experiment.configuration
        return Outcome(None if coded else {}, "no luck" * coded)

    perform_here(monkeypatch, broken)
    selection = Selection(
        *(("svm-is09",), ("tiny",), "smoke"),
        condition=("mp3:8k", "none"),
        jobs=2,  # the same fold under both conditions at once
    )
    with Progress() as progress:
        observer = Observer(listener=progress.event, begin=progress.begin)
        summary = execute(plan(selection, tiny_places), tiny_places, observer)
    assert summary.failures == {
        f"tiny svm-is09 with mp3:8k on test fold-0{fold}-repetition-1": "no luck" for fold in (0, 1)
    }


def test_a_codec_that_is_not_installed_is_said_before_anything_runs(tiny_places, monkeypatch):
    monkeypatch.setattr(Condition, "missing_package", "lameenc")
    with pytest.raises(SpecError, match=r"--condition mp3:8k: .*Run `pip install lameenc`"):
        run(tiny_places, "svm-is09", condition=("mp3:8k",))


def test_a_clip_that_is_refused_as_it_is_is_refused_under_a_condition(tmp_path):
    tone = np.sin(np.arange(16_000) / 9).astype(np.float32) / 2
    silent, holed = np.full_like(tone, 0.25), tone.copy()
    holed[5_000] = np.nan
    paths = {}
    for name, samples in (("tone", tone), ("silent", silent), ("holed", holed)):
        paths[name] = str(tmp_path / f"{name}.wav")
        soundfile.write(paths[name], samples, 16_000, subtype="FLOAT")
    table = pd.DataFrame({"path": paths, "start": None, "end": None})
    refused = [
        features.load(
            table,
            features.spec("logmel"),
            cache=tmp_path / "cache",
            skip_bad=True,
            condition=condition,
        ).bad
        for condition in (None, conditions.parse("mp3:64k"))
    ]
    assert refused[0] == refused[1]
    assert set(refused[1]) == {"silent", "holed"}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_jax_goes_back_to_the_best_epoch_and_tells_what_it_attends_to(tiny_places):
    """Both read variables that JAX keeps away from the network while it trains."""
    (stored,) = run(
        *(tiny_places, ATTENDS),
        protocol="wang2020-random5",
        backend="jax",
        folds=(0,),
        epochs=2,
    )
    (record,) = stored.records
    assert record["best_test_epoch"] in (1, 2)
    weights = read_attention(stored.folder, Job(0))
    assert list(weights) == list(stored.predictions["id"])
    for found in weights.values():
        assert found.sum() == pytest.approx(1, abs=1e-4)
