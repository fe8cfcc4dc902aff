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

from dataclasses import dataclass
from typing import Any

from .spec import Protocol


@dataclass(frozen=True)
class Rule:
    """What a field of a protocol may say.

    Attributes:
        field: its name
        sound: values that keep test clips out of everything; any other one does not
        reason: what a protocol with another value does, in words
    """

    field: str
    sound: tuple[Any, ...]
    reason: str

    def is_broken(self, protocol: Protocol) -> bool:
        """Return whether a protocol lets test clips in where this is about."""
        return getattr(protocol, self.field) not in self.sound


RULES = (
    Rule(
        "split",
        ("", "groups", "last-group"),
        "clips of one speaker are on both sides of the split",
    ),
    Rule(
        "tuning",
        ("nested", "none"),
        "hyper-parameters are tuned on the evaluation folds",
    ),
    Rule("selection", ("",), "the test clips choose the epoch"),
    Rule(
        "development",
        (None,),
        "clips that are held out with the test clips tell when to stop training",
    ),
    Rule("weights", ("training", "none"), "class weights count the test clips"),
    Rule("normalisation", ("", "training"), "inputs are standardised with the test clips"),
    Rule("copies", (None,), "test clips are among the training clips"),
)

HARMLESS = (
    *("name", "title", "paper", "headline", "caution", "baseline", "practice"),  # only said
    *("speaker_groups", "batching", "statistics", "fixed_parameters"),  # know no test clip
    *("repetitions", "model_repetitions", "epochs", "max_folds"),  # how much is done
)
"""Fields that no rule is about. A test makes sure that a new field is in a rule or here."""


def leaks(protocol: Protocol | None) -> tuple[str, ...]:
    """Return why a protocol's numbers are not comparable, or nothing if they are.

    Args:
        protocol: the protocol, or None for one that this version does not know

    Examples:
        >>> from emobench import protocols
        >>> leaks(protocols.get("losgo"))
        ()
        >>> leaks(protocols.get("keesing2020"))[1]
        'class weights count the test clips'
    """
    if protocol is None:
        return ("this version does not know the protocol",)
    return tuple(rule.reason for rule in RULES if rule.is_broken(protocol))


def breaks(protocol: Protocol, field: str) -> bool:
    """Return whether a protocol lets test clips in by one of its fields.

    Args:
        protocol: the protocol
        field: that a rule is about

    Raises:
        KeyError: if no rule is about it
    """
    return {rule.field: rule for rule in RULES}[field].is_broken(protocol)


def cut_short(protocol: Protocol | None) -> bool:
    """Return whether a protocol leaves folds out, so that its results are never complete."""
    return protocol is not None and protocol.max_folds is not None
