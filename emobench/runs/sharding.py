"""Which folds of which experiments a machine does that was told `--shard 2/5`.

Every machine works out the same shares, from nothing but the corpora and the command: not from what
is stored, which differs between machines that do not see each other's results. How much there is to
compute is told as for an estimate; how long that takes is what is usual.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..conditions import Condition
from ..corpora import Corpus
from ..costs import effort
from ..errors import SpecError
from ..experiments import searches
from ..experiments.dataset import Dataset
from ..spec import Fold, ModelSpec, Protocol
from ..store.shards import Mark

OPTION = "--shard"

Key = tuple[str, str, str]
"""Names of corpus, model and condition."""


@dataclass(frozen=True)
class Shard:
    """One of several shares.

    Attributes:
        number: from 1
        of: how many there are
    """

    number: int
    of: int


@dataclass(frozen=True)
class Part:
    """Folds of an experiment that go to one machine together.

    Attributes:
        key: of the experiment
        folds: their indexes
        cost: expected, in seconds of one core
    """

    key: Key
    folds: frozenset[int]
    cost: float


@dataclass(frozen=True)
class Share:
    """What is dealt to one machine.

    Attributes:
        mark: which share, and a digest of who does what: machines that deal alike have the same
        folds: their indexes, by experiment
    """

    mark: Mark
    folds: Mapping[Key, frozenset[int]]

    @property
    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        folds = [[*key, sorted(folds)] for key, folds in sorted(self.folds.items())]
        return {"share": str(self.mark), "folds": folds}


def parse(text: str | None) -> Shard:
    """Return what a text such as "2/5" says; all of it where there is none.

    Raises:
        SpecError: if it is no such text

    Examples:
        >>> parse("2/5")
        Shard(number=2, of=5)
    """
    if text is None:
        return Shard(1, 1)
    parts = text.split("/")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        number, of = map(int, parts)
        if 1 <= number <= of:
            return Shard(number, of)
    raise SpecError(f"{OPTION}: expected I/N with I from 1 to N, such as 2/5; found '{text}'.")


def key(corpus: Corpus, model: ModelSpec, condition: Condition) -> Key:
    """Return what an experiment of a plan is known by."""
    return corpus.name, model.name, condition.name


def parts(
    name: Key,
    model: ModelSpec,
    protocol: Protocol,
    data: Dataset,
    folds: Iterable[Fold],
    repetitions: int,
    epochs: int | None,
) -> list[Part]:
    """Return what of an experiment may go to different machines: each fold, or all together.

    A search on the folds that are reported is needed by every fold, and is not done twice.

    Args:
        name: of the experiment
        model: what is trained
        protocol: how
        data: its clips
        folds: that were asked for
        repetitions: of each
        epochs: asked for
    """
    costs = {
        fold.index: effort.usual_seconds(effort.of_fold(model, protocol, data.table, fold, epochs))
        * repetitions
        for fold in folds
    }
    if searches(model, protocol) and protocol.tuning == "evaluation":
        return [Part(name, frozenset(costs), sum(costs.values()))]
    return [Part(name, frozenset([index]), cost) for index, cost in costs.items()]


def dealt(everything: Iterable[Part], shard: Shard, protocol: str = "") -> Share:
    """Return what goes to a shard.

    The most expensive parts are dealt first, each to the shard that has least to do.

    Args:
        everything: that is dealt
        shard: whose share is asked for
        protocol: under which all is run
    """
    loads = [(0.0, number) for number in range(1, shard.of + 1)]
    found: dict[Key, frozenset[int]] = {}
    told = []
    for part in sorted(everything, key=lambda part: (-part.cost, part.key, sorted(part.folds))):
        load, number = heapq.heappop(loads)
        heapq.heappush(loads, (load + part.cost, number))
        told.append([*part.key, sorted(part.folds), number])
        if number == shard.number:
            found[part.key] = found.get(part.key, frozenset()) | part.folds
    whole = json.dumps([protocol, shard.of, sorted(told)])
    plan = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return Share(Mark(plan, shard.number, shard.of), found)
