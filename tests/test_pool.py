"""Corpora that are taken together."""

from __future__ import annotations

import pickle
import shutil

import grammars
import pytest
import trees

from emobench import corpora, folds, protocols
from emobench.corpora.registry import PACKAGED
from emobench.errors import CorpusError, SpecError
from emobench.spec import fingerprint

REGISTRY = corpora.load_registry([PACKAGED])

TWO = r"""
one:
  title: One
  licence: yes
  pattern: ^(?P<speaker>\w+)_(?P<emotion>[a-z]+)\.wav$
  emotions: {ang: anger, hap: joy -> happiness}
  drop: [{where: {emotion: bad}, reason: bad}]
  train_on: raw_emotion
two:
  title: Two
  access: licence
  homepage: https://x.org
  pattern: ^(?P<speaker>\w+)_(?P<emotion>[a-z]+)_(?P<room>\d)\.wav$
  extra: [room]
  emotions: {ang: anger, sad: sadness}
  variants: {quiet: {emotions: {sad: sadness}}}
both:
  title: Both
  pool: [One, two]
  variants:
    common: {pool_labels: common}
"""


@pytest.fixture
def both(tmp_path):
    """A pool of two corpora, and the folder that holds them."""
    trees.plant(tmp_path / "one", ["a_ang.wav", "a_hap.wav", "b_ang.wav", "b_bad.wav"])
    trees.plant(tmp_path / "TWO" / "x", ["a_ang_1.wav", "a_sad_2.wav"])
    (tmp_path / "TWO" / "y").mkdir()
    shutil.copy(tmp_path / "TWO" / "x" / "a_ang_1.wav", tmp_path / "TWO" / "y")
    (tmp_path / "two.yaml").write_text(TWO)
    return corpora.load_registry([tmp_path / "two.yaml"]), tmp_path


def test_names_stay_apart(both):
    registry, data = both
    table = corpora.load(registry.get("both"), data, data / "cache")
    assert list(table.index) == [
        "one/a_ang",
        "one/a_hap",
        "one/b_ang",
        "two/a_ang_1",
        "two/a_sad_2",
    ]
    assert list(table["speaker"]) == ["one/a", "one/a", "one/b", "two/a", "two/a"]
    assert list(table["group"]) == list(table["speaker"])
    assert list(table["label"]) == ["anger", "happiness", "anger", "anger", "sadness"]
    assert list(table["raw_emotion"]) == ["anger", "joy", "anger", "ang", "sad"]
    assert list(table["corpus"]) == ["one"] * 3 + ["two"] * 2
    assert table["room"].fillna("").tolist() == ["", "", "", "1", "2"]
    assert table["duration"].notna().all()
    assert registry.get("both").labels == ("anger", "happiness", "sadness")
    assert registry.get("both").access == "licence"


def test_emotions_of_both(both):
    registry, data = both
    reading = corpora.open_corpus(registry.get("both:common"), data)
    assert registry.get("both:common").labels == ("anger",)
    assert [clip.id for clip in reading.clips] == ["one/a_ang", "one/b_ang", "two/a_ang_1"]
    assert reading.dropped == {"one: bad": 1, "an emotion that not every corpus has": 2}
    assert reading.files == 7
    assert reading.duplicates == (("two/a_ang_1", "two/x/a_ang_1.wav", "two/y/a_ang_1.wav"),)


def test_mistakes_of_a_part_are_those_of_the_pool(both):
    registry, data = both
    trees.plant(data / "one", ["stranger.wav"])
    with pytest.raises(CorpusError, match=r"two\.yaml, line 5: one\.pattern: .* stranger\.wav"):
        corpora.load(registry.get("both"), data, data / "cache")
    report = corpora.check(registry.get("both"), data, cache=data / "cache")
    assert not report.good
    assert report.reading.unmatched == ("one/stranger.wav",)


def test_missing_part_is_one_message(tmp_path, monkeypatch):
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    trees.plant(tmp_path / "ravdess", ["03-01-01-01-01-01-01.wav"])
    corpus = REGISTRY.get("RAVDESS+TESS")
    assert corpora.find(corpus, tmp_path) is None
    with pytest.raises(CorpusError) as caught:
        corpora.load(corpus, tmp_path)
    told = str(caught.value)
    assert told.startswith(
        f"{tmp_path}: expected folders 'ravdess' and 'tess' for ravdess+tess, fo"
    )
    assert f"found ravdess. Unpack TESS into {tmp_path / 'tess'}. TESS: Download it at " in told
    assert "RAVDESS into" not in told
    with pytest.raises(CorpusError, match="neither --data nor"):
        corpora.load(corpus)
    (tmp_path / "tess").mkdir()
    assert corpora.find(corpus, tmp_path) == tmp_path
    with pytest.raises(CorpusError, match=r"tess: expected audio files like \*\.wav"):
        corpora.load(corpus, tmp_path, tmp_path / "cache")


def test_whole_pool_of_paper_001(tmp_path):
    trees.plant(tmp_path / "ravdess", trees.names(grammars.ravdess()))
    trees.plant(tmp_path / "ravdess", trees.names(grammars.ravdess("02")))
    trees.plant(tmp_path / "tess", trees.names(grammars.tess(slip=True)))
    for name in ("ravdess+tess", "ravdess+tess:speech+song", "ravdess+tess:common"):
        report = corpora.check(REGISTRY.get(name), tmp_path, cache=tmp_path / "cache")
        assert report.good, name
    table = corpora.load(REGISTRY.get("ravdess+tess"), tmp_path, tmp_path / "cache")
    assert len(table) == 4240
    assert table["speaker"].nunique() == 26
    assert table.loc["tess/OA_bite_neutral", "transcript"] == "Say the word bite"
    made = folds.make(table, "groups:6", protocols.get("losgo"))
    assert sorted(name for fold in made for name in fold.held_out) == sorted(set(table["speaker"]))


def test_fingerprint_is_made_of_the_parts(both, tmp_path):
    registry, _ = both
    before = registry.get("both").semantic()

    def after(old: str, new: str) -> dict:
        assert old in TWO
        (tmp_path / "three.yaml").write_text(TWO.replace(old, new))
        return corpora.load_registry([tmp_path / "three.yaml"]).get("both").semantic()

    assert after("title: Two", "title: Zwei") == before
    assert after("access: licence", "size: large") == before
    assert fingerprint(after("ang: anger, sad", "ang: fear, sad")) != fingerprint(before)
    assert fingerprint(after("pool: [One, two]", "pool: [two, One]")) != fingerprint(before)
    assert fingerprint(after("pool: [One, two]", "pool: [One, 'two:quiet']")) != fingerprint(before)
    assert fingerprint(registry.get("both:common").semantic()) != fingerprint(before)


def test_pool_can_be_sent_to_a_worker(both):
    registry, _ = both
    corpus = pickle.loads(pickle.dumps(registry.get("both")))
    assert corpus.semantic() == registry.get("both").semantic()
    assert [part.name for part in corpus.parts] == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[One, two]", "[One]", r"line 19: both\.pool: expected two corpora or more, found 1"),
        ("[One, two]", "[One, One]", r"both\.pool\.1: expected each corpus once, found 'One' ag"),
        ("[One, two]", "[One, tow]", r"both\.pool\.1: expected one of .* found 'tow'\. Did you"),
        ("[One, two]", "[One, 'two:x']", r"both\.pool\.1: expected one of its variants \(quiet\)"),
        ("[One, two]", "[one, 'ravdess+tess']", r"both\.pool\.1: expected a corpus that has files"),
        ("title: Both", "glob: '*'\n  title: Both", r"line 18: both\.glob: expected only what"),
        ("title: Both", "title: Both\n  folds: session", r"both\.folds: expected speaker or {gro"),
        (
            "common}",
            "rare}",
            r"both:common\.pool_labels: expected one of all, common, found 'rare'",
        ),
    ],
)
def test_mistakes_of_an_entry(tmp_path, old, new, message):
    assert old in TWO
    (tmp_path / "two.yaml").write_text(TWO.replace(old, new))
    with pytest.raises(SpecError, match=message) as caught:
        corpora.load_registry([tmp_path / "two.yaml"])
    assert len(str(caught.value).splitlines()) == 1
