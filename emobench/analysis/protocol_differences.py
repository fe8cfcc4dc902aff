"""What differs between the protocol of a published number and the one that ours was obtained with.

Everything is read from the fields of the two `Protocol` values: none of it is written by hand for
a paper. What sets two numbers apart is what the gate of the leaderboard asks: whether test clips
reach what they must not under one of the two and not under the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .. import gate, protocols
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
        field: of `Protocol`
        applies: whether it changes anything for a kind of model on a corpus
        words: what to call a value
        value: what it is for a model under a protocol, where the field alone does not tell
    """

    what: str
    field: str
    applies: Callable[[ModelSpec, Corpus], bool] = lambda model, corpus: True
    words: Mapping[Value, str] = field(default_factory=dict)
    value: Callable[[Protocol, ModelSpec], Value] | None = None

    def of(self, protocol: Protocol, model: ModelSpec) -> Value:
        """Return what the rule is for a model under a protocol."""
        return self.value(protocol, model) if self.value else getattr(protocol, self.field)

    def parts(self, one: Protocol, other: Protocol) -> bool:
        """Return whether the gate lets only one of two protocols through for this rule."""
        usual = protocols.get(protocols.DEFAULT)
        alone = [replace(usual, **{self.field: getattr(each, self.field)}) for each in (one, other)]
        first, second = ((gate.leaks(each), gate.cut_short(each)) for each in alone)
        return first != second


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
        "split",
        words={
            "": "as the corpus has it",
            "groups": "five groups of speakers or sessions",
            "last-group": "the last of five groups of speakers or sessions",
            "random": "random clips, whoever speaks",
            "clips": "random clips, whoever speaks",
        },
    ),
    _Rule(
        "speaker groups",
        "speaker_groups",
        applies=_dealt,
        words={"random": "drawn by seed", "greedy": "dealt by size"},
    ),
    _Rule("folds", "max_folds", words={None: "all"}),
    _Rule(
        "tuning",
        "tuning",
        applies=_tuned,
        words={"nested": "on training folds", "evaluation": "on the evaluation folds"},
    ),
    _Rule(
        "development clips",
        "development",
        applies=lambda model, corpus: model.development is not None,
        words={None: "from training"},
    ),
    _Rule(
        "epoch",
        "selection",
        applies=_network,
        words={"": "not chosen on test clips", "best-test-epoch": "the best on test clips"},
    ),
    _Rule(
        "class weights",
        "weights",
        words={"training": "from training clips", "corpus": "from all clips"},
    ),
    _Rule(
        "standardisation",
        "normalisation",
        words={
            "": "as front-ends say",
            "training": "by the training clips",
            "corpus": "by all clips",
        },
    ),
    _Rule("test clips also in training", "copies", words={None: "none"}),
    _Rule(
        "batches",
        "batching",
        applies=_network,
        words={"padded-length": "drawn anew each epoch", "sorted": "fixed"},
    ),
    _Rule(
        "batch normalisation",
        "statistics",
        applies=_normalised,
        words={"": "measured after training", "running": "running statistics"},
    ),
    _Rule(
        "epochs",
        "epochs",
        applies=_network,
        value=lambda protocol, model: protocol.epochs or getattr(model.config, "epochs", None),
    ),
    _Rule(
        "repetitions",
        "repetitions",
        value=lambda protocol, model: protocol.repetitions_of(model),
    ),
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
        pair = (rule.of(published, model), rule.of(ours, model))
        if pair[0] == pair[1] or not rule.applies(model, corpus):
            continue
        if rule.field == "speaker_groups" and published.split != ours.split:
            continue  # the split tells it
        words = [str(rule.words.get(value, value)) for value in pair]
        yield Difference(rule.what, *words, apart=rule.parts(published, ours))
