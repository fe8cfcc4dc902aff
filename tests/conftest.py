"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import slurm_commands
import soundfile

from emobench.executors import Outcome, Work, local
from emobench.features import FeatureSet, is09
from emobench.features.packing import About, Pack
from emobench.scaling import Moments
from emobench.spec import Places

is09.load_apart()  # before a test loads TensorFlow and another the wheel that is its oracle

RESULTS = Path(__file__).parents[1] / "results"

TINY = """\
tiny:
  title: Four speakers of three tones
  glob: '*.wav'
  pattern: '^(?P<speaker>s\\d)_(?P<emotion>[a-z]+)_(?P<repetition>\\d)\\.wav$'
  emotions: {anger: anger, sadness: sadness, neutral: neutral}
  folds: speaker
"""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Root folder of the real corpora; tests that ask for it are skipped where it is absent."""
    root = Path(os.environ.get("EMOBENCH_DATA", ""))
    missing = [name for name in ("emo-db", "ravdess") if not (root / name).is_dir()]
    if not os.environ.get("EMOBENCH_DATA") or missing:
        pytest.skip("needs EMO-DB and RAVDESS under EMOBENCH_DATA")
    return root


@pytest.fixture(scope="session")
def report_site(tmp_path_factory) -> Path:
    """Folder of the site of the committed results."""
    from emobench import report, runs
    from emobench.corpora import load_registry

    folder, registry = tmp_path_factory.mktemp("report") / "site", load_registry()

    def current(experiment):
        return runs.current_fingerprint(experiment, registry)

    report.write(RESULTS, folder, registry=registry, current=current)
    return folder


def write_tiny_corpus(root: Path, *, speakers: int = 4, repetitions: int = 2) -> None:
    """Write a corpus of harmonic tones whose pitch and level tell the emotion, and its registry."""
    folder = root / "tiny"
    folder.mkdir(parents=True)
    (root / "datasets.yaml").write_text(TINY)
    random = np.random.default_rng(0)
    for speaker in range(1, speakers + 1):
        for emotion, pitch, level in (
            ("anger", 240, 0.5),
            ("sadness", 120, 0.1),
            ("neutral", 150, 0.25),
        ):
            for repetition in range(1, repetitions + 1):
                seconds = random.uniform(0.75, 1.5)
                time = np.arange(int(seconds * 16_000)) / 16_000
                phase = 2 * np.pi * pitch * (1 + 0.05 * speaker) * time
                tone = sum(np.sin(k * phase) / k for k in range(1, 9))
                samples = level * (tone + 0.1 * random.standard_normal(len(time))) / 3
                name = f"s{speaker}_{emotion}_{repetition}.wav"
                soundfile.write(folder / name, samples, 16_000, subtype="PCM_16")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the corpus `tiny` (24 clips) and its `datasets.yaml`; not to be changed."""
    root = tmp_path_factory.mktemp("data")
    write_tiny_corpus(root)
    return root


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Feature cache shared by the tests that read the corpus `tiny`."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def tiny_places(tiny_data: Path, tiny_cache: Path, tmp_path: Path) -> Places:
    """The corpus `tiny` with a results folder of the test's own."""
    return Places(
        results=tmp_path / "results",
        cache=tiny_cache,
        data=tiny_data,
        datasets=(tiny_data / "datasets.yaml",),
    )


def perform_here(monkeypatch: pytest.MonkeyPatch, perform: Callable[[Work], Outcome]) -> None:
    """Let every job be done by a function in this process instead of a worker process."""

    class InThisProcess:
        def __init__(self, environment, inbox, kept_to):
            self._inbox = inbox

        def send(self, work):
            self._inbox.put((self, perform(work)))
            return True

        def close(self, *, at_once):
            pass

    monkeypatch.setattr(local, "WorkerProcess", InThisProcess)


def feature_set(ids: Sequence[str], values: Sequence[np.ndarray]) -> FeatureSet:
    """Return features that lie in no cache, one array of shape `(rows, columns)` a clip."""
    offsets = np.cumsum([0, *map(len, values)])
    each = Moments.stack([Moments.of(one) for one in values])
    moments = np.stack([each.count, each.mean, each.m2])
    nothing = About({}, "", (), (), {}, {})
    pack = Pack(Path("nowhere"), nothing, np.concatenate(values), offsets, moments)
    places = np.arange(len(values))
    return FeatureSet(tuple(ids), (pack,), np.zeros_like(places), places, {})


@pytest.fixture
def commands(tmp_path, monkeypatch) -> slurm_commands.Commands:
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    return slurm_commands.Commands(tmp_path / "bin", monkeypatch)
