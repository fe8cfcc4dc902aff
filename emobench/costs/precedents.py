"""What jobs took that are on file: of the same model, by whatever corpus and protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from ..experiments import durations
from ..spec import ModelSpec, Places
from ..store import reading
from ..store.json_files import from_json
from ..store.vouching import Damage
from . import effort
from .figures import Figure, Rate, Source

_MOST = 12
"""Records that are read of an experiment, evenly from all of its folds and repetitions."""

_RECORD_BYTES = 5_000
"""Of a record and its predictions, whatever the number of clips."""


@dataclass(frozen=True)
class Precedent:
    """One job of a model that is on file.

    Attributes:
        corpus: that it was trained and tested on
        protocol: under which
        device: what trained it
        threads: of its arithmetic
        seconds: that it took
        training: those of them that passed in training alone, without a search; None if not known
        effort: how much there was to compute, where clips last as long as `effort_of` was told
        memory: the most that its process held, in MiB, or None
        tested: number of clips that it predicted
        size: bytes of its files
    """

    corpus: str
    protocol: str
    device: str
    threads: int
    seconds: float
    training: float | None
    effort: float
    memory: int | None
    tested: int
    size: int


@dataclass(frozen=True)
class Precedents:
    """Jobs of one model on one kind of device; the nearest to an experiment stand for it.

    Attributes:
        every: jobs
    """

    every: tuple[Precedent, ...]

    def near(self, corpus: str, protocol: str) -> tuple[tuple[Precedent, ...], Source]:
        """Return the jobs that tell most of an experiment, and what they are to it."""
        own = tuple(one for one in self.every if one.corpus == corpus)
        same = tuple(one for one in own if one.protocol == protocol)
        return (same, "records") if same else (own or self.every, "scaled")

    def rate(self, corpus: str, protocol: str) -> Rate | None:
        """Return how long effort takes; None if nothing is on file.

        It is the median of what jobs took for a unit of their effort: one that was starved by
        others, or slept with its machine, says nothing of the rest.
        """
        found, source = self.near(corpus, protocol)
        found = tuple(one for one in found if one.effort > 0)
        if not found:
            return None
        trained = [(one, one.training) for one in found if one.training is not None]
        if len(trained) < len(found):
            return Rate(0.0, median(one.seconds / one.effort for one in found), source)
        within = [(one, min(seconds, one.seconds)) for one, seconds in trained]
        overhead = median(one.seconds - seconds for one, seconds in within)
        return Rate(overhead, median(seconds / one.effort for one, seconds in within), source)

    def memory(self, corpus: str, protocol: str) -> Figure | None:
        """Return the most that a worker held, in MiB."""
        found, source = self.near(corpus, protocol)
        held = [one.memory for one in found if one.memory]
        return Figure(max(held), source) if held else None

    def size(self, corpus: str, protocol: str, tested: int) -> Figure | None:
        """Return the bytes of the files of a job that predicts so many clips."""
        found, source = self.near(corpus, protocol)
        if not found:
            return None
        usual, clips = fmean(one.size for one in found), fmean(one.tested for one in found)
        beyond = max(usual - _RECORD_BYTES, 0.0) * (tested / clips if clips else 1.0)
        return Figure(min(usual, _RECORD_BYTES) + beyond, source)


def folders(places: Places) -> list[Path]:
    """Return the folders whose records tell what jobs take: the run's own, and the source tree's.

    An installed package has no records with it.
    """
    return [places.results, Path(__file__).resolve().parents[2] / "results"]


def read(
    results: Iterable[Path],
    model: ModelSpec,
    *,
    backend: str,
    device: str | None,
    threads: int,
    duration: Callable[[str], float],
) -> Precedents:
    """Read what jobs of a model took.

    Args:
        results: folders of them; those that are not there are passed over
        model: whose
        backend: what computes
        device: what trains it, as records say; None for whatever device
        threads: of its arithmetic; where no record has as many, any number
        duration: from the name of a corpus to the mean duration of its clips, in seconds, for
            experiments that do not say
    """
    own = model.name.replace(":", "+")
    found: list[Precedent] = []
    for folder in dict.fromkeys(path.resolve() for path in results):
        for place in sorted(folder.glob(f"*/*/{own}/*")):
            try:
                told = reading.read_description(place)
            except Damage:
                continue
            if told["backend"] == backend and told["model"] == model.name:
                found += _of_experiment(place, told, model, duration)
    found = [one for one in found if device in (None, one.device)]
    same = [one for one in found if one.threads == threads]
    return Precedents(tuple(same or found))


def _of_experiment(
    folder: Path, told: Mapping[str, Any], model: ModelSpec, duration: Callable[[str], float]
) -> Iterator[Precedent]:
    """Yield some jobs of an experiment; those that cannot be read count for nothing."""
    files = [
        path
        for job, path in reading.record_files(folder)
        if job.fold is not None and not path.name.endswith(reading.FAILURE)
    ]
    known = durations.stored(told)
    length = effort.rows(model, known.mean if known else duration(told["corpus"]))
    for path in _some(files):
        try:
            record = from_json(path)
            yield _precedent(path, record, told, model, length)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue  # damaged, or by a version that wrote something else


def _precedent(
    path: Path, record: Mapping[str, Any], told: Mapping[str, Any], model: ModelSpec, length: float
) -> Precedent:
    searched = record.get("grid")
    inner = len(searched[0]["splits"]) if searched else 0
    trained = effort.fits(model, len(searched or ()), inner)
    training = None if searched or "trained_together" in record else record.get("seconds_training")
    beside = path.parent.glob(f"{path.stem}.*parquet")
    return Precedent(
        corpus=told["corpus"],
        protocol=told["protocol"],
        device=str(record.get("device")),
        threads=int(record.get("threads") or 1),
        seconds=float(record["seconds"]),
        training=None if training is None else float(training),
        effort=effort.effort(
            model, int(record["n_training"]), length, trained, _epochs(told, model)
        ),
        memory=record.get("peak_resident_mib"),
        tested=int(record.get("n_test") or record.get("rows") or 0),
        size=sum(file.stat().st_size for file in (path, *beside)),
    )


def _epochs(told: Mapping[str, Any], model: ModelSpec) -> int:
    """Return how many epochs were expected, not how many it took: so are other jobs' counted."""
    configured = told["configuration"]
    most = int(
        configured.get("epochs_override")
        or configured["protocol"].get("epochs")
        or configured["model"]["config"].get("epochs", 1)
    )
    return effort.expected_epochs(model, most, configured["protocol"].get("selection", ""))


def _some(files: Sequence[Path]) -> Sequence[Path]:
    """Return a few of many, evenly."""
    if len(files) <= _MOST:
        return files
    return [files[round(number * (len(files) - 1) / (_MOST - 1))] for number in range(_MOST)]
