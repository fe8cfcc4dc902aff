"""The gate: which numbers may be compared, decided from what a protocol does.

The leaderboard has a main part, whose best results are bold, and a part "as published, not
comparable", where nothing is. A protocol belongs to the second if it lets test clips into
tuning, class weights or the choice of an epoch, or tests speakers that were trained on. No
protocol is listed by name: a new one is judged by its fields.

A protocol is judged as a whole, not cell by cell. Under `keesing2020`, the class weights of every
model count the test clips, while only the SVM is tuned on them. But even where a network is
touched by nothing, it stands in a row with results that are, and "the best of the row" would
compare the two; how it does without any of this is in the tables of a protocol of the main part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .spec import Protocol


@dataclass(frozen=True)
class Rule:
    """One way in which test clips reach what they must not.

    Attributes:
        broken: whether a protocol does it
        reason: what it does, in words
    """

    broken: Callable[[Protocol], bool]
    reason: str


RULES = (
    Rule(
        lambda protocol: protocol.split == "random",
        "clips of one speaker are on both sides of the split",
    ),
    Rule(
        lambda protocol: protocol.tuning == "evaluation",
        "hyper-parameters of estimators are tuned on the evaluation folds",
    ),
    Rule(
        lambda protocol: protocol.selection == "best-test-epoch",
        "the test clips choose the epoch",
    ),
    Rule(
        lambda protocol: protocol.weights == "corpus",
        "class weights count the test clips",
    ),
)


def leaks(protocol: Protocol | None) -> tuple[str, ...]:
    """Return why a protocol's numbers are not comparable, or nothing if they are.

    Args:
        protocol: the protocol, or None for one that this version does not know

    Examples:
        >>> from emobench import protocols
        >>> leaks(protocols.get("losgo"))
        ()
        >>> leaks(protocols.get("yoon2018"))
        ('clips of one speaker are on both sides of the split',)
    """
    if protocol is None:
        return ("this version does not know the protocol",)
    return tuple(rule.reason for rule in RULES if rule.broken(protocol))


def cut_short(protocol: Protocol | None) -> bool:
    """Return whether a protocol leaves folds out, so that its results are never complete."""
    return protocol is not None and protocol.max_folds is not None
