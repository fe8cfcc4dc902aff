"""What a protocol itself does with test clips, as its definition says.

Which values of a protocol's fields let test clips in, `gate` knows; here is who is touched by it.
A protocol with a `caution` reproduces a paper: what it does is declared beside its numbers. The
same without a caution is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import gate
from ..errors import named
from ..spec import Protocol
from .findings import Finding, Severity
from .material import Material

Configuration = Mapping[str, Any]
"""What `experiment.json` says of how a result was computed."""


def _estimator(configuration: Configuration) -> bool:
    return configuration.get("backend") == "scikit-learn"


def _network(configuration: Configuration) -> bool:
    return not _estimator(configuration)


def _tuned(configuration: Configuration) -> bool:
    return _estimator(configuration) or bool(configuration.get("model", {}).get("grid"))


def _any_model(configuration: Configuration) -> bool:
    return True


def _standardised(configuration: Configuration) -> bool:
    inputs = configuration.get("inputs", {})
    return any(wanted.get("scaling") != "none" for wanted in inputs.values())


def _by_speaker(configuration: Configuration) -> bool:
    inputs = configuration.get("inputs", {})
    return any(wanted.get("scaling") == "speaker" for wanted in inputs.values())


@dataclass(frozen=True)
class _Rule:
    """One use of test clips.

    Attributes:
        kind: of the finding
        applies: whether a protocol does it
        concerns: whether a result of this configuration is touched
        found: what is done
        expected: what should be done
        advice: what it means
    """

    kind: str
    applies: Callable[[Protocol], bool]
    concerns: Callable[[Configuration], bool]
    found: str
    expected: str
    advice: str


_RULES = (
    _Rule(
        "test-clips-tune",
        partial(gate.breaks, field="tuning"),
        _tuned,
        "hyper-parameters are chosen on the test clips",
        "tuning inside the training part",
        "Scores of models that are tuned are optimistic.",
    ),
    _Rule(
        "test-clips-choose-epoch",
        partial(gate.breaks, field="selection"),
        _network,
        "the test clips choose the epoch of every network",
        "the last epoch, or the best on clips of training speakers",
        "Their scores are optimistic.",
    ),
    _Rule(
        "test-clips-weigh",
        partial(gate.breaks, field="weights"),
        _any_model,
        "class weights count the test clips",
        "class weights from the training part",
        "The weights depend on how many test clips each class has.",
    ),
    _Rule(
        "test-clips-standardise",
        partial(gate.breaks, field="normalisation"),
        _standardised,
        "inputs are standardised with statistics of all clips, those that are tested among them",
        "statistics of the training part",
        "Their scores may be optimistic.",
    ),
    _Rule(
        "test-clips-train",
        partial(gate.breaks, field="copies"),
        _any_model,
        "some of the test clips are trained on as well",
        "test clips that no model was trained on",
        "Their scores are optimistic.",
    ),
    _Rule(
        "neighbours-pad",
        lambda protocol: protocol.batching == "sorted",
        _network,
        "a test clip is padded to the longest of its batch, so that others change its prediction",
        "predictions that no other clip changes",
        "The prediction of a clip alone would be another.",
    ),
)

_OWN_CLIPS = Finding(
    "test-clips-normalise",
    "declared",
    "models that standardise features by speaker take the statistics of a test speaker from all of "
    "that speaker's clips, without labels",
    "statistics of the training part, where a speaker's single clip is to be recognised",
    "Their results hold where several clips of a new speaker are at hand.",
)


def findings(material: Material) -> Iterator[Finding]:
    """Yield what the protocol of an audit does with test clips."""
    for rule in _RULES:
        if rule.applies(material.protocol):
            yield _finding(rule, material.protocol, rule.found)
    if not material.protocol.normalisation:
        yield _OWN_CLIPS


def of_results(
    protocol: Protocol, configurations: Sequence[tuple[str, Configuration]]
) -> Iterator[Finding]:
    """Yield what a protocol did with test clips in some results.

    Args:
        protocol: of all of them
        configurations: name and configuration of each result
    """
    for rule in _RULES:
        names = [name for name, configured in configurations if rule.concerns(configured)]
        if rule.applies(protocol) and names:
            found = f"{rule.found}, in {_results(names)}"
            yield _finding(rule, protocol, found, tuple(names))
    names = [name for name, configured in configurations if _by_speaker(configured)]
    if names:
        yield Finding(
            _OWN_CLIPS.kind,
            "declared",
            "features were standardised by speaker, with statistics of a test speaker from all of "
            f"that speaker's clips, without labels, in {_results(names)}",
            _OWN_CLIPS.expected,
            _OWN_CLIPS.advice,
            evidence=tuple(names),
        )


def _finding(
    rule: _Rule, protocol: Protocol, found: str, evidence: tuple[str, ...] = ()
) -> Finding:
    severity: Severity = "declared" if protocol.caution else "hard"
    advice = rule.advice
    if not protocol.caution:
        advice += " The protocol does not say so: write it into its `caution`, or mend it."
    return Finding(rule.kind, severity, found, rule.expected, advice, evidence=evidence)


def _results(names: Sequence[str]) -> str:
    return f"{len(names):,} result{'' if len(names) == 1 else 's'} ({named(names)})"
