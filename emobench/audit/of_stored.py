"""The audit of what runs left: whether results are today's, and what their predictions show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from .. import protocols
from ..corpora import Registry
from ..errors import count, named
from ..results.gathering import Current, Gathered, gather, protocol_name, protocols_on_disk
from ..results.selection import Notice
from ..spec import Places
from . import controls, encoders, predictions, protocol_rules
from .findings import Audit, Finding, Severity
from .today import Today

_SAID: dict[str, tuple[Severity, str, str, str]] = {
    "damaged": (
        "hard",
        "damaged-result",
        "records and predictions as they were written",
        "Run it again: what is damaged is computed anew.",
    ),
    "stale": (
        "hard",
        "other-configuration",
        "results of today's corpora, models and protocols",
        "They are in no table. Run them again, or remove them.",
    ),
    "failed": (
        "soft",
        "failed-job",
        "a record of every job",
        "Run it again: what failed is tried once more.",
    ),
    "incomplete": (
        "soft",
        "incomplete-result",
        "every fold and repetition",
        "The table leaves them out; the same run goes on with them.",
    ),
}
"""Severity, kind, what is expected and what to do, by kind of a notice."""


def of_results(
    places: Places, *, registry: Registry, current: Current, protocol: str | None = None
) -> list[Audit]:
    """Return what speaks against stored results, an audit for each protocol.

    Where a corpus is on disk, clips, labels, speakers and sound are compared with those that the
    results are of, and predictions with the folds that would be made today.

    Args:
        places: where results, corpora and caches are
        registry: today's corpora
        current: tells today's configuration fingerprint of an experiment
        protocol: look at its results only; None for all

    Raises:
        SpecError: if there is no such protocol
        StoreError: if there is no such folder
    """
    on_disk = protocols_on_disk(places.results)
    names = on_disk if protocol is None else [protocol_name(protocol, on_disk)]
    today = Today(registry, places)
    return [
        _audit(
            name,
            gather(
                places.results,
                protocol=name,
                current=current,
                partial=False,
                registry=registry,
                columns=None,
            ),
            today,
        )
        for name in names
    ]


def _audit(name: str, gathered: Gathered, today: Today) -> Audit:
    every = (*gathered.shown, *gathered.across, *gathered.others)
    results = sorted(every, key=lambda one: one.name)
    known = name in protocols.names()
    findings = [*_noticed(gathered.notices)]
    not_checked: dict[str, list[str]] = defaultdict(list)
    if known:
        protocol = protocols.get(name)
        configured = [(one.name, one.stored.experiment["configuration"]) for one in results]
        findings += protocol_rules.of_results(protocol, configured)
        for result in results:
            findings += [
                *encoders.heard(result.heard, where=result.name),
                *predictions.findings(result, protocol),
            ]
            found, why = today.compare(result, protocol)
            findings += found
            if why:
                not_checked[why].append(result.name)
    for result in gathered.controls:
        findings += controls.findings(result)
    subject = f"results under {name}: {count(len(results), 'result')} of today's configuration"
    return Audit.of(subject, _together(findings), _told(not_checked))


def _noticed(notices: Sequence[Notice]) -> Iterator[Finding]:
    """Yield what the table says below itself: damages one by one, the rest together."""
    texts: dict[str, list[str]] = defaultdict(list)
    for notice in notices:
        texts[notice.kind].append(notice.text)
    for kind, (severity, name, expected, advice) in _SAID.items():
        if kind == "damaged":
            for text in texts[kind]:
                where, _, found = text.partition(": ")
                yield Finding(name, severity, found.rstrip("."), expected, advice, where, (where,))
        elif texts[kind]:
            listed = "; ".join(texts[kind][:3])
            more = len(texts[kind]) - 3
            found = f"{listed}{f'; and {more:,} more' if more > 0 else ''}"
            yield Finding(name, severity, found, expected, advice, evidence=tuple(texts[kind]))


def _together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings that differ only in the result that they are of as one."""
    alike: dict[Finding, list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[replace(finding, where="", evidence=())].append(finding)
    for finding, same in alike.items():
        if len(same) == 1:
            yield same[0]
            continue
        names = [one.where for one in same]
        evidence = dict.fromkeys(name for one in same for name in (one.where, *one.evidence))
        where = f"{len(names):,} results ({named(names)})"
        yield replace(finding, where=where, evidence=tuple(evidence))


def _told(not_checked: dict[str, list[str]]) -> Iterable[str]:
    for why, names in not_checked.items():
        yield f"not compared with the corpus: {count(len(names), 'result')} ({named(names)}). {why}"
