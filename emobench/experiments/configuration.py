"""Everything that changes the results of an experiment, and the name that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import conditions, features, models, protocols, versions
from ..conditions import Condition
from ..corpora import Corpus, Registry
from ..errors import CorpusError, SpecError
from ..spec import Backend, Experiment, ModelSpec, Places, Protocol, fingerprint, plain

EXTRAS = ("condition", "transcripts", "vectors")
"""Keys of a configuration that only some experiments have; see `extras`."""

# What tells how much of a protocol is run, or is only printed, changes no prediction.
_IDLE_PROTOCOL_FIELDS = (
    *("title", "caution", "headline", "paper", "repetitions", "model_repetitions", "max_folds"),
)


def configuration(
    corpus: Corpus,
    model: ModelSpec,
    protocol: Protocol,
    *,
    epochs: int | None = None,
    backend: Backend = "tensorflow",
    extras: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return everything that changes the results of an experiment, as plain JSON values.

    Empty and unset values are left out, so that an option added later leaves the fingerprints of
    what was run without it as they are.

    Args:
        corpus: what is trained and tested on
        model: what is trained
        protocol: how
        epochs: asked for
        backend: what trains networks
        extras: what `extras` returns
    """
    usual = protocol.epochs or getattr(model.config, "epochs", None)
    override = epochs if model.kind == "network" and epochs != usual else None
    inputs = {}
    for name, wanted in model.inputs.items():
        front_end = features.get(wanted.feature)
        inputs[name] = {
            "feature": plain(features.spec(wanted.feature, **wanted.params)),
            "scaling": wanted.scaling or front_end.scaling,
            "pad_multiple": front_end.pad_multiple,
            "bucket_multiple": front_end.bucket_multiple,
            **({"longest": front_end.longest} if front_end.longest else {}),
        }
    rules = {
        key: value for key, value in plain(protocol).items() if key not in _IDLE_PROTOCOL_FIELDS
    }
    if not hasattr(model.config, "statistics"):
        rules.pop("statistics", None)  # no batch normalisation to predict with
    return {
        "corpus": corpus.semantic(),
        "model": _without_empty(
            {
                "name": model.name,
                "version": model.version,
                "config": plain(model.config),
                "outputs": plain(model.outputs) if model.kind == "network" else None,
                "development": plain(model.development),
                "grid": plain(model.grid),
            }
        ),
        "inputs": inputs,
        "protocol": _without_empty(rules),
        "epochs_override": override,
        "backend": backend if model.kind == "network" else "scikit-learn",
        **_without_empty({"versions": versions.raised(parts(model, protocol))}),
        **(extras or {}),
    }


def parts(model: ModelSpec, protocol: Protocol) -> list[str]:
    """Return the shared parts that compute an experiment, as named in `versions`."""
    network = model.kind == "network"
    tunes = protocol.tuning != "none" and (bool(model.grid) or not network)
    used = {
        "folds": True,
        "development": model.development is not None,
        "resampling": takes_audio(model),
        "scaling": takes_audio(model),
        "weights": protocol.weights != "none",
        "batching": network,
        "training": network,
        "tuning": tunes,
        "estimator": not network,
    }
    return [part for part, whether in used.items() if whether]


def extras(model: ModelSpec, places: Places, condition: Condition, sides: str) -> dict[str, Any]:
    """Return what an experiment has beside corpus, model and protocol, where it is asked for.

    That is the condition of the sound and, for models that read, the content of the files that
    texts and word vectors come from.

    Args:
        model: what is trained
        places: where texts and vectors are
        condition: what the sound goes through
        sides: which clips go through it

    Raises:
        CorpusError: if a file cannot be read
    """
    found: dict[str, Any] = {}
    if condition != Condition() and takes_audio(model):
        found["condition"] = _described(condition, sides)
    if "transcript" in model.needs:
        for key, file in (("transcripts", places.transcripts), ("vectors", places.vectors)):
            if file is not None:
                found[key] = {"sha256": _content(file)}
    return found


def takes_audio(model: ModelSpec) -> bool:
    """Tell whether a model has an input that is sound."""
    return any(not features.get(wanted.feature).text for wanted in model.inputs.values())


def _content(file: Path) -> str:
    """Return the SHA-256 of a file."""
    try:
        facts = file.stat()
        return _digest(file, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise CorpusError(
            f"{file}: expected a file that can be read, found: {error.strerror}. Correct the path."
        ) from error


@lru_cache(maxsize=8)  # word vectors are gigabytes, and every experiment asks for them
def _digest(file: Path, size: int, modified: int) -> str:
    """Return the SHA-256 of a file; size and time make a changed one another one."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def again(
    experiment: Experiment, corpus: Corpus, model: ModelSpec, protocol: Protocol, places: Places
) -> dict[str, Any]:
    """Return the configuration of a planned experiment as this process finds it.

    Args:
        experiment: as planned
        corpus: of that name, as registered here
        model: of that name, as registered here
        protocol: of that name, as registered here
        places: where texts and vectors are
    """
    planned = experiment.configuration
    heard = planned.get("condition") or {"name": "none", "sides": "test"}
    return configuration(
        corpus,
        model,
        protocol,
        epochs=planned.get("epochs_override"),
        backend=experiment.backend,
        extras=extras(model, places, conditions.parse(heard["name"]), heard["sides"]),
    )


def current_fingerprint(experiment: Mapping[str, Any], registry: Registry) -> str | None:
    """Return the configuration fingerprint that an old experiment would have today.

    Args:
        experiment: what its `experiment.json` holds
        registry: today's corpora

    Returns:
        the fingerprint, or None if its corpus, model, protocol or condition no longer exists, or
        its configuration is nothing that this version could have written
    """
    configured = experiment["configuration"]
    try:
        corpus = registry.get(experiment["corpus"])
        model = models.get(experiment["model"])
        protocol = protocols.get(experiment["protocol"])
        beside = _today(configured)
    except (SpecError, KeyError, TypeError, AttributeError):
        return None
    return fingerprint(
        configuration(
            corpus,
            model,
            protocol,
            epochs=configured.get("epochs_override"),
            backend=experiment["backend"],
            extras=beside,
        )
    )


def _today(configured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extras of an old configuration as they would be today."""
    found = {key: configured[key] for key in EXTRAS if key in configured}
    if "condition" in found:
        sides = found["condition"]["sides"]
        found["condition"] = _described(conditions.parse(found["condition"]["name"]), sides)
    return found


def _described(condition: Condition, sides: str) -> dict[str, Any]:
    return {**condition.identity, "name": condition.name, "sides": sides}


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without the entries that are unset."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
