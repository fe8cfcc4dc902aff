"""What is on disk of a protocol: the results to be shown, and a word about everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import metrics, protocols
from ..errors import SpecError, suggest
from ..spec import Protocol
from ..store import StoredExperiment, read_experiments, stored_protocols
from .columns import Column, detail
from .lookup import Lookup
from .recomputing import contradictions
from .result import Result
from .selection import Notice, choose, failures, repeated_clips

if TYPE_CHECKING:
    from ..corpora import Registry

Current = Callable[[Mapping[str, Any]], str | None]
"""From an experiment to the configuration fingerprint that it would have today, or None."""

COLUMNS = ("id", "label", "predicted", "speaker", "group")
"""What every figure is computed from."""


@dataclass(frozen=True)
class Gathered:
    """The results of a protocol.

    Attributes:
        shown: at most one for each corpus, column, condition and side
        across: the same, of what was trained on one corpus and tested on another
        others: sound ones with today's configuration that are not shown
        controls: sound ones of permuted labels: never among those before
        notices: what is not shown, and what is wrong
    """

    shown: tuple[Result, ...]
    across: tuple[Result, ...]
    others: tuple[Result, ...]
    notices: tuple[Notice, ...]
    controls: tuple[Result, ...] = ()


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
    columns: Sequence[str] | None = COLUMNS,
) -> Gathered:
    """Read the results of a protocol and choose what is shown.

    Args:
        results: folder that runs wrote to
        protocol: canonical name
        current: tells today's configuration fingerprint of an experiment
        partial: whether an incomplete result will do
        registry: today's corpora
        columns: of the predictions; None for all

    Raises:
        StoreError: if there is no such folder
    """
    known = protocols.get(protocol) if protocol in protocols.names() else None
    gathering = _Gathering(results, Lookup(registry), current, known)
    notices: list[Notice] = []
    controls: list[Result] = []
    by_place: dict[tuple[str, Column, str, str], list[Result]] = {}
    for stored in read_experiments(results, protocol=protocol, columns=columns):
        result = gathering.result(stored, notices)
        if result is not None and result.control:
            controls.append(result)
        elif result is not None:
            place = (result.corpus, result.column, result.condition, result.sides)
            by_place.setdefault(place, []).append(result)
    shown, others = [], []
    for place, found in by_place.items():
        synthetic = gathering.lookup.synthetic(place[0])
        chosen, said = choose(found, partial=partial, synthetic=synthetic)
        notices += said
        shown += [chosen] if chosen is not None else []
        others += [result for result in found if result is not chosen]
    ordered = sorted(set(notices), key=lambda notice: (notice.kind, notice.text))
    return Gathered(
        shown=tuple(result for result in shown if not result.tested_on),
        across=tuple(result for result in shown if result.tested_on),
        others=tuple(others),
        notices=tuple(ordered),
        controls=tuple(controls),
    )


@dataclass(frozen=True)
class _Gathering:
    """What is the same for every experiment."""

    results: Path
    lookup: Lookup
    current: Current
    protocol: Protocol | None

    def result(self, stored: StoredExperiment, notices: list[Notice]) -> Result | None:
        """Return what may be shown of an experiment, or None; say what is wrong with it."""
        notices += self._damages(stored)
        if not stored.experiment:
            return None
        corpus = stored.experiment["corpus"]
        encoder = stored.experiment["configuration"].get("encoder")
        tested = detail(stored.experiment["configuration"], "test_corpus", "name") or corpus
        heard = self.lookup.heard(tested, encoder)
        result = Result(stored, self.lookup.clips(corpus), self.protocol, heard)
        if self._stale(result, notices):
            return None
        notices += failures(result, self.lookup.synthetic(result.corpus))
        return result if self._sound(result, notices) else None

    def _stale(self, result: Result, notices: list[Notice]) -> bool:
        experiment = result.stored.experiment
        today = self.current(experiment)
        if today == experiment["configuration_fingerprint"]:
            return False
        why = "the configuration has changed since" if today else "unknown to this version"
        if self.lookup.known(result.corpus) is None:
            why = "no registry that was read knows its corpus; pass --datasets as for the run"
        text = f"{result.name}: {result.done} of {result.wanted} folds; {why}"
        if result.done:
            notices.append(Notice("stale", text, self.lookup.synthetic(result.corpus)))
        return True

    def _damages(self, stored: StoredExperiment) -> list[Notice]:
        corpus = stored.folder.parent.parent.name.replace("+", ":")
        synthetic = self.lookup.synthetic(corpus)
        return [
            Notice("damaged", self._said(problem.path, problem.reason), synthetic)
            for problem in stored.problems
        ]

    def _sound(self, result: Result, notices: list[Notice]) -> bool:
        """Compare scores on file with the predictions; refuse what cannot be scored at all."""
        stored, synthetic = result.stored, self.lookup.synthetic(result.corpus)
        repeated = repeated_clips(result)
        if repeated:
            text = f"{len(repeated)} clips are tested in several folds, such as {repeated[0]}"
            notices.append(Notice("damaged", self._said(stored.folder, text), synthetic))
            return False
        try:
            wrong = list(_contradicted(result))
        except ValueError as error:
            text = f"its predictions cannot be scored: {error}"
            notices.append(Notice("damaged", self._said(stored.folder, text), synthetic))
            return False
        notices += [Notice("damaged", self._said(path, text), synthetic) for path, text in wrong]
        return True

    def _said(self, path: Path, text: str) -> str:
        return f"{path.relative_to(self.results).as_posix()}: {text}"


def _contradicted(result: Result) -> Iterable[tuple[Path, str]]:
    """Yield the records whose scores are not those of their predictions."""
    stored, labels = result.stored, result.labels
    if stored.predictions.empty:
        return
    matrices = metrics.confusions(stored.predictions, labels)
    for record in stored.records:
        if record["fold"] is None:
            continue
        found = metrics.scores(matrices[record["repetition"], record["fold"]])
        wrong = contradictions(record, found)
        if wrong:
            name = f"fold-{record['fold']:02d}-repetition-{record['repetition']}.json"
            yield (
                stored.folder / name,
                "its scores are not those of its predictions, which are shown: " + wrong,
            )
