"""A stored experiment as a table sees it: what it is of, whether it is whole, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from .. import gate, metrics
from ..errors import count
from ..metric_table import UAR, Metric
from ..spec import BETWEEN, Job, Protocol
from ..store import StoredExperiment
from . import speakers
from .columns import Column, detail

_PREFERRED = ("tensorflow", "scikit-learn")
_BACKENDS = {"jax": "JAX"}


@dataclass(frozen=True, eq=False)
class Result:
    """A stored experiment that may fill a cell.

    Every figure is computed from its predictions, once, when it is first asked for.

    Attributes:
        stored: what is on disk
        expected: number of clips of a complete copy of the corpus, or None if not known
        protocol: that it was run under, or None for one that this version does not know
        heard: corpora that its frozen encoder was trained on, of those that this corpus is
    """

    stored: StoredExperiment
    expected: int | None = None
    protocol: Protocol | None = None
    heard: tuple[str, ...] = ()

    @cached_property
    def column(self) -> Column:
        """Return the model with its options and files."""
        return Column.of(self.stored.experiment)

    @property
    def model(self) -> str:
        """Return the model's name, with its options."""
        return self.column.configured

    @property
    def corpus(self) -> str:
        """Return the corpus' name, with its variant; `A-to-B` if trained on A and tested on B."""
        return self.stored.experiment["corpus"]

    @property
    def tested_on(self) -> str:
        """Return the corpus that it was tested on if that is another than it was trained on."""
        return detail(self.stored.experiment["configuration"], "test_corpus", "name")

    @property
    def trained_on(self) -> str:
        """Return the corpus that it was trained on."""
        tested = self.tested_on
        return self.corpus.removesuffix(f"{BETWEEN}{tested}") if tested else self.corpus

    @property
    def condition(self) -> str:
        """Return what the sound went through, or "" for sound as it is."""
        return detail(self.stored.experiment["configuration"], "condition", "name")

    @property
    def sides(self) -> str:
        """Return which clips went through the condition, or ""."""
        return detail(self.stored.experiment["configuration"], "condition", "sides")

    @property
    def control(self) -> str:
        """Return what was done to the labels, or "" for labels as they are."""
        return detail(self.stored.experiment["configuration"], "control", "name")

    @property
    def backend(self) -> str:
        """Return what computed it."""
        return self.stored.experiment["backend"]

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the experiment."""
        return self.stored.experiment["fingerprint"]

    @property
    def clips(self) -> int | None:
        """Return on how many clips it was run."""
        return self.stored.experiment.get("n_clips")

    @cached_property
    def jobs(self) -> frozenset[Job]:
        """Return the jobs of a complete result."""
        experiment = self.stored.experiment
        return frozenset(
            Job(fold, repetition + 1)
            for fold in range(experiment["n_folds"])
            for repetition in range(experiment["repetitions"])
        )

    @property
    def wanted(self) -> int:
        """Return how many folds, over all repetitions, make a complete result."""
        return len(self.jobs)

    @cached_property
    def done(self) -> int:
        """Return how many of the wanted folds are there."""
        return len(self.jobs & self.stored.jobs)

    @property
    def complete(self) -> bool:
        """Return whether every fold and repetition is there."""
        return self.done == self.wanted

    @property
    def epochs(self) -> int | None:
        """Return the number of epochs if it is not the protocol's, else None."""
        override = self.stored.experiment["configuration"].get("epochs_override")
        prescribed = self.protocol.epochs if self.protocol else None
        return None if override == prescribed else override

    @property
    def other_clips(self) -> bool:
        """Return whether it is not on the clips of a complete copy of the corpus."""
        return None not in (self.expected, self.clips) and self.clips != self.expected

    @property
    def whole(self) -> bool:
        """Return whether it is complete and was trained as the protocol says."""
        return self.complete and self.epochs is None

    @property
    def barred(self) -> tuple[str, ...]:
        """Return why it is not to be compared with others, and so never the best, or nothing."""
        reasons = {
            "incomplete": not self.complete,
            "the protocol runs some folds only": gate.cut_short(self.protocol),
            "another number of epochs": self.epochs is not None,
            "other clips than those of the complete corpus": self.other_clips,
            "its encoder heard this corpus": bool(self.heard),
        }
        return (*gate.leaks(self.protocol), *(text for text, holds in reasons.items() if holds))

    @property
    def comparable(self) -> bool:
        """Return whether it may be the best of a row."""
        return not self.barred

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Return the predictions of the wanted jobs; further repetitions are not picked from."""
        table, experiment = self.stored.predictions, self.stored.experiment
        if table.empty:
            return table
        inside = table["fold"].lt(experiment["n_folds"]) & table["repetition"].le(
            experiment["repetitions"]
        )
        return table[inside]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return the classes in their order; where that is not on file, those that occur."""
        labels, table = self.stored.experiment.get("labels"), self.stored.predictions
        if labels or table.empty:
            return tuple(labels or ())
        return tuple(sorted({*table["label"], *table["predicted"]}))

    @cached_property
    def scores(self) -> dict[str, Any]:
        """Return its figures as `metrics.summarise` does, between 0 and 1."""
        return metrics.summarise(self.predictions, self.labels)

    @cached_property
    def truth(self) -> dict[str, str]:
        """Return the label of each clip that was tested."""
        if self.predictions.empty:
            return {}
        table = self.predictions.drop_duplicates("id")
        return dict(zip(table["id"].astype(str), table["label"].astype(str), strict=True))

    @cached_property
    def _speakers(self) -> dict[str, list[np.ndarray]]:
        return speakers.confusions(self.predictions, self.labels)

    def by_speaker(self, metric: Metric = UAR) -> dict[str, float]:
        """Return a score of each speaker's clips, mean over repetitions, between 0 and 1."""
        return speakers.scores(self._speakers, metric.score)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know about it beside its number."""
        notes = []
        if self.epochs is not None:
            notes.append(f"trained for {count(self.epochs, 'epoch')} only, by --epochs")
        if self.other_clips:
            notes.append(
                f"on {self.clips} clips; the complete corpus has {self.expected}; "
                "not to be compared with the others"
            )
        if self.heard:
            notes.append(
                f"heard this corpus: its encoder was trained on {', '.join(self.heard)}; "
                "not to be compared with the others"
            )
        if self.backend not in _PREFERRED:
            notes.append(f"computed with {_BACKENDS.get(self.backend, self.backend)}")
        return tuple(notes)

    @property
    def name(self) -> str:
        """Return how it is called in a list."""
        heard = f" with {self.condition} on {self.sides}" if self.condition else ""
        permuted = " with permuted labels" if self.control else ""
        return f"{self.corpus} {self.column.name}{heard}{permuted} {self.stored.folder.name}"

    def rank(self) -> tuple[Any, ...]:
        """Return a key by which the result to show is the greatest."""
        return (
            self.epochs is None,
            self.complete,
            self.clips == self.expected,
            self.clips or 0,
            self.backend in _PREFERRED,
            self.done,
            self.fingerprint,
        )
