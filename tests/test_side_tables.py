"""What lies beside the audio: workbooks, JSON, texts; and who is one person under two spellings."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import grammars
import openpyxl
import pytest
import trees

from emobench import corpora, folds, protocols
from emobench.corpora.reading.spellings import unified
from emobench.corpora.registry import PACKAGED
from emobench.errors import CorpusError

REGISTRY = corpora.load_registry([PACKAGED])

MINE = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z])_(?P<emotion>[a-z]+)\.wav$
  emotions: {ang: anger, hap: happiness}
  tables: [{file: "*.xlsx", key: {speaker: Who}, columns: {sex: Sex, age: Age}}]
"""


def read(name: str, data: Path):
    return corpora.load(REGISTRY.get(name), data, data / "cache")


def define(tmp_path: Path, text: str = MINE) -> corpora.Corpus:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    return corpora.load_registry([tmp_path / "mine.yaml"]).get("mine")


def load(tmp_path: Path, text: str = MINE):
    return corpora.load(define(tmp_path, text), tmp_path, tmp_path / "cache")


def workbook(path: Path, **sheets: list[list]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def emofilm(root: Path) -> dict[str, str]:
    """Write EmoFilm and its workbook; return who speaks in each clip, "" where nobody knows."""
    stems = [
        leaf.path.removeprefix("wav_corpus/").removesuffix(".wav") for leaf in grammars.emofilm()
    ]
    trees.plant(root / "emofilm", trees.names(grammars.emofilm()))
    names = ["Laura Boccanera", "Ana Ángeles García", "Sean Bean", "", "??", "Roberto Duvall"]
    names += [f"Voice {letter}" for letter in "ABCDEF"]
    told = {stem: names[number % len(names)] for number, stem in enumerate(stems)}
    told[stems[5]] = "roberto duval"  # as elsewhere, but for a slip
    told[stems[1]] = "Ana Angeles  Garcia"
    sheets = {}
    for sheet, letter in (("female", "f"), ("male", "m")):
        rows = [[stem, told[stem] or None, "A film"] for stem in stems if stem[0] == letter]
        sheets[sheet] = [["file", "speaker", "film"], *rows[:3], [None, None, None], *rows[3:]]
    workbook(root / "emofilm" / "f_m_corpus_it_es_en_legend.xlsx", **sheets)
    return told


def test_emofilm_with_true_speakers(tmp_path):
    told = emofilm(tmp_path)
    table = read("emofilm:speakers", tmp_path)
    assert len(table) == len(told) == 60
    unknown = [stem for stem, name in told.items() if name in ("", "??")]
    assert set(table.loc[unknown, "group"]) == {"unknown"}
    assert set(table.loc[table["group"] == "unknown"].index) == set(unknown)
    one = [stem for stem, name in told.items() if "duval" in name.casefold()]
    assert set(table.loc[one, "speaker"]) == {"Roberto Duvall"}
    other = [stem for stem, name in told.items() if name.startswith("Ana")]
    assert table.loc[other, "group"].nunique() == 1
    assert {f"Voice {letter}" for letter in "ABCDEF"} < set(table["speaker"])
    assert set(table["film"]) == {"A film"}
    assert set(table["language"]) == {"en", "es", "it"}
    for fold in folds.make(table, "groups:6", protocols.get("losgo")):
        training = set(table.loc[list(fold.training), "speaker"])
        assert training.isdisjoint(table.loc[list(fold.test), "speaker"])


def test_emofilm_needs_no_workbook_for_languages(tmp_path):
    trees.plant(tmp_path / "emofilm", trees.names(grammars.emofilm()))
    assert set(read("emofilm", tmp_path)["speaker"]) == {"en", "es", "it"}
    with pytest.raises(CorpusError, match=r"emofilm:speakers\.tables\.0\.file: expected a file"):
        read("emofilm:speakers", tmp_path)


@pytest.mark.parametrize(
    ("names", "one"),
    [
        (("Robert Duvall", "Robert Duval"), True),
        (("Xavier Fernández", "xavier fernandez"), True),
        (("Maria Luisa", "MariaLuisa"), True),
        (("Giuppi Izzo", "Giuppy Izzo"), True),
        (("Constantino Romero", "Constantino Romero+6"), True),
        (("Anna Rossi", "Anna Russo"), False),
        (("Speaker A", "Speaker B"), False),
        (("spk01", "spk02"), False),
        (("voice1234", "voice1235"), False),
        (("Ann", "Anna"), False),
        (("John Smith", "Smith John"), False),
        (("?!", "--"), False),
    ],
)
def test_spellings(names, one):
    assert len(set(unified(Counter(names)).values())) == (1 if one else 2)


def test_most_frequent_spelling_stands_for_all():
    counts = {"garcia": 1, "Garcia": 5, "Garciá": 2, "Garcian": 1, "else": 9}
    assert unified(counts) == {**dict.fromkeys(counts, "Garcia"), "else": "else"}
    assert list(unified(counts)) == list(counts)


def test_workbook_of_numbers_dates_and_blank_rows(tmp_path):
    trees.plant(tmp_path / "mine", ["a_ang.wav", "b_hap.wav"])
    rows = [["about this"], [None], ["Who", "Sex", "Age"], [], ["a", "m", 31.0], [None, "f"]]
    workbook(tmp_path / "mine" / "who.xlsx", People=[*rows, ["b", "???", 27.5]])
    table = load(tmp_path, MINE.replace("key:", "skip: 2, key:"))
    assert table["sex"].isna().tolist() == [False, True]
    assert table["age"].tolist() == [31, 27.5]


def test_every_sheet_is_read_unless_some_are_named(tmp_path):
    trees.plant(tmp_path / "mine", ["a_ang.wav", "b_hap.wav"])
    header = ["Who", "Sex", "Age"]
    sheets = {"Men": [header, ["a", "m", 30]], "Women": [header, ["b", "f", 20]]}
    workbook(tmp_path / "mine" / "who.xlsx", **sheets)
    assert load(tmp_path)["sex"].tolist() == ["male", "female"]
    named = MINE.replace("key:", "sheet: ' women', key:")
    assert load(tmp_path, named)["sex"].isna().tolist() == [True, False]
    with pytest.raises(
        CorpusError, match=r"a sheet 'Man' .* found Men, Women\. Did you mean 'Men'"
    ):
        load(tmp_path, MINE.replace("key:", "sheet: Man, key:"))
    sheets["Women"].append(["a", "f", 30])
    workbook(tmp_path / "mine" / "who.xlsx", **sheets)
    with pytest.raises(CorpusError, match=r"row of sheet 'Women' 3: expected one row for a"):
        load(tmp_path)


def test_second_row_may_say_more_but_not_otherwise(tmp_path):
    trees.plant(tmp_path / "mine", ["a_ang.wav", "b_hap.wav"])
    text = MINE.replace("*.xlsx", "who.csv")
    (tmp_path / "mine" / "who.csv").write_text("Who,Sex,Age\na,m,\na,,40\n,,\na,m,40\n")
    assert load(tmp_path, text).loc["a_ang", ["sex", "age"]].tolist() == ["male", 40]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("who.xlsx", b"no workbook", r"who\.xlsx: expected a workbook .* Open it and save it anew"),
        ("who.json", b"{", r"who\.json: expected JSON .*Download it again"),
        ("who.json", b'["a"]', r"expected a list of {column: value}"),
        ("who.json", b'{"a": 1}', r"expected a list of {column: value}"),
        ("who.json", b"[]", r"table's columns \(none\), found 'Who'"),
        (
            "who.csv",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
            r"found a Git LFS pointer\. Run `git lfs pull` there",
        ),
    ],
)
def test_files_that_are_no_tables(tmp_path, file, content, message):
    trees.plant(tmp_path / "mine", ["a_ang.wav"])
    (tmp_path / "mine" / file).write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        load(tmp_path, MINE.replace("*.xlsx", file))


def test_json_table(tmp_path):
    trees.plant(tmp_path / "mine", ["a_ang.wav", "b_hap.wav"])
    records = {"x": {"Who": "a", "Sex": "m"}, "y": {"Who": "b", "Age": 27}}
    (tmp_path / "mine" / "who.json").write_text(json.dumps(records))
    table = load(tmp_path, MINE.replace("*.xlsx", "who.json"))
    assert table["age"].fillna(0).tolist() == [0, 27]


def test_where_a_table_comes_from(tmp_path):
    trees.plant(tmp_path / "mine", ["a_ang.wav"])
    text = MINE.replace("key:", "source: 'https://x.org/who', key:")
    with pytest.raises(CorpusError, match=r"found none\. It comes from https://x\.org/who"):
        load(tmp_path, text)
    assert define(tmp_path, text).semantic() == define(tmp_path).semantic()


LISTED = MINE.replace(
    "tables:", "drop: [{listed: {file: bad.csv, column: f}, reason: bad}]\n  tables:"
)


def dropped(folder: Path, text: str) -> tuple[list[str], dict[str, int]]:
    reading = corpora.open_corpus(define(folder, text), folder)
    assert reading.problems == ()
    return [clip.file.relative for clip in reading.clips], dict(reading.dropped)


def test_files_that_a_table_lists_are_left_out(tmp_path):
    folder = trees.plant(tmp_path / "mine", ["x/a_ang.wav", "y/b_ang.wav", "y/a_hap.wav"])
    (folder / "who.csv").write_text("Who,Sex,Age\n")
    text = LISTED.replace("*.xlsx", "who.csv")
    assert dropped(tmp_path, text) == (["x/a_ang.wav", "y/a_hap.wav", "y/b_ang.wav"], {})
    (folder / "y" / "bad.csv").write_text("n,f\n1,/home/me/set/x/a_ang.wav\n2\n3,b_ang.wav\n")
    assert dropped(tmp_path, text) == (["y/a_hap.wav"], {"bad": 2})
    (folder / "y" / "bad.csv").write_text("n,f\n1,z/a_ang.wav\n3,y/a_hap.wav\n")
    assert dropped(tmp_path, text) == (["x/a_ang.wav", "y/b_ang.wav"], {"bad": 1})
    both = text.replace("column: f}", "column: f}, where: {speaker: b}")
    assert dropped(tmp_path, both) == (["x/a_ang.wav", "y/a_hap.wav", "y/b_ang.wav"], {})


def test_a_list_of_what_is_left_out_needs_its_column(tmp_path):
    folder = trees.plant(tmp_path / "mine", ["a_ang.wav"])
    (folder / "bad.csv").write_text("n,file\n1,a.wav\n")
    with pytest.raises(
        CorpusError, match=r"mine\.drop\.0\.listed\.column: .*columns n, file, found"
    ):
        load(tmp_path, LISTED)


def test_what_matches_no_expression_may_be_left_out_by_its_path(tmp_path):
    folder = trees.plant(tmp_path / "mine", ["a_ang.wav", "noise/1.wav", "noise/b_ang.wav"])
    (folder / "who.csv").write_text("Who,Sex,Age\n")
    drop = 'drop: [{where: {path: "noise/*"}, reason: noise}]\n  tables:'
    text = MINE.replace("*.xlsx", "who.csv").replace("tables:", drop)
    assert dropped(tmp_path, text) == (["a_ang.wav"], {"noise": 2})


def test_jl_texts_of_the_same_name(tmp_path):
    names = [f"female1_{word}_1a_1" for word in ("angry", "sad", "happy", "neutral")]
    folder = trees.plant(tmp_path / "jl" / "JL(wav+txt)", [f"{name}.wav" for name in names])
    (folder / f"{names[0]}.txt").write_bytes(b"\xef\xbb\xbfHe\r\n  said so. \r\n")
    (folder / f"{names[1]}.txt").write_bytes(b"Jack\x92s eyes")
    (folder / f"{names[2]}.txt").write_bytes(b" \n")
    (folder / "Format_Intro.txt").write_text("names")
    table = read("jl", tmp_path)
    assert table["transcript"].fillna("").to_dict() == {
        names[0]: "He said so.",
        names[1]: "Jack’s eyes",
        names[2]: "",
        names[3]: "",
    }
    assert REGISTRY.get("jl").has_transcripts


def test_text_in_no_known_encoding(tmp_path):
    trees.plant(tmp_path / "mine", ["a_ang.wav"])
    (tmp_path / "mine" / "a_ang.lab").write_bytes(b"\xff\x81")
    text = MINE.partition("  tables")[0] + "  texts: {file: '*.lab', encoding: ascii}\n"
    with pytest.raises(
        CorpusError, match=r"a_ang\.lab: expected a text in UTF-8 or ascii .*mine\.t"
    ):
        load(tmp_path, text)


def shemo(root: Path) -> None:
    trees.plant(root / "shemo", trees.names(grammars.shemo()))
    (root / "shemo" / "final text").mkdir()
    (root / "shemo" / "final text" / "F01A01.ort").write_text("\ufeffاول", encoding="utf-8")
    (root / "shemo" / "final text" / "F01N02.ort").write_text("دوم", encoding="utf-8")


def test_shemo_texts_come_from_the_table_where_it_is(tmp_path):
    shemo(tmp_path)
    table = read("shemo", tmp_path)
    assert table.loc["F01A01", "transcript"] == "اول"
    assert table["transcript"].notna().sum() == 2
    assert table.loc["F01N02", "label"] == "neutral"
    records = {"F01A01.wav": {"speech_name": "F01A01", "text_name": "F01A03", "transcript": "سوم"}}
    (tmp_path / "shemo" / "modified_shemo.json").write_text(json.dumps(records))
    again = read("shemo", tmp_path)
    assert again.loc["F01A01", "transcript"] == "سوم"
    assert again.loc["F01N02", "transcript"] == "دوم"
    assert list(again["label"]) == list(table["label"])


def test_shemo_labels_of_the_texts(tmp_path):
    shemo(tmp_path)
    with pytest.raises(CorpusError, match=r"modified_shemo\.json .*It comes from https://github"):
        read("shemo:text-labels", tmp_path)
    words = dict(A="anger", H="happiness", N="neutral", S="sadness", W="surprise", F="fear")
    records = {}
    for leaf in grammars.shemo():
        stem = leaf.path.rpartition("/")[2].removesuffix(".wav")
        told = {"speech_name": stem, "emotion": words[stem[3]], "transcript": "متن"}
        records[f"{stem}.wav"] = told
    records["F01S01.wav"]["emotion"] = "neutral"
    records["M01F01.wav"]["emotion"] = "anger"
    records["F01N01.wav"]["emotion"] = "fear"
    del records["M40S02.wav"]
    path = tmp_path / "shemo" / "modified_shemo.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    table = read("shemo:text-labels", tmp_path)
    assert table.loc[["F01S01", "M01F01", "F01S02"], "label"].tolist() == [
        *("neutral", "anger", "sadness")
    ]
    assert table.loc["F01S01", "recorded"] == "S"
    reading = corpora.open_corpus(REGISTRY.get("shemo:text-labels"), tmp_path)
    assert reading.dropped == {"too few clips of fear": 9, "no text is known": 1}


def test_crema_d_by_its_votes(tmp_path):
    leaves = [*grammars.crema_d(range(1040, 1041)), *grammars.crema_d(range(1076, 1077))]
    trees.plant(tmp_path / "crema-d", trees.names(leaves))
    stems = [Path(leaf.path).stem for leaf in leaves]
    votes = {stem: "ADFHNS"[number % 6] for number, stem in enumerate(stems)}
    votes |= {stems[0]: "N:D", stems[1]: "A:F:S"}
    del votes[stems[2]]
    votes["1040_ITH_SAD_XX"] = "N"
    del votes["1040_ITH_SAD_X"]
    lines = [
        f'"{n}","{stem}","{vote}","50","A","60","A","70"\n'
        for n, (stem, vote) in enumerate(votes.items())
    ]
    kinds = [
        f'"{kind}{what}"' for kind in ("Voice", "Face", "MultiModal") for what in ("Vote", "Level")
    ]
    header = ",".join(('""', '"FileName"', *kinds)) + "\n"
    folder = tmp_path / "crema-d" / "processedResults"
    folder.mkdir()
    (folder / "summaryTable.csv").write_text(header + "".join(lines))
    reading = corpora.open_corpus(REGISTRY.get("crema-d:votes"), tmp_path)
    assert reading.dropped == {
        "holds no audio signal": 1,
        "voters are tied": 2,
        "no votes": 1,
    }
    table = read("crema-d:votes", tmp_path)
    words = dict(A="anger", D="disgust", F="fear", H="happiness", N="neutral", S="sadness")
    assert table["label"].to_dict() == {
        stem: words[votes.get(stem, "N")]
        for stem in stems
        if stem not in (*stems[:3], "1076_MTI_SAD_XX")
    }
    assert table.loc["1040_ITH_SAD_X", ["label", "acted"]].tolist() == ["neutral", "SAD"]
    assert read("crema-d", tmp_path).loc["1040_ITH_SAD_X", "label"] == "sadness"


def test_file_called_as_in_the_table_is_found_too(tmp_path):
    trees.plant(tmp_path / "crema-d", ["1040_ITH_SAD_XX.wav", "1040_ITH_ANG_XX.wav"])
    (tmp_path / "crema-d" / "summaryTable.csv").write_text(
        "FileName,VoiceVote\n1040_ITH_SAD_XX,S\n1040_ITH_ANG_XX,D\n"
    )
    assert list(read("crema-d:votes", tmp_path)["label"]) == ["disgust", "sadness"]
