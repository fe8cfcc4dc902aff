"""The price list: what each leaky practice adds to the result of a model on a corpus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import models, protocols
from ..analysis import leakage
from ..analysis.leakage import Price
from ..errors import SpecError
from ..experiments import baseline, obstacle
from ..results.columns import Column
from ..results.gathering import gather, protocols_on_disk
from ..results.lookup import Lookup
from ..results.result import Result
from ..spec import ModelSpec, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from ..corpora import Registry

HONEST = "speaker-independent"

Key = tuple[str, str, str]
"""Protocol, corpus and model."""


@dataclass(frozen=True)
class Line:
    """One practice.

    Attributes:
        practice: in a few words
        protocol: name of the protocol that has it
        baseline: practice of the protocol that it is compared with, or "" for the first line
        uar: of the mean speaker, or None where there is no result
        price: what it adds, or None where there is nothing to compare, or it is the first line
        note: why there is no figure, or ""
        leaks: whether test clips have a part in what is learnt
    """

    practice: str
    protocol: str
    baseline: str = ""
    uar: float | None = None
    price: Price | None = None
    note: str = ""
    leaks: bool = True


@dataclass(frozen=True)
class PriceList:
    """The practices of one model on one corpus, the sound one first.

    Attributes:
        corpus: canonical name
        title: of the corpus, for people
        model: canonical name
        lines: a practice each
    """

    corpus: str
    title: str
    model: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Stored:
    """What is on file of a protocol, a corpus and a model.

    Attributes:
        lacks: what is missing, or ""
        predictions: of the first repetition, if they are complete
        backend: what computed them
    """

    lacks: str
    predictions: pd.DataFrame | None = None
    backend: str = ""

    @property
    def uar(self) -> float | None:
        """UAR of the mean speaker."""
        return None if self.predictions is None else leakage.mean_uar(self.predictions)


NOT_RUN = _Stored("not run")


def build_price_lists(
    results: Path,
    *,
    current: Callable[[Mapping[str, Any]], str | None],
    registry: Registry,
    corpora: Collection[str] = (),
    chosen: Collection[str] = (),
) -> list[PriceList]:
    """Build a price list for each corpus and model that was run under a variant.

    Args:
        results: folder that runs wrote to
        current: tells today's configuration fingerprint of an experiment
        registry: today's corpora
        corpora: canonical names; empty for all
        chosen: canonical names of models; empty for all

    Raises:
        StoreError: if there is no such folder
    """
    found = _stored(results, current, registry)
    lookup = Lookup(registry)
    priced = {
        (corpus, model)
        for protocol, corpus, model in found
        if protocol != protocols.DEFAULT
        and (not corpora or corpus in corpora)
        and (not chosen or model in chosen)
    }
    ordered = sorted(
        priced, key=lambda pair: (lookup.position(pair[0]), Column.named(pair[1]).position)
    )
    lists = []
    for corpus, name in ordered:
        try:
            model = models.get(name)
        except SpecError:
            continue  # of another version, or a module that is not here
        lines = tuple(_lines(found, corpus, model))
        lists.append(PriceList(corpus, lookup.title(corpus), model.name, lines))
    return lists


def _stored(
    results: Path, current: Callable[[Mapping[str, Any]], str | None], registry: Registry
) -> dict[Key, _Stored]:
    """Return the first repetition of each result under the default protocol and its variants."""
    wanted = [protocols.DEFAULT, *(protocol.name for protocol in protocols.variants())]
    found: dict[Key, _Stored] = {}
    for protocol in (name for name in protocols_on_disk(results) if name in wanted):
        gathered = gather(
            results, protocol=protocol, current=current, partial=True, registry=registry
        )
        for one in gathered.shown:
            # Under a condition, with files or with other epochs it is another experiment.
            if not one.condition and not one.column.files and one.epochs is None:
                found[protocol, one.corpus, one.model] = _first_repetition(one)
    return found


def _first_repetition(result: Result) -> _Stored:
    table = result.predictions
    first = table[table["repetition"] == 1] if len(table) else table
    done = first["fold"].nunique() if len(first) else 0
    n_folds = result.stored.experiment["n_folds"]
    if done < n_folds:
        return _Stored(f"{done} of {n_folds} folds")
    return _Stored("", first, result.backend)


def _lines(found: Mapping[Key, _Stored], corpus: str, model: ModelSpec) -> Iterator[Line]:
    """Yield the lines of a price list, the sound one first."""
    first = found.get((protocols.DEFAULT, corpus, model.name), NOT_RUN)
    yield Line(HONEST, protocols.DEFAULT, uar=first.uar, note=first.lacks, leaks=False)
    for protocol in protocols.variants():
        yield _line(found, corpus, model, protocol)


def _line(found: Mapping[Key, _Stored], corpus: str, model: ModelSpec, protocol: Protocol) -> Line:
    """Return the line of a variant."""
    compared = baseline(model, protocol)
    line = Line(
        protocol.practice,
        protocol.name,
        baseline=compared.practice or HONEST,
        leaks=bool(protocol.caution),
    )
    why = obstacle(model, protocol)
    if why:
        return replace(line, note=f"does not apply: {why}")
    own, other = (
        found.get((name, corpus, model.name), NOT_RUN) for name in (protocol.name, compared.name)
    )
    if own.predictions is None:
        return replace(line, note=own.lacks)
    line = replace(line, uar=own.uar)
    if other.predictions is None:
        return replace(line, note=f"{line.baseline}: {other.lacks}")
    if own.backend != other.backend:
        return replace(line, note=f"computed by {own.backend}, the other by {other.backend}")
    try:
        return replace(line, price=leakage.price(own.predictions, other.predictions))
    except ValueError as error:
        return replace(line, note=f"cannot be compared: {error}")
