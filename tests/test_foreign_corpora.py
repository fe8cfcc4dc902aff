"""Six corpora of other layouts, each told in a few lines of YAML and no Python."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from emobench import cli, corpora
from emobench.corpora.registry import PACKAGED

REGISTRY = r"""
folders:
  title: Labels in folder names
  match: path
  pattern: (?:^|/)(?P<emotion>[^/]+)/(?P<speaker>[^/]+?) \[(?P<repetition>\d+)\] \(final\)\.wav$
  emotions: {very angry: anger, Trauer & Leid: sadness, neutral: neutral}
  folds: speaker

prefixes:
  title: Labels in prefixes
  glob: ["*.flac", "*.ogg"]
  pattern: ^(?P<emotion>[a-z]{2})-(?P<speaker>\w+)-(?P<sentence>\d+)\.(?:flac|ogg)$
  emotions: {wu: Wut -> anger, tr: Trauer -> sadness, ne: neutral}
  values: {sex: {from: speaker, map: {Jörg: male}, otherwise: female}}
  transcripts: {1: Guten Tag, 2: Auf Wiedersehen}

digits:
  title: Labels in digits
  pattern: ^(?P<speaker>\d{2})(?P<sex>[01])(?P<emotion>\d)(?P<intensity>\d)(?P<sentence>\d{2})\.wav$
  emotions: {0: neutral, 1: anger, 2: sadness, 3: boredom -> other}
  values:
    sex: {map: {0: female, 1: male}}
    intensity: {map: {1: weak, 2: strong}}
  drop: [{where: {emotion: 3}, reason: too few}]
  folds: {groups: 2}

by-table:
  title: Labels in a table
  glob: recordings/*.wav
  tables:
    - file: labels.csv
      separator: ;
      encoding: latin-1
      key: {name: Datei}
      columns: {speaker: Sprecher, emotion: Gefühl, age: Alter, group: Sitzung}
  emotions: {wütend: anger, traurig: sadness, keins: neutral}
  drop: [{where: {emotion: ""}, reason: not labelled}]
  folds: session

broken:
  title: One file does not decode
  pattern: ^(?P<speaker>[A-D])(?P<repetition>\d)_(?P<emotion>\w+?)\.wav$
  emotions: {a: anger, s: sadness, n: neutral}

renamed:
  title: AIFF and other formats under .wav
  glob: "*.wav"
  pattern: (?P<emotion>anger|sadness|neutral)_(?P<speaker>.+)_take\s*(?P<repetition>\d)\.wav$
  emotions: {anger: anger, sadness: sadness, neutral: neutral}
"""

PITCHES = {"anger": 240, "sadness": 120, "neutral": 160}


def tone(path: Path, emotion: str, number: int, rate: int = 16_000, **how: str) -> None:
    """Write a harmonic tone whose pitch and level tell the emotion."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(number)
    time = np.arange(int(random.uniform(0.4, 0.7) * rate)) / rate
    phase = 2 * np.pi * PITCHES[emotion] * random.uniform(0.9, 1.1) * time
    samples = sum(np.sin(k * phase) / k for k in range(1, 6)) + 0.1 * random.standard_normal(
        len(time)
    )
    level = {"anger": 0.25, "sadness": 0.05, "neutral": 0.12}[emotion]
    soundfile.write(path, (level * samples).astype(np.float32), rate, **how)


def write_folders(root: Path) -> None:
    words = {"very angry": "anger", "Trauer & Leid": "sadness", "neutral": "neutral"}
    kinds = itertools.product(words.items(), ("Ann Lee", "Bob"), (1, 2))
    for number, ((word, emotion), who, take) in enumerate(kinds):
        rate = (8_000, 22_050, 44_100, 48_000)[number % 4]
        tone(root / "my data (v2)" / word / f"{who} [{take}] (final).wav", emotion, number, rate)


def write_prefixes(root: Path) -> None:
    words = {"wu": "anger", "tr": "sadness", "ne": "neutral"}
    kinds = itertools.product(words.items(), ("Jörg", "Zoë"), (1, 2))
    for number, ((word, emotion), who, text) in enumerate(kinds):
        kind = ("flac", "ogg")[text - 1]
        tone(root / f"{word}-{who}-{text}.{kind}", emotion, number, 24_000)


def write_digits(root: Path) -> None:
    words = {0: "neutral", 1: "anger", 2: "sadness"}
    for number, (who, code, text) in enumerate(itertools.product((1, 2, 3), words, (1, 2))):
        tone(root / f"{who:02}{who % 2}{code}{text}{text:02}.wav", words[code], number, 11_025)
    tone(root / "0113101.wav", "neutral", 99)


def write_by_table(root: Path) -> None:
    words = {"wütend": "anger", "traurig": "sadness", "keins": "neutral"}
    lines = ["Datei;Sprecher;Gefühl;Alter;Sitzung"]
    kinds = itertools.product(words.items(), ("s1", "s2", "s3", "s4"))
    for number, ((word, emotion), who) in enumerate(kinds):
        tone(root / "recordings" / f"{number:03}.wav", emotion, number, 32_000)
        session = "A" if who in ("s1", "s2") else "B"
        lines.append(f"{number:03}.wav;{who};{word};{20 + number};{session}")
    tone(root / "recordings" / "pause.wav", "neutral", 77)
    lines.append("pause.wav;s1;;;A")
    tone(root / "drafts" / "000.wav", "neutral", 78)
    (root / "labels.csv").write_text("\r\n".join(lines), encoding="latin-1")


def write_broken(root: Path) -> None:
    words = {"a": "anger", "s": "sadness", "n": "neutral"}
    for number, (who, take, word) in enumerate(itertools.product("ABC", (1, 2), words)):
        tone(root / f"{who}{take}_{word}.wav", words[word], number)
    (root / "A3_a.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt no sound at all" * 9)


def write_renamed(root: Path) -> None:
    hows = (
        {"format": "AIFF", "subtype": "PCM_16"},
        {"format": "WAV", "subtype": "FLOAT"},
        {"format": "WAV", "subtype": "PCM_24"},
        {"format": "WAV", "subtype": "DOUBLE"},
        {"format": "FLAC", "subtype": "PCM_16"},
        {"format": "WAV", "subtype": "ULAW"},
    )
    kinds = itertools.product(PITCHES, ("Dr. Who", "Ada"), (1, 2))
    for number, (emotion, who, take) in enumerate(kinds):
        blank = " " * (take - 1)
        tone(
            root / "x y" / f"old {emotion}_{who}_take{blank}{take}.wav",
            emotion,
            number,
            (16_000, 44_100, 48_000)[number % 3],
            **hows[number % 6],
        )


WRITERS = {
    "folders": write_folders,
    "prefixes": write_prefixes,
    "digits": write_digits,
    "by-table": write_by_table,
    "broken": write_broken,
    "renamed": write_renamed,
}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Folder with the six corpora, and `datasets.yaml` there."""
    root = tmp_path_factory.mktemp("foreign")
    (root / "mine.yaml").write_text(REGISTRY, encoding="utf-8")
    for name, write in WRITERS.items():
        write(root / name)
    return root


def read(root: Path, name: str) -> pd.DataFrame:
    registry = corpora.load_registry([PACKAGED, root / "mine.yaml"])
    return corpora.load(registry.get(name), root, root / "cache")


@pytest.mark.parametrize("name", WRITERS)
def test_at_most_25_lines(name):
    entry = REGISTRY.partition(f"\n{name}:\n")[2].partition("\n\n")[0]
    assert 1 < len(entry.splitlines()) < 25
    assert yaml.safe_load(f"{name}:\n{entry}")


@pytest.mark.parametrize(
    ("name", "clips", "speakers", "labels"),
    [
        ("folders", 12, {"Ann Lee", "Bob"}, {"anger", "sadness", "neutral"}),
        ("prefixes", 12, {"Jörg", "Zoë"}, {"anger", "sadness", "neutral"}),
        ("digits", 18, {"01", "02", "03"}, {"anger", "sadness", "neutral"}),
        ("by-table", 12, {"s1", "s2", "s3", "s4"}, {"anger", "sadness", "neutral"}),
        ("broken", 19, {"A", "B", "C"}, {"anger", "sadness", "neutral"}),
        ("renamed", 12, {"Dr. Who", "Ada"}, {"anger", "sadness", "neutral"}),
    ],
)
def test_clips_speakers_and_labels(foreign, name, clips, speakers, labels):
    table = read(foreign, name)
    assert len(table) == clips
    assert set(table["speaker"]) == speakers
    assert set(table["label"]) == labels
    assert table["duration"].isna().sum() == (1 if name == "broken" else 0)
    assert table["duration"].dropna().between(0.3, 0.8).all()


def test_what_else_is_told(foreign):
    folders = read(foreign, "folders").loc["Trauer & Leid/Ann Lee [1] (final)"]
    assert folders[["label", "raw_emotion", "repetition"]].tolist() == [
        *("sadness", "Trauer & Leid", "1")
    ]
    prefixes = read(foreign, "prefixes").loc["wu-Jörg-2"]
    assert prefixes[["raw_emotion", "sex", "transcript"]].tolist() == [
        *("Wut", "male", "Auf Wiedersehen")
    ]
    digits = read(foreign, "digits").loc["0312202"]
    assert (
        digits[["label", "sex", "intensity", "sentence"]].tolist()
        == [*("sadness", "male", "strong", "02")]
        or digits["speaker"] == "02"
    )
    by_table = read(foreign, "by-table")
    assert by_table.groupby("group")["speaker"].unique().map(sorted).to_dict() == {
        "A": ["s1", "s2"],
        "B": ["s3", "s4"],
    }
    assert by_table["age"].tolist() == list(range(20, 32))


def test_file_that_does_not_decode_is_named(foreign):
    registry = corpora.load_registry([PACKAGED, foreign / "mine.yaml"])
    for deep in (False, True):
        report = corpora.check(registry.get("broken"), foreign, deep=deep, cache=foreign / "cache")
        assert set(report.broken) == {"A3_a.wav"}
    report = corpora.check(registry.get("renamed"), foreign, deep=True, cache=foreign / "cache")
    assert report.broken == {}
    assert {rate for rate, _ in report.formats} == {16_000, 44_100, 48_000}


@pytest.mark.parametrize("name", WRITERS)
def test_svm_runs_on_it(foreign, name, monkeypatch, capsys):
    monkeypatch.setenv("EMOBENCH_CACHE", str(foreign / "cache"))
    words = f"run --model svm-is09 --corpus {name} --protocol smoke --jobs 1 --skip-bad".split()
    words += ["--data", str(foreign), "--datasets", str(foreign / "mine.yaml")]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--results", str(foreign / "results")])
    assert ended.value.code == 0, capsys.readouterr()
    found = list((foreign / "results" / "smoke" / name / "svm-is09").glob("*/fold-*.parquet"))
    assert len(found) == 2
    predicted = pd.concat(map(pd.read_parquet, found))
    assert (predicted["label"] == predicted["predicted"]).mean() > 0.5
