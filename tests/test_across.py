"""From one corpus to another: who is trained on, who is tested, and what is never mixed."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import drawn
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from stored import LABELS, FakeRegistry, Filled, current, experiment, predictions

from emobench import (
    audit,
    conditions,
    corpora,
    features,
    folds,
    leaderboard,
    metrics,
    models,
    pictures,
    protocols,
)
from emobench.cli.plot import plot
from emobench.cli.run import run as command
from emobench.corpora.entries import across
from emobench.errors import CorpusError, SpecError
from emobench.experiments import configuration, dataset
from emobench.experiments.dataset import AppliedCondition
from emobench.features import cache as caching
from emobench.results import gathering
from emobench.results.lookup import Lookup
from emobench.runs import Selection, current_fingerprint, execute, extract_ahead, plan
from emobench.spec import Job, Places

TWO = r"""
north:
  title: North
  pattern: ^(?P<speaker>\d)_(?P<emotion>[A-Z])(?P<repetition>\d)\.wav$
  emotions: {W: fury -> anger, T: grief -> sadness, N: calm -> neutral, L: boredom -> other}
  train_on: raw_emotion
  variants: {quiet: {drop: [{where: {emotion: W}, reason: loud}]}}
south:
  title: South
  pattern: ^(?P<speaker>\d)_(?P<emotion>[a-z]+)(?P<repetition>\d)\.wav$
  emotions: {ang: anger, sad: sadness, neu: neutral, hap: happiness, odd: other}
west:
  title: West
  pattern: ^(?P<speaker>\d)_(?P<emotion>[a-z]+)(?P<repetition>\d)\.wav$
  emotions: {ang: anger, hap: happiness, neu: neutral}
east:
  title: East
  pattern: ^(?P<speaker>\d)_(?P<emotion>[a-z]+)(?P<repetition>\d)\.wav$
  emotions: {hap: happiness, sad: sadness, odd: other}
  variants: {alone: {emotions: {hap: happiness, odd: other}}}
coasts:
  title: Coasts
  pool: [south, west]
"""

SPOKEN = {
    "north": ("1234", {"W": (240, 0.5), "T": (120, 0.1), "N": (150, 0.25), "L": (100, 0.2)}),
    "south": ("123", {"ang": (260, 0.4), "sad": (110, 0.1), "neu": (160, 0.2), "odd": (90, 0.3)}),
    "west": ("12", {"ang": (250, 0.4), "hap": (300, 0.3), "neu": (150, 0.2)}),
    "east": ("12", {"hap": (300, 0.3), "sad": (110, 0.1), "odd": (90, 0.3)}),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Four corpora of harmonic tones, whose codes for the emotions differ; not to be changed."""
    folder, random = tmp_path_factory.mktemp("between"), np.random.default_rng(0)
    (folder / "datasets.yaml").write_text(TWO)
    for name, (speakers, emotions) in SPOKEN.items():
        (folder / name).mkdir()
        for speaker in speakers:
            for code, (pitch, level) in emotions.items():
                for repetition in "12":
                    time = np.arange(int(random.uniform(0.6, 0.9) * 16_000)) / 16_000
                    phase = 2 * np.pi * pitch * (1 + 0.06 * int(speaker)) * time
                    tone = sum(np.sin(k * phase) / k for k in range(1, 7))
                    noisy = level * (tone + 0.3 * random.standard_normal(len(time))) / 3
                    file = folder / name / f"{speaker}_{code}{repetition}.wav"
                    soundfile.write(file, noisy, 16_000, subtype="PCM_16")
    return folder


@pytest.fixture
def places(root, tmp_path) -> Places:
    return Places(tmp_path / "results", root / "cache", root, (root / "datasets.yaml",))


@pytest.fixture(scope="module")
def finished(root, tmp_path_factory) -> Places:
    """Where a run from north to south has filed what it found; not to be changed."""
    results = tmp_path_factory.mktemp("finished")
    known = Places(results, root / "cache", root, (root / "datasets.yaml",))
    summary = run(known)
    assert (summary.done, summary.failures) == (1, {})
    return known


@pytest.fixture
def registry(root):
    return corpora.load_registry([root / "datasets.yaml"])


def select(trained, tested, **options) -> Selection:
    return Selection(("svm-is09",), trained, test_corpus=tested, **options)


def run(places, trained="north", tested="south", **options):
    return execute(plan(select(trained, tested, **options), places), places)


def stored(places) -> tuple[dict, dict, Path]:
    """Return the description and the record of the only fold, and where they are."""
    (path,) = places.results.rglob("fold-00-repetition-1.json")
    description = json.loads((path.parent / "experiment.json").read_text())
    return description, json.loads(path.read_text()), path


def by_hand(places, registry) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return values standardised by scikit-learn, labels, test mask, speakers and ids."""
    meant = {"W": "anger", "T": "sadness", "N": "neutral"}
    meant |= {"ang": "anger", "sad": "sadness", "neu": "neutral"}
    values, labels, speakers, ids = [], [], [], []
    for name in ("north", "south"):
        table = corpora.load(registry.get(name), places.data, places.cache).sort_index()
        codes = [clip.partition("_")[2][:-1] for clip in table.index]
        known = [code in meant for code in codes]
        found = features.load(table, features.spec("is09"), cache=places.cache)
        own = np.concatenate([found.clip(index) for index in range(len(found))])[known]
        who = table["speaker"].to_numpy(dtype=str)[known]
        for speaker in np.unique(who):
            own[who == speaker] = StandardScaler().fit_transform(own[who == speaker])
        values.append(own)
        labels += [meant[code] for code in codes if code in meant]
        speakers += [f"{name}/{speaker}" for speaker in who]
        ids += [f"{name}/{clip}" for clip, kept in zip(table.index, known, strict=True) if kept]
    tested = np.array([clip.startswith("south/") for clip in ids])
    return np.concatenate(values), np.array(labels), tested, np.array(speakers), np.array(ids)


def predicted(path: Path) -> dict[str, str]:
    table = gathering.read_experiments(path.parents[4])[0].predictions
    return dict(zip(table["id"], table["predicted"], strict=True))


def test_predictions_are_those_of_a_pipeline_by_hand(finished, registry):
    """Tuned on training speakers that are held out, fitted on all of them, and tested."""
    values, labels, tested, speakers, ids = by_hand(finished, registry)
    grid = models.get("svm-is09").config
    search = GridSearchCV(
        SVC(break_ties=True, class_weight="balanced"),
        {"C": grid.C, "gamma": grid.gamma},
        scoring="balanced_accuracy",
        cv=LeaveOneGroupOut(),
    ).fit(values[~tested], labels[~tested], groups=speakers[~tested])
    _, record, path = stored(finished)
    assert record["parameters"] == search.best_params_
    assert [cell["score"] for cell in record["grid"]] == pytest.approx(
        list(search.cv_results_["mean_test_score"])
    )
    assert record["tuned_on"] == "training folds, speaker-disjoint"
    expected = search.predict(values[tested])
    assert predicted(path) == dict(zip(ids[tested], expected, strict=True))
    uar = recall_score(labels[tested], expected, average="macro")
    assert record["scores"]["uar"] == pytest.approx(uar)


def test_what_is_filed(finished):
    description, record, path = stored(finished)
    assert path.relative_to(finished.results).parts[:3] == ("losgo", "north-to-south", "svm-is09")
    assert description["corpus"] == "north-to-south"
    assert description["configuration"]["corpus"]["name"] == "north"
    assert description["configuration"]["test_corpus"]["name"] == "south"
    assert (description["n_folds"], description["repetitions"]) == (1, 1)
    assert description["labels"] == ["anger", "sadness", "neutral"]
    assert description["words"]["anger"] == {"north": ["fury"], "south": ["ang"]}
    assert description["dropped"] == {
        "north: boredom, which the other side does not have": 8,
        "south: odd, which the other side does not have": 6,
    }
    assert (record["n_training"], record["n_test"], record["held_out"]) == (24, 18, ["south"])


def test_a_second_run_computes_nothing_and_the_audit_finds_nothing(finished, registry):
    again = run(finished)
    assert (again.done, again.kept) == (0, 1)
    (found,) = audit.of_results(
        finished, registry=registry, current=lambda known: current_fingerprint(known, registry)
    )
    assert "1 result of today" in found.subject
    assert found.count("hard") == 0
    assert found.not_checked == ()


def test_within_a_corpus_nothing_is_said_of_another(registry):
    model, protocol = models.get("svm-is09"), protocols.get("losgo")
    assert "test_corpus" not in configuration(registry.get("south"), model, protocol)
    both = [
        configuration(registry.get(f"{one}-to-south"), model, protocol) for one in ("north", "west")
    ]
    assert both[0]["test_corpus"] == both[1]["test_corpus"]
    assert both[0]["corpus"] == configuration(registry.get("north"), model, protocol)["corpus"]


def test_training_columns_are_standardised_by_training_clips(places, registry):
    model = models.get("svm-is09")
    inputs = {"functionals": replace(model.inputs["functionals"], scaling="training")}
    data = dataset.load(registry.get("north-to-south"), replace(model, inputs=inputs), places)
    (fold,) = data.folds(protocols.get("losgo"))
    training, test = data.positions(fold.training), data.positions(fold.test)
    raw = data.inputs["functionals"].learnt
    values = np.concatenate([raw.clip(index) for index in range(len(data.table))])
    scaler = StandardScaler().fit(values[training])
    kept = values[training].std(axis=0) > 1e-6
    np.testing.assert_allclose(
        data.matrix("functionals", training, test)[:, kept],
        scaler.transform(values)[:, kept],
        rtol=1e-4,
        atol=1e-4,
    )


def test_development_speakers_are_of_the_corpus_that_is_trained_on(places, registry):
    data = dataset.load(
        registry.get("north-to-south"), models.get("svm-is09"), places, extract=False
    )
    (fold,) = data.folds(protocols.get("losgo"))
    trained, kept, kind = folds.development(fold, data.table, 0.25, seed=1)
    who = [set(data.table.loc[list(part), "speaker"]) for part in (trained, kept)]
    assert (kind, len(who[0]), len(who[1])) == ("speaker-disjoint", 3, 1)
    assert who[0] | who[1] == {f"north/{number}" for number in "1234"}
    assert set(fold.test) == {clip for clip in data.table.index if clip.startswith("south/")}


def test_corpora_together_are_one_side(places, registry):
    joined = registry.get("West+South-to-north")
    assert joined.name == "south+west-to-north"
    assert joined.title == "South and West → North"
    assert joined.labels == ("anger", "sadness", "neutral")
    assert registry.get("coasts-to-north").labels == joined.labels
    data = dataset.load(joined, models.get("svm-is09"), places, extract=False)
    (fold,) = data.folds(protocols.get("losgo"))
    assert {clip.partition("/")[0] for clip in fold.training} == {"south", "west"}
    assert {clip.partition("/")[0] for clip in fold.test} == {"north"}
    other = dataset.load(
        registry.get("north-to-south+west"), models.get("svm-is09"), places, extract=False
    )
    (turned,) = other.folds(protocols.get("losgo"))
    assert set(turned.test) == set(fold.training)
    assert set(turned.training) == set(fold.test)


def test_an_emotion_that_one_copy_lacks_is_left_out(root, places, registry, tmp_path):
    shutil.copytree(root / "north", tmp_path / "north")
    (tmp_path / "south").mkdir()
    for file in (root / "south").glob("*_[an]*.wav"):
        shutil.copy(file, tmp_path / "south")
    reading = corpora.open_corpus(registry.get("north-to-south"), tmp_path)
    assert {clip.facts["label"] for clip in reading.clips} == {"anger", "neutral"}
    assert reading.dropped["north: grief, which the other side does not have"] == 8


@pytest.mark.parametrize(
    ("trained", "tested", "message"),
    [
        ("north", "north", "north-to-north: expected other recordings and speakers .* found north"),
        ("north:quiet", "north", "trained on north:quiet and tested on north"),
        ("coasts", "south", "coasts-to-south: .* found south on both sides"),
        ("west", "coasts", "west-to-coasts: .* found west on both sides"),
        ("south+west", "west", r"south\+west-to-west: .* found west on both sides"),
        ("south+coasts", "north", r"coasts\+south: .* found south several times"),
        (
            "west",
            "east",
            "west-to-east: expected two common emotions or more, found happiness: west",
        ),
        ("east:alone", "north", "expected two common emotions or more, found none: east:alone has"),
        ("north", "nowhere", "corpus: expected one of .*, found 'nowhere'"),
        ("north", "south+nowhere", r"corpus: expected one of .*, found 'south\+nowhere'"),
    ],
)
def test_corpora_that_cannot_be_tried_on_each_other_are_refused(places, trained, tested, message):
    with pytest.raises(SpecError, match=message):
        plan(select(trained, tested), places)
    assert not places.results.exists()


def test_a_protocol_that_lets_test_clips_into_training_is_refused(places):
    wanted = "--test-corpus: expected a protocol .* found keesing2020: .* class weights count"
    with pytest.raises(SpecError, match=wanted):
        plan(select("north", "south", protocol="keesing2020"), places)
    with pytest.raises(SpecError, match="found yoon2018: clips of one speaker"):
        plan(Selection("svm-is09", "north-to-south", "yoon2018"), places)


def test_a_smaller_copy_is_told_from_a_complete_one(root, tmp_path):
    text = TWO.replace(
        "title: North\n", "title: North\n  expect: {anger: 8, sadness: 9, other: 8}\n"
    )
    (tmp_path / "own.yaml").write_text(text)
    registry = corpora.load_registry([tmp_path / "own.yaml"])
    assert registry.get("north-to-south").expect is None
    text = text.replace(
        "title: South\n", "title: South\n  expect: {anger: 6, sadness: 6, other: 6}\n"
    )
    (tmp_path / "own.yaml").write_text(text)
    pair = corpora.load_registry([tmp_path / "own.yaml"]).get("north-to-south")
    assert pair.expect.emotions == {"anger": 14, "sadness": 15}
    known = configuration(pair, models.get("svm-is09"), protocols.get("losgo"))
    other = registry.get("north-to-south")
    assert known == configuration(other, models.get("svm-is09"), protocols.get("losgo"))
    found = audit.foresee(pair, protocols.get("losgo"), root, tmp_path / "cache")
    (fewer,) = [one for one in found if one.kind == "fewer-clips"]
    assert "sadness 14 of 15" in fewer.found


def test_a_matrix_has_no_diagonal(places):
    several = ("north", "south")
    planned = plan(select(several, several), places)
    assert [corpus.name for corpus, _ in planned.pairs] == ["north-to-south", "south-to-north"]
    assert planned.left_out == {}


def test_all_against_all(places):
    planned = plan(select("all", "all"), places)
    names = [corpus.name for corpus, _ in planned.pairs]
    ordinary = ("north", "south", "west", "east")
    assert set(names) == {
        f"{one}-to-{other}" for one in ordinary for other in ordinary if one != other
    } - {"west-to-east", "east-to-west", "north-to-east", "east-to-north"}
    assert "expected two common emotions" in planned.left_out["west to east"]
    assert planned.left_out["coasts"] == "made of others; run it by name"


@pytest.mark.parametrize("kind", ["PCM_16", "FLOAT"])
def test_a_recording_in_both_corpora_is_refused(root, tmp_path, kind):
    """The same bytes under another name, and the same sound in another kind of file."""
    for name in ("north", "south"):
        shutil.copytree(root / name, tmp_path / name)
    samples, rate = soundfile.read(tmp_path / "north" / "1_W1.wav")
    soundfile.write(tmp_path / "south" / "9_ang1.wav", samples, rate, subtype=kind)
    own = Places(tmp_path / "results", tmp_path / "cache", tmp_path, (root / "datasets.yaml",))
    summary = run(own)
    ((name, message),) = summary.failures.items()
    assert name == "north-to-south svm-is09"
    assert message.startswith("north-to-south: expected ")
    assert "north/1_W1" in message
    assert "south/9_ang1" in message
    assert not own.results.exists()


def test_features_that_were_extracted_ahead_are_not_extracted_again(places, registry, tmp_path):
    own = replace(places, cache=tmp_path / "cache")
    list(extract_ahead(["is09"], ["north-to-south"], own))
    folders = sorted((own.cache / "is09-v1").iterdir())
    dataset.load(registry.get("north-to-south"), models.get("svm-is09"), own)
    assert sorted((own.cache / "is09-v1").iterdir()) == folders


@pytest.mark.parametrize("model", ["svm-is09", "latif2019"])
def test_pools_variants_and_pairs_are_views_of_each_corpus(
    places, registry, tmp_path, monkeypatch, model
):
    """What each corpus alone has is extracted for no other set of clips, and has the same bits."""
    own, fresh = (replace(places, cache=tmp_path / name) for name in ("cache", "fresh"))
    model = models.get(model)
    for name in ("north", "south", "west"):
        dataset.load(registry.get(name), model, own)
    made_of_them = ("coasts", "north:quiet", "north-to-south", "coasts-to-north", "south-to-west")
    expected = {name: dataset.load(registry.get(name), model, fresh) for name in made_of_them}
    with monkeypatch.context() as patch:
        patch.setattr(caching, "extract_all", refuse)
        found = {name: dataset.load(registry.get(name), model, own) for name in made_of_them}
    for name in made_of_them:
        assert found[name].digest == expected[name].digest
        assert list(found[name].table.index) == list(expected[name].table.index)
        every = np.arange(len(found[name].table))
        for key in model.inputs:
            one, two = (
                data.prepare(name=key, training=every[::2])
                for data in (found[name], expected[name])
            )
            for clip in every:
                assert one.source.clip(clip).tobytes() == two.source.clip(clip).tobytes()
    coded = AppliedCondition(conditions.parse("mp3:64k"), "both")
    monkeypatch.setattr(caching, "extract_all", refuse)
    with pytest.raises(AssertionError, match="not to be"):
        dataset.load(registry.get("coasts"), model, own, applied=coded)


def refuse(*given):
    raise AssertionError("not to be extracted")


def test_a_dry_run_shows_the_mapping(root, places):
    names = ["--model", "svm-is09", "--corpus", "north", "--test-corpus", "south"]
    paths = ["--data", root, "--datasets", root / "datasets.yaml", "--cache", places.cache]
    shown = CliRunner().invoke(command, [*names, *map(str, paths), "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert "north-to-south: 3 common emotions\n" in shown.output
    assert "  anger: fury in north; ang in south\n" in shown.output
    assert (
        "  left out: 8 clips (north: boredom, which the other side does not have)\n" in shown.output
    )
    assert "north-to-south svm-is09: protocol losgo, 1 folds, 1 jobs to do" in shown.output


def test_own_words_are_those_of_each_corpus(registry):
    assert across.words(registry.get("coasts-to-north"))["anger"] == {
        "south": ["ang"],
        "west": ["ang"],
        "north": ["fury"],
    }


def test_corpora_together_are_looked_up_as_what_they_are_made_of(registry):
    lookup = Lookup(registry)
    assert lookup.title("south+west") == "South and West"
    assert lookup.heard("south+west", {"training_corpora": ["West", "North"]}) == ("West",)


SPEAKERS = 5


def made(corpus="emo-db-to-ravdess", tested="ravdess", model="svm-is09", **options):
    between = {"test_corpus": {"name": tested}} if tested else {}
    return experiment(
        corpus, model, "losgo", n_folds=1 if tested else SPEAKERS, **between, **options
    )


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    """Results inside RAVDESS and from EMO-DB to it, of which the second tests three emotions."""
    from emobench import runs

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(runs, "current_fingerprint", lambda known, registry: current(known))
    (tmp_path / "results").mkdir()
    found = Filled(tmp_path / "results")
    found.run(made("ravdess", ""), skill=0.9)
    labels = LABELS[:3]
    table = predictions(Job(0), n_clips=80, skill=0.5)
    table = table[table["label"].isin(labels) & table["predicted"].isin(labels)]
    table = table.drop(columns=f"p_{LABELS[3]}")
    table["speaker"] = [f"ravdess/{number % SPEAKERS}" for number in range(len(table))]
    found.store.open(made(), {"labels": labels, "n_clips": len(table)})
    found.store.add(made(), Job(0), {"scores": metrics.score(table, labels)}, table)
    return found


def build(filled: Filled):
    return leaderboard.build(
        filled.results, protocol="losgo", current=current, registry=FakeRegistry()
    )


def test_results_across_corpora_are_in_no_row(filled):
    board = build(filled)
    assert [row.corpus for row in board.rows] == ["ravdess"]
    (row,) = board.across
    assert (row.corpus, row.title) == ("emo-db-to-ravdess", "EMO-DB → RAVDESS")
    assert row.chance == pytest.approx(100 / 3)
    gathered = gathering.gather(
        filled.results, protocol="losgo", current=current, partial=False, registry=FakeRegistry()
    )
    assert [one.corpus for one in gathered.shown] == ["ravdess"]
    assert [(one.trained_on, one.tested_on) for one in gathered.across] == [("emo-db", "ravdess")]


@pytest.mark.parametrize(("trained_on", "heard"), [("RAVDESS", True), ("EMO-DB", False)])
def test_an_encoder_that_was_trained_on_the_tested_corpus_is_marked(filled, trained_on, heard):
    card = {"name": "mine", "sha256": "1a2b", "training_corpora": [trained_on]}
    found = made(model="encoder-svm", encoder=card)
    filled.store.open(found, {"labels": LABELS, "n_clips": 80})
    table = predictions(Job(0), n_clips=80)
    filled.store.add(found, Job(0), {"scores": metrics.score(table, LABELS)}, table)
    (row,) = build(filled).across
    (cell,) = [result for result in row.cells.values() if result.model == "encoder-svm"]
    assert any("heard this corpus" in note for note in cell.notes) == heard
    assert cell.comparable != heard


def test_beside_stands_the_same_model_inside_the_tested_corpus(filled):
    (row,) = build(filled).across
    (uar,) = row.within.values()
    expected = []
    for fold in range(SPEAKERS):
        table = predictions(Job(fold), skill=0.9)
        recalls = recall_score(
            table["label"], table["predicted"], labels=LABELS[:3], average=None, zero_division=0
        )
        expected.append(recalls.mean())
    assert uar == pytest.approx(np.mean(expected))


def test_every_format_shows_results_across_corpora_apart(filled):
    board = build(filled)
    (row,) = board.across
    ((column, cell),) = row.cells.items()
    uar = f"{100 * cell.scores['uar']:.1f}"
    within = f"({100 * row.within[column]:.1f})"
    table = leaderboard.render(board)
    shown = table[table.index("Across corpora") :]
    assert "EMO-DB → RAVDESS" in shown
    assert f"*{uar}" in shown
    assert within in shown
    assert "EMO-DB → RAVDESS" not in table[: table.index("Across corpora")]
    page = leaderboard.render(board, "markdown")
    (line,) = [line for line in page.splitlines() if line.startswith("| EMO-DB → RAVDESS")]
    assert f"**{uar}** [" in line
    assert within in line
    assert "| 33.3" in line
    content = json.loads(leaderboard.render(board, "json"))["leaderboards"][0]
    assert [known["corpus"] for known in content["rows"]] == ["ravdess"]
    (known,) = content["across"]
    assert known["uar_within"]["svm-is09"] == pytest.approx(100 * row.within[column], abs=1e-4)
    assert "\nlosgo,emo-db-to-ravdess,false,svm-is09," in leaderboard.render(board, "csv")
    assert "EMO-DB → RAVDESS" not in leaderboard.fragment(board)


def test_results_across_corpora_alone_are_shown(filled):
    shutil.rmtree(filled.results / "losgo" / "ravdess")
    board = build(filled)
    assert board.rows == ()
    assert board.across[0].within == {}
    for kind in ("table", "markdown"):
        text = leaderboard.render(board, kind)
        assert "EMO-DB → RAVDESS" in text
        assert "round brackets" not in text
        assert "No complete results" not in text


def test_heat_map(filled, tmp_path):
    asked = ["across", "--model", "svm-is09", "--protocol", "losgo"]
    asked += ["--results", str(filled.results), "--out"]
    shown = CliRunner().invoke(plot, [*asked, str(tmp_path / "map.svg")])
    assert shown.exit_code == 0, shown.output
    ((_, cell),) = build(filled).across[0].cells.items()
    drawn = (tmp_path / "map.svg").read_text()
    for text in (f"{100 * cell.scores['uar']:.1f}", "chance 33.3", "EMO-DB", "RAVDESS"):
        assert f">{text}<" in drawn or f"-- {text} --" in drawn
    asked[2] = "librosa-mlp"
    refused = CliRunner().invoke(plot, [*asked, str(tmp_path / "none.svg")])
    assert "expected results of librosa-mlp across corpora" in str(refused.exception)


def test_a_split_by_corpus_needs_two_classes_and_clips_to_test(registry, places):
    table = corpora.load(registry.get("north-to-south"), places.data, places.cache)
    protocol = protocols.get("losgo")
    with pytest.raises(CorpusError, match="test corpus east: expected clips to test, found none"):
        folds.make(table, "tested: east", protocol)
    one = table[(table["corpus"] == "south") | (table["label"] == "anger")]
    with pytest.raises(CorpusError, match=r"test corpus south: .* found only 'anger'"):
        folds.make(one, "tested: south", protocol)


def test_both_sides_of_the_heat_map_have_one_order():
    pairs = [pictures.Tested("A", "B", 0.6, 0.2), pictures.Tested("B", "A", 0.1, 0.2)]
    drawing = pictures.across(pairs, "How it does")
    assert [words for words in drawn.words(drawing, "strong") if words in "AB"] == [*"AB", *"AB"]
    first, second = drawn.boxes(drawing, "heat")
    assert (first.share, second.share) == (pytest.approx(0.5), 0)  # half of the way from chance
    assert (first.x > second.x, first.y < second.y) == (True, True)
    assert drawn.words(drawing).count("–") == 2
