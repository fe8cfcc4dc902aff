"""From a selection to experiments, with a reason for everything that is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import corpora, features, models, protocols
from ..corpora import Corpus, Registry
from ..errors import CorpusError, SpecError
from ..spec import Backend, ModelSpec, Places, Protocol, fingerprint, plain

BACKENDS = ("tensorflow", "jax", "torch")

# What tells how much of a protocol is run, or is only printed, changes no prediction.
_IDLE_PROTOCOL_FIELDS = ("title", "caution", "repetitions", "model_repetitions", "max_folds")


@dataclass(frozen=True)
class Selection:
    """What to run, as a user names it.

    Attributes:
        models: names, or "all"
        corpora: names, or "all" for every corpus on disk
        protocol: name of a protocol
        backend: what trains the networks
        epochs: overrides the number of epochs of every network
        folds: indexes of the folds to run; empty for all
        repetitions: how many repetitions to run; None for the protocol's
        skip_bad: leave out clips that a front-end refuses
    """

    models: Sequence[str] = ("all",)
    corpora: Sequence[str] = ("all",)
    protocol: str = protocols.DEFAULT
    backend: Backend = "tensorflow"
    epochs: int | None = None
    folds: Sequence[int] = ()
    repetitions: int | None = None
    skip_bad: bool = False


@dataclass(frozen=True)
class Plan:
    """What a selection comes to on this machine.

    Attributes:
        pairs: every corpus with the models that apply to it
        left_out: what was selected by "all" and is not run, with the reason
        protocol: the protocol
        selection: where the plan came from
    """

    pairs: tuple[tuple[Corpus, tuple[ModelSpec, ...]], ...]
    left_out: Mapping[str, str]
    protocol: Protocol
    selection: Selection


def plan(selection: Selection, places: Places) -> Plan:
    """Look up names and see what can be run.

    Raises:
        SpecError: if a name or an option is wrong
        CorpusError: if a corpus that was asked for by name is not on disk
    """
    if selection.backend not in BACKENDS:
        raise SpecError(
            f"--backend: expected one of {', '.join(BACKENDS)}, found '{selection.backend}'."
        )
    registry = corpora.load_registry(places.datasets)
    protocol = protocols.get(selection.protocol)
    left_out: dict[str, str] = {}
    chosen = tuple(_corpora(selection, registry, places, left_out))
    specs = tuple(_models(selection))
    pairs = []
    for corpus in chosen:
        applicable = []
        for spec in specs:
            reason = _unfit(spec, corpus)
            if reason is None:
                applicable.append(spec)
            elif "all" in selection.models:
                left_out[f"{spec.name} on {corpus.name}"] = reason
            else:
                raise SpecError(f"{spec.name} on {corpus.name}: {reason}.")
        if applicable:
            pairs.append((corpus, tuple(applicable)))
    return Plan(tuple(pairs), left_out, protocol, selection)


def configuration(
    corpus: Corpus,
    model: ModelSpec,
    protocol: Protocol,
    *,
    epochs: int | None = None,
    backend: Backend = "tensorflow",
) -> dict[str, Any]:
    """Return everything that changes the results of an experiment, as plain JSON values.

    Empty and unset values are left out, so that an option added later leaves the fingerprints of
    what was run without it as they are.
    """
    inputs = {}
    for name, wanted in model.inputs.items():
        front_end = features.get(wanted.feature)
        inputs[name] = {
            "feature": plain(features.spec(wanted.feature, **wanted.params)),
            "scaling": wanted.scaling or front_end.scaling,
            "pad_multiple": front_end.pad_multiple,
            "bucket_multiple": front_end.bucket_multiple,
        }
    rules = {
        key: value for key, value in plain(protocol).items() if key not in _IDLE_PROTOCOL_FIELDS
    }
    return {
        "corpus": corpus.semantic(),
        "model": _without_empty(
            {
                "name": model.name,
                "version": model.version,
                "config": plain(model.config),
                "outputs": plain(model.outputs) if model.kind == "network" else None,
                "development": plain(model.development),
            }
        ),
        "inputs": inputs,
        "protocol": _without_empty(rules),
        "epochs_override": epochs if model.kind == "network" else None,
        "backend": backend if model.kind == "network" else "scikit-learn",
    }


def current_fingerprint(experiment: Mapping[str, Any], registry: Registry) -> str | None:
    """Return the configuration fingerprint that an old experiment would have today.

    Args:
        experiment: what its `experiment.json` holds
        registry: today's corpora

    Returns:
        the fingerprint, or None if its corpus, model or protocol no longer exists
    """
    try:
        corpus = registry.get(experiment["corpus"])
        model = models.get(experiment["model"])
        protocol = protocols.get(experiment["protocol"])
    except SpecError:
        return None
    return fingerprint(
        configuration(
            corpus,
            model,
            protocol,
            epochs=experiment["configuration"].get("epochs_override"),
            backend=experiment["backend"],
        )
    )


def _corpora(
    selection: Selection, registry: Registry, places: Places, left_out: dict[str, str]
) -> Iterator[Corpus]:
    """Yield the corpora to run; what "all" does not find is noted."""
    chosen = select(selection.corpora, registry, places)
    if "all" in selection.corpora:
        present = {corpus.name for corpus in chosen}
        for name in registry.names():
            if name not in present:
                synthetic = registry.get(name).synthetic
                left_out[name] = "synthetic; run it by name" if synthetic else "not found on disk"
    return iter(chosen)


def select(names: Sequence[str], registry: Registry, places: Places) -> list[Corpus]:
    """Return the corpora that were named, or with "all" every real corpus on disk.

    Raises:
        SpecError: if a name is wrong
        CorpusError: if "all" finds none
    """
    if "all" not in names:
        return [registry.get(name) for name in dict.fromkeys(names)]
    every = [registry.get(name) for name in registry.names()]
    found = [item for item in every if not item.synthetic and corpora.find(item, places.data)]
    if not found:
        where = f"under {places.data}" if places.data else "because --data was not given"
        raise CorpusError(
            f"--corpus all: found none of the registered corpora {where}. Unpack a corpus into "
            "<data>/<name>, or try `--corpus demo`. `emobench corpora` tells where to get each."
        )
    return found


def _models(selection: Selection) -> Iterator[ModelSpec]:
    """Yield the models to run."""
    names = models.names() if "all" in selection.models else dict.fromkeys(selection.models)
    return (models.get(name) for name in names)


def _unfit(model: ModelSpec, corpus: Corpus) -> str | None:
    """Return why a model cannot be run on a corpus, or None."""
    for wanted in model.inputs.values():
        missing = features.missing_package(wanted.feature)
        if missing:
            return f"its front-end {wanted.feature} needs the package {missing}"
    if "transcript" in model.needs and not corpus.has_transcripts:
        return "the corpus has no transcripts"
    return None


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without the entries that are unset."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
