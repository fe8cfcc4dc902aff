"""What the jobs of one experiment share, read once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import conditions, corpora, models, protocols
from ..errors import EmobenchError
from ..spec import Experiment, Fold, ModelSpec, Places, Protocol
from . import dataset
from .dataset import Dataset, Hearing


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


def hearing(configuration: Mapping[str, Any]) -> Hearing:
    """Return what the sound goes through in an experiment of this configuration."""
    wanted = configuration.get("condition")
    if not wanted:
        return Hearing()
    return Hearing(conditions.parse(wanted["name"]), wanted["sides"])


def open_context(experiment: Experiment, places: Places) -> Context:
    """Return what an experiment's jobs share, reading it once per process."""
    if experiment.fingerprint not in _open:
        registry = corpora.load_registry(places.datasets)
        model = models.get(experiment.model)
        protocol = protocols.get(experiment.protocol)
        data = dataset.load(
            registry.get(experiment.corpus),
            model,
            places,
            hearing=hearing(experiment.configuration),
            skip_bad=experiment.skip_bad,
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
