"""The demo corpus: its files, its voices, and how hard it is."""

from __future__ import annotations

import csv
import errno
import hashlib
import re
import shutil
import signal as signals
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import opensmile
import pytest
import soundfile
from scipy import signal, stats
from sklearn.metrics import recall_score
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emobench import demo
from emobench.demo import corpus, delivery, score, voice
from emobench.errors import CorpusError
from emobench.storage import locks

NAME = re.compile(r"s0[1-6]_(anger|happiness|sadness|fear|neutral)_[ab]_[12]")
EMOTIONS = ("anger", "fear", "happiness", "neutral", "sadness")

DIGEST = "a84038533ded478879cb38894da21ea0cac2a0147405a4f44fc8046add858bed"
"""Of version 1. Whoever changes a byte of the corpus raises `VERSION` and writes the new one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.ensure(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def clips(folder: Path) -> dict[str, np.ndarray]:
    """Every clip's samples, by name."""
    return {path.stem: soundfile.read(path)[0] for path in sorted((folder / "wav").iterdir())}


@pytest.fixture
def quick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy what was generated once instead of generating it again."""
    monkeypatch.setattr(corpus, "generate", lambda target: copied(folder, target))


def copied(folder: Path, target: Path) -> None:
    shutil.copytree(folder, target, dirs_exist_ok=True)


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def table(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert all(len(row) == 2 for row in rows)
    return dict(rows[1:])


def pitch_hz(samples: np.ndarray) -> float:
    """Median of the autocorrelation pitch over the clearly voiced frames of 40 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 640)[::160] * np.hanning(640)
    power = np.abs(np.fft.rfft(frames, 2048)) ** 2
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(640), 2048)) ** 2)[:320]
    correlation = np.fft.irfft(power)[:, :320] / window
    correlation /= correlation[:, :1]
    lags = np.arange(40, 267)  # 400 to 60 Hz
    # The first of nearly equal peaks is the period; later ones are its multiples.
    allowed = correlation[:, lags] >= 0.92 * correlation[:, lags].max(axis=1, keepdims=True)
    inside = correlation[:, lags]
    peak = (inside >= correlation[:, lags - 1]) & (inside >= correlation[:, lags + 1])
    lag = lags[np.argmax(allowed & peak, axis=1)]
    loud = frames.std(axis=1) > 0.3 * frames.std(axis=1).max()
    voiced = loud & (inside.max(axis=1) > 0.7) & (allowed & peak).any(axis=1)
    return float(np.median(16_000 / lag[voiced]))


def semitones(ratio: float) -> float:
    return 12.0 * float(np.log2(ratio))


# Files


def test_has_four_clips_of_each_emotion_by_each_speaker(clips: dict[str, np.ndarray]) -> None:
    assert all(NAME.fullmatch(name) for name in clips)
    counts = Counter(tuple(name.split("_")[:2]) for name in clips)
    assert len(counts) == 30
    assert set(counts.values()) == {4}


def test_clips_are_short_mono_16_bit_files_at_16_khz(folder: Path) -> None:
    for path in (folder / "wav").iterdir():
        facts = soundfile.info(path)
        kind = (facts.samplerate, facts.channels, facts.subtype, facts.format)
        assert kind == (16_000, 1, "PCM_16", "WAV")
        assert 2.0 <= facts.duration <= 3.0


def test_no_clip_is_clipped_or_digitally_silent_anywhere(clips: dict[str, np.ndarray]) -> None:
    for samples in clips.values():
        assert 0.05 < np.abs(samples).max() < 0.95
        blocks = samples[: samples.size // 160 * 160].reshape(-1, 160)
        assert blocks.std(axis=1).min() > 1e-4


def test_transcripts_carry_no_emotion(folder: Path, clips: dict[str, np.ndarray]) -> None:
    transcripts = table(folder / "transcripts.csv")
    assert list(transcripts) == corpus.names()
    assert set(transcripts) == set(clips)
    spoken = Counter((name.split("_")[1], text) for name, text in transcripts.items())
    assert len(spoken) == 10
    assert set(spoken.values()) == {12}


def test_control_labels_are_balanced_and_independent(folder: Path) -> None:
    control = table(folder / "control.csv")
    assert list(control) == corpus.names()
    for speaker in {name[:3] for name in control}:
        labels = Counter(label for name, label in control.items() if name.startswith(speaker))
        assert labels == dict.fromkeys(EMOTIONS, 4)
    for part in (1, 2, 3):  # emotion, sentence, take
        truth = [name.split("_")[part] for name in control]
        counts = stats.contingency.crosstab(truth, list(control.values())).count
        assert stats.chi2_contingency(counts).pvalue > 0.05
    same = sum(name.split("_")[1] == label for name, label in control.items())
    assert stats.binomtest(same, 120, 0.2).pvalue > 0.05


def test_says_that_it_is_synthetic(folder: Path) -> None:
    text = (folder / "README.txt").read_text(encoding="utf-8")
    assert "synthetic" in text
    assert "emobench" in text


def test_two_generations_are_equal_to_the_byte(folder: Path, tmp_path: Path) -> None:
    demo.generate(tmp_path / "again")
    assert digest(tmp_path / "again") == digest(folder) == DIGEST
    assert demo.VERSION == 1


# Made whole or not at all

SLOWLY = """
import sys, time
from pathlib import Path
from emobench.demo import corpus
write = corpus._write_wav
def slowly(*arguments):
    write(*arguments)
    time.sleep(0.2)
corpus._write_wav = slowly
corpus.ensure(Path(sys.argv[1]))
"""


def test_killed_halfway_leaves_nothing_half_made(tmp_path: Path, quick: None) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, str(tmp_path)])
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*/wav/*.wav"))) < 5:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signals.SIGKILL)
    process.wait()
    assert not (tmp_path / "demo").exists()
    demo.ensure(tmp_path)
    assert digest(tmp_path / "demo") == DIGEST
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_two_processes_may_ask_at_once(tmp_path: Path) -> None:
    code = "import sys, pathlib, emobench.demo as d; d.ensure(pathlib.Path(sys.argv[1]))"
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert digest(tmp_path / "demo") == DIGEST
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_without_locks_the_slower_process_takes_what_the_faster_made(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(target: Path) -> None:
        copied(folder, target)
        shutil.copytree(folder, tmp_path / "other")
        (tmp_path / "other").rename(tmp_path / "demo")

    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(corpus, "generate", overtaken)
    assert demo.ensure(tmp_path) == tmp_path / "demo"
    assert digest(tmp_path / "demo") == DIGEST
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize("damage", ["older version", "clip missing", "table missing"])
def test_an_outdated_or_incomplete_corpus_is_made_anew(
    damage: str, folder: Path, tmp_path: Path, quick: None
) -> None:
    present = shutil.copytree(folder, tmp_path / "demo")
    if damage == "older version":
        (present / "VERSION").write_text("emobench demo corpus, version 0\n")
        (present / "wav" / "s09_old.wav").touch()
    else:
        name = "control.csv" if damage == "table missing" else "wav/s01_fear_a_1.wav"
        (present / name).unlink()
    demo.ensure(tmp_path)
    assert digest(present) == DIGEST
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_complete_corpus_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "generate", lambda target: pytest.fail("generated again"))
    assert demo.ensure(folder.parent) == folder


def test_a_folder_of_somebody_else_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").write_text("years of work")
    with pytest.raises(CorpusError, match=r"demo: expected .* found something else\. Move it"):
        demo.ensure(tmp_path)
    assert (tmp_path / "demo" / "thesis.txt").read_text() == "years of work"


def test_a_root_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "root").touch()
    with pytest.raises(
        CorpusError,
        match=r"expected a folder for the demo corpus.* a file in the way",
    ):
        demo.ensure(tmp_path / "root")


def test_a_full_disk_is_reported_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(corpus, "_write_wav", full)
    with pytest.raises(CorpusError, match=r"found a full disk\. Free some space, .* with --data"):
        demo.ensure(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_finding_a_corpus_that_is_there_does_not_load_scipy(folder: Path) -> None:
    code = (
        "import sys, pathlib, emobench.demo as demo; demo.ensure(pathlib.Path(sys.argv[1]));"
        "sys.exit('scipy' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(folder.parent)]
    assert subprocess.run(command, check=False).returncode == 0


# Voices


def test_neutral_pitch_is_the_speakers_own(clips: dict[str, np.ndarray]) -> None:
    differences = []
    for speaker in delivery.SPEAKERS:
        found = [pitch_hz(clips[f"{speaker.name}_neutral_{s}_{t}"]) for s in "ab" for t in "12"]
        differences.append(semitones(np.median(found) / speaker.pitch_hz))
    assert np.abs(differences).max() < 3.0
    assert abs(np.mean(differences)) < 1.0


def test_emotions_move_pitch_energy_and_tempo_as_published(clips: dict[str, np.ndarray]) -> None:
    def mean(emotion: str, measure: object) -> float:
        chosen = [samples for name, samples in clips.items() if f"_{emotion}_" in name]
        return float(np.mean([measure(samples) for samples in chosen]))

    pitch = {emotion: mean(emotion, lambda x: semitones(pitch_hz(x))) for emotion in EMOTIONS}
    for emotion in ("anger", "fear", "happiness"):
        assert pitch[emotion] > pitch["sadness"] + 1.5
        assert pitch[emotion] > pitch["neutral"] + 1.0
    level = {emotion: mean(emotion, lambda x: 20 * np.log10(x.std())) for emotion in EMOTIONS}
    assert level["anger"] > level["happiness"] > level["neutral"] > level["sadness"] + 2.0
    seconds = {emotion: mean(emotion, lambda x: x.size / 16_000) for emotion in EMOTIONS}
    assert seconds["sadness"] > seconds["neutral"] > max(seconds["anger"], seconds["fear"])


def test_moving_filter_agrees_with_scipy_where_nothing_moves() -> None:
    random = np.random.default_rng(0)
    speaker = delivery.SPEAKERS[1]
    formants = np.tile([640.0, 1190.0, 2390.0], (40, 1))
    tracks = score.Tracks(np.full(40, 100.0), formants, np.ones(40), np.zeros((40, 3)))
    clip = score.Clip(speaker, delivery.EMOTIONS["neutral"], tracks, random)
    source = random.standard_normal(40 * 80)
    found = voice._through_tract([source, source[:1600]], [clip, clip])

    expected = source
    centres = [*formants[0], *(np.array([3400.0, 4500.0, 5500.0]) * speaker.tract)]
    for centre, bandwidth in zip(centres, [70, 95, 140, 220, 320, 420], strict=True):
        radius, angle = np.exp(-np.pi * bandwidth / 16_000), 2 * np.pi * centre / 16_000
        poles = [1.0, -2 * radius * np.cos(angle), radius**2]
        expected = signal.lfilter([sum(poles)], poles, expected)
    np.testing.assert_allclose(found[0][5:], expected[:-5], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found[1], found[0][:1600])


@pytest.mark.parametrize("loss", [2.0, 11.0, 26.0])
def test_tilt_loses_as_much_at_3_khz_as_it_says(loss: float) -> None:
    response = voice._tilted(np.eye(1, 4096)[0], loss)
    _, gain = signal.freqz(response, worN=[0.0, 3000.0], fs=16_000)
    np.testing.assert_allclose(20 * np.log10(np.abs(gain)), [0.0, -loss], atol=1e-6)


def test_a_clip_does_not_depend_on_those_made_with_it(folder: Path) -> None:
    name = "s04_fear_b_2"
    alone = voice.synthesise([corpus._clip(name)])[0]
    stored, _ = soundfile.read(folder / "wav" / f"{name}.wav", dtype="int16")
    np.testing.assert_array_equal(alone, stored)


# Difficulty


@pytest.fixture(scope="module")
def functionals(clips: dict[str, np.ndarray]) -> np.ndarray:
    """openSMILE's IS09 functionals of every clip, standardised by speaker."""
    smile = opensmile.Smile(opensmile.FeatureSet.IS09, opensmile.FeatureLevel.Functionals)
    rows = [smile.process_signal(samples, 16_000).to_numpy()[0] for samples in clips.values()]
    values = np.array(rows)
    speakers = np.array([name[:3] for name in clips])
    for speaker in np.unique(speakers):
        mine = speakers == speaker
        values[mine] = StandardScaler().fit_transform(values[mine])
    return values


def svm_uar(functionals: np.ndarray, names: list[str], labels: list[str]) -> float:
    """Mean recall over speakers of an RBF-SVM trained on the others."""
    truth, speakers = np.array(labels), [name[:3] for name in names]
    recalls = []
    for training, test in LeaveOneGroupOut().split(functionals, truth, speakers):
        machine = make_pipeline(StandardScaler(), SVC(C=4.0, gamma=2.0**-12))
        predicted = machine.fit(functionals[training], truth[training]).predict(functionals[test])
        recalls.append(recall_score(truth[test], predicted, average="macro"))
    return float(np.mean(recalls))


def test_an_svm_is_neither_at_chance_nor_perfect(
    functionals: np.ndarray, clips: dict[str, np.ndarray]
) -> None:
    uar = svm_uar(functionals, list(clips), [name.split("_")[1] for name in clips])
    assert 0.55 < uar < 0.80


def test_on_control_labels_an_svm_stays_at_chance(
    functionals: np.ndarray, clips: dict[str, np.ndarray], folder: Path
) -> None:
    control = table(folder / "control.csv")
    uar = svm_uar(functionals, list(clips), [control[name] for name in clips])
    # Balanced, so UAR is accuracy; three binomial standard deviations of 120 guesses at 1 in 5.
    assert abs(uar - 0.2) < 3 * np.sqrt(0.2 * 0.8 / 120)
