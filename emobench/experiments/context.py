"""What the jobs of one experiment share, read once per process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import conditions, corpora, experiments, models, protocols
from ..errors import EmobenchError
from ..features.workers import ALONE, Crew
from ..spec import Experiment, Fold, ModelSpec, Places, Protocol, fingerprint, plain
from . import dataset
from .dataset import AppliedCondition, Dataset


@dataclass(frozen=True)
class Context:
    """What the jobs of one experiment share."""

    experiment: Experiment
    model: ModelSpec
    protocol: Protocol
    data: Dataset
    folds: list[Fold]

    @property
    def epochs(self) -> int:
        """Number of epochs: asked for, else the protocol's, else the model's own."""
        override = self.experiment.configuration["epochs_override"]
        return override or self.protocol.epochs or self.model.config.epochs


_open: dict[str, Context] = {}


def applied_condition(configuration: Mapping[str, Any]) -> AppliedCondition:
    """Return what the sound goes through in an experiment of this configuration."""
    wanted = configuration.get("condition")
    if not wanted:
        return AppliedCondition()
    return AppliedCondition(conditions.parse(wanted["name"]), wanted["sides"])


def open_context(experiment: Experiment, places: Places, crew: Crew | None = ALONE) -> Context:
    """Return what an experiment's jobs share, reading it once per process.

    Args:
        experiment: which
        places: where to read
        crew: who extracts features that are not cached; None where that is not to be done

    Raises:
        UncachedError: if features are not cached and nobody is to extract them
        EmobenchError: if what this process would compute is not what was planned
    """
    if experiment.fingerprint not in _open:
        registry = corpora.load_registry(places.datasets)
        corpus = registry.get(experiment.corpus)
        model = models.get(experiment.model)
        protocol = protocols.get(experiment.protocol)
        _insist_on_the_plan(
            experiment, experiments.again(experiment, corpus, model, protocol, places)
        )
        data = dataset.load(
            corpus,
            model,
            places,
            applied=applied_condition(experiment.configuration),
            control=experiments.controlled(experiment.configuration),
            normalisation=protocol.normalisation,
            skip_bad=experiment.skip_bad,
            crew=crew,
        )
        if data.digest != experiment.clips:
            raise EmobenchError(
                f"{experiment.corpus}: the corpus changed while it was being used. "
                "Run the same command again."
            )
        _open.clear()
        _open[experiment.fingerprint] = Context(
            experiment, model, protocol, data, data.folds(protocol)
        )
    return _open[experiment.fingerprint]


def _insist_on_the_plan(experiment: Experiment, found: Mapping[str, Any]) -> None:
    """Refuse to compute something else than what the result would be filed under."""
    planned = experiment.configuration
    if fingerprint(planned) == fingerprint(found):
        return
    differing = list(_differences(planned, found))
    where, wanted, here = differing[0]
    more = f" (and {len(differing) - 1} more differences)" if len(differing) > 1 else ""
    raise EmobenchError(
        f"{experiment.title}: expected {where} = {wanted!r}, as planned, found {here!r} in the "
        f"process that computes{more}. Something was changed after the run began, or by the "
        "calling script alone: put it into a registry file or a module of emobench, and run again."
    )


def _differences(planned: Any, found: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the place of each difference of two configurations, with both values."""
    if isinstance(planned, Mapping) and isinstance(found, Mapping):
        for key in sorted({*planned, *found}):
            inside = f"{where}.{key}" if where else key
            yield from _differences(planned.get(key), found.get(key), inside)
    elif plain(planned) != plain(found):
        yield where, planned, found
