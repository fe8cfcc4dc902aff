"""Everything that changes the results of an experiment, and the name that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import conditions, controls, encoders, features, models, protocols, versions
from ..conditions import Condition
from ..controls import Control
from ..corpora import Corpus, Registry
from ..errors import CorpusError, SpecError
from ..spec import (
    Backend,
    Experiment,
    InputSpec,
    ModelSpec,
    Normalisation,
    Places,
    Protocol,
    Scaling,
    Sides,
    fingerprint,
    plain,
)

EXTRAS = ("condition", "control", "transcripts", "vectors", "encoder")
"""Keys of a configuration that only some experiments have; see `extras`."""

# What tells how much of a protocol is run, or is only printed, changes no prediction.
_IDLE_PROTOCOL_FIELDS = (
    *("title", "caution", "headline", "paper", "repetitions", "model_repetitions", "max_folds"),
    *("baseline", "practice"),
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
        corpus: what is trained and tested on; where these are two, the second is `test_corpus`
        model: what is trained
        protocol: how
        epochs: asked for
        backend: what trains networks
        extras: what `extras` returns
    """
    usual = protocol.epochs or getattr(model.config, "epochs", None)
    override = epochs if model.kind == "network" and epochs != usual else None
    rules = {
        key: value for key, value in plain(protocol).items() if key not in _IDLE_PROTOCOL_FIELDS
    }
    if not hasattr(model.config, "statistics"):
        rules.pop("statistics", None)  # no batch normalisation to predict with
    trained, tested = corpus.sides or (corpus, None)
    return {
        "corpus": trained.semantic(),
        **({"test_corpus": tested.semantic()} if tested else {}),
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
        "inputs": _inputs(model, protocol),
        "protocol": _without_empty(rules),
        "epochs_override": override,
        "backend": backend if model.kind == "network" else "scikit-learn",
        **_without_empty({"versions": versions.raised(parts(model, protocol, corpus, backend))}),
        **(extras or {}),
    }


def _inputs(model: ModelSpec, protocol: Protocol) -> dict[str, Any]:
    """Return how each input of a model is made, as plain JSON values."""
    inputs = {}
    for name, wanted in model.inputs.items():
        front_end = features.get(wanted.feature)
        inputs[name] = {
            "feature": plain(features.spec(wanted.feature, **wanted.params)),
            "scaling": scaling_of(wanted, protocol.normalisation),
            "pad_multiple": front_end.pad_multiple,
            "bucket_multiple": front_end.bucket_multiple,
            **({"longest": front_end.longest} if front_end.longest else {}),
        }
    return inputs


def scaling_of(wanted: InputSpec, normalisation: Normalisation) -> Scaling:
    """Return how an input is standardised: as it says, its front-end, or else the protocol."""
    own = wanted.scaling or features.get(wanted.feature).scaling
    return normalisation if normalisation and own != "none" else own


def parts(
    model: ModelSpec, protocol: Protocol, corpus: Corpus, backend: Backend = "tensorflow"
) -> list[str]:
    """Return the shared parts that compute an experiment, or may, as named in `versions`."""
    network = model.kind == "network"
    together = network and backend == "jax" and not decided_while_training(model, protocol)
    tunes = searches(model, protocol)
    nests = tunes and protocol.tuning == "nested"
    stops = model.development is not None
    used = {
        "folds": True,
        "development": stops,
        "resampling": takes_audio(model),
        "scaling": takes_audio(model),
        "weights": protocol.weights != "none",
        "batching": network,
        "training": network,
        "training together": together,
        "tuning": tunes,
        "network tuning": tunes and network and not nests,
        "inner scaling": tunes and not network and _scaled_anew(model, protocol, corpus),
        "inner speakers": (nests or stops) and _holds_out_several(corpus),
        "estimator": not network,
    }
    return [part for part, whether in used.items() if whether]


def searches(model: ModelSpec, protocol: Protocol) -> bool:
    """Tell whether hyper-parameters of a model are searched under a protocol."""
    return protocol.tuning != "none" and (bool(model.grid) or model.kind == "estimator")


def decided_while_training(model: ModelSpec, protocol: Protocol) -> str:
    """Return what is decided while a fold of a network trains, so that it trains alone, or ""."""
    if model.development or protocol.selection:
        return "its epochs are chosen while it trains"
    if getattr(model.config, "max_steps", None):
        return "its number of steps is bounded"
    if model.grid and searches(model, protocol):
        return "its hyper-parameters are searched in every fold"
    return ""


def _scaled_anew(model: ModelSpec, protocol: Protocol, corpus: Corpus) -> bool:
    """Tell whether a search may standardise otherwise than by all clips that it looks at.

    A speaker's own statistics are the same in a part, but where a fold trains on one speaker
    alone, whose clips are then on both sides of its inner folds.
    """
    scalings = {scaling_of(wanted, protocol.normalisation) for wanted in model.inputs.values()} - {
        "none",
        "corpus",
    }
    few = corpus.expect is None or corpus.expect.speakers in (None, 1, 2)
    return bool(scalings - {"speaker"}) or (
        few and "speaker" in scalings and protocol.tuning == "nested"
    )


def _holds_out_several(corpus: Corpus) -> bool:
    """Tell whether what a corpus holds out may be more than one speaker."""
    return "group" in corpus.columns or any(map(_holds_out_several, corpus.parts))


def extras(
    model: ModelSpec,
    places: Places,
    condition: Condition,
    sides: Sides,
    control: Control = "none",
) -> dict[str, Any]:
    """Return what an experiment has beside corpus, model and protocol, where it is asked for.

    That is the condition of the sound, a control, for models that read the content of the files
    that texts and word vectors come from, and for those that are fed from a frozen encoder what it
    is.

    Args:
        model: what is trained
        places: where texts, vectors and the encoder are
        condition: what the sound goes through
        sides: which clips go through it
        control: what is done to the labels

    Raises:
        CorpusError: if a file cannot be read
        SpecError: if the encoder's card is wrong, or not that of its model
    """
    found: dict[str, Any] = {}
    if control != "none":
        found["control"] = controls.identity(control)
    if condition != Condition() and takes_audio(model):
        found["condition"] = _described(condition, sides)
    if "transcript" in model.needs:
        for key, file in (("transcripts", places.transcripts), ("vectors", places.vectors)):
            if file is not None:
                found[key] = {"sha256": _content(file)}
    if places.encoder is not None and takes_encoder(model):
        found["encoder"] = encoders.described(places.encoder)
    return found


def controlled(configuration: Mapping[str, Any]) -> Control:
    """Return what is done to the labels in an experiment of this configuration."""
    return configuration["control"]["name"] if "control" in configuration else "none"


def takes_audio(model: ModelSpec) -> bool:
    """Tell whether a model has an input that is sound."""
    return any(not features.get(wanted.feature).text for wanted in model.inputs.values())


def takes_encoder(model: ModelSpec) -> bool:
    """Tell whether a model has an input that a frozen encoder gives."""
    return any(features.get(wanted.feature).folder for wanted in model.inputs.values())


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
        extras=extras(
            model,
            places,
            conditions.parse(heard["name"]),
            heard["sides"],
            controlled(planned),
        ),
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
    if "control" in found:
        found["control"] = controls.identity(controlled(found))
    return found


def _described(condition: Condition, sides: str) -> dict[str, Any]:
    return {**condition.identity, "name": condition.name, "sides": sides}


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without the entries that are unset."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
