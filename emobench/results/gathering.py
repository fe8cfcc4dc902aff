"""What is on disk of a protocol: the results to be shown, and a word about everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import metrics, protocols
from ..errors import SpecError, suggest
from ..metric_table import SCORES
from ..store import StoredExperiment, read_experiments, stored_protocols
from .lookup import Lookup
from .selection import Candidate, Notice, choose, failures, repeated_clips

if TYPE_CHECKING:
    from ..corpora import Registry

Current = Callable[[Mapping[str, Any]], str | None]
"""From an experiment to the configuration fingerprint that it would have today, or None."""

COLUMNS = ("id", "label", "predicted")
"""What every figure is computed from."""


@dataclass(frozen=True)
class Gathered:
    """The results of a protocol.

    Attributes:
        shown: at most one for each corpus, column, condition and side
        others: sound ones with today's configuration that are not shown
        controls: sound ones of permuted labels: never among the two before
        notices: what is not shown, and what is wrong
    """

    shown: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    notices: tuple[Notice, ...]
    controls: tuple[Candidate, ...] = ()


def protocols_on_disk(results: Path) -> list[str]:
    """Return the protocols that have results, the known ones first and in their order.

    Raises:
        StoreError: if there is no such folder
    """
    found = stored_protocols(results)
    known = [name for name in protocols.names() if name in found]
    return known + [name for name in found if name not in known]


def protocol_name(protocol: str, on_disk: Sequence[str]) -> str:
    """Return the canonical name of a protocol.

    Raises:
        SpecError: if the protocol is neither known nor on disk
    """
    name = protocol.strip().lower()
    known = list(dict.fromkeys([*protocols.names(), *on_disk]))
    if name not in known:
        raise SpecError(
            f"--protocol: expected one of {', '.join(known)}, found '{protocol}'."
            + suggest(protocol, known)
        )
    return name


def gather(
    results: Path,
    *,
    protocol: str,
    current: Current,
    partial: bool,
    registry: Registry,
    columns: Sequence[str] = COLUMNS,
) -> Gathered:
    """Read the results of a protocol and choose what is shown.

    Args:
        results: folder that runs wrote to
        protocol: canonical name
        current: tells today's configuration fingerprint of an experiment
        partial: whether an incomplete result will do
        registry: today's corpora
        columns: of the predictions

    Raises:
        StoreError: if there is no such folder
    """
    known = protocols.get(protocol) if protocol in protocols.names() else None
    gathering = _Gathering(results, Lookup(registry), current, getattr(known, "epochs", None))
    notices: list[Notice] = []
    controls: list[Candidate] = []
    by_place: dict[tuple[str, ...], list[Candidate]] = {}
    for stored in read_experiments(results, protocol=protocol, columns=columns):
        candidate = gathering.candidate(stored, notices)
        if candidate is not None and candidate.control:
            controls.append(candidate)
        elif candidate is not None:
            place = (candidate.corpus, candidate.column, candidate.condition, candidate.sides)
            by_place.setdefault(place, []).append(candidate)
    shown, others = [], []
    for place, candidates in by_place.items():
        synthetic = gathering.lookup.synthetic(place[0])
        chosen, said = choose(candidates, partial=partial, synthetic=synthetic)
        notices += said
        shown += [chosen] if chosen is not None else []
        others += [candidate for candidate in candidates if candidate is not chosen]
    ordered = sorted(set(notices), key=lambda notice: (notice.kind, notice.text))
    return Gathered(tuple(shown), tuple(others), tuple(ordered), tuple(controls))


@dataclass(frozen=True)
class _Gathering:
    """What is the same for every experiment."""

    results: Path
    lookup: Lookup
    current: Current
    epochs: int | None

    def candidate(self, stored: StoredExperiment, notices: list[Notice]) -> Candidate | None:
        """Return what may be shown of an experiment, or None; say what is wrong with it."""
        notices += self._damages(stored)
        if not stored.experiment:
            return None
        expected = self.lookup.clips(stored.experiment["corpus"])
        candidate = Candidate(stored, expected, self.epochs)
        if self._stale(candidate, notices):
            return None
        notices += failures(candidate, self.lookup.synthetic(candidate.corpus))
        return candidate if self._sound(candidate, notices) else None

    def _stale(self, candidate: Candidate, notices: list[Notice]) -> bool:
        experiment = candidate.stored.experiment
        today = self.current(experiment)
        if today == experiment["configuration_fingerprint"]:
            return False
        why = "the configuration has changed since" if today else "unknown to this version"
        if self.lookup.known(candidate.corpus) is None:
            why = "no registry that was read knows its corpus; pass --datasets as for the run"
        text = f"{candidate.name}: {candidate.done} of {len(candidate.wanted)} folds; {why}"
        if candidate.done:
            notices.append(Notice("stale", text, self.lookup.synthetic(candidate.corpus)))
        return True

    def _damages(self, stored: StoredExperiment) -> list[Notice]:
        corpus = stored.folder.parent.parent.name.replace("+", ":")
        synthetic = self.lookup.synthetic(corpus)
        return [
            Notice("damaged", self._said(problem.path, problem.reason), synthetic)
            for problem in stored.problems
        ]

    def _sound(self, candidate: Candidate, notices: list[Notice]) -> bool:
        """Compare scores on file with the predictions; refuse what cannot be scored at all."""
        stored, synthetic = candidate.stored, self.lookup.synthetic(candidate.corpus)
        repeated = repeated_clips(candidate)
        if repeated:
            text = f"{len(repeated)} clips are tested in several folds, such as {repeated[0]}"
            notices.append(Notice("damaged", self._said(stored.folder, text), synthetic))
            return False
        try:
            contradictions = list(_contradictions(candidate))
        except ValueError as error:
            text = f"its predictions cannot be scored: {error}"
            notices.append(Notice("damaged", self._said(stored.folder, text), synthetic))
            return False
        notices += [
            Notice("damaged", self._said(path, text), synthetic) for path, text in contradictions
        ]
        return True

    def _said(self, path: Path, text: str) -> str:
        return f"{path.relative_to(self.results).as_posix()}: {text}"


def _contradictions(candidate: Candidate) -> Iterable[tuple[Path, str]]:
    """Yield the records whose scores are not those of their predictions."""
    stored, labels = candidate.stored, candidate.labels
    if stored.predictions.empty:
        return
    matrices = metrics.confusions(stored.predictions, labels)
    for record in stored.records:
        if record["fold"] is None:
            continue
        found = metrics.scores(matrices[record["repetition"], record["fold"]])
        claimed = record.get("scores")
        claimed = claimed if isinstance(claimed, dict) else {}
        wrong = [
            f"{key} {claimed[key]:.4f} on file, {found[key]:.4f} recomputed"
            for key in SCORES
            if isinstance(claimed.get(key), (int, float)) and abs(claimed[key] - found[key]) > 1e-6
        ]
        if wrong:
            name = f"fold-{record['fold']:02d}-repetition-{record['repetition']}.json"
            yield (
                stored.folder / name,
                "its scores are not those of its predictions, which are shown: " + ", ".join(wrong),
            )
