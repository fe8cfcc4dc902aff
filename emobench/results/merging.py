"""Results from elsewhere taken in: each verified, none overwritten, contradictions told.

Of two records of one job the one that is there stays. If the other has the same predictions there
is nothing to say; if not, nobody can tell which is right, and both are named. A failure gives way
to a result. Every job is filed at once or not at all, so that a merge can be killed at any moment
and given again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import metrics
from ..errors import SpecError
from ..spec import Job
from ..store import shards, transfer
from ..store.reading import EXPERIMENT, FAILURE, read_description
from ..store.transfer import Filed
from ..store.vouching import Damage
from .recomputing import contradictions

_KEPT = "the first is kept"


@dataclass
class Merged:
    """What a merge came to.

    Attributes:
        records: filed now, or to be filed
        failures: jobs of which only a failure is known, filed now or to be filed
        kept: records that were there already, with the same predictions
        conflicts: jobs with other predictions than those that are there, with both paths
        damages: what cannot be used, and why
        warnings: doubts whether the folders belong together
    """

    records: int = 0
    failures: int = 0
    kept: int = 0
    conflicts: list[str] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def merge(sources: Sequence[Path], results: Path, *, dry_run: bool = False) -> Merged:
    """Take what other folders of results hold into one.

    Args:
        sources: folders that runs wrote to
        results: folder to file in; it is made if need be
        dry_run: find out what would be done, and write nothing

    Raises:
        SpecError: if a source is the folder itself, or holds no experiment
        StoreError: if a source is not there, or the folder cannot be written
    """
    folders = {source: list(transfer.described(source)) for source in sources}
    for source, experiments in folders.items():
        if source.resolve() == results.resolve():
            raise SpecError(
                f"{source}: expected results from elsewhere, found the folder that --results "
                "names. Name another one."
            )
        if not experiments:
            raise SpecError(
                f"{source}: expected a folder of results with "
                "<protocol>/<corpus>/<model>/<fingerprint>/ in it, found none. Name the folder "
                "that a run had as --results."
            )
    merging = _Merging(results, dry_run)
    if doubt := shards.mixed([*sources, results]):
        merging.merged.warnings.append(doubt)
    for source, experiments in folders.items():
        for folder, description in experiments:
            merging.take(folder, results / folder.relative_to(source), description)
        if not dry_run:
            shards.copy(source, results)
    return merging.merged


@dataclass
class _Merging:
    """A merge that is under way.

    Attributes:
        results: folder to file in
        dry_run: whether nothing is written
        merged: what it came to so far
        planned: where what would be filed lies, by the path that it would have
    """

    results: Path
    dry_run: bool
    merged: Merged = field(default_factory=Merged)
    planned: dict[Path, Path] = field(default_factory=dict)

    def take(self, source: Path, target: Path, description: dict[str, Any] | Damage) -> None:
        """Take in an experiment from the folder where it lies."""
        if isinstance(description, Damage):
            self._damaged(source / EXPERIMENT, description)
            return
        fingerprint = description["fingerprint"]
        if not self._opened(source, target, fingerprint):
            return
        done, failed = transfer.filed_jobs(source)
        for job in done:
            try:
                filed = transfer.read_job(source, job, fingerprint)
                _insist_on_result(filed, description)
            except Damage as damage:
                self._damaged(source / f"{job.name}.json", damage)
            else:
                self._file(filed, target, fingerprint)
        for job in failed:
            self._fail(source, target, job, fingerprint)

    def _opened(self, source: Path, target: Path, fingerprint: str) -> bool:
        """Tell whether a folder is, or has become, that of the same experiment."""
        known = target / EXPERIMENT
        if not known.exists():
            known = self.planned.setdefault(known, source / EXPERIMENT)
        try:
            found = read_description(known.parent)["fingerprint"]
        except Damage as damage:
            self._damaged(known, damage)
            return False
        if found != fingerprint:
            self.merged.conflicts.append(
                f"{known} and {source / EXPERIMENT}: two experiments whose fingerprints "
                f"begin alike, {found[:12]}… and {fingerprint[:12]}…; {_KEPT}"
            )
            return False
        if not self.dry_run:
            transfer.open_like(source, target)
        return True

    def _file(self, filed: Filed, target: Path, fingerprint: str) -> None:
        """File a job, unless there is a record of it."""
        path = target / filed.path.name
        if not path.exists() and path not in self.planned:
            self.planned[path] = filed.path
            if self.dry_run or transfer.file_job(filed, target):
                self.merged.records += 1
                return
        there = path if path.exists() else self.planned[path]
        try:
            known = transfer.read_job(there.parent, filed.job, fingerprint)
        except Damage as damage:
            self._damaged(there, damage, f". {filed.path} is sound; remove the first, merge again")
            return
        difference = _difference(known, filed)
        if difference:
            self.merged.conflicts.append(f"{there} and {filed.path}: {difference}; {_KEPT}")
        else:
            self.merged.kept += 1

    def _fail(self, source: Path, target: Path, job: Job, fingerprint: str) -> None:
        """File why a job failed, unless anything is known of it."""
        path = target / f"{job.name}{FAILURE}"
        known = (path, target / f"{job.name}.json")
        if any(place.exists() or place in self.planned for place in known):
            return
        try:
            content = transfer.read_failure(source, job, fingerprint)
        except Damage as damage:
            self._damaged(source / path.name, damage)
            return
        self.planned[path] = source / path.name
        if self.dry_run or transfer.file_failure(content, job, target):
            self.merged.failures += 1

    def _damaged(self, path: Path, damage: Damage, more: str = "") -> None:
        self.merged.damages.append(f"{path}: {damage}{more}")


def _insist_on_result(filed: Filed, description: dict[str, Any]) -> None:
    """Refuse a record of no fold, and scores that are not those of the predictions."""
    if filed.job.fold is None:
        return
    if filed.job.fold >= description["n_folds"]:
        raise Damage("it is the record of a fold that the experiment does not have")
    table = filed.predictions
    labels = description.get("labels") or sorted({*table["label"], *table["predicted"]})
    try:
        wrong = contradictions(filed.record, metrics.score(table, labels))
    except ValueError as error:
        raise Damage(f"its predictions cannot be scored: {error}") from None
    if wrong:
        raise Damage(f"its scores are not those of its predictions: {wrong}")


def _difference(known: Filed, other: Filed) -> str:
    """Return in what two records of a job differ, or ""."""
    if known.job.fold is None:
        same = known.record.get("parameters") == other.record.get("parameters")
        return "" if same else "the same tuning with other parameters"
    first, second = (_ordered(filed.predictions) for filed in (known, other))
    if list(first.columns) != list(second.columns) or list(first["id"]) != list(second["id"]):
        return "the same job with predictions of other clips or classes"
    chances = list(_chances(first))
    apart = _apart(first[chances].to_numpy(), second[chances].to_numpy())
    words = (first[["label", "predicted"]] != second[["label", "predicted"]]).any(axis=1)
    otherwise = words.to_numpy() | apart.any(axis=1)
    if not otherwise.any():
        return ""
    return (
        f"the same job with other predictions ({otherwise.sum()} of {len(first)} clips, "
        f"{words.sum()} of them with another label, probabilities up to {apart.max():.2g} apart)"
    )


def _apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return how far apart probabilities are: NaN is as far as can be from any number."""
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    return np.where(same, 0.0, np.nan_to_num(np.abs(first - second), nan=np.inf))


def _ordered(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what was predicted of each clip, by id."""
    columns = ["id", "label", "predicted", *_chances(predictions)]
    return predictions[columns].sort_values("id", ignore_index=True)


def _chances(predictions: pd.DataFrame) -> Iterator[str]:
    return (name for name in sorted(predictions.columns) if name.startswith("p_"))
