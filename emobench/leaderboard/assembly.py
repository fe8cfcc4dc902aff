"""From stored predictions to a leaderboard; no figure is taken from a record's scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import metrics, protocols
from ..errors import SpecError, suggest
from ..store import StoredExperiment, read_experiments, stored_protocols
from . import published
from .board import Cell, Leaderboard, Row
from .selection import Candidate, Notice, choose, failures, repeated_clips

if TYPE_CHECKING:
    from ..corpora import Registry

Current = Callable[[Mapping[str, Any]], str | None]
"""From an experiment to the configuration fingerprint that it would have today, or None."""

_COLUMNS = ("id", "label", "predicted")
_CHECKED = ("uar", "wa", "macro_f1")


def protocols_on_disk(results: Path) -> list[str]:
    """Return the protocols that have results, the known ones first and in their order.

    Raises:
        StoreError: if there is no such folder
    """
    found = stored_protocols(results)
    known = [name for name in protocols.names() if name in found]
    return known + [name for name in found if name not in known]


def build(
    results: Path,
    *,
    protocol: str,
    current: Current,
    partial: bool = False,
    registry: Registry | None = None,
) -> Leaderboard:
    """Build the table of a protocol from the predictions in a results folder.

    Args:
        results: folder that runs wrote to
        protocol: whose results to show
        current: tells today's configuration fingerprint of an experiment; results with another
            are stale and not shown
        partial: show incomplete results too, and those of other numbers of epochs
        registry: corpora, for order and titles; None for the one that commands use

    Returns:
        the table

    Raises:
        StoreError: if there is no such folder
        SpecError: if the protocol is neither known nor on disk
    """
    elsewhere = protocols_on_disk(results)
    name = protocol.strip().lower()
    if name not in {*protocols.names(), *elsewhere}:
        known = list(dict.fromkeys([*protocols.names(), *elsewhere]))
        raise SpecError(
            f"--protocol: expected one of {', '.join(known)}, found '{protocol}'."
            + suggest(protocol, known)
        )
    known_protocol = protocols.get(name) if name in protocols.names() else None
    if registry is None:
        from ..corpora import load_registry

        registry = load_registry()
    maker = _Maker(results, registry, current, partial, getattr(known_protocol, "epochs", None))
    rows, notices = maker.rows(read_experiments(results, protocol=name, columns=_COLUMNS))
    return Leaderboard(
        protocol=name,
        title=known_protocol.title if known_protocol else "",
        caution=known_protocol.caution if known_protocol else "",
        rows=tuple(row for row in rows if not maker.synthetic(row.corpus)),
        synthetic=tuple(row for row in rows if maker.synthetic(row.corpus)),
        notices=tuple(notices),
        elsewhere=tuple(other for other in elsewhere if other != name),
    )


def build_all(
    results: Path, *, current: Current, partial: bool = False, registry: Registry | None = None
) -> list[Leaderboard]:
    """Build a table for each protocol that has results; see `build`."""
    return [
        build(results, protocol=name, current=current, partial=partial, registry=registry)
        for name in protocols_on_disk(results)
    ]


@dataclass(frozen=True)
class _Maker:
    """What is the same for every row."""

    results: Path
    registry: Registry
    current: Current
    partial: bool
    epochs: int | None

    def rows(self, experiments: Sequence[StoredExperiment]) -> tuple[list[Row], list[Notice]]:
        """Return the rows with results, and the notices about everything else."""
        notices: list[Notice] = []
        cells: dict[str, dict[str, list[Candidate]]] = {}
        for stored in experiments:
            notices += self._damages(stored)
            if not stored.experiment:
                continue
            candidate = Candidate(stored, self._expected(stored), self.epochs)
            if self._stale(candidate, notices):
                continue
            notices += failures(candidate, self.synthetic(candidate.corpus))
            if self._sound(candidate, notices):
                by_model = cells.setdefault(candidate.corpus, {})
                by_model.setdefault(candidate.model, []).append(candidate)
        rows = []
        for corpus in sorted(cells, key=self._position):
            row = self._row(corpus, cells[corpus], notices)
            if row.cells:
                rows.append(row)
        return rows, sorted(set(notices), key=lambda notice: (notice.kind, notice.text))

    def synthetic(self, corpus: str) -> bool:
        """Return whether a corpus is made up."""
        known = self._known(corpus)
        return bool(known and known.synthetic)

    def _row(
        self, corpus: str, by_model: Mapping[str, list[Candidate]], notices: list[Notice]
    ) -> Row:
        cells, n_classes = {}, 1
        for model, candidates in by_model.items():
            shown, others = choose(
                candidates, partial=self.partial, synthetic=self.synthetic(corpus)
            )
            notices += others
            if shown is not None:
                cells[model] = _cell(shown)
                n_classes = max(n_classes, len(shown.labels))
        base, _, variant = corpus.partition(":")
        known = self._known(corpus)
        title = known.title if known else base
        if variant and variant not in title:
            title = f"{title} ({variant})"
        return Row(
            corpus=corpus,
            title=title,
            chance=100 / n_classes,
            human=published.human(base),
            published=published.uars(base),
            cells={model: cells[model] for model in sorted(cells, key=model_position)},
        )

    def _known(self, corpus: str) -> Any | None:
        for name in (corpus, corpus.partition(":")[0]):
            try:
                return self.registry.get(name)
            except SpecError:
                continue
        return None

    def _expected(self, stored: StoredExperiment) -> int | None:
        known = self._known(stored.experiment["corpus"])
        counts = known.expect.emotions if known is not None and known.expect else {}
        return sum(counts.values()) or None

    def _position(self, corpus: str) -> tuple[float, str]:
        known = self._known(corpus)
        names = self.registry.names()
        base = known.name.partition(":")[0] if known else corpus
        return (names.index(base) if base in names else math.inf, corpus)

    def _stale(self, candidate: Candidate, notices: list[Notice]) -> bool:
        experiment = candidate.stored.experiment
        today = self.current(experiment)
        if today == experiment["configuration_fingerprint"]:
            return False
        why = "the configuration has changed since" if today else "unknown to this version"
        text = f"{candidate.name}: {candidate.done} of {len(candidate.wanted)} folds; {why}"
        if candidate.done:
            notices.append(Notice("stale", text, self.synthetic(candidate.corpus)))
        return True

    def _damages(self, stored: StoredExperiment) -> list[Notice]:
        corpus = stored.folder.parent.parent.name.replace("+", ":")
        return [
            Notice("damaged", self._said(problem.path, problem.reason), self.synthetic(corpus))
            for problem in stored.problems
        ]

    def _sound(self, candidate: Candidate, notices: list[Notice]) -> bool:
        """Compare scores on file with the predictions; refuse what cannot be scored at all."""
        stored, synthetic = candidate.stored, self.synthetic(candidate.corpus)
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


def model_position(model: str) -> tuple[float, str]:
    """Return a sorting key: published models in the order of the papers, then the others."""
    return (published.model_order().get(model, math.inf), model)


def _cell(candidate: Candidate) -> Cell:
    stored = candidate.stored
    return Cell(
        model=candidate.model,
        labels=tuple(candidate.labels),
        scores=metrics.summarise(candidate.predictions, candidate.labels),
        done=candidate.done,
        wanted=len(candidate.wanted),
        backend=candidate.backend,
        fingerprint=stored.experiment["fingerprint"],
        clips=candidate.clips,
        notes=candidate.notes,
        comparable=candidate.complete and candidate.epochs is None,
    )


def _contradictions(candidate: Candidate) -> Iterable[tuple[Path, str]]:
    """Yield the records whose scores are not those of their predictions."""
    stored, labels = candidate.stored, candidate.labels
    if stored.predictions.empty:
        return
    parts = dict(list(stored.predictions.groupby(["fold", "repetition"], sort=True)))
    for record in stored.records:
        if record["fold"] is None:
            continue
        found = metrics.score(parts[record["fold"], record["repetition"]], labels)
        claimed = record.get("scores")
        claimed = claimed if isinstance(claimed, dict) else {}
        wrong = [
            f"{key} {claimed[key]:.4f} on file, {found[key]:.4f} recomputed"
            for key in _CHECKED
            if isinstance(claimed.get(key), (int, float)) and abs(claimed[key] - found[key]) > 1e-6
        ]
        if wrong:
            name = f"fold-{record['fold']:02d}-repetition-{record['repetition']}.json"
            yield (
                stored.folder / name,
                "its scores are not those of its predictions, which are shown: " + ", ".join(wrong),
            )
