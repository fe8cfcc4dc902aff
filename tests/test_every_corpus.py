"""Every entry of the packaged registry: complete, canonical, and true to the published counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trees

from emobench import corpora
from emobench.corpora.checking.counts import PUBLISHED, published, published_counts
from emobench.corpora.entries.yaml_source import read
from emobench.corpora.registry import PACKAGED, normalised

REGISTRY = corpora.load_registry([PACKAGED])
ENTRIES = [name for name in REGISTRY.names() if not REGISTRY.get(name).synthetic]
REAL = [name for name in ENTRIES if not REGISTRY.get(name).pool]

WHOLE = {
    "cafe": trees.cafe(),
    "enterface05": trees.enterface05(),
    "jl": trees.jl(),
    "portuguese": trees.portuguese(),
    "ravdess": trees.ravdess(),
    "savee": trees.savee(),
    "tess": trees.tess(),
}


def test_every_corpus_of_the_paper_is_there():
    assert {normalised(REGISTRY.get(name).title) for name in REAL} == set(published())


@pytest.mark.parametrize("name", REAL)
def test_entry_says_what_a_reader_needs(name):
    corpus = REGISTRY.get(name)
    assert corpus.citation
    assert corpus.licence
    assert corpus.language
    assert corpus.size
    assert corpus.homepage
    assert corpus.year
    assert {"speaker", "emotion"} <= corpus.columns
    assert len(corpus.labels) >= 2


@pytest.mark.parametrize("name", REAL)
def test_expected_counts_are_the_published_ones(name):
    corpus = REGISTRY.get(name)
    counts = published_counts(corpus)
    assert counts is not None
    wanted = {key: value for key, value in counts.items() if value}
    if name == "smartkom":  # has no sadness; helplessness is printed under it
        wanted["other"] += wanted.pop("sadness")
    assert corpus.expect.emotions == wanted
    assert corpus.expect.speakers


@pytest.mark.parametrize("name", [name for name in ENTRIES if REGISTRY.get(name).pool])
def test_pool_describes_itself_and_expects_what_its_parts_do(name):
    for corpus in map(REGISTRY.get, [name, *REGISTRY.variants(name)]):
        assert corpus.citation
        assert corpus.licence
        assert corpus.language
        assert corpus.size
        parts = [part.expect.emotions for part in corpus.parts]
        sums = {label: sum(part.get(label, 0) for part in parts) for label in corpus.labels}
        assert corpus.expect.emotions == sums
        assert corpus.expect.speakers == sum(part.expect.speakers for part in corpus.parts)


@pytest.mark.parametrize("name", [name for name in REGISTRY.corpora if ":" in name])
def test_variant_is_a_corpus_of_its_own(name):
    variant, corpus = REGISTRY.get(name), REGISTRY.get(name.partition(":")[0])
    assert variant.title != corpus.title
    assert variant.semantic() != corpus.semantic()
    assert {"speaker", "emotion"} <= variant.columns or variant.parts
    assert len(variant.labels) >= 2


def test_texts_that_say_nothing_of_the_emotion_are_marked():
    constant = {name for name in ENTRIES if REGISTRY.get(name).constant_texts}
    assert constant == {"cafe", "crema-d", "emo-db", "ravdess", "tess", "ravdess+tess"}
    spoken = {name for name in ENTRIES if REGISTRY.get(name).has_transcripts}
    assert constant | {"jl", "shemo", "iemocap"} <= spoken


def test_published_rows_sum_to_the_printed_totals():
    text = PUBLISHED.read_text(encoding="utf-8")
    totals = [int(line.rpartition(",")[2]) for line in text.splitlines()[1:]]
    assert [sum(row.values()) for row in published().values()] == totals


@pytest.mark.parametrize("entry", read(PACKAGED), ids=lambda entry: entry.name)
def test_ordinary_entry_is_short(entry):
    if "reader" in entry.values:
        return
    lines = PACKAGED.read_text(encoding="utf-8").splitlines()[entry.line - 1 :]
    # Each variant is a corpus of its own.
    following = [n for n, line in enumerate(lines) if n and re.match(r"[a-z]|  variants:", line)]
    own = [line for line in lines[: following[0] if following else None] if line.strip()]
    assert len([line for line in own if not line.lstrip().startswith("#")]) <= 25


@pytest.mark.parametrize("name", WHOLE)
def test_full_tree_by_grammar_gives_table_1(name, tmp_path):
    trees.plant(tmp_path / name / "some folder", WHOLE[name])
    report = corpora.check(REGISTRY.get(name), tmp_path, cache=tmp_path / "cache")
    assert [cell.name for cell in report.cells if cell.differs] == []
    assert {cell.name: cell.found for cell in report.cells if cell.name not in _TOTALS} == {
        emotion: count for emotion, count in published_counts(REGISTRY.get(name)).items() if count
    }
    assert report.good, report


_TOTALS = ("clips", "speakers")


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["emo-db", "ravdess"])
def test_real_corpus_gives_table_1(name, real_data, tmp_path):
    report = corpora.check(REGISTRY.get(name), real_data, cache=tmp_path)
    assert report.good
    found = {cell.name: cell.found for cell in report.cells if cell.name not in _TOTALS}
    assert found == {
        emotion: count for emotion, count in published_counts(REGISTRY.get(name)).items() if count
    }


@pytest.mark.corpora
def test_real_emo_db_texts_and_speakers(real_data, tmp_path):
    table = corpora.load(REGISTRY.get("emo-db"), real_data, tmp_path)
    assert table.groupby("speaker")["sex"].first().to_dict() == {
        **dict.fromkeys(("03", "10", "11", "12", "15"), "male"),
        **dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
    }
    assert table["transcript"].nunique() == 10
    assert "disgust" not in set(table.loc[table["speaker"] == "08", "label"])
    assert table.loc["03a01Wa", ["raw_emotion", "label"]].tolist() == ["anger", "anger"]
    assert table["duration"].between(1, 9).all()


def test_demo_is_made_on_first_use(tmp_path):
    table = corpora.load(REGISTRY.get("demo"), tmp_path, tmp_path / "cache")
    control = corpora.load(REGISTRY.get("demo:control"), tmp_path, tmp_path / "cache")
    assert len(table) == 120
    assert table["transcript"].notna().all()
    assert Path(table["path"].iloc[0]).is_file()
    assert list(control.index) == list(table.index)
    assert (control["label"] != table["label"]).any()
    assert control["label"].value_counts().to_dict() == table["label"].value_counts().to_dict()
