"""From a selection to experiments, with a reason for everything that is left out."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .. import conditions, corpora, executors, features, models, protocols, run_options
from ..conditions import Condition
from ..corpora import Corpus, Registry
from ..errors import CorpusError, SpecError
from ..run_options import Selection
from ..spec import ModelSpec, Places, Protocol

ALL = "all"

T = TypeVar("T", Corpus, ModelSpec)


@dataclass(frozen=True)
class Plan:
    """What a selection comes to on this machine.

    Attributes:
        pairs: every corpus with the models that apply to it
        left_out: what was selected by "all" and is not run, with the reason
        conditions: what the sound goes through, one after another
        protocol: the protocol
        selection: where the plan came from
    """

    pairs: tuple[tuple[Corpus, tuple[ModelSpec, ...]], ...]
    left_out: Mapping[str, str]
    conditions: tuple[Condition, ...]
    protocol: Protocol
    selection: Selection


def plan(selection: Selection, places: Places) -> Plan:
    """Look up names and see what can be run.

    Raises:
        SpecError: if a name or an option is wrong
        CorpusError: if "all" finds no corpus
    """
    _check_options(selection)
    registry = corpora.load_registry(places.datasets)
    protocol = protocols.get(selection.protocol)
    heard = tuple(dict.fromkeys(itertools.chain(*map(conditions.expand, selection.condition))))
    _check_conditions(heard)
    chosen = select(selection.corpus, registry, places)
    specs = _expand("--model", selection.model, models.names, models.get)
    left_out = _not_on_disk(selection, registry, chosen)
    pairs = []
    for corpus in chosen:
        applicable = []
        for spec in specs:
            reason = _unfit(spec, corpus, places)
            if reason is None:
                applicable.append(spec)
            elif ALL in (*_folded(selection.model), *_folded(selection.corpus)):
                left_out[f"{spec.name} on {corpus.name}"] = reason
            else:
                raise SpecError(f"{spec.name} on {corpus.name}: {reason}.")
        if applicable:
            pairs.append((corpus, tuple(applicable)))
    if any(spec.kind == "network" for _, specs in pairs for spec in specs):
        _check_backend(selection.backend)
    return Plan(tuple(pairs), left_out, heard, protocol, selection)


def select(names: Sequence[str], registry: Registry, places: Places) -> list[Corpus]:
    """Return the corpora that were named, and for "all" every real corpus on disk.

    Raises:
        SpecError: if a name is wrong
        CorpusError: if "all" finds none
    """

    def on_disk() -> list[str]:
        every = [registry.get(name) for name in registry.names()]
        return [item.name for item in every if _own(item) and corpora.find(item, places.data)]

    found = _expand("--corpus", names, on_disk, registry.get)
    if not found:
        where = f"under {places.data}" if places.data else "because --data was not given"
        raise CorpusError(
            f"--corpus all: found none of the registered corpora {where}. Unpack a corpus into "
            "<data>/<name>, or try `--corpus demo`. `emobench corpora` tells where to get each."
        )
    return found


def _expand(
    option: str, words: Sequence[str], every: Callable[[], Sequence[str]], get: Callable[[str], T]
) -> list[T]:
    """Return what is named, each once, in the order first named; "all" stands for every one."""
    if not words:
        raise SpecError(f"{option}: expected a name or 'all', found nothing.")
    chosen: dict[str, T] = {}
    for word in words:
        for name in every() if word.strip().lower() == ALL else [word]:
            item = get(name)
            chosen.setdefault(item.name, item)
    return list(chosen.values())


def _folded(words: Sequence[str]) -> list[str]:
    """Return words without regard to case."""
    return [word.strip().lower() for word in words]


def _not_on_disk(
    selection: Selection, registry: Registry, chosen: Sequence[Corpus]
) -> dict[str, str]:
    """Return what "all" corpora does not cover, with the reason."""
    if ALL not in _folded(selection.corpus):
        return {}
    present = {corpus.name for corpus in chosen}
    reasons = {}
    for name in registry.names():
        corpus = registry.get(name)
        if corpus.synthetic:
            reasons[name] = "synthetic; run it by name"
        elif corpus.pool:
            reasons[name] = "made of others; run it by name"
        elif name not in present:
            reasons[name] = "not found on disk"
    return {name: reason for name, reason in reasons.items() if name not in present}


def _own(corpus: Corpus) -> bool:
    """Tell whether a corpus is made of recordings of its own, and so belongs to "all"."""
    return not corpus.synthetic and not corpus.pool


def _check_options(selection: Selection) -> None:
    """Refuse numbers and words that no run could use."""
    selection.check()
    executors.parse(selection.device)
    wanted = selection.together
    if isinstance(wanted, int) and wanted > 1 and selection.backend != "jax":
        raise SpecError(
            f"--together {wanted}: expected --backend jax, which alone trains several networks at "
            f"once, found {selection.backend}. Add --backend jax, or leave --together out."
        )


def _check_conditions(heard: Sequence[Condition]) -> None:
    """Refuse a condition that cannot be applied here, before any clip is blamed for it."""
    for condition in heard:
        if condition.missing_package:
            raise SpecError(
                f"--condition {condition.name}: expected the package {condition.missing_package}, "
                "found that it is not installed. "
                f"Run `pip install {condition.missing_package}`."
            )


def _check_backend(backend: str) -> None:
    """Refuse a backend that is not installed, before anything is extracted for it."""
    if importlib.util.find_spec(backend) is None:
        known = ", ".join(run_options.get("backend").choices)
        raise SpecError(
            f"--backend: expected an installed package, found no {backend}. "
            f"Run `pip install {backend}`, or choose another of {known}."
        )


def _unfit(model: ModelSpec, corpus: Corpus, places: Places) -> str | None:
    """Return why a model cannot be run on a corpus, or None."""
    for wanted in model.inputs.values():
        missing = features.missing_package(wanted.feature)
        if missing:
            return f"its front-end {wanted.feature} needs the package {missing}"
    known = corpus.has_transcripts or places.transcripts is not None
    if "transcript" in model.needs and not known:
        return "the corpus has no transcripts"
    return None
