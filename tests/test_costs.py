"""What a run is said to take before it begins, against what is on file and what it then takes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
import pytest

from emobench import features, folds, models, protocols, runs
from emobench.costs import effort, front_ends, precedents, trials
from emobench.costs.figures import Rate, bytes_words, makespan, words
from emobench.costs.precedents import Precedent, Precedents
from emobench.costs.trials import Trials
from emobench.errors import SpecError
from emobench.run_options import Selection
from emobench.store import read_experiments
from emobench.training import trial

COMMITTED = Path(__file__).parents[1] / "results"


@pytest.fixture
def alone(monkeypatch):
    """Let no records tell but those of the results folder in use."""
    monkeypatch.setattr(precedents, "folders", lambda places: [places.results])


def read(name: str, results: Path = COMMITTED, **more) -> Precedents:
    spec = models.get(name)
    backend = "tensorflow" if spec.kind == "network" else "scikit-learn"
    options = {"device": "cpu x86_64", "threads": 1, "duration": lambda corpus: 3.0}
    return precedents.read([results], spec, backend=backend, **{**options, **more})


def table(speakers: int = 10, clips: int = 50) -> pd.DataFrame:
    number = np.arange(speakers * clips)
    columns = {
        "label": [f"c{each}" for each in number % 5],
        "speaker": [f"s{each:02d}" for each in number // clips],
        "group": [f"s{each:02d}" for each in number // clips],
        "duration": 3.0,
    }
    return pd.DataFrame(columns, index=[f"clip{each:04d}" for each in number])


def of_first_fold(name: str, clips: pd.DataFrame, protocol: str = "losgo", epochs=None) -> float:
    rules = protocols.get(protocol)
    fold = folds.make(clips, "speaker", rules)[0]
    return effort.of_fold(models.get(name), rules, clips, fold, epochs)


def test_the_effort_of_a_network_follows_from_clips_rows_and_epochs():
    clips = table()
    one, two, usual = (of_first_fold("latif2019", clips, epochs=each) for each in (1, 2, None))
    assert usual - one == pytest.approx(49 * (two - one))
    longer = of_first_fold("latif2019", clips.assign(duration=6.0), epochs=2)
    longest = of_first_fold("latif2019", clips.assign(duration=9.0), epochs=2)
    assert longest - longer == pytest.approx(longer - two) != 0
    fewer = of_first_fold("latif2019", table(10, 25), epochs=2)
    assert 1.9 < two / fewer < 2.1


def test_the_effort_of_a_search_is_that_of_its_trainings():
    """Against the splits that a search really makes, one training after another."""
    clips, rules = table(), protocols.get("losgo")
    mlp, whole = models.get("librosa-mlp"), of_first_fold("librosa-mlp", clips, "smoke")
    ratio = of_first_fold("librosa-mlp", clips, epochs=2) / whole
    fold = folds.make(clips, "speaker", rules)[0]
    splits, _ = folds.inner_splits(fold, clips)
    part = sum(len(training) for training, _ in splits) / len(fold.training)
    assert ratio == pytest.approx(1 + len(mlp.grid["l2"]) * part)
    svm = models.get("svm-is09")
    part = sum(len(training) ** 2 for training, _ in splits) / len(fold.training) ** 2
    grid = len(svm.config.C) * len(svm.config.gamma)
    alone = of_first_fold("svm-is09", clips, "keesing2020")  # searched once, for all folds
    assert of_first_fold("svm-is09", clips) / alone == pytest.approx(1 + grid * part)
    published = protocols.get("keesing2020")
    every = folds.make(clips, "speaker", published)
    searched = effort.of_search(svm, published, clips, every, None)
    assert searched == pytest.approx(grid * len(every) * alone)


def test_unknown_durations_count_as_the_known_ones():
    clips = table(2, 4)
    clips.loc[clips.index[0], "duration"] = np.nan
    assert effort.mean_duration(clips.iloc[:1], clips) == 3.0
    clips["duration"] = np.nan
    assert effort.mean_duration(clips, clips) == 0.0


@pytest.mark.parametrize("name", ["svm-is09", "librosa-mlp", "mirsamadi2017-mean-lld"])
def test_records_of_the_same_experiment_give_what_they_took(name):
    """About what the files themselves say, which were computed on a machine that was not idle."""
    [*stored] = [
        one
        for one in read_experiments(COMMITTED, protocol="losgo", columns=())
        if (one.experiment["corpus"], one.experiment["model"]) == ("emo-db", name)
    ]
    known = read(name)
    found, source = known.near("emo-db", "losgo")
    assert source == "records"
    assert {one.seconds for one in found} <= {
        record["seconds"] for one in stored for record in one.records
    }
    seconds = fmean(known.rate("emo-db", "losgo").seconds(one.effort) for one in found)
    assert seconds == pytest.approx(np.median([one.seconds for one in found]), rel=0.25)
    assert known.memory("emo-db", "losgo").value == max(
        record["peak_resident_mib"] for one in stored for record in one.records
    )


@pytest.mark.parametrize("told", [True, False])
def test_a_job_that_was_starved_says_nothing_of_the_others(told):
    """Nine folds of two minutes and one of more than two hours, of which it trained as long."""
    seconds = [120.0, 121, 122, 123, 124, 124, 125, 126, 127, 9468]
    every = tuple(
        Precedent("c", "p", "cpu", 1, each, each - 4 if told else None, 50.0, None, 10, 10)
        for each in seconds
    )
    rate = Precedents(every).rate("c", "p")
    assert rate.seconds(50.0) == pytest.approx(np.median(seconds))
    assert rate.seconds(100.0) == pytest.approx(2 * 124 - (4 if told else 0))


def test_records_of_another_corpus_are_scaled():
    known = read("svm-is09")
    other = Precedents(tuple(one for one in known.every if one.corpus == "ravdess"))
    rate = other.rate("emo-db", "losgo")
    assert rate.source == other.memory("emo-db", "losgo").source == "scaled"
    assert other.rate("ravdess", "losgo").source == "records"
    # EMO-DB by what RAVDESS took: within a factor of four, on machines that were busy with others.
    found, _ = known.near("emo-db", "losgo")
    truth = fmean(one.seconds for one in found)
    assert truth / 4 < fmean(rate.seconds(one.effort) for one in found) < 4 * truth


def test_records_of_another_device_or_backend_tell_nothing():
    assert read("svm-is09", device="gpu NVIDIA H100").rate("emo-db", "losgo") is None
    assert read("librosa-mlp", device=None).every
    assert read("svm-is09", COMMITTED / "nowhere").every == ()


def test_the_size_of_results_is_that_of_the_files():
    folder = next((COMMITTED / "losgo" / "emo-db" / "svm-is09").iterdir())
    files = [path for path in folder.iterdir() if path.name.startswith("fold-")]
    known = read("svm-is09")
    usual = fmean(one.tested for one in known.near("emo-db", "losgo")[0])
    told = 10 * known.size("emo-db", "losgo", round(usual)).value
    assert told == pytest.approx(sum(path.stat().st_size for path in files), rel=0.05)


def test_damaged_records_tell_nothing(tmp_path):
    place = Path("losgo/emo-db/svm-is09")
    shutil.copytree(COMMITTED / place, tmp_path / place)
    whole = len(read("svm-is09", tmp_path).every)
    record = sorted((tmp_path / place).glob("*/fold-00-repetition-1.json"))[0]
    record.write_text(record.read_text()[:100])
    assert len(read("svm-is09", tmp_path).every) == whole - 1
    (record.parent / "experiment.json").write_text("{}")
    assert len(read("svm-is09", tmp_path).every) < whole - 1


@pytest.mark.parametrize("name", ["logmel", "raw5s", "is09", "fft257"])
def test_the_size_of_features_is_that_of_their_folder(tiny_places, tmp_path, name):
    """Against what the cache really holds of clips of other lengths than those tried."""
    from emobench import corpora

    registry = corpora.load_registry(tiny_places.datasets)
    clips = corpora.load(registry.get("tiny"), tiny_places.data, tiny_places.cache)
    spec = features.spec(name)
    cache = tmp_path / "cache"
    sounds = features.identify(clips, cache)
    assert sorted(features.missing(clips, spec, cache=cache, sounds=sounds)) == sorted(clips.index)
    features.load(clips, spec, cache=cache, sounds=sounds)
    assert features.missing(clips, spec, cache=cache, sounds=sounds) == []
    held = sum(path.stat().st_size for path in cache.rglob("*.npy"))
    assert front_ends.of(spec).size(clips["duration"].to_numpy()) == pytest.approx(held, rel=0.02)


def test_a_sound_is_counted_once_whichever_corpus_it_is_of(tiny_places, tmp_path, alone):
    """A variant of a corpus needs nothing that the corpus itself has extracted by then."""
    again = tmp_path / "more.yaml"
    again.write_text(tiny_places.datasets[0].read_text().replace("tiny:", "twin:", 1))
    shutil.copytree(tiny_places.data / "tiny", tmp_path / "data" / "tiny")
    shutil.copytree(tiny_places.data / "tiny", tmp_path / "data" / "twin")
    places = replace(
        tiny_places,
        cache=tmp_path / "cache",
        data=tmp_path / "data",
        datasets=(*tiny_places.datasets, again),
    )
    found = runs.estimate(
        runs.plan(Selection("svm-is09", ("tiny", "twin"), "smoke"), places), places
    )
    assert [(one.corpus, one.feature) for one in found.features] == [("tiny", "is09")]


def test_a_dry_run_tells_its_sources(tiny_places, alone):
    selection = Selection(("svm-is09", "latif2019"), "tiny", "smoke", jobs=2)
    planned = runs.plan(selection, tiny_places)
    found = runs.estimate(planned, tiny_places)
    svm, network = found.experiments
    assert svm.seconds is network.seconds is svm.memory is None
    assert found.unknown == (svm, network)
    assert svm.disk.source == "rough"
    assert [job.name for job in svm.jobs] == ["fold-00-repetition-1", "fold-01-repetition-1"]
    planned = runs.plan(replace(selection, model=("svm-is09",)), tiny_places)
    runs.execute(planned, tiny_places)
    done, *_ = runs.estimate(planned, tiny_places).experiments
    assert (done.kept, dict(done.jobs), done.unknown) == (2, {}, False)
    again = replace(selection, model=("svm-is09",), control="labels")
    known, *_ = runs.estimate(runs.plan(again, tiny_places), tiny_places).experiments
    assert known.seconds.source == known.memory.source == known.disk.source == "records"
    taken = [
        record["seconds"] for one in read_experiments(tiny_places.results) for record in one.records
    ]
    assert known.seconds.value == pytest.approx(sum(taken))
    assert json.dumps(runs.estimate(planned, tiny_places).plain())


def test_a_card_that_is_elsewhere_is_estimated_by_whatever_records(tiny_places, monkeypatch):
    """A machine without a card may plan for one: only a run must have it."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    selection = Selection("latif2019", "tiny", "losgo", device="gpu")
    planned = runs.plan(selection, tiny_places)
    [cost] = runs.estimate(planned, tiny_places).experiments
    assert cost.seconds.source == "scaled"  # by committed records of another corpus
    monkeypatch.setattr(precedents, "folders", lambda places: [])
    [cost] = runs.estimate(planned, tiny_places, try_seconds=5).experiments
    assert cost.unknown  # what this machine takes says nothing of that card
    with pytest.raises(SpecError, match="expected a graphics card"):
        runs.execute(planned, tiny_places)


def test_features_are_counted_once_and_only_if_they_lack(tiny_places, tmp_path, alone):
    places = replace(tiny_places, cache=tmp_path / "cache")
    selection = Selection(("svm-is09", "latif2019", "librosa-svm"), "tiny", "smoke")
    found = runs.estimate(runs.plan(selection, places), places)
    assert [one.feature for one in found.features] == ["is09", "raw5s", "librosa180"]
    assert {one.disk.source for one in found.features} == {"measured"}
    assert not (places.cache / "is09-v1").exists()
    (extracted,) = runs.extract_ahead(["is09"], ["tiny"], places)
    assert str(extracted) == "tiny: is09: 24 clips"
    found = runs.estimate(runs.plan(selection, places), places)
    assert [one.feature for one in found.features] == ["raw5s", "librosa180"]


def test_what_cannot_be_prepared_is_an_error_or_passed_over(tiny_places):
    planned = runs.plan(Selection("svm-is09", "emo-db"), tiny_places)
    with pytest.raises(Exception, match="emo-db"):
        runs.estimate(planned, tiny_places)
    assert runs.estimate(planned, tiny_places, passing_over=True).experiments == ()


def test_a_model_without_records_is_tried_once(tiny_places, alone, monkeypatch):
    asked = []

    def ask(told, seen, patience):
        asked.append(told)
        return {"first": 9.0, "epoch": 0.5, "training": 30, "inner": 0, "memory": 800}

    monkeypatch.setattr("emobench.costs.trials._ask", ask)
    selection = Selection(("latif2019",), "tiny", "smoke", condition=("none", "mp3:8k"))
    planned = runs.plan(selection, tiny_places)
    found = runs.estimate(planned, tiny_places, try_seconds=5)
    assert len(asked) == 1
    assert asked[0]["seconds"] == 5
    [rows] = asked[0]["rows"].values()
    assert 12_000 <= min(rows) < max(rows) <= 24_000  # clips of 0.75 to 1.5 s
    [plain, coded] = found.experiments
    assert plain.seconds.source == coded.memory.source == "measured"
    overhead = 9.0 - 0.5  # building and tracing; then 2 epochs of fewer clips than were tried
    assert overhead + 2 * 0.5 * 0.4 < min(plain.jobs.values()) < overhead + 2 * 0.5


@pytest.mark.parametrize(
    "name", [name for name in models.names() if not name.startswith("encoder")]
)
def test_every_model_can_be_fed_with_made_up_clips(name, tiny_places):
    """As far as that needs no backend: inputs of the shape that the model sees of real clips."""
    spec, clips = models.get(name), 12
    told = trials._wanted(spec, np.linspace(0.6, 4.0, clips), tiny_places)
    data = trial._made_up(spec, trial.Wanted(**told, classes=4, seconds=1.0))
    assert len(data.table) == clips
    assert data.table["speaker"].nunique() == trial.SPEAKERS
    for wanted in spec.inputs:
        prepared = data.prepare(wanted, np.arange(10), np.arange(10, 12))
        rows = prepared.source.clip(0)
        assert np.isfinite(rows).all()
        assert len(rows.shape) == len(prepared.shape)
        assert all(
            own in (None, there) for own, there in zip(prepared.shape, rows.shape, strict=True)
        )


def test_an_estimator_is_tried_in_a_process(tiny_places, alone):
    tried = Trials(5, "tensorflow", 1, tiny_places)
    found = tried.of(models.get("svm-is09"), np.linspace(0.8, 1.5, 24), 3)
    assert found.rate.source == found.memory.source == "measured"
    assert 0.01 < found.rate.unit < 100  # times what is usual
    assert 50 < found.memory.value < 5_000


def test_a_trial_that_fails_leaves_it_unknown(tiny_places, alone, monkeypatch):
    monkeypatch.setattr("emobench.costs.trials._ask", lambda told, seen, patience: None)
    planned = runs.plan(Selection("latif2019", "tiny", "smoke"), tiny_places)
    found = runs.estimate(planned, tiny_places, try_seconds=1)
    assert len(found.unknown) == 1


def test_workers_share_the_time():
    assert makespan([], 3) == 0
    assert makespan([5, 5, 5], 1) == 15
    assert makespan([1] * 7, 3) == 3
    assert makespan([10, 1, 1], 2) == 10


def test_words():
    assert [words(each) for each in (0.2, 89, 91, 3_580)] == ["1 s", "89 s", "2 min", "1 h 00 min"]
    assert bytes_words(999_000_000) == "999 MB"


def test_a_rate_has_an_overhead():
    assert Rate(2.0, 0.5, "records").seconds(10) == 7.0
