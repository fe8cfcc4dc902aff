"""From a selection to experiments, with a reason for everything that is left out."""

from __future__ import annotations

import importlib.util
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import (
    audit,
    conditions,
    corpora,
    encoders,
    executors,
    features,
    gate,
    models,
    protocols,
    run_options,
)
from ..conditions import Condition
from ..corpora import Corpus, Registry
from ..errors import SpecError
from ..experiments import takes_encoder
from ..results.lookup import Lookup
from ..run_options import Selection
from ..spec import ModelSpec, Places, Protocol
from . import sharding
from .choosing import between, expand, means_all, not_on_disk, select

_log = logging.getLogger(__name__)


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
    specs = expand("--model", selection.model, models.names, models.get)
    if selection.test_corpus:
        chosen, left_out = between(selection.corpus, selection.test_corpus, registry, places)
    else:
        chosen = select(selection.corpus, registry, places)
        left_out = not_on_disk(selection.corpus, registry, chosen)
    if any(corpus.sides for corpus in chosen):
        _check_between(protocol)
    pairs = []
    for corpus in chosen:
        applicable = []
        for spec in specs:
            reason = _unfit(spec, corpus, places)
            if reason is None:
                applicable.append(spec)
            elif means_all((*selection.model, *selection.corpus, *selection.test_corpus)):
                left_out[f"{spec.name} on {corpus.name}"] = reason
            else:
                raise SpecError(f"{spec.name} on {corpus.name}: {reason}.")
        if applicable:
            pairs.append((corpus, tuple(applicable)))
    _check_encoder(specs, places)
    if any(spec.kind == "network" for _, specs in pairs for spec in specs):
        _check_backend(selection.backend)
    _warn_of_what_was_heard(pairs, registry, places)
    return Plan(tuple(pairs), left_out, heard, protocol, selection)


def insist_on_executor(selection: Selection) -> None:
    """Refuse options of an executor that was not asked for.

    Raises:
        SpecError: if there are any
    """
    for option, value, executor in (
        ("--address", selection.address, "ray"),
        ("--slurm", selection.slurm, "slurm"),
    ):
        if value and selection.executor != executor:
            raise SpecError(
                f"{option} {value}: expected --executor {executor}, found --executor "
                f"{selection.executor}. Add --executor {executor}, or leave {option} out."
            )


def _check_options(selection: Selection) -> None:
    """Refuse numbers and words that no run could use."""
    selection.check()
    executors.parse(selection.device)
    sharding.parse(selection.shard)
    insist_on_executor(selection)
    wanted = selection.together
    if isinstance(wanted, int) and wanted > 1 and selection.backend != "jax":
        raise SpecError(
            f"--together {wanted}: expected --backend jax, which alone trains several networks at "
            f"once, found {selection.backend}. Add --backend jax, or leave --together out."
        )


def _check_between(protocol: Protocol) -> None:
    """Refuse a protocol under which the test corpus would reach training."""
    reasons = gate.leaks(protocol)
    if reasons:
        raise SpecError(
            f"--test-corpus: expected a protocol that keeps test clips out of training, found "
            f"{protocol.name}: {'; '.join(reasons)}. Leave out --protocol, or choose another."
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


def _check_encoder(specs: Sequence[ModelSpec], places: Places) -> None:
    """Refuse an encoder that no model is fed from: whoever gives one expects it to be heard."""
    if places.encoder is not None and not any(map(takes_encoder, specs)):
        fed = [name for name in models.names() if takes_encoder(models.get(name))]
        raise SpecError(
            f"--encoder {places.encoder}: expected a model that is fed from a frozen encoder "
            f"({', '.join(fed)}), found {', '.join(spec.name for spec in specs)}. Add one to "
            "--model, or leave --encoder out."
        )


def _warn_of_what_was_heard(
    pairs: Sequence[tuple[Corpus, Sequence[ModelSpec]]], registry: Registry, places: Places
) -> None:
    """Say, before hours are spent, that a frozen encoder was trained on what is to be tested."""
    for corpus, specs in pairs:
        if places.encoder is None or not any(map(takes_encoder, specs)):
            continue
        tested = corpus.sides[1] if corpus.sides else corpus
        for finding in audit.foresee_heard(tested.name, places.encoder, Lookup(registry)):
            _log.warning("%s: %s", corpus.name, finding.line)


def _unfit(model: ModelSpec, corpus: Corpus, places: Places) -> str | None:
    """Return why a model cannot be run on a corpus, or None."""
    for wanted in model.inputs.values():
        missing = features.missing_package(wanted.feature)
        if missing:
            return f"its front-end {wanted.feature} needs the package {missing}"
        front_end = features.get(wanted.feature)
        if front_end.folder and places.encoder is None:
            return "it needs a frozen encoder: --encoder FOLDER"
        if front_end.folder:  # a slip in the card is told before anything is read
            params = {**front_end.defaults, **wanted.params, front_end.folder: places.encoder}
            front_end.fit((), params)
            extra = encoders.missing_package(places.encoder)
            if extra:
                return f"its encoder needs `pip install emobench[{extra}]`"
    known = corpus.has_transcripts or places.transcripts is not None
    if "transcript" in model.needs and not known:
        return "the corpus has no transcripts"
    return None
