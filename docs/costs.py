"""What every model on every corpus would cost, from committed records and sizes of corpora.

Nothing here was run as a whole: times of folds that were run are carried over to other corpora.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from emobench import corpora, models
from emobench.corpora import Corpus

RESULTS = Path(__file__).parents[1] / "results"
MEASURED_ON = "emo-db"
PROTOCOLS = ("losgo", "keesing2020")

MODELS, REPETITIONS, CORES = 50, 3, 8

NETWORK = "aldeneh2017-logmel40"
"""What stands for a network: it was measured on both, and is neither large nor small."""

CARD_SECONDS = 122
"""Of 30 of its folds of 50 epochs on EMO-DB, by eight processes on one H100."""

_CARD_FOLDS = 30
_SESSIONS = {"iemocap": 5, "msp-improv": 6}


@dataclass(frozen=True)
class Size:
    """How large the cross-validation of a corpus is.

    Attributes:
        corpus: what it is of
        clips: of the corpus
        folds: of speakers, groups or sessions
    """

    corpus: Corpus
    clips: int
    folds: int

    @property
    def training(self) -> float:
        """Clips that a fold is trained on, in the mean."""
        return self.clips * (1 - 1 / self.folds)


def sizes() -> list[Size]:
    """Return the sizes of all corpora but pools and synthetic ones."""
    registry = corpora.load_registry()
    found = [registry.get(name) for name in registry.names()]
    return [_size(corpus) for corpus in found if not corpus.pool and not corpus.synthetic]


def _size(corpus: Corpus) -> Size:
    rule, _, groups = corpus.folds.partition(":")
    folds = {"speaker": corpus.expect.speakers, "session": _SESSIONS.get(corpus.name)}.get(rule)
    clips = sum(corpus.expect.emotions.values())
    return Size(corpus, clips, folds or int(groups))


@dataclass(frozen=True)
class Rates:
    """Seconds of a fold on EMO-DB, of one network and in the mean of estimators."""

    network: float
    estimator: float
    network_on_card: float
    measured: tuple[str, ...]


def measured() -> Rates:
    """Return what the records of EMO-DB say."""
    seconds = {model: mean(times) for model, times in _recorded().items()}
    kinds = {model: models.get(model).kind for model in seconds}
    names = sorted(model for model in seconds if kinds[model] == "estimator")
    estimator = mean(seconds[name] for name in names)
    return Rates(seconds[NETWORK], estimator, CARD_SECONDS / _CARD_FOLDS, tuple(names))


def _recorded() -> dict[str, list[float]]:
    """Return the seconds of each fold on one core, by model."""
    found: dict[str, list[float]] = {}
    for protocol in PROTOCOLS:
        for path in sorted((RESULTS / protocol / MEASURED_ON).glob("*/*/fold-*.json")):
            record = json.loads(path.read_bytes())
            if record["device"].startswith("cpu") and record["threads"] == 1:
                found.setdefault(path.parts[-3], []).append(record["seconds"])
    return found


@dataclass(frozen=True)
class Folds:
    """All folds, in folds of EMO-DB: those of networks grow with clips, others with their square.

    Attributes:
        network: of one network and repetition
        estimator: of one estimator and repetition
        jobs: how many folds they really are
    """

    network: float
    estimator: float
    jobs: int


def folds_of(every: list[Size]) -> Folds:
    """Return how many folds of EMO-DB cost what the folds of these corpora do."""
    (own,) = (size for size in sizes() if size.corpus.name == MEASURED_ON)
    ratios = [(size.folds, size.training / own.training) for size in every]
    network = sum(folds * ratio for folds, ratio in ratios)
    estimator = sum(folds * ratio**2 for folds, ratio in ratios)
    return Folds(network, estimator, sum(folds for folds, _ in ratios))


def _counts() -> tuple[int, int]:
    """Return how many of the models are networks, in today's proportion, and how many are not."""
    kinds = [models.get(name).kind for name in models.names()]
    networks = round(MODELS * kinds.count("network") / len(kinds))
    return networks, MODELS - networks


def machines() -> Iterator[tuple[str, str, str, str]]:
    """Yield each machine, and how long its networks and its estimators take, and both.

    Beside a card its cores do the estimators meanwhile.
    """
    everything, rates, (networks, estimators) = folds_of(sizes()), measured(), _counts()
    folds = networks * REPETITIONS * everything.network
    others = estimators * everything.estimator * rates.estimator
    on_cores, own = folds * rates.network / CORES, others / CORES
    yield f"desktop, {CORES} cores", _long(on_cores), _long(own), _long(on_cores + own)
    for name, cards in (("one H100", 1), ("eight H100s", 8)):
        on_cards, own = folds * rates.network_on_card / cards, others / (CORES * cards)
        cores = f"{name}, {CORES * cards} cores"
        yield cores, _long(on_cards), _long(own), _long(max(on_cards, own))


def described(table: Callable) -> str:
    """Return the part of the documentation.

    Args:
        table: makes a table of a header and rows
    """
    every, rates, (networks, estimators) = sizes(), measured(), _counts()
    header = ("machine", f"{networks} networks", f"{estimators} estimators", "in all")
    rows = [
        (
            size.corpus.title,
            f"{size.clips:,}",
            str(size.folds),
            f"{folds_of([size]).network:,.0f}",
            _long(folds_of([size]).network * rates.network),
        )
        for size in every
    ]
    of_corpora = ("corpus", "clips", "folds", "in folds of EMO-DB", "a network on one core")
    jobs = folds_of(every).jobs * (networks * REPETITIONS + estimators)
    return "\n\n".join(
        (
            f"{len(every)} corpora, {MODELS} models ({networks} networks with {REPETITIONS} "
            f"repetitions, {estimators} estimators, which need one) and all folds of "
            f"`{PROTOCOLS[0]}` are {jobs:,} jobs:",
            table(header, machines()),
            table(of_corpora, rows),
            f"A network is taken to be `{NETWORK}`, the only one that was measured on both: "
            f"{rates.network:.0f} s a fold of EMO-DB on one core, as records say, and "
            f"{rates.network_on_card:.1f} s on an H100 that eight processes share, of which no "
            "records are kept. Others take from a thirtieth to five times as long. An estimator "
            f"takes {rates.estimator:.1f} s on one core, the mean over records of "
            f"{', '.join(f'`{name}`' for name in rates.measured)}. The length of clips and the "
            "extraction of features are left out.",
        )
    )


def _long(seconds: float) -> str:
    """Return a time of two digits."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"
