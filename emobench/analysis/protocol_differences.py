"""What differs between the protocol of a published number and the one that ours was obtained with.

Everything is read from the fields of the two `Protocol` values: none of it is written by hand for
a paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..corpora import Corpus
from ..spec import ModelSpec, Protocol


@dataclass(frozen=True)
class Difference:
    """One rule that the two protocols do not share.

    Attributes:
        what: which rule
        published: how it was for the published number
        ours: how it was for ours
        apart: whether numbers with and without it are not to be compared
    """

    what: str
    published: str
    ours: str
    apart: bool = False

    def __str__(self) -> str:
        """Return it as one phrase, such as `epochs: 50 → 20`."""
        return f"{self.what}: {self.published} → {self.ours}"


Value = str | int | float | None


@dataclass(frozen=True)
class _Rule:
    """A rule of protocols.

    Attributes:
        what: its name for people
        value: what it is for a model under a protocol
        applies: whether it changes anything for a kind of model on a corpus
        words: what to call a value
        apart: values that only like protocols share: one of two that has such a value and the
            other not gives numbers that are not to be compared
    """

    what: str
    value: Callable[[Protocol, ModelSpec], Value]
    applies: Callable[[ModelSpec, Corpus], bool] = lambda model, corpus: True
    words: Mapping[Value, str] = field(default_factory=dict)
    apart: frozenset[Value] = frozenset()


def _network(model: ModelSpec, corpus: Corpus) -> bool:
    return model.kind == "network"


def _tuned(model: ModelSpec, corpus: Corpus) -> bool:
    return model.kind == "estimator" or bool(model.grid)


def _normalised(model: ModelSpec, corpus: Corpus) -> bool:
    return hasattr(model.config, "statistics")


def _dealt(model: ModelSpec, corpus: Corpus) -> bool:
    return corpus.folds.startswith("groups")


_RULES = (
    _Rule(
        "split",
        lambda protocol, model: protocol.split,
        words={
            "": "as the corpus has it",
            "groups": "five groups of speakers or sessions",
            "last-group": "the last of five groups of speakers or sessions",
            "random": "random clips, whoever speaks",
        },
        apart=frozenset({"random"}),
    ),
    _Rule(
        "speaker groups",
        lambda protocol, model: None if protocol.split else protocol.speaker_groups,
        applies=_dealt,
        words={"random": "drawn by seed", "greedy": "dealt by size"},
    ),
    _Rule(
        "folds",
        lambda protocol, model: protocol.max_folds,
        words={None: "all"},
        apart=frozenset({None}),
    ),
    _Rule(
        "tuning",
        lambda protocol, model: protocol.tuning,
        applies=_tuned,
        words={"nested": "on training folds", "evaluation": "on the evaluation folds"},
    ),
    _Rule(
        "development clips",
        lambda protocol, model: protocol.development,
        applies=lambda model, corpus: model.development is not None,
        words={None: "from training"},
    ),
    _Rule(
        "epoch",
        lambda protocol, model: protocol.selection,
        applies=_network,
        words={"": "not chosen on test clips", "best-test-epoch": "the best on test clips"},
        apart=frozenset({"best-test-epoch"}),
    ),
    _Rule(
        "class weights",
        lambda protocol, model: protocol.weights,
        words={"training": "from training clips", "corpus": "from all clips"},
    ),
    _Rule(
        "batches",
        lambda protocol, model: protocol.batching,
        applies=_network,
        words={"padded-length": "drawn anew each epoch", "sorted": "fixed"},
    ),
    _Rule(
        "batch normalisation",
        lambda protocol, model: protocol.statistics,
        applies=_normalised,
        words={"": "measured after training", "running": "running statistics"},
    ),
    _Rule(
        "epochs",
        lambda protocol, model: protocol.epochs or getattr(model.config, "epochs", None),
        applies=_network,
    ),
    _Rule("repetitions", lambda protocol, model: protocol.repetitions_of(model)),
)


def differences(
    published: Protocol, ours: Protocol, model: ModelSpec, corpus: Corpus
) -> tuple[Difference, ...]:
    """Return the rules that two protocols do not share for a model on a corpus.

    Args:
        published: that of the published number
        ours: that of our number
        model: what was trained; rules that leave such a model as it is are left out
        corpus: what it was trained on
    """
    return tuple(_found(published, ours, model, corpus))


def _found(
    published: Protocol, ours: Protocol, model: ModelSpec, corpus: Corpus
) -> Iterator[Difference]:
    for rule in _RULES:
        pair = (rule.value(published, model), rule.value(ours, model))
        if pair[0] == pair[1] or not rule.applies(model, corpus):
            continue
        if rule.what == "speaker groups" and None in pair:
            continue  # the split tells it
        words = [str(rule.words.get(value, value)) for value in pair]
        apart = (pair[0] in rule.apart) != (pair[1] in rule.apart)
        yield Difference(rule.what, *words, apart=apart)
