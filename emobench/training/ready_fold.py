"""A fold made ready for a network: its clips parted, its inputs prepared, its network opened."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..experiments.context import Context
from ..experiments.inputs import Prepared
from ..spec import Fold, ModelSpec
from .feeding import Feed, Parts, part
from .network import Network

_KEPT = 5
"""Networks that a process keeps. Tracing one costs as much as several epochs, and a fold needs one
for each cell of a grid (three at most) besides the one that is then trained."""

_networks: OrderedDict[tuple[str, str], Network] = OrderedDict()
"""By the model's name and all that shapes it, the last used at the end."""


@dataclass(frozen=True)
class ReadyFold:
    """What a network is trained and tested on.

    Attributes:
        context: what the folds share
        seed: of weights, order and dropout
        parts: clips to train on, to watch and to test
        inputs: prepared with what the training clips tell
    """

    context: Context
    seed: int
    parts: Parts
    inputs: Mapping[str, Prepared]

    @property
    def tables(self) -> list[Mapping[str, Any]]:
        """Weights that front-ends give; see `Network.restart`."""
        return [item.fitted.weights for item in self.inputs.values()]

    def feed(self, network: Network) -> Feed:
        """Return what makes batches for a network."""
        return Feed(self.context, self.inputs, network.trained_outputs)


def make_ready(
    context: Context,
    fold: Fold,
    seed: int,
    *,
    tuning: bool = False,
    inputs: Mapping[str, Prepared] | None = None,
) -> ReadyFold:
    """Return a fold that is ready to be trained on.

    Args:
        context: what the folds share
        fold: what is trained on and what is tested
        seed: of weights, order and dropout
        tuning: whether the test clips of this fold are training clips of another: they then sound
            as training clips do, and no clip but those of this fold is looked at
        inputs: those of the same fold in another repetition, if they are known already
    """
    parts = part(context, fold, seed)
    if inputs is None:
        tested = () if tuning else parts.test
        known = np.concatenate([parts.training, parts.development, parts.test]) if tuning else None
        inputs = {
            name: context.data.prepare(name, parts.training, tested, known)
            for name in context.data.inputs
        }
    return ReadyFold(context, seed, parts, inputs)


def open_network(ready: ReadyFold, config: Mapping[str, Any]) -> Network:
    """Return the traced network for a fold's shapes, which a process builds once.

    Args:
        ready: the fold
        config: hyper-parameters that differ from the model's
    """
    key, spec, shapes = _described(ready, config)
    for other in [known for known in _networks if known[0] != spec.name]:
        del _networks[other]  # its experiment is over, and a card's memory is not for nothing
    if key not in _networks:
        _networks[key] = Network(spec, shapes, len(ready.context.data.labels))
    _networks.move_to_end(key)
    while len(_networks) > _KEPT:
        _networks.popitem(last=False)
    return _networks[key]


def same_network(one: ReadyFold, other: ReadyFold) -> bool:
    """Tell whether two folds of an experiment are trained with one and the same network."""
    return _described(one, {})[0] == _described(other, {})[0]


def _described(
    ready: ReadyFold, config: Mapping[str, Any]
) -> tuple[tuple[str, str], ModelSpec, dict[str, tuple[int | None, ...]]]:
    """Return the name, the configured model and the input shapes of a fold's network."""
    shapes = {name: item.shape for name, item in ready.inputs.items()}
    changed = dict(config)
    # What a front-end learnt from the training clips may decide sizes: a vocabulary of the fold's
    # own makes a network of its own, and folds that agree share one.
    for item in ready.inputs.values():
        changed |= item.fitted.config
    spec = ready.context.model
    if changed:
        spec = replace(spec, config=replace(spec.config, **changed))
    shaped = repr((spec.config, shapes, len(ready.context.data.labels)))
    return (spec.name, shaped), spec, shapes
