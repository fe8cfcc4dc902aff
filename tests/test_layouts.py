"""Copies of corpora as they are found in the wild: every clip's emotion, speaker and group."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import grammars
import numpy as np
import pytest
import trees

from emobench import corpora
from emobench.corpora.registry import PACKAGED

REGISTRY = corpora.load_registry([PACKAGED])


@dataclass(frozen=True)
class Layout:
    """A copy of a corpus.

    Attributes:
        corpus: which, or a variant of one
        leaves: audio files and what they are
        others: further files, with their content
        unused: number of files that bear the id of another
        folder: what the corpus folder is called
        twice: below which everything lies a second time
    """

    corpus: str
    leaves: Iterable[grammars.Leaf]
    others: dict[str, str] = field(default_factory=dict)
    unused: int = 0
    folder: str = ""
    twice: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaves", tuple(self.leaves))

    def plant(self, root: Path) -> list[grammars.Leaf]:
        """Write the copy; return its audio files."""
        base = root / (self.folder or self.corpus.partition(":")[0])
        names = trees.names(self.leaves)
        copies = [name for name in names if self.twice and name.startswith(self.twice)]
        trees.plant(base, (name for name in names if name not in set(copies)))
        for name in copies:
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(base / name.removeprefix(self.twice), base / name)
        for name, content in self.others.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_text(content, encoding="utf-8")
        return list(self.leaves)


def below(folder: str, leaves: Iterable[grammars.Leaf]) -> list[grammars.Leaf]:
    return [leaf._replace(path=f"{folder}/{leaf.path}") for leaf in leaves]


def flat(leaves: Iterable[grammars.Leaf]) -> list[grammars.Leaf]:
    return [leaf._replace(path=leaf.path.rpartition("/")[2]) for leaf in leaves]


def decomposed(leaves: Iterable[grammars.Leaf]) -> list[grammars.Leaf]:
    return [leaf._replace(path=unicodedata.normalize("NFD", leaf.path)) for leaf in leaves]


def capitals(leaves: Iterable[grammars.Leaf]) -> list[grammars.Leaf]:
    return [leaf._replace(path=leaf.path.replace(".wav", ".WAV")) for leaf in leaves]


APPLE = {"__MACOSX/._a.wav": "no audio", ".DS_Store": ""}
GARBLED = {"C": "ColŠre", "D": "D‚go–t"}
OTHERS = {"C": "ColКre", "D": "DВgoЦt"}
SONG = [leaf._replace(emotion=None) for leaf in grammars.ravdess("02", "song/")]
CREMA_OTHERS = {
    "AudioMP3/1001_DFA_ANG_XX.mp3": "",
    "VideoFlash/1001_DFA_ANG_XX.flv": "",
    "SentenceFilenames.csv": "Stimulus_Number,Filename\n1,1001_IEO_NEU_XX\n",
    "finishedResponses.csv": "x\n",
    "processedResults/summaryTable.csv": "",
    "README.md": "",
}

LAYOUTS = {
    "cafe": Layout("cafe", grammars.cafe(), {"Readme.txt": ""}),
    "cafe decomposed": Layout("cafe", decomposed(grammars.cafe())),
    "cafe garbled": Layout("cafe", grammars.cafe(GARBLED)),
    "cafe garbled otherwise": Layout("cafe", grammars.cafe(OTHERS), folder="CaFE"),
    "cafe flat": Layout("cafe", flat(grammars.cafe())),
    "crema-d": Layout("crema-d", grammars.crema_d(), CREMA_OTHERS),
    "crema-d slips": Layout(
        "crema-d",
        below(
            "CREMA-D-master",
            (*grammars.crema_d(range(1040, 1041)), *grammars.crema_d(range(1076, 1077))),
        ),
        folder="CREMA-D",
    ),
    "demos": Layout("demos", grammars.demos(), folder="DEMoS"),
    "emo-db": Layout(
        "emo-db",
        grammars.emo_db(),
        {"silb/03a01Fa.silb": "", "lablaut/03a01Fa.lablaut": "", "erkennung.txt": "Nr.\tSatz"},
    ),
    "emo-db elsewhere": Layout(
        "emo-db",
        [
            leaf._replace(path=leaf.path.replace("wav/", "wav_corpus/"))
            for leaf in grammars.emo_db()
        ],
        folder="Berlin",
    ),
    "emofilm": Layout("emofilm", grammars.emofilm(), folder="EmoFilm"),
    "emofilm without folder": Layout("emofilm", grammars.emofilm("")),
    "enterface05": Layout(
        "enterface05", below("enterface database", grammars.enterface05()), {"Thumbs.db": ""}
    ),
    "enterface05 extracted": Layout(
        "enterface05", grammars.enterface05("wav"), folder="eNTERFACE'05"
    ),
    "jl": Layout("jl", grammars.jl(), {"Format_Intro.txt": "names"}, folder="JL-corpus"),
    "portuguese": Layout(
        "portuguese",
        grammars.portuguese(),
        {" Castro_2010_AppxB_Sents.txt": "preface\n", "Castro_2010_AppxB_Pseudosents.txt": ""},
    ),
    "ravdess": Layout("ravdess", (*grammars.ravdess(), *SONG)),
    "ravdess twice": Layout(
        "ravdess",
        (*grammars.ravdess(), *grammars.ravdess("01", "audio_speech_actors_01-24/")),
        APPLE,
        unused=1440,
        twice="audio_speech_actors_01-24/",
    ),
    "ravdess with sound tracks": Layout(
        "ravdess",
        grammars.ravdess(),
        {"Actor_01/01-01-03-01-01-01-01.wav": "", "x/02-01-03-01-01-01-01.wav": ""},
    ),
    "ravdess:song": Layout("ravdess:song", grammars.ravdess("02")),
    "savee": Layout("savee", grammars.savee(), {"AudioData/Info.txt": "Speakers"}),
    "savee flat": Layout("savee", flat(grammars.savee("_")), folder="SAVEE"),
    "savee in capitals": Layout("savee", capitals(grammars.savee())),
    "shemo": Layout(
        "shemo", grammars.shemo(), {"final text/F01N01.ort": "سلام", "final script/F01N01.tra": ""}
    ),
    "tess": Layout("tess", grammars.tess()),
    "tess in folders": Layout(
        "tess",
        below("TESS Toronto emotional speech set data", grammars.tess(slip=True, folders=True)),
    ),
}


def test_every_corpus_without_a_reader_has_a_layout():
    ordinary = {
        name
        for name in REGISTRY.names()
        if not (REGISTRY.get(name).reader or REGISTRY.get(name).synthetic)
        and not REGISTRY.get(name).pool
    }
    assert {layout.corpus for layout in LAYOUTS.values()} >= ordinary
    assert len(ordinary) == 12


@pytest.mark.parametrize("name", LAYOUTS)
def test_emotion_speaker_and_group_of_every_clip(name, tmp_path):
    layout = LAYOUTS[name]
    leaves = layout.plant(tmp_path)
    reading = corpora.open_corpus(REGISTRY.get(layout.corpus), tmp_path)
    reading.raise_problems()
    spelling = {unicodedata.normalize("NFC", leaf.path): leaf for leaf in leaves}
    found = {clip.file.relative.replace(".WAV", ".wav"): clip.facts for clip in reading.clips}
    spelling = {path.replace(".WAV", ".wav"): leaf for path, leaf in spelling.items()}
    assert len(reading.duplicates) == layout.unused
    unused = {duplicate[2] for duplicate in reading.duplicates}
    wanted = {path for path, leaf in spelling.items() if leaf.emotion and path not in unused}
    assert set(found) == wanted
    for path, facts in found.items():
        leaf = spelling[path]
        told = (facts["emotion"], facts["label"], facts["speaker"], facts["group"])
        assert told == (leaf.emotion, leaf.emotion, leaf.speaker, leaf.speaker), path
    left_out = sum(1 for leaf in leaves if leaf.emotion is None)
    assert sum(reading.dropped.values()) == left_out


def test_sex_follows_the_names(tmp_path):
    for name in ("cafe", "demos", "emofilm", "jl", "ravdess", "savee", "shemo", "tess"):
        LAYOUTS[name].plant(tmp_path)
    sexes = {}
    for name in ("cafe", "demos", "jl", "ravdess", "savee", "shemo", "tess"):
        table = corpora.load(REGISTRY.get(name), tmp_path, tmp_path / "cache")
        sexes[name] = table.groupby("sex")["speaker"].agg(lambda s: sorted(set(s))).to_dict()
    odd = [f"{number:02}" for number in range(1, 25, 2)]
    even = [f"{number:02}" for number in range(2, 25, 2)]
    assert sexes == {
        "cafe": {"female": even[:6], "male": odd[:6]},
        "demos": {"female": ["61"], "male": ["23"]},
        "jl": {"female": ["female1", "female2"], "male": ["male1", "male2"]},
        "ravdess": {"female": even, "male": odd},
        "savee": {"male": ["DC", "JE", "JK", "KL"]},
        "shemo": {"female": ["F01", "F22"], "male": ["M01", "M40"]},
        "tess": {"female": ["OAF", "YAF"]},
    }


def write_film(path: Path, rate: int = 48_000) -> None:
    """Write a short AVI with a picture and a sound track, as cameras of 2005 did."""
    with av.open(str(path), "w", format="avi") as film:
        picture = film.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound = film.add_stream("pcm_s16le", rate=rate)
        sound.layout = "mono"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            film.mux(picture.encode(frame))
        film.mux(picture.encode())
        tone = (8000 * np.sin(np.arange(rate // 5) / 20)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        film.mux(sound.encode(frame))
        film.mux(sound.encode())


def test_sound_tracks_of_films_are_read(tmp_path):
    folder = tmp_path / "enterface05" / "subject 11" / "anger" / "sentence 1"
    folder.mkdir(parents=True)
    write_film(folder / "s12_an_1.avi")
    other = tmp_path / "enterface05" / "subject 12" / "sadness" / "sentence 1"
    other.mkdir(parents=True)
    write_film(other / "s12_sa_1.avi")
    table = corpora.load(REGISTRY.get("enterface05"), tmp_path, tmp_path / "cache")
    assert list(table["speaker"]) == ["11", "12"]
    np.testing.assert_allclose(table["duration"], 0.2, atol=0.01)
    report = corpora.check(REGISTRY.get("enterface05"), tmp_path, deep=True, cache=tmp_path / "c")
    assert report.broken == {}
    assert report.formats == {(48_000, 1): 2}


def test_stubs_are_told_by_name(tmp_path):
    LAYOUTS["crema-d"].plant(tmp_path)
    stub = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    path = tmp_path / "crema-d" / "AudioWAV" / "1001_DFA_SAD_XX.wav"
    path.write_text(stub)
    report = corpora.check(REGISTRY.get("crema-d"), tmp_path, cache=tmp_path / "cache")
    assert set(report.broken) == {"AudioWAV/1001_DFA_SAD_XX.wav"}
    assert "git lfs pull" in report.broken["AudioWAV/1001_DFA_SAD_XX.wav"]


def test_ids_are_the_same_in_every_layout(tmp_path):
    ids = {}
    for name in ("savee", "savee flat", "cafe", "cafe garbled", "cafe flat", "tess"):
        root = tmp_path / name
        LAYOUTS[name].plant(root)
        table = corpora.load(REGISTRY.get(LAYOUTS[name].corpus), root, tmp_path / "cache")
        ids[name] = set(table.index)
    assert ids["savee"] == ids["savee flat"]
    assert ids["cafe"] == ids["cafe garbled"] == ids["cafe flat"]
    assert "OAF_bite_neutral" in ids["tess"]


def test_paths_that_are_no_unicode(tmp_path):
    LAYOUTS["cafe flat"].plant(tmp_path)
    os.rename(tmp_path / "cafe", os.fsencode(tmp_path) + b"/Caf\x82")
    os.makedirs(tmp_path / "cafe")
    os.rename(os.fsencode(tmp_path) + b"/Caf\x82", os.fsencode(tmp_path) + b"/cafe/Col\x8are")
    assert len(corpora.load(REGISTRY.get("cafe"), tmp_path, tmp_path / "cache")) == 936
