"""Each key of an entry and of an encoder's card: what is accepted, and what is told of the rest."""

from __future__ import annotations

import json
import math
import re
import statistics
from pathlib import Path

import pytest
import yaml

from emobench import models, protocols
from emobench.corpora.entries.fields import EMOTIONS, SEXES, split_download, split_emotion
from emobench.corpora.entries.rules import is_name
from emobench.corpora.entries.schema import Corpus, Entry
from emobench.corpora.entries.validation import shown, validated
from emobench.corpora.entries.yaml_source import parse
from emobench.costs import effort, figures
from emobench.encoders.card import KEYS, read_card
from emobench.errors import SpecError

RESULTS = Path(__file__).parents[1] / "results"
SOUND = {
    "title": "Mine",
    "pattern": r"^(?P<speaker>\w+)_(?P<emotion>\w+)\.wav$",
    "emotions": {"a": "anger", "j": "happiness"},
    "folds": "speaker",
    "language": "de",
    "year": "2020",
    "citation": "Me",
    "licence": "CC0",
    "access": "open",
    "homepage": "https://example.org",
}


def entry(**changes: object) -> Entry:
    """Return a sound entry with some keys changed, or left out by None."""
    keys = {key: value for key, value in {**SOUND, **changes}.items() if value is not None}
    text = yaml.safe_dump({"mine": keys}, allow_unicode=True, sort_keys=False)
    (source,) = parse(text, Path("mine.yaml"))
    return validated(source)


def test_a_sound_entry_is_accepted():
    assert entry().title == "Mine"
    assert entry().folds == "speaker"


@pytest.mark.parametrize(
    ("folds", "rule"),
    [
        ("speaker", "speaker"),
        (" speaker ", "speaker"),
        ({"groups": "6"}, "groups:6"),
        ("groups: 06", "groups:6"),
        ("groups:12", "groups:12"),
    ],
)
def test_folds_may_be_written_in_two_ways(folds, rule):
    assert entry(folds=folds).folds == rule


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"folds": "speakers"},
            "folds: expected speaker, session or .*'speakers'. Did you mean 's",
        ),
        ({"folds": {"groups": "1"}}, "with N of 2 or more"),
        ({"folds": {"groups": "0"}}, "with N of 2 or more"),
        ({"folds": ["speaker"]}, "It says what a fold of the cross-validation holds out"),
        ({"titel": "x"}, "expected one of the keys .*, found 'titel'. Did you mean 'title'"),
        ({"<<": {}}, "Entries cannot be merged: repeat the keys, or make it a variant"),
        ({"title": ["a"]}, "title: expected a text, found a list. Write a single text"),
        ({"title": ""}, "title: expected a text, found ''. Fill it in, or remove the key"),
        ({"emotions": "anger"}, r"emotions: expected a mapping \{name: value\}, found 'anger'"),
        ({"emotions": {"a": "rage"}}, "expected one of anger, .*, found 'rage'"),
        ({"emotions": {"a": "angry"}}, "found 'angry'. Did you mean 'anger'"),
        ({"emotions": {"a": "x -> bliss"}}, "found 'x -> bliss'"),
        ({"pattern": "("}, "expected a regular expression, found .* Python says: .* at character"),
        ({"pattern": "(?P<speaker>x)"}, "expected something that yields 'emotion', found nothing"),
        (
            {"pattern": r"(?P<speaker>x)(?P<emotion>y)(?P<gender>z)"},
            "found 'gender'. Did you mean 'sex'",
        ),
        ({"pattern": None}, r"expected the key 'pattern' \(or 'tables', or 'reader'\)"),
        ({"pattern": None, "reader": "iemocapp"}, "expected one of the readers .* 'iemocapp'. Did"),
        ({"reader": "iemocap"}, "expected no key that says how names are read beside `reader`"),
        ({"generator": "demos"}, "generator: expected one of demo, found 'demos'. Did you mean"),
        ({"glob": "/data/*.wav"}, "Separate folders with '/', and leave out where the corpus"),
        ({"glob": "../*.wav"}, "below the corpus folder"),
        ({"glob": r"a\*.wav"}, "below the corpus folder"),
        ({"glob": []}, "glob: expected the files of the corpus.*, found none. Leave it out for"),
        ({"homepage": "example.org"}, "expected an address that begins with https://"),
        ({"doi": "doi:10.1000/1"}, "expected a DOI such as 10.1000/182, found 'doi:10.1000/1'"),
        ({"urls": ["https://x.org/a.zip#md5=12"]}, "behind '#' what is published of the file"),
        ({"urls": ["https://x.org/a.zip#crc=1"]}, "behind '#' what is published of the file"),
        ({"access": "free"}, "access: expected one of open, licence, found 'free'. Choose one"),
        ({"defaults": {"sex": "femal"}}, "expected female or male, found 'femal'. Did you mean"),
        ({"defaults": {"mood": "x"}}, "found 'mood'"),
        ({"values": {"emotion": {"map": {"a": "b"}}}}, "expected any other column, .* `emotions:`"),
        ({"extra": ["label"]}, "'label'. It is a column already: leave it out"),
        ({"extra": ["two words"]}, "expected the name of a further column, found 'two words'"),
        ({"expect": {"speakers": "-1"}}, "expected a number greater than or equal to 0"),
        ({"expect": {"speakers": "ten"}}, "expected a whole number, found 'ten'"),
        ({"expect": {"clips": "10"}}, "expected one of the keys .*speakers.*, found 'clips'"),
        ({"drop": {"reason": "x"}}, r"expected a list \[a, b\], found a mapping|a list"),
        ({"transcripts": {"1": "Hello"}}, "expected a column 'sentence' to look texts up by"),
    ],
)
def test_each_mistake_is_told_with_its_place(changes, message):
    with pytest.raises(SpecError, match=message) as told:
        entry(**changes)
    assert re.match(r"mine\.yaml, line \d+: mine", str(told.value))


def test_many_mistakes_are_counted():
    wrong = {f"key{number}": "x" for number in range(9)}
    with pytest.raises(SpecError) as told:
        entry(**wrong)
    lines = str(told.value).split("\n")
    assert len(lines) == 6
    assert lines[-1] == "… and 4 more in this entry."
    assert all("found 'key" in line for line in lines[:-1])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ("a", "'a'"),
        (3, "'3'"),
        ([1], "a list"),
        ((), "a list"),
        ({}, "a mapping"),
        ({"a": "b"}, "{a: b}"),
        ({"a": "b", "c": "d"}, "a mapping"),
        ("x" * 60, f"'{'x' * 60}'"),
        ("x" * 61, f"'{'x' * 57}…'"),
    ],
)
def test_what_was_found_fits_into_a_message(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        *((name, True) for name in ("emo-db", "a", "7", "a.b", "a+b", "a_b-c", "x" * 100)),
        *((name, False) for name in ("", "-a", "a-", "A", "a b", "é", "a--b", "a/b", "x" * 101)),
    ],
)
def test_names_of_corpora(name, accepted):
    assert is_name(name) is accepted


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("anger", (None, "anger")),
        ("rage->anger", ("rage", "anger")),
        ("  very -> much  ->  anger ", ("very", "much  ->  anger")),
        ("two words -> other", ("two words", "other")),
    ],
)
def test_a_word_of_the_corpus_stands_before_an_arrow(text, parts):
    assert split_emotion(text) == parts


def test_what_is_published_of_a_file_stands_behind_its_address():
    assert split_download("https://x.org/a.zip") == ("https://x.org/a.zip", {})
    address, facts = split_download("https://x.org/a.zip?b=c#md5=AB&bytes=7&")
    assert address == "https://x.org/a.zip?b=c"
    assert facts == {"md5": "ab", "bytes": "7"}


def test_sexes_are_told_in_five_languages():
    assert {SEXES[word] for word in ("f", "weiblich", "femme", "donna", "mujer")} == {"female"}
    assert {SEXES[word] for word in ("m", "mann", "homme", "uomo", "hombre")} == {"male"}
    assert len(EMOTIONS) == len(set(EMOTIONS)) == 9


@pytest.mark.parametrize(
    ("folds", "text"),
    [
        ("speaker", "one speaker is held out at a time"),
        ("session", "one session is held out at a time"),
        ("groups:5", "one of 5 groups of speakers is held out"),
        ("tested: a, b", "all speakers of a, b are tested"),
    ],
)
def test_what_is_held_out_in_words(folds, text):
    described = Corpus.model_construct(folds=folds)
    assert described.held_out == text


CARD = {
    "name": "wav2vec",
    "sha256": "0" * 64,
    "sampling_rate": "16000",
    "layers": "13",
    "width": "768",
    "licence": "MIT",
    "citation": "They",
    "training_corpora": ["LibriSpeech"],
}


def card(folder: Path, **changes: object) -> Path:
    keys = {key: value for key, value in {**CARD, **changes}.items() if value is not None}
    (folder / "card.yaml").write_text(yaml.safe_dump(keys))
    return folder


def test_a_card_is_read(tmp_path):
    found = read_card(card(tmp_path))
    assert (found.layers, found.width, found.sampling_rate) == (13, 768, 16_000)
    assert (found.format, found.file) == ("onnx", "model.onnx")
    assert found.training_corpora == ("LibriSpeech",)
    assert read_card(card(tmp_path, training_corpora=[], name="other")).training_corpora == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(({key: None}, f"expected the key {key}, found none. The keys of a card") for key in CARD),
        ({"with": "x"}, "expected one of the known keys, found 'with'"),
        ({"layer": "3"}, "found 'layer'. Did you mean 'layers'"),
        ({"name": "two words"}, "name: expected .*pattern.*, found 'two words'. Correct it"),
        ({"sha256": "0" * 63}, "sha256: expected"),
        ({"sha256": "G" * 64}, "sha256: expected"),
        ({"layers": "0"}, "layers: expected greater than or equal to 1, found '0'"),
        ({"layers": "many"}, "layers: expected a valid integer"),
        ({"sampling_rate": "16"}, "sampling_rate: expected greater than or equal to 1000"),
        ({"format": "torch"}, "format: expected 'onnx' or 'keras-hub', found 'torch'"),
        ({"licence": "  "}, "licence: expected"),
        ({"training_corpora": "LibriSpeech"}, "training_corpora: expected a valid tuple"),
    ],
)
def test_a_card_that_lacks_or_twists_a_key_is_told(tmp_path, changes, message):
    with pytest.raises(SpecError, match=message) as told:
        read_card(card(tmp_path, **changes))
    assert str(told.value).startswith(str(tmp_path / "card.yaml"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected `key: value` lines, found none. The keys of a card: name, format"),
        (b"- a\n", "expected `key: value` lines, found none"),
        (b"a: [", "expected YAML in UTF-8, found: while parsing"),
        (b"a: \xff", "expected YAML in UTF-8, found"),
        (b"a: 1\na: 2\n", "found: a key twice in a"),
    ],
)
def test_a_card_that_is_none_is_told(tmp_path, content, message):
    (tmp_path / "card.yaml").write_bytes(content)
    with pytest.raises(SpecError, match=message):
        read_card(tmp_path)


def test_a_folder_without_a_card_is_told(tmp_path):
    with pytest.raises(SpecError, match=r"expected the folder of an encoder, found No such file"):
        read_card(tmp_path / "none")
    with pytest.raises(SpecError, match=r"expected card\.yaml and an ONNX model, found no card"):
        read_card(tmp_path)
    (tmp_path / "metadata.json").touch()
    with pytest.raises(SpecError, match=r"beside the preset of KerasHub, found none. Write one wi"):
        read_card(tmp_path)
    assert len(KEYS) == len(CARD) + 2


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_workers_begin_the_next_job_as_soon_as_they_are_free(workers):
    seconds = [5.0, 3.0, 8.0, 1.0, 1.0, 2.0, 9.0]
    free = [0.0] * workers
    for each in seconds:
        free[free.index(min(free))] += each
    assert figures.makespan(seconds, workers) == max(free)
    assert figures.makespan([], workers) == 0


def test_cells_of_a_grid_are_those_of_its_product():
    machine = models.get("svm-is09")
    expected = math.prod(
        len(one) for one in vars(machine.config).values() if isinstance(one, tuple)
    )
    assert effort.cells_of(machine) == expected
    assert effort.cells(machine, protocols.get("losgo")) == expected
    assert effort.cells(machine, protocols.get("smoke")) == 0  # nothing is searched
    assert effort.fits(machine, 3, 0) == 1
    assert effort.fits(machine, 3, 4) == 1 + 3 * 4 * (3 / 4) ** 2  # pairs of clips


def test_twice_the_epochs_are_nearly_twice_the_effort():
    network = models.get("latif2019")
    once, twice = (effort.effort(network, 200, 500, 1, epochs) for epochs in (10, 20))
    assert twice - once == pytest.approx(10 * effort.of_epoch(network, 200, 500))
    smoke = protocols.get("smoke")
    assert effort.usual_epochs(network, smoke) == smoke.epochs == 2
    assert effort.usual_epochs(network, protocols.get("losgo")) == network.config.epochs


def test_a_network_that_stops_early_is_counted_about_as_long_as_it_is_seen_to_train():
    network = models.get("yoon2018-are")
    seen = [
        json.loads(path.read_bytes())["epochs"]
        for path in RESULTS.glob("losgo/*/yoon2018-are/*/fold-*.json")
    ]
    counted = effort.usual_epochs(network, protocols.get("losgo"))
    assert statistics.mean(seen) / 2 < counted < statistics.mean(seen) * 2
    assert effort.usual_epochs(network, protocols.get("losgo"), asked=3) == 3
    # Where the best epoch on the test clips is chosen, all are trained.
    leaky = protocols.get("leaky-epoch")
    assert effort.usual_epochs(network, leaky) == network.config.epochs > counted
