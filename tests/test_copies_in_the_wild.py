"""Open corpora of the registry as people have them: the right number of clips, or one message."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import grammars
import numpy as np
import pytest
import soundfile
import trees
from test_layouts import write_film

from emobench import cli, corpora
from emobench.corpora.registry import PACKAGED
from emobench.errors import CorpusError

REGISTRY = corpora.load_registry([PACKAGED])
STUB = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"

Plant = Callable[[Path], None]


def names(leaves: Iterable[grammars.Leaf]) -> list[str]:
    """File names without folders."""
    return [leaf.path.rpartition("/")[2] for leaf in leaves]


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)


def twice(folder: Path, under: str) -> None:
    """Copy all that is in a folder to another in it."""
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside)
    shutil.move(aside, folder / under)


# EMO-DB -------------------------------------------------------------------------------------------

RELEASE_2 = list(grammars.emo_db_2())
GOLD = [leaf for leaf in RELEASE_2 if leaf.emotion]
BESIDE = {
    **{"silb/03a01Fa.silb": "", "labsilb/03a01Fa.labsilb": "", "lablaut/03a01Faxx.lablaut": ""},
    **{"erkennung.txt": "Nr.\tSatz\terkannt\tnatuerlich\n", "erklaerung.txt": ""},
}
TABLES = {
    "db.yaml": "name: emodb\n",
    "db.files.csv": "file,duration,speaker,transcription\n",
    "db.emotion.csv": "file,emotion,emotion.confidence\n",
    "db.emotion.categories.train.gold_standard.csv": "file,emotion,emotion.confidence\n",
}
AMBIGUOUS = "file,emotion,emotion.confidence,emotion.naturalness\n" + "".join(
    f"{leaf.path},anger,0.55,0.7\n" for leaf in RELEASE_2 if leaf.emotion is None
)


def emo_db(root: str = "", others: dict[str, str] = BESIDE) -> Plant:
    def plant(folder: Path) -> None:
        trees.plant(folder / root, trees.names(GOLD))
        write(folder / root, others)

    return plant


def emo_db_kaggle(folder: Path) -> None:
    emo_db()(folder)
    twice(folder, "berlin-database-of-emotional-speech-emodb")


def emo_db_2(root: str = "", tables: bool = True) -> Plant:
    def plant(folder: Path) -> None:
        speech = trees.names(RELEASE_2)
        trees.plant(folder / root, speech)
        if tables:
            trees.plant(folder / root, (name.replace("wav/", "laryngo/") for name in speech))
            table = "db.emotion.categories.ambiguous.csv"
            laryngo = {f"db.laryngo.{name[3:]}": text for name, text in TABLES.items()}
            laryngo[f"db.laryngo.{table[3:]}"] = AMBIGUOUS.replace("wav/", "laryngo/")
            write(folder / root, TABLES | laryngo | {table: AMBIGUOUS})

    return plant


def emo_db_stereo(folder: Path) -> None:
    """A few of the originals: speech on the left, the laryngograph's signal on the right."""
    (folder / "wav_laryng").mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in names(RELEASE_2)[::100]:
        both = random.uniform(-0.5, 0.5, (4_000, 2)) * [1.0, 0.2]
        soundfile.write(folder / "wav_laryng" / name.replace(".wav", "xx.wav"), both, 16_000)


# RAVDESS ------------------------------------------------------------------------------------------


def ravdess(folder: Path) -> None:
    trees.plant(folder, trees.ravdess())


def ravdess_kaggle(folder: Path) -> None:
    ravdess(folder)
    twice(folder, "audio_speech_actors_01-24")


def ravdess_with_song(folder: Path) -> None:
    trees.plant(folder / "Audio_Speech_Actors_01-24", trees.ravdess())
    trees.plant(folder / "Audio_Song_Actors_01-24", trees.ravdess("02"))


def ravdess_with_film_sound(folder: Path) -> None:
    ravdess(folder)
    tracks = [name.replace("/03-", "/01-") for name in trees.ravdess()[::50]]
    trees.plant(folder / "Video_Speech", tracks)


def ravdess_films(folder: Path) -> None:
    write(folder, {f"Video_Speech_Actor_01/Actor_01/01-01-01-01-01-0{n}-01.mp4": "" for n in "12"})


def ravdess_incomplete(folder: Path) -> None:
    trees.plant(folder, (name for name in trees.ravdess() if "Actor_24" not in name))


def ravdess_resampled(folder: Path) -> None:
    ravdess(folder)
    trees.plant(folder / "16k", trees.ravdess()[:3])


# TESS ---------------------------------------------------------------------------------------------


def tess(folder: Path) -> None:
    trees.plant(folder, names(grammars.tess()))


def tess_in_two(folder: Path) -> None:
    trees.plant(folder, (f"{name[:3]}/{name}" for name in names(grammars.tess())))


def tess_in_fourteen(folder: Path) -> None:
    top = "TESS Toronto emotional speech set data"
    trees.plant(folder / top, trees.names(grammars.tess(slip=True, folders=True)))


def tess_doubled(folder: Path) -> None:
    tess_in_fourteen(folder)
    top = "TESS Toronto emotional speech set data"
    twice(folder / top, top)


# CREMA-D ------------------------------------------------------------------------------------------


def crema_d(folder: Path) -> None:
    trees.plant(folder, trees.names(grammars.crema_d_complete()))
    others = ("AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv", "README.md")
    write(folder, dict.fromkeys(others, b""))


def crema_d_stubs(folder: Path) -> None:
    write(folder, dict.fromkeys(trees.crema_d(), STUB))
    write(
        folder, {name.replace("WAV", "MP3").replace("wav", "mp3"): STUB for name in trees.crema_d()}
    )


def crema_d_mp3_only(folder: Path) -> None:
    write(folder, {f"AudioMP3/{Path(name).stem}.mp3": b"" for name in trees.crema_d()})


def crema_d_from_mp3(folder: Path) -> None:
    trees.plant(folder, trees.crema_d())
    trees.plant(folder, (name.replace("WAV/", "MP3/") for name in trees.crema_d()))


# SAVEE --------------------------------------------------------------------------------------------


def savee(folder: Path) -> None:
    trees.plant(folder, trees.savee())
    write(folder, {"AudioData/Info.txt": "Speakers"})


def savee_flat(folder: Path) -> None:
    trees.plant(folder / "ALL", names(grammars.savee("_")))


def savee_both(folder: Path) -> None:
    savee(folder)
    for path in sorted(folder.rglob("*.wav")):
        target = folder / "ALL" / f"{path.parent.name}_{path.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)


# ShEMO --------------------------------------------------------------------------------------------


def shemo(folder: Path) -> None:
    trees.plant(folder, trees.names(grammars.shemo_complete()))
    write(folder, {"final text/F01N01.ort": "سلام", "final script/F01N01.tra": "s"})


def shemo_kaggle(folder: Path) -> None:
    shemo(folder)
    twice(folder, "shemo-persian-speech-emotion-detection-database")


def shemo_stubs(folder: Path) -> None:
    write(folder, dict.fromkeys(("female.zip", "male.zip", "transcript.zip"), STUB))


# eNTERFACE'05 -------------------------------------------------------------------------------------


def enterface(folder: Path) -> None:
    trees.plant(folder / "enterface database", trees.enterface05())


def enterface_flat(folder: Path) -> None:
    trees.plant(folder, dict.fromkeys(names(grammars.enterface05("wav"))))


def enterface_with_sound_beside(folder: Path, rate: int = 48_000) -> None:
    for subject in ("subject 1", "subject 2"):
        film = folder / subject / "anger" / "sentence 1" / "s_an_1.avi"
        film.parent.mkdir(parents=True)
        write_film(film)
        tone = (8000 * np.sin(np.arange(9_600) / 20)).astype(np.int16)
        soundfile.write(film.with_suffix(".wav"), tone[:: 48_000 // rate], rate)


def enterface_with_other_sound_beside(folder: Path) -> None:
    enterface_with_sound_beside(folder, 16_000)


# What is found ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Copy:
    """A copy of a corpus.

    Attributes:
        plant: writes it into a folder
        corpus: by which name it is read
        clips: that are loaded; None if it is refused
        told: what `check` says
        copies: files that are used under another name already
        ok: whether `check` finds nothing wrong
        refused: what reading it says, as a regular expression
    """

    plant: Plant
    corpus: str
    clips: int | None
    told: tuple[str, ...] = ()
    copies: int = 0
    ok: bool = True
    refused: str = ""


WITHHELD = "281 (fewer than 80 % of listeners recognised it, for emo-db:2.0)"
COPIES = {
    "emo-db 1": Copy(emo_db(), "emo-db", 535, ("ok: 535 clips, as expected",)),
    "emo-db 1 deeper": Copy(emo_db("archive/EMO-DB/download"), "emo-db", 535),
    "emo-db kaggle": Copy(emo_db_kaggle, "emo-db", 535, copies=535),
    "emo-db audformat": Copy(emo_db("emodb/1.4.1/d3b62a9b", TABLES), "emo-db", 535),
    "emo-db 2": Copy(
        emo_db_2(), "emo-db", 535, ("816 (laryngogram, no speech)", WITHHELD, "ok: 535 clips")
    ),
    "emo-db 2 deeper": Copy(emo_db_2("zenodo/EmoDB 2.0"), "emo-db", 535, (WITHHELD,)),
    "emo-db 2 as such": Copy(emo_db_2(), "emo-db:2.0", 816, ("816 (laryngogram, no speech)",)),
    "emo-db 2 without tables": Copy(
        *(emo_db_2(tables=False), "emo-db", None),
        told=("found 281 that it does not", "The variant emo-db:2.0 or emo-db:stereo (channel: "),
        ok=False,
        refused="The variant emo-db:2.0 or",
    ),
    "emo-db 2 without tables, as such": Copy(emo_db_2(tables=False), "emo-db:2.0", 816),
    "emo-db stereo": Copy(
        *(emo_db_stereo, "emo-db", None),
        told=("The variant emo-db:stereo (channel: left) reads such names.",),
        ok=False,
        refused=r"The variant emo-db:stereo \(channel: left\) reads such names",
    ),
    "emo-db stereo as such": Copy(emo_db_stereo, "emo-db:stereo", 9, ok=False),
    "ravdess": Copy(ravdess, "ravdess", 1440),
    "ravdess kaggle": Copy(ravdess_kaggle, "ravdess", 1440, copies=1440),
    "ravdess and song": Copy(ravdess_with_song, "ravdess", 1440, ("1,012 (song)",)),
    "ravdess song": Copy(ravdess_with_song, "ravdess:song", 1012, ("1,440 (speech)",)),
    "ravdess both": Copy(ravdess_with_song, "ravdess:speech+song", 2452),
    "ravdess and film sound": Copy(ravdess_with_film_sound, "ravdess", 1440),
    "ravdess films alone": Copy(
        *(ravdess_films, "ravdess", None),
        told=("found only Video_Speech_Actor_01/Actor_01/01-01-01-01-01-01-01.mp4, ",),
        ok=False,
        refused=r"expected audio files like \*\.wav .*01\.mp4\. Put those that are expected there",
    ),
    "ravdess without an actor": Copy(
        *(ravdess_incomplete, "ravdess", 1380),
        told=("not ok: 1,380 of 1,440 clips. The copy is incomplete: unpack the missing",),
        ok=False,
    ),
    "ravdess and resampled": Copy(
        *(ravdess_resampled, "ravdess", None),
        told=("found 3 files with the id of another and different content", "`ignore: 16k/**`"),
        ok=False,
        refused="`ignore: 16k/",
    ),
    "tess": Copy(tess, "tess", 2800),
    "tess in two folders": Copy(tess_in_two, "tess", 2800),
    "tess in fourteen folders": Copy(tess_in_fourteen, "tess", 2800),
    "tess doubled": Copy(tess_doubled, "tess", 2800, copies=2800),
    "crema-d": Copy(crema_d, "crema-d", 7441, ("1 (holds no audio signal)",)),
    "crema-d stubs": Copy(crema_d_stubs, "crema-d", 163, ("Run `git lfs pull` there",), ok=False),
    "crema-d mp3 alone": Copy(
        *(crema_d_mp3_only, "crema-d", None),
        told=("found only AudioMP3/1001_DFA_ANG_XX.mp3, ", "and 159 more"),
        ok=False,
        refused="mp3 and 159 more. Put those that are expected there",
    ),
    "crema-d from mp3": Copy(
        crema_d_from_mp3, "crema-d", 163, ("163 (decoded from MP3)",), ok=False
    ),
    "savee": Copy(savee, "savee", 480),
    "savee flat": Copy(savee_flat, "savee", 480),
    "savee both": Copy(savee_both, "savee", 480, copies=480),
    "shemo": Copy(shemo, "shemo", 2962, ("38 (too few clips of fear)",)),
    "shemo kaggle": Copy(shemo_kaggle, "shemo", 2962, copies=2962),
    "shemo stubs": Copy(
        *(shemo_stubs, "shemo", None),
        told=("found only Git LFS pointers: female.zip, male.zip, transcript.zip. Run",),
        ok=False,
        refused="Run `git lfs pull` there",
    ),
    "enterface": Copy(enterface, "enterface05", 1287),
    "enterface flat": Copy(
        *(enterface_flat, "enterface05", None),
        told=("found 1,263 that it does not: ", "It reads paths: keep the folders of the release."),
        ok=False,
        refused="keep the folders of the release",
    ),
    "enterface, sound beside": Copy(
        enterface_with_sound_beside, "enterface05", 2, copies=2, ok=False
    ),
    "enterface, other sound beside": Copy(
        *(enterface_with_other_sound_beside, "enterface05", None),
        told=("with the id of another and different content", "Write `glob: '*.avi'` or `glob: '*"),
        ok=False,
        refused=r"Write `glob: '\*\.avi'` or `glob: '\*\.wav'`",
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_read_rightly_or_refused_in_one_message(name, tmp_path, monkeypatch, capsys):
    copy = COPIES[name]
    corpus = REGISTRY.get(copy.corpus)
    copy.plant(tmp_path / corpus.base)
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", copy.corpus, "--data", str(tmp_path)])
    said = capsys.readouterr()
    assert (ended.value.code, said.err) == (0 if copy.ok else 1, ""), said
    for words in copy.told:
        assert words in said.out
    if copy.clips is None:
        with pytest.raises(CorpusError, match=copy.refused):
            corpora.load(corpus, tmp_path, tmp_path / "cache")
        return
    found = corpora.open_corpus(corpus, tmp_path, tmp_path / "cache")
    assert (len(found.clips), len(found.duplicates), found.problems) == (
        *(copy.clips, copy.copies),
        (),
    )
    assert len(corpora.load(corpus, tmp_path, tmp_path / "cache")) == copy.clips
