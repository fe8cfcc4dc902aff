"""Stored results beside what is on disk today: clips, sound, and the folds that would be made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pandas as pd

from .. import models
from ..corpora import Registry
from ..errors import CorpusError, SpecError, count, named
from ..experiments import dataset, takes_audio
from ..experiments.dataset import Dataset
from ..results.result import Result
from ..spec import Fold, ModelSpec, Places, Protocol
from .findings import Finding
from .material import quoted

_FACTS = ("label", "speaker", "group")
"""Columns that predictions hold and the corpus tells."""

Compared = tuple[list[Finding], str]
"""What was found, and why nothing could be compared, or ""."""


@dataclass
class Today:
    """Corpora as they are on disk, each read once.

    Attributes:
        registry: today's corpora
        places: where they are
    """

    registry: Registry
    places: Places
    _read: dict[tuple[str, bool, bool], Dataset | str] = field(default_factory=dict)

    def compare(self, result: Result, protocol: Protocol) -> Compared:
        """Compare a result with the corpus that it is of.

        Args:
            result: of today's configuration
            protocol: that it was computed under
        """
        experiment = result.stored.experiment
        if result.column.transcripts:
            return [], "The texts come from a file, whose clips are not known."
        data = self._data(result.corpus, models.get(result.model))
        if isinstance(data, str):
            return [], data
        kept = ~data.table.index.isin(list(experiment.get("left_out") or ()))
        data = replace(data, table=data.table[kept])
        found = list(_clips(result, data))
        try:
            folds = data.folds(protocol)
        except CorpusError as error:
            return found, str(error)
        if not result.predictions.empty:
            found += _other_folds(result, folds)
            found += _heard_before(result, folds, data, protocol)
            found += _other_facts(result, data)
        return found, ""

    def _data(self, corpus: str, model: ModelSpec) -> Dataset | str:
        """Return the clips of a corpus as a model takes them, or why there are none."""
        key = (corpus, takes_audio(model), "transcript" in model.needs)
        if key not in self._read:
            try:
                entry = self.registry.get(corpus)
                self._read[key] = dataset.load(entry, model, self.places, extract=False)
            except (CorpusError, SpecError) as error:
                self._read[key] = str(error)
        return self._read[key]


def _clips(result: Result, data: Dataset) -> Iterator[Finding]:
    experiment = result.stored.experiment
    if data.digest == experiment["clips"]:
        return
    if data.sounds and replace(data, sounds={}).digest == experiment["clips"]:
        yield Finding(
            "sound-not-recorded",
            "soft",
            "filed before results named the sound that they are of: clips, labels and speakers are "
            "those on disk, of the sound nobody knows",
            "a digest of the sound of each clip",
            "The same run would compute it anew, beside this one.",
            result.name,
        )
        return
    then, now = experiment.get("n_clips"), len(data.table)
    what = "their labels, speakers, segments or sound differ"
    if then is not None and then != now:
        what = f"it is of {count(then, 'clip')}, and {now:,} are there"
    yield Finding(
        "other-clips",
        "hard",
        f"its clips are not those on disk today: {what}",
        "the clips, labels, speakers and sound that are on disk",
        f"See `emobench check {result.corpus}`; then run it again, beside this one.",
        result.name,
    )


def _other_folds(result: Result, folds: list[Fold]) -> Iterator[Finding]:
    """Yield that folds tested other clips, or trained on another number of them, than today's."""
    tests = {fold.index: set(fold.test) for fold in folds}
    sizes = {fold.index: len(fold.training) for fold in folds}
    wrong: dict[str, list[str]] = {}
    for (number, repetition), table in result.predictions.groupby(["fold", "repetition"]):
        differing = sorted(set(table["id"]) ^ tests.get(number, set()))
        if differing:
            wrong[f"fold {number} repetition {repetition}"] = differing
    if wrong:
        ids = sorted({clip for differing in wrong.values() for clip in differing})
        yield Finding(
            "other-folds",
            "hard",
            f"{named(list(wrong))}: {count(len(ids), 'clip')} tested there or in today's fold, not "
            f"in both ({named(quoted(ids))})",
            "the test clips of the folds that the protocol makes of the corpus today",
            "Its predictions were exchanged, or the corpus was: run it again.",
            result.name,
            tuple(ids),
        )
        return
    trained = [
        f"fold {record['fold']}: {record['n_training']} instead of {sizes[record['fold']]}"
        for record in result.stored.records
        if record["fold"] in sizes and record.get("n_training") not in (None, sizes[record["fold"]])
    ]
    if trained:
        yield Finding(
            "other-training-part",
            "hard",
            f"it was trained on another number of clips ({named(trained)})",
            "the training clips of the folds that the protocol makes of the corpus today",
            "Run it again.",
            result.name,
        )


def _heard_before(
    result: Result, folds: list[Fold], data: Dataset, protocol: Protocol
) -> Iterator[Finding]:
    """Yield speakers who were tested by a fold that today trains on them."""
    if protocol.draws_clips or "speaker" not in result.predictions:
        return
    speakers = data.table["speaker"]
    crossed: set[str] = set()
    where: list[str] = []
    for number, table in result.predictions.groupby("fold"):
        if number >= len(folds):
            continue
        fold = folds[number]
        learnt = set(speakers.loc[[*fold.training, *fold.development]])
        shared = learnt & set(table["speaker"].dropna().astype(str))
        crossed |= shared
        where += [str(number)] if shared else []
    if crossed:
        yield Finding(
            "speaker-on-both-sides",
            "hard",
            f"{count(len(crossed), 'speaker')} tested by folds that train on them "
            f"({named(quoted(sorted(crossed)))}; {named([f'fold {number}' for number in where])})",
            "no speaker of the training part in the predictions of a fold",
            "Correct who is held out (`group` and `folds` of the entry), and run it again.",
            result.name,
            tuple(sorted(crossed)),
        )


def _other_facts(result: Result, data: Dataset) -> Iterator[Finding]:
    """Yield predictions whose truth or speaker is not the corpus'."""
    predicted = result.predictions
    known = predicted[predicted["id"].isin(data.table.index)]
    for column in _FACTS:
        if column not in known:
            continue
        today = data.table[column].reindex(known["id"]).astype(object).to_numpy()
        stored = known[column].astype(object).to_numpy()
        wrong = sorted(set(known["id"][(today != stored) & ~(pd.isna(today) & pd.isna(stored))]))
        if wrong:
            yield Finding(
                f"other-{column}",
                "hard",
                f"{count(len(wrong), 'clip')} with another {column} than in the corpus "
                f"({named(quoted(wrong))})",
                f"the {column}s that the corpus has today",
                "Its predictions were changed, or the corpus was: run it again.",
                result.name,
                tuple(wrong),
            )
