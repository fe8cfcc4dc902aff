"""Which of the stored results a table shows, and why the others are not shown.

One result is shown for a model on a corpus, and results are never mixed: a cell is one experiment
with one configuration, on one set of clips, computed by one backend. What was run on texts or word
vectors from a file is a column of its own; what was run under a condition of the sound is kept
apart from the columns, and what was run on permuted labels is no result at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ..spec import Job
from ..store import StoredExperiment

Kind = Literal["incomplete", "alternative", "stale", "failed", "damaged", "control"]

FILES = ("transcripts", "vectors")
"""Files beside audio that a model may have been given."""

UNKNOWN = "unknown"

_PREFERRED = ("tensorflow", "scikit-learn")
_BACKENDS = {"jax": "JAX"}


@dataclass(frozen=True)
class Notice:
    """Something on disk that a table does not show, or a doubt about what it does.

    Attributes:
        kind: what is the matter
        text: in one line
        synthetic: whether it concerns a synthetic corpus
    """

    kind: Kind
    text: str
    synthetic: bool = False


@dataclass(frozen=True)
class Candidate:
    """A stored experiment that may fill a cell.

    Attributes:
        stored: what is on disk
        expected: number of clips of a complete copy of the corpus, or None if not known
        protocol_epochs: number of epochs that the protocol prescribes, or None
    """

    stored: StoredExperiment
    expected: int | None = None
    protocol_epochs: int | None = None

    @property
    def model(self) -> str:
        """Return the model's name."""
        return self.stored.experiment["model"]

    @property
    def corpus(self) -> str:
        """Return the corpus' name, with its variant."""
        return self.stored.experiment["corpus"]

    @property
    def column(self) -> str:
        """Return the model's name, with digests of the files that it was given beside audio."""
        files = [(key, self.file(key)) for key in FILES]
        return self.model + "".join(f"+{key}:{digest[:8]}" for key, digest in files if digest)

    def file(self, key: str) -> str:
        """Return the digest of a file that was given, or "" if there was none."""
        return self._extra(key, "sha256")

    @property
    def condition(self) -> str:
        """Return what the sound went through, or "" for sound as it is."""
        return self._extra("condition", "name")

    @property
    def sides(self) -> str:
        """Return which clips went through the condition, or ""."""
        return self._extra("condition", "sides")

    @property
    def control(self) -> str:
        """Return what was done to the labels, or "" for labels as they are."""
        return self._extra("control", "name")

    def _extra(self, key: str, part: str) -> str:
        extra = self.stored.experiment["configuration"].get(key)
        if extra is None:
            return ""
        return str(extra.get(part, UNKNOWN)) if isinstance(extra, dict) else UNKNOWN

    @property
    def backend(self) -> str:
        """Return what computed it."""
        return self.stored.experiment["backend"]

    @property
    def clips(self) -> int | None:
        """Return on how many clips it was run."""
        return self.stored.experiment.get("n_clips")

    @property
    def wanted(self) -> set[Job]:
        """Return the jobs of a complete result."""
        experiment = self.stored.experiment
        return {
            Job(fold, repetition + 1)
            for fold in range(experiment["n_folds"])
            for repetition in range(experiment["repetitions"])
        }

    @property
    def done(self) -> int:
        """Return how many of the wanted jobs are done."""
        return len(self.wanted & self.stored.jobs)

    @property
    def epochs(self) -> int | None:
        """Return the number of epochs if it is not the protocol's, else None."""
        override = self.stored.experiment["configuration"].get("epochs_override")
        return None if override == self.protocol_epochs else override

    @property
    def complete(self) -> bool:
        """Return whether every fold and repetition is there."""
        return self.done == len(self.wanted)

    @property
    def predictions(self) -> pd.DataFrame:
        """Return the predictions of the wanted jobs; further repetitions are not picked from."""
        table, experiment = self.stored.predictions, self.stored.experiment
        if table.empty:
            return table
        inside = table["fold"].lt(experiment["n_folds"]) & table["repetition"].le(
            experiment["repetitions"]
        )
        return table[inside]

    @property
    def labels(self) -> list[str]:
        """Return the classes in their order; where that is not on file, those that occur."""
        labels, table = self.stored.experiment.get("labels"), self.stored.predictions
        if labels or table.empty:
            return list(labels or ())
        return sorted({*table["label"], *table["predicted"]})

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know about the result beside its number."""
        notes = []
        if self.epochs is not None:
            notes.append(f"trained for {_counted(self.epochs, 'epoch')} only, by --epochs")
        if self.expected is not None and self.clips not in (None, self.expected):
            notes.append(f"on {self.clips} clips; the complete corpus has {self.expected}")
        if self.backend not in _PREFERRED:
            notes.append(f"computed with {_BACKENDS.get(self.backend, self.backend)}")
        return tuple(notes)

    @property
    def name(self) -> str:
        """Return how it is called in a list."""
        heard = f" with {self.condition} on {self.sides}" if self.condition else ""
        permuted = " with permuted labels" if self.control else ""
        return f"{self.corpus} {self.column}{heard}{permuted} {self.stored.folder.name}"

    def rank(self) -> tuple:
        """Return a key by which the result to show is the greatest."""
        return (
            self.epochs is None,
            self.complete,
            self.clips == self.expected,
            self.clips or 0,
            self.backend in _PREFERRED,
            self.done,
            self.stored.experiment["fingerprint"],
        )


def choose(
    candidates: Sequence[Candidate], *, partial: bool, synthetic: bool
) -> tuple[Candidate | None, list[Notice]]:
    """Choose what a cell shows.

    Args:
        candidates: results of one column on one corpus, under one condition, with today's
            configuration
        partial: whether an incomplete result will do
        synthetic: whether the corpus is synthetic

    Returns:
        the result to show, if any, and a notice for each of the others
    """
    shown, notices = None, []
    for candidate in sorted(candidates, key=Candidate.rank, reverse=True):
        whole = candidate.complete and candidate.epochs is None
        if shown is None and (whole or (partial and candidate.done)):
            shown = candidate
        elif candidate.done:
            kind = "alternative" if shown is not None or whole else "incomplete"
            notices.append(Notice(kind, _described(candidate), synthetic))
    return shown, notices


def failures(candidate: Candidate, synthetic: bool) -> list[Notice]:
    """Return a notice for each job that failed, with the first line of the reason."""
    notices = []
    for failure in candidate.stored.failures:
        job = Job(failure["fold"], failure["repetition"])
        what = "tuning" if job.fold is None else f"fold {job.fold} repetition {job.repetition}"
        reason = (str(failure.get("reason") or "").strip() or "no reason given").splitlines()[0]
        notices.append(Notice("failed", f"{candidate.name}: {what}: {reason}", synthetic))
    return notices


def repeated_clips(candidate: Candidate) -> list[str]:
    """Return the ids that are tested more than once in a repetition."""
    table = candidate.predictions
    if table.empty:
        return []
    return sorted(np.unique(table["id"][table.duplicated(["repetition", "id"])].astype(str)))


def _described(candidate: Candidate) -> str:
    facts = [f"{candidate.done} of {_counted(len(candidate.wanted), 'fold')}"]
    if candidate.clips is not None:
        facts.append(f"{candidate.clips} clips")
    if candidate.epochs is not None:
        facts.append(f"trained for {_counted(candidate.epochs, 'epoch')}")
    return f"{candidate.name}: {', '.join(facts)}, {candidate.backend}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
