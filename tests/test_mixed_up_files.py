"""Several files of one id: copies are used once, others are told with what to write."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from emobench.corpora.reading.audio_files import scan
from emobench.corpora.reading.clips import Clip
from emobench.corpora.reading.duplicates import differing_folders, resolve

CORPUS = SimpleNamespace(reader=None, at=lambda key: f"datasets.yaml, line 3: mine.{key}")


def write(folder: Path, name: str, seed: int = 0, subtype: str = "PCM_16") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-9_000, 9_000, 2_000) / 32_768
    soundfile.write(path, samples, 16_000, subtype)


def clips(folder: Path, **facts: dict[str, str]) -> list[Clip]:
    """Return a clip for each file, whose id is its name without folders, capitals and ending."""
    known = {"speaker": "s1", "emotion": "a"}
    return [
        Clip(
            file.stem.casefold(), file, {**known, **facts.get(file.relative.partition("/")[0], {})}
        )
        for file in scan(folder, ["*.wav", "*.flac"])
    ]


def resolved(folder: Path, tmp_path: Path, corpus: object = CORPUS, **facts: dict[str, str]):
    return resolve(corpus, clips(folder, **facts), folder, tmp_path / "cache")


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "corpus"
    write(place, "x/1.wav", 1)
    write(place, "x/2.wav", 2)
    return place


def test_files_of_their_own_ids_are_all_used(folder, tmp_path):
    used, copies, problems = resolved(folder, tmp_path)
    assert [clip.id for clip in used] == ["1", "2"]
    assert (copies, problems) == ([], [])
    assert not (tmp_path / "cache").exists()  # nothing was read for that


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_copy_is_used_once_whatever_its_bytes(folder, tmp_path, subtype):
    write(folder, "y/1.wav", 1, subtype)
    used, copies, problems = resolved(folder, tmp_path)
    assert [clip.file.relative for clip in used] == ["x/1.wav", "x/2.wav"]
    assert [(copy.id, copy.used, copy.unused) for copy in copies] == [("1", "x/1.wav", "y/1.wav")]
    assert problems == []


def test_a_copy_that_is_labelled_otherwise_is_none(folder, tmp_path):
    write(folder, "y/1.wav", 1)
    _, copies, (problem,) = resolved(folder, tmp_path, y={"emotion": "b"})
    assert copies == []
    assert "'1' is x/1.wav and y/1.wav" in problem


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["y/1.wav"], "write `glob: x/**/*.wav` or `glob: y/**/*.wav`; if both do, write"),
        (["x/y/1.wav"], "write `glob: x/**/*.wav` or `glob: x/y/**/*.wav`"),
        (["1.wav"], "write `ignore: x/**`; if both do"),
        (["x/1.flac"], "Write `glob: '*.flac'` or `glob: '*.wav'`."),
    ],
)
def test_recordings_that_were_mixed_up_are_told_with_what_to_write(folder, tmp_path, names, advice):
    for name in names:
        write(folder, name, 9)
    _, copies, (problem,) = resolved(folder, tmp_path)
    assert copies == []
    assert problem.startswith(
        "datasets.yaml, line 3: mine.pattern: expected one recording for each id, found 1 file with"
    )
    assert advice in problem


def test_files_that_differ_in_capitals_alone_are_told(folder, tmp_path):
    write(folder, "x/a.wav", 3)
    write(folder, "x/A.wav", 4)
    _, _, (problem,) = resolved(folder, tmp_path)
    assert "Their names differ in capitals alone: remove one of the two." in problem


def test_a_corpus_with_label_files_is_told_to_remove_them(folder, tmp_path):
    write(folder, "y/1.wav", 9)
    corpus = SimpleNamespace(reader="iemocap", at=CORPUS.at)
    _, _, (problem,) = resolved(folder, tmp_path, corpus)
    assert problem.endswith("Remove the files that do not belong to the corpus.")


def test_many_are_counted(folder, tmp_path):
    for number in range(1, 6):
        write(folder, f"x/{number}.wav", number)
        write(folder, f"y/{number}.wav", 10 + number)
    _, _, (problem,) = resolved(folder, tmp_path)
    assert "found 5 files with the id of another" in problem
    assert "'3' is x/3.wav and y/3.wav; and 2 more." in problem


@pytest.mark.parametrize(
    ("one", "other", "folders"),
    [
        ("a.wav", "a.wav", ("", "")),
        ("a/b.wav", "b.wav", ("a", "")),
        ("x/s1/1.wav", "y/s1/1.wav", ("x", "y")),
        ("x/s1/1.wav", "x/s2/1.wav", ("x/s1", "x/s2")),
        ("s1/1.wav", "copy/of/s1/1.wav", ("", "copy/of")),
    ],
)
def test_folders_differ_up_to_what_they_end_with(one, other, folders):
    assert differing_folders(one, other) == folders
    assert differing_folders(other, one) == folders[::-1]
