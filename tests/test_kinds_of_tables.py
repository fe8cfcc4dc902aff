"""Tables of every kind that corpora come with: read for an entry, and found by `corpora add`."""

from __future__ import annotations

import itertools
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trees
import yaml

from emobench import corpora
from emobench.corpora.entries.table_kinds import REFUSED
from emobench.corpora.proposal import propose
from emobench.errors import CorpusError, SpecError

LABELS = {"furious": "anger", "joyful": "happiness", "sad": "sadness"}
CLIPS = {
    f"{number:03}": (tuple(LABELS)[number * 7 % 3], f"Person {number // 12}")
    for number in range(36)
}
TABLE = pd.DataFrame(
    [(f"{stem}.wav", *said) for stem, said in CLIPS.items()], columns=["file", "emotion", "speaker"]
).sample(frac=1, random_state=0, ignore_index=True)
INDEXED = TABLE.set_index("file")

ENTRY = """\
mine:
  title: Mine
  emotions: {{{emotions}}}
  tables: [{{file: '{file}', key: {{{key}}}, columns: {{emotion: {emotion}, speaker: {speaker}}}}}]
  folds: speaker
"""


def elsewhere(begin: str) -> pd.DataFrame:
    return TABLE.assign(file=begin + TABLE["file"])


def in_two_sheets(path: Path) -> None:
    with pd.ExcelWriter(path) as book:
        TABLE[:20].to_excel(book, sheet_name="train", index=False)
        TABLE[20:].to_excel(book, sheet_name="test", index=False)


def beside_a_note(path: Path) -> None:
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"About": ["x"], "Date": ["y"], "By": ["z"]}).to_excel(book, index=False)
        TABLE.to_excel(book, sheet_name="labels", index=False)


def streamed(path: Path) -> None:
    table = pa.Table.from_pandas(TABLE)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)


def of_hugging_face(path: Path) -> None:
    """Write audio beside its path, and numbers for classes whose names stand in the metadata."""
    names = sorted(LABELS)
    audio = [{"bytes": b"RIFF" * 9, "path": name} for name in TABLE["file"]]
    table = pa.table(
        {
            "audio": pa.array(audio),
            "emotion": pa.array([names.index(label) for label in TABLE["emotion"]]),
            "speaker": pa.array(TABLE["speaker"]),
        }
    )
    features = {"emotion": {"names": names, "_type": "ClassLabel"}, "audio": {"_type": "Audio"}}
    told = json.dumps({"info": {"features": features}})
    pq.write_table(table.replace_schema_metadata({"huggingface": told}), path)


def nested(path: Path) -> None:
    records = [
        {"file": row.file, "said": {"emotion": row.emotion, "by": {"speaker": row.speaker}}}
        for row in TABLE.itertuples()
    ]
    path.write_text(json.dumps({"version": 3, "licence": {"name": "x"}, "data": records}))


def in_two_parts(path: Path) -> None:
    parts = {"train": TABLE[:20].to_dict("records"), "test": TABLE[20:].to_dict("records")}
    path.write_text(json.dumps({"about": {"name": "x"}, **parts}))


Writer = Callable[[Path], object]
USUAL = ("name: file", "emotion", "speaker")
KINDS: dict[str, tuple[str, Writer, tuple[str, str, str]]] = {
    "counted rows": ("t.csv", TABLE.to_csv, USUAL),
    "names in a column without one": (
        "t.csv",
        lambda path: INDEXED.rename_axis(None).to_csv(path),
        ("name: 'Unnamed: 0'", "emotion", "speaker"),
    ),
    "UTF-16": (
        "t.csv",
        lambda path: TABLE.to_csv(path, index=False, encoding="utf-16"),
        ("name: file}, encoding: utf-16, dummy: {x: y", "emotion", "speaker"),
    ),
    "records": ("t.json", lambda path: TABLE.to_json(path, orient="records"), USUAL),
    "records by name": (
        "t.json",
        lambda path: INDEXED.to_json(path, orient="index"),
        ("name: (key)", "emotion", "speaker"),
    ),
    "columns by row": ("t.json", lambda path: TABLE.to_json(path, orient="columns"), USUAL),
    "columns": ("t.json", lambda path: path.write_text(json.dumps(TABLE.to_dict("list"))), USUAL),
    "records inside of something": (
        "t.json",
        nested,
        ("name: file", "said.emotion", "said.by.speaker"),
    ),
    "two parts": ("t.json", in_two_parts, USUAL),
    "a record a line": (
        "t.jsonl",
        lambda path: TABLE.to_json(path, orient="records", lines=True),
        USUAL,
    ),
    "a record a line, called JSON": (
        "t.json",
        lambda path: TABLE.to_json(path, orient="records", lines=True),
        USUAL,
    ),
    "workbook": ("t.xlsx", lambda path: TABLE.to_excel(path, index=False), USUAL),
    "workbook with counted rows": ("t.xlsx", TABLE.to_excel, USUAL),
    "two sheets": ("t.xlsx", in_two_sheets, USUAL),
    "a sheet beside another": (
        "t.xlsx",
        beside_a_note,
        ("name: file}, sheet: labels, dummy: {x: y", "emotion", "speaker"),
    ),
    "Parquet": ("t.parquet", TABLE.to_parquet, USUAL),
    "Parquet with an index": (
        "t.parquet",
        lambda path: INDEXED.rename_axis("clip").to_parquet(path),
        ("name: clip", "emotion", "speaker"),
    ),
    "Parquet of datasets": (
        "train-00000-of-00001.parquet",
        of_hugging_face,
        ("name: audio.path", "emotion", "speaker"),
    ),
    "Feather": ("t.feather", TABLE.to_feather, USUAL),
    "Arrow": ("data.arrow", streamed, USUAL),
    "paths of another machine": (
        "t.json",
        lambda path: elsewhere("/home/x/set/audio/").to_json(path, orient="records"),
        ("path: file", "emotion", "speaker"),
    ),
    "paths from elsewhere": (
        "t.parquet",
        lambda path: elsewhere("../../raw/audio/").to_parquet(path),
        ("path: file", "emotion", "speaker"),
    ),
    "paths of Windows": (
        "t.jsonl",
        lambda path: elsewhere("D:\\set\\audio\\").to_json(path, orient="records", lines=True),
        ("path: file", "emotion", "speaker"),
    ),
}


@pytest.fixture
def planted(tmp_path):
    folder = tmp_path / "mine"
    return trees.plant(folder, [f"audio/{stem}.wav" for stem in CLIPS])


def truth() -> dict[str, tuple[str, str]]:
    return {stem: (LABELS[label], speaker) for stem, (label, speaker) in CLIPS.items()}


def told(tmp_path: Path, text: str) -> dict[str, tuple[str, str]]:
    """Return what an entry tells of the clips, by the stem of their names."""
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    corpus = corpora.load_registry([tmp_path / "mine.yaml"]).get("mine")
    table = corpora.load(corpus, tmp_path, tmp_path / "cache")
    said = zip(table["path"], table["emotion"], table["speaker"], strict=True)
    return {Path(path).stem: (emotion, speaker) for path, emotion, speaker in said}


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_reads_it(tmp_path, planted, kind):
    name, write, (key, emotion, speaker) = KINDS[kind]
    write(planted / name)
    emotions = ", ".join(f"{label}: {known}" for label, known in LABELS.items())
    names = {"file": name, "key": key, "emotion": emotion, "speaker": speaker}
    text = ENTRY.format(emotions=emotions, **names).replace(", dummy: {x: y}", "")
    assert told(tmp_path, text) == truth()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_found_and_the_entry_is_ready(tmp_path, planted, kind):
    name, write, _ = KINDS[kind]
    write(planted / name)
    proposal = propose(planted, "mine")
    assert proposal.ready, proposal.text
    assert told(tmp_path, proposal.text) == truth()


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
@pytest.mark.parametrize("names", ["train.{}", "{}/metadata.{}"])
def test_several_tables(tmp_path, planted, ending, names):
    for part, rows in (("train", TABLE[:12]), ("dev", TABLE[12:20]), ("test", TABLE[20:])):
        name = names.replace("{}", part, 1) if "/" in names else "{}.{}".format(part, "{}")
        path = planted / name.format(ending)
        path.parent.mkdir(exist_ok=True)
        {
            "csv": lambda path, rows=rows: rows.to_csv(path),
            "json": lambda path, rows=rows: rows.to_json(path, orient="records"),
            "parquet": lambda path, rows=rows: rows.to_parquet(path),
        }[ending](path)
    proposal = propose(planted, "mine")
    assert proposal.ready, proposal.text
    assert len(yaml.safe_load(proposal.text)["mine"]["tables"]) == 3
    assert told(tmp_path, proposal.text) == truth()


@pytest.mark.parametrize("begin", ["/home/x/raw/", "../raw/", "C:\\raw\\", ""])
def test_paths_whose_names_are_alike_are_told_apart_by_their_folders(tmp_path, begin):
    paths = [f"{who}/{n:02}.wav" for who in ("Ann", "Bob", "Cem") for n in range(8)]
    labels = [tuple(LABELS)[hash_ % 3] for hash_ in (3, 1, 4, 1, 5, 9, 2, 6) * 3]
    folder = trees.plant(tmp_path / "mine", paths)
    shown = [begin + (path.replace("/", "\\") if "\\" in begin else path) for path in paths]
    said = {path: {"label": label} for path, label in zip(shown, labels, strict=True)}
    (folder / "labels.json").write_text(json.dumps(said))
    proposal = propose(folder, "mine")
    assert proposal.ready, proposal.text
    (tmp_path / "mine.yaml").write_text(proposal.text)
    corpus = corpora.load_registry([tmp_path / "mine.yaml"]).get("mine")
    table = corpora.load(corpus, tmp_path, tmp_path / "cache")
    found = {
        Path(path).relative_to(folder).as_posix(): (speaker, emotion)
        for path, speaker, emotion in zip(
            table["path"], table["speaker"], table["emotion"], strict=True
        )
    }
    assert found == {
        path: (path.partition("/")[0], LABELS[label])
        for path, label in zip(paths, labels, strict=True)
    }


def test_labels_by_name_alone(tmp_path):
    names = {
        f"{who}_{n:02}": tuple(LABELS)[n * 5 % 3] for who in ("ann", "bob", "cem") for n in range(9)
    }
    folder = trees.plant(tmp_path / "mine", [f"{name}.wav" for name in names])
    (folder / "labels.json").write_text(json.dumps(names))
    proposal = propose(folder, "mine")
    assert proposal.ready, proposal.text
    assert told(tmp_path, proposal.text) == {
        name: (LABELS[label], name[:3]) for name, label in names.items()
    }


def test_a_count_of_rows_is_not_taken_for_names(tmp_path):
    """Clips are called by numbers, and so are the rows, in another order."""
    folder = trees.plant(tmp_path / "mine", [f"{n}.wav" for n in range(36)])
    rows = TABLE.assign(file=[str(int(name[:3])) for name in TABLE["file"]])
    rows.to_csv(folder / "t.csv")
    proposal = propose(folder, "mine")
    assert proposal.ready, proposal.text
    assert told(tmp_path, proposal.text) == {str(int(stem)): said for stem, said in truth().items()}


@pytest.mark.parametrize("ending", REFUSED)
def test_what_is_not_read_is_refused_by_name(tmp_path, planted, ending):
    name = f"labels.{ending.upper()}"
    (planted / name).write_bytes(b"\x80\x04K\x01.")
    text = ENTRY.format(emotions="sad: sadness", file=name, key="name: f", emotion="e", speaker="s")
    message = rf"line 4: mine.tables.0.file: expected .*, found '{name}', .+\. .*(CSV|to_csv)"
    with pytest.raises(SpecError, match=message):
        told(tmp_path, text)
    proposal = propose(planted, "mine")
    assert not proposal.ready
    said = " ".join(line.strip("# ") for line in proposal.text.splitlines())
    assert f"{name}: seen, but not read: expected a table, found" in said


def test_a_table_of_gigabytes_is_not_opened(planted, tmp_path):
    with open(planted / "t.csv", "wb") as file:
        file.truncate(400_000_000)
    text = ENTRY.format(
        emotions="sad: sadness", file="t.csv", key="name: f", emotion="e", speaker="s"
    )
    with pytest.raises(CorpusError, match="found 400,000,000 bytes"):
        told(tmp_path, text)


@pytest.mark.parametrize("name", ["data.mdb", "all.h5", "train-00000-of-00001.parquet"])
def test_sound_inside_of_something_else(tmp_path, name):
    (tmp_path / name).write_bytes(b"PAR1")
    with pytest.raises(CorpusError, match=rf"found only {name}.* write each clip to a file"):
        propose(tmp_path)


def test_a_table_that_names_no_files_is_told(planted):
    (planted / "people.csv").write_text("who,born\nAnn,1970\nBob,1980\n")
    said = " ".join(line.strip("# ") for line in propose(planted, "mine").text.splitlines())
    assert "people.csv: read (who, born), but no column names most of the files once" in said


@pytest.mark.parametrize("damage", ["cut", "flipped", "other"])
@pytest.mark.parametrize("kind", ["Parquet", "Feather", "Arrow"])
def test_damaged_tables_are_told(tmp_path, planted, kind, damage):
    name, write, (key, emotion, speaker) = KINDS[kind]
    write(planted / name)
    content = bytearray((planted / name).read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "flipped":
        content[-30:-4] = b"\xff" * 26
    else:
        content = bytearray(b"something else")
    (planted / name).write_bytes(content)
    names = {"file": name, "key": key, "emotion": emotion, "speaker": speaker}
    message = rf"{name}: expected a Parquet or Arrow table \(.*\), found .+\. Download it again"
    with pytest.raises(CorpusError, match=message):
        told(tmp_path, ENTRY.format(emotions="sad: sadness", **names))


def test_offsets_of_arrow_that_lead_out_of_the_file_are_told(tmp_path, planted):
    """Following them would end the process."""
    table = pa.table({"file": ["000.wav"], "emotion": ["sad"], "speaker": ["a"]})
    with (
        pa.OSFile(str(planted / "t.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as file,
    ):
        file.write_table(table)
    content = (planted / "t.arrow").read_bytes()
    offsets = content.rindex(struct.pack("<2i", 0, 3), 0, content.index(b"sad"))
    broken = content[:offsets] + struct.pack("<2i", 0, 2**30) + content[offsets + 8 :]
    (planted / "t.arrow").write_bytes(broken)
    names = {"file": "t.arrow", "key": "name: file", "emotion": "emotion", "speaker": "speaker"}
    with pytest.raises(CorpusError, match=r"t\.arrow: expected a Parquet or Arrow table"):
        told(tmp_path, ENTRY.format(emotions="sad: sadness", **names))


def without_header(path: Path) -> None:
    if path.suffix == ".xlsx":
        TABLE.to_excel(path, header=False, index=False)
    else:
        TABLE.to_csv(path, header=False, index=False, sep="," if path.suffix == ".csv" else "\t")


def headless_entry(name: str, header: str, **others: str) -> str:
    """Return an entry whose table has its names from `header`, the second of them of emotions."""
    emotions = ", ".join(f"{label}: {known}" for label, known in LABELS.items())
    names = {"file": name, "key": "name: a", "emotion": "b", "speaker": "c", **others}
    return ENTRY.format(emotions=emotions, **names).replace("key:", f"header: {header}, key:")


@pytest.mark.parametrize("header", ["[a, b, c]", "[a, ' b ', c]"])
@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.xlsx"])
def test_an_entry_names_the_columns_of_a_table_without_a_header(tmp_path, planted, name, header):
    without_header(planted / name)
    assert told(tmp_path, headless_entry(name, header)) == truth()


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
@pytest.mark.parametrize(("header", "names"), [("[a, b]", 2), ("[a, b, c, d]", 4)])
def test_too_few_and_too_many_names_of_columns(tmp_path, planted, name, header, names):
    without_header(planted / name)
    where = "line 1" if name == "t.csv" else "row of sheet 'Sheet1' 1"
    message = (
        rf"expected as many columns as `header:` has names \({names}\) .*, found 3 in {where}\."
    )
    with pytest.raises(CorpusError, match=message):
        told(tmp_path, headless_entry(name, header, speaker="a"))


def test_cells_that_are_blank_at_the_end_need_no_name(tmp_path, planted):
    without_header(planted / "t.csv")
    lines = (planted / "t.csv").read_text().splitlines()
    (planted / "t.csv").write_text("".join(f"{line},\n" for line in lines))
    assert told(tmp_path, headless_entry("t.csv", "[a, b, c]")) == truth()


def told_in(text: str) -> str:
    """Return a proposal without its line breaks."""
    return " ".join(text.replace("\n#", "").split())


@pytest.mark.parametrize("seed", range(5))
def test_a_list_of_recordings_is_no_legend_of_its_own_columns(tmp_path, seed):
    """Names and takes stand beside words for emotions in it, and mean none."""
    rows = list(
        itertools.product(("anna", "bert", "carl", "dora"), ("angry", "happy", "sad"), "12")
    )
    random.Random(seed).shuffle(rows)
    names = [f"{number:04}.wav" for number in range(len(rows))]
    folder = trees.plant(tmp_path / "mine", names)
    lines = [",".join((name, *row)) for name, row in zip(names, rows, strict=True)]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    proposal = propose(folder, "mine")
    assert yaml.safe_load(proposal.text)["mine"]["tables"][0]["columns"] == {"emotion": "column 3"}
    assert "Put 'column 2' or 'column 4' of the table" in told_in(proposal.text)


@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.xlsx"])
def test_a_first_line_that_names_a_clip_is_no_header(tmp_path, planted, name):
    without_header(planted / name)
    proposal = propose(planted, "mine")
    entry = yaml.safe_load(proposal.text)["mine"]
    assert entry["tables"][0]["header"] == ["column 1", "column 2", "column 3"]
    assert entry["tables"][0]["columns"] == {"emotion": "column 2"}
    assert "no line names its columns, so `header` does" in told_in(proposal.text)
    assert not proposal.ready  # nothing says that the third column tells the speaker
    assert "Put 'column 3' of the table under its `columns`" in told_in(proposal.text)
    mended = proposal.text.replace("column 2}", "column 2, speaker: column 3}")
    assert told(tmp_path, mended) == truth()


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
@pytest.mark.parametrize("begin", [("", "sad", "sad"), ("", "", "sad")])
def test_empty_and_equal_cells_in_the_first_line_are_cells(tmp_path, planted, name, begin):
    """They are no names of columns, and the first clip is not lost."""
    cells = [(f"{stem}.wav", *begin[:-1], said) for stem, (said, _) in CLIPS.items()]
    cells[0] = (cells[0][0], *begin)
    table = pd.DataFrame(cells)
    write = table.to_csv if name == "t.csv" else table.to_excel
    write(planted / name, header=False, index=False)
    text = propose(planted, "mine").text
    (table,) = yaml.safe_load(text)["mine"]["tables"]
    assert table["header"] == ["column 1", "column 2", "column 3", "column 4"]
    assert (table["columns"], table.get("skip")) == ({"emotion": "column 4"}, None)
    assert "Unnamed" not in text
    found = told(tmp_path, text.replace("folds:", "defaults: {speaker: one}\n  folds:"))
    labels = {stem: LABELS[label] for stem, (label, _) in CLIPS.items()} | {"000": "sadness"}
    assert {stem: emotion for stem, (emotion, _) in found.items()} == labels


def test_the_column_that_is_called_emotion_is_taken_before_others(tmp_path):
    rows = [(f"{n:04}.wav", n % 3 + 1, n * 7 // 3 % 3 + 1) for n in range(40)]
    names = [f"wavs/{name}" for name, *_ in rows]
    folder = trees.plant(
        tmp_path / "mine", [f"{'ab'[n % 2]}/{name}" for n, name in enumerate(names)]
    )
    (folder / "readme.txt").write_text("1 = angry\n2 = happy\n3 = sad\n")
    pd.DataFrame(rows, columns=["file", "arousal", "emotion"]).to_csv(folder / "t.csv", index=False)
    entry = yaml.safe_load(propose(folder, "mine").text)["mine"]
    assert entry["tables"][0]["columns"]["emotion"] == "emotion"


@pytest.mark.parametrize("columns", [("intended", "perceived"), ("valence", "code")])
def test_of_columns_that_tell_different_emotions_one_must_be_named(tmp_path, columns):
    said = list(LABELS)
    rows = [(f"{n:04}.wav", said[n % 3], said[n * 7 // 3 % 3], f"s{n % 4}") for n in range(40)]
    folder = trees.plant(tmp_path / "mine", [f"wavs/{name}" for name, *_ in rows])
    names = ["file", *columns, "speaker"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "t.csv", index=False)
    proposal = propose(folder, "mine")
    assert proposal.verdict == (
        "Not ready: say which column tells the emotion. It may be "
        f"'{columns[0]}', or '{columns[1]}'."
    )


def test_tables_without_a_header_one_for_each_speaker(tmp_path):
    """Of each clip they tell name, text and emotion, and the clips' names the speaker."""
    said = {
        f"{who:04}_{n:06}": tuple(LABELS)[(n + who) * 7 % 3]
        for who in range(11, 15)
        for n in range(1, 10)
    }
    folder = trees.plant(tmp_path / "mine", [f"wavs/{stem}.wav" for stem in said])
    for who in range(11, 15):
        lines = [f"{stem}\tA text.\t{said[stem]}\n" for stem in said if int(stem[:4]) == who]
        (folder / f"{who:04}.txt").write_text("".join(lines))
    proposal = propose(folder, "mine")
    assert proposal.ready, proposal.text
    truth = {stem: (LABELS[label], stem[:4]) for stem, label in said.items()}
    assert told(tmp_path, proposal.text) == truth
