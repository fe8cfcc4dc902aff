"""Training a network on a fold and testing it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..batches import Batches
from ..experiments.context import Context
from ..experiments.inputs import Prepared
from ..spec import Development, Fold, Job, fingerprint
from . import ahead, together, tuning
from .attending import attention
from .best_epoch import BestEpoch
from .feeding import Feed, Parts
from .network import Network
from .normalisation import Statistics, choose_statistics
from .ready_fold import ReadyFold, make_ready, open_network
from .seeds import job_seed

Report = Callable[[int, int, float], None]
"""Called with finished epochs, epochs in all, and the training loss."""

_searches: dict[str, tuning.Found] = {}


@dataclass(frozen=True)
class Trained:
    """A network after a fold.

    Attributes:
        network: with the weights that are used
        probabilities: of the fold's test clips, of shape `(test clips, classes)`
        facts: what is to be recorded
        inputs: prepared with what the training clips tell, by name
        attention: weights of the rows of each test clip, for networks whose pooling attends
    """

    network: Network
    probabilities: np.ndarray
    facts: dict[str, Any]
    inputs: Mapping[str, Prepared]
    attention: Sequence[np.ndarray] = ()


def run(
    context: Context,
    job: Job,
    seed: int,
    report: Report,
    siblings: Sequence[Job] | None = None,
    tuned: Mapping[str, Any] | None = None,
) -> Trained:
    """Search what is to be searched, train on a fold and predict its test clips.

    Args:
        context: what the folds share
        job: which fold of which repetition
        seed: of weights, order and dropout
        report: called after every epoch
        siblings: jobs of the experiment that may be trained along, none if they are done already;
            None to train it by itself
        tuned: hyper-parameters that were found on the evaluation folds, where the protocol looks
            there
    """
    fold = context.folds[job.fold]
    chosen = dict(tuned or {})
    facts: dict[str, Any] = {"parameters": chosen} if tuned else {}
    if context.model.grid and context.protocol.tuning == "nested":
        found = _searched(context, fold, seed)
        chosen = found.parameters
        facts |= {
            "parameters": chosen,
            "grid": found.scores,
            "tuned_on": f"training folds, {found.kind}",
        }
    group = None if siblings is None else (job, siblings)
    trained = train(context, fold, seed, config=chosen, report=report, group=group)
    return replace(trained, facts={**facts, **trained.facts})


def tune_on_evaluation_folds(context: Context, report: Report) -> dict[str, Any]:
    """Search hyper-parameters on the folds that are later reported; return the record."""

    def predict(fold: Fold, config: Mapping[str, Any]) -> np.ndarray:
        seed = job_seed(Job(fold.index))
        return train(context, fold, seed, config=config, report=report).probabilities

    found = tuning.search(
        context.model.grid, context.folds, "speaker-disjoint", context.data, predict
    )
    return tuning.on_evaluation_folds(found.parameters, found.scores)


def _searched(context: Context, fold: Fold, seed: int) -> tuning.Found:
    """Return the best hyper-parameters of a fold; a process searches a fold once.

    What the test side sounds like has no part in the search, so experiments that differ in that
    alone share it.
    """
    learnt = dict(context.experiment.configuration)
    if learnt.get("condition", {}).get("sides") == "test":
        del learnt["condition"]
    key = fingerprint([learnt, context.experiment.clips, fold.index, seed])
    if key not in _searches:
        inner, kind = tuning.inner_folds(fold, context.data)
        _searches[key] = tuning.search(
            context.model.grid,
            inner,
            kind,
            context.data,
            lambda part, config: (
                train(context, part, seed, config=config, tuning=True).probabilities
            ),
        )
    return _searches[key]


def train(
    context: Context,
    fold: Fold,
    seed: int,
    *,
    config: Mapping[str, Any] | None = None,
    tuning: bool = False,
    report: Report = lambda done, total, loss: None,
    group: tuple[Job, Sequence[Job]] | None = None,
) -> Trained:
    """Train on a fold and predict its test clips.

    Args:
        context: what the folds share
        fold: what is trained on and what is tested
        seed: of weights, order and dropout
        config: hyper-parameters that differ from the model's
        tuning: whether the test clips of this fold are training clips of another: they then sound
            as training clips do
        report: called after every epoch
        group: which job this is, and those that may be trained along; None to train it alone
    """
    ready = make_ready(context, fold, seed, tuning=tuning)
    parts, inputs = ready.parts, ready.inputs
    network = open_network(ready, config or {})
    feed = ready.feed(network)
    started = time.perf_counter()
    learnt = _learn(ready, network, feed, report, group)
    learnt |= _choose_statistics(context, network, feed, parts.taught, seed)
    finished = time.perf_counter()
    tested = feed.unlabelled(parts.test)
    probabilities = network.predict(tested)
    predicted = time.perf_counter()
    facts = {
        **_facts(parts, inputs),
        "seconds_training": round(finished - started, 3),
        **learnt,
        "keras_backend": network.backend,
        "network_parameters": network.model.count_params(),
        "seconds_prediction": round(predicted - finished, 3),
    }
    attended = () if tuning else _attention(context, network, tested)
    return Trained(network, probabilities, facts, inputs, attended)


def _learn(
    ready: ReadyFold,
    network: Network,
    feed: Feed,
    report: Report,
    group: tuple[Job, Sequence[Job]] | None,
) -> dict[str, Any]:
    """Train a network from its seed, alone or with others; return what is to be recorded of it."""
    context = ready.context
    if group is None:
        return _fit(ready, network, feed, report)
    why = together.obstacle(context.model, context.protocol)
    if why:
        return {**_fit(ready, network, feed, report), "trained_alone": why}
    try:
        found = ahead.take(ready, network, *group, report)
    except ahead.TooLargeError:
        why = "the device's memory does not hold all clips at once"
        return {**_fit(ready, network, feed, report), "trained_alone": why}
    network.take(found.trained.variables, found.trained.loss)
    batches = feed.labelled(ready.parts.taught, seed=ready.seed)
    return {
        **_history(feed, batches, found.trained.loss),
        "trained_together": found.members,
        "seconds_training": round(found.seconds, 3),
    }


def _fit(ready: ReadyFold, network: Network, feed: Feed, report: Report) -> dict[str, Any]:
    """Train a network by itself; return what is to be recorded of it."""
    context, parts = ready.context, ready.parts
    stopping = context.model.development or Development(0, 0)
    batches = feed.labelled(parts.taught, seed=ready.seed, portion=1 / stopping.checks_per_epoch)
    rounds = _rounds(context, batches)
    best = _best(context, network, feed, parts)
    network.restart(ready.seed, ready.tables)
    losses = network.fit(batches, rounds, lambda done, loss: report(done, rounds, loss), best)
    facts = _history(feed, batches, losses)
    if best is not None:
        by = "best_test_epoch" if context.protocol.selection else "best_epoch"
        facts[by] = round(best.epoch * batches.share, 2)
        if not context.protocol.selection:
            facts["development_loss"] = [round(-score, 6) for score in best.scores]
    return facts


def _history(feed: Feed, batches: Batches, losses: Sequence[float]) -> dict[str, Any]:
    """Return what is to be recorded of the batches and of the losses on them."""
    return {
        **feed.facts(batches),
        "epochs": round(len(losses) * batches.share, 2),
        "loss": [round(loss, 6) for loss in losses],
    }


def _best(context: Context, network: Network, feed: Feed, parts: Parts) -> BestEpoch | None:
    """Return what chooses the epoch, where anything but the end does."""
    if context.protocol.selection == "best-test-epoch":
        tested, truth = feed.unlabelled(parts.test), context.data.targets[parts.test]
        return BestEpoch(lambda: float((network.predict(tested).argmax(axis=1) == truth).mean()))
    if len(parts.development):
        watched = feed.labelled(parts.development)
        return BestEpoch(lambda: -network.loss(watched), context.model.development.patience)
    return None


def _choose_statistics(
    context: Context, network: Network, feed: Feed, training: np.ndarray, seed: int
) -> dict[str, Any]:
    """Decide what batch normalisation predicts with; return what is to be recorded of it."""
    how = _statistics(context)
    if how is None:
        return {}
    composed, plain = feed.unlabelled(training, seed=seed), feed.unlabelled(training)
    return choose_statistics(network, how, composed, plain, context.data.targets[training])


def _statistics(context: Context) -> Statistics | None:
    """Return what batch normalisation predicts with, or None for networks without it."""
    asked = getattr(context.model.config, "statistics", None)
    return context.protocol.statistics or "recomputed" if asked == "protocol" else asked


def _rounds(context: Context, batches: Batches) -> int:
    """Return the most rounds of training: epochs, or the portions of epochs between checks."""
    rounds = math.ceil(context.epochs * batches.n_batches / len(batches))
    most_steps = getattr(context.model.config, "max_steps", None)
    return min(rounds, max(most_steps // len(batches), 1)) if most_steps else rounds


def _facts(parts: Parts, inputs: Mapping[str, Prepared]) -> dict[str, Any]:
    """Return what is to be recorded of the clips that were kept and of what inputs learnt."""
    facts: dict[str, Any] = {}
    if parts.developed_on:
        facts["developed_on"] = parts.developed_on
        facts["n_development"] = len(parts.development)
    fitted = {name: dict(item.fitted.facts) for name, item in inputs.items() if item.fitted.facts}
    return facts | ({"fitted": fitted} if fitted else {})


def _attention(context: Context, network: Network, tested: Batches) -> Sequence[np.ndarray]:
    """Return the weights of the rows of each test clip, where a network's pooling attends."""
    layer = context.model.attends
    if not layer:
        return ()
    (source,) = tested.sources.values()
    return attention(network.model, layer, tested, source.lengths[tested.positions])
