"""What a model is asked about: words on a command line become files, each once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emobench.bundles.wanted import AUDIO, Wanted, distinct, expand, spoken_by_folder
from emobench.errors import SpecError


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """Files with sound, files without, and hidden ones; it is the working directory."""
    for name in (
        *("b/2.wav", "b/10.WAV", "a/1.flac", "a/deep/3.mp3", "a/deep/film.mkv", "0.ogg"),
        *("a/notes.txt", "a/.hidden.wav", ".cache/4.wav", "a/wav", "[x].wav"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_means_the_sound_below_it(tree):
    every = {
        os.path.join(place, name)
        for place, _, names in os.walk(tree)
        for name in names
        if os.path.splitext(name)[1].lower() in AUDIO
    }
    hidden = {str(tree / "a/.hidden.wav"), str(tree / ".cache/4.wav")}
    assert set(expand([str(tree)])) == every - hidden
    assert list(expand(["a"])) == ["a/1.flac", "a/deep/3.mp3", "a/deep/film.mkv"]


@pytest.mark.parametrize(
    ("word", "files"),
    [
        ("0.ogg", ["0.ogg"]),
        ("a/notes.txt", ["a/notes.txt"]),  # it was named
        ("gone.wav", ["gone.wav"]),  # said of it is what the decoder says
        ("b/*", ["b/10.WAV", "b/2.wav"]),
        ("*/*.wav", ["b/2.wav"]),
        ("**/*.mp3", ["a/deep/3.mp3"]),
        ("[x].wav", ["[x].wav"]),  # a file of that name
        ("a/d*", None),  # folders are no files
    ],
)
def test_a_word_means_files(tree, word, files):
    if files is None:
        with pytest.raises(SpecError, match="expected files that match, found none"):
            list(expand([word]))
    else:
        assert list(expand([word])) == files


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("empty", "empty: expected a folder with audio files, found none"),
        ("*.nothing", r"\*\.nothing: expected files that match, found none"),
        ("nowhere/**", "expected files that match, found none"),
    ],
)
def test_words_that_mean_nothing_are_refused(tree, word, message):
    with pytest.raises(SpecError, match=rf"{message}\. Correct the path, or name the files"):
        list(expand([word]))


def test_a_clip_is_wanted_once_and_the_first_counts():
    clips = [
        Wanted("a", speaker="s1"),
        Wanted("b"),
        Wanted("a", speaker="s2"),
        Wanted("a", start=0.0),
        Wanted("a", start=0.0, end=1.0),
    ]
    assert distinct(clips) == [clips[0], clips[1], clips[3], clips[4]]


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (None, None, "a.wav"),
        (1.5, None, "a.wav from 1.5 s to its end"),
        (None, 2.0, "a.wav from 0 s to 2 s"),
        (1.0, 2.25, "a.wav from 1 s to 2.25 s"),
    ],
)
def test_a_clip_is_told_as_file_and_segment(start, end, text):
    assert str(Wanted("a.wav", start=start, end=end)) == text


def test_a_folder_can_be_a_speaker():
    clips = [Wanted(name, Path(name)) for name in ("x/1.wav", "x/2.wav", "y/1.wav", "1.wav")]
    spoken = spoken_by_folder(clips)
    assert [clip.speaker for clip in spoken] == ["x", "x", "y", "."]
    assert [clip.key for clip in spoken] == [clip.key for clip in clips]


def test_samples_lie_in_no_folder():
    clips = [Wanted("a.wav", Path("a.wav")), Wanted("1", samples=np.zeros(4), sample_rate=4.0)]
    with pytest.raises(SpecError, match=r"expected files, found samples\. Name the speakers"):
        spoken_by_folder(clips)
