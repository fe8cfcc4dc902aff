"""What a fold's test clips get by running and by measured statistics of batch normalisation.

Trains a network on one fold under `losgo` and prints, as one line of JSON, the UAR of the test
clips and of the training clips by running statistics, by those measured on the training clips, and
by those of the batches themselves.

    python benchmarks/batch_statistics.py zhao2019 emo-db --fold 0 --data corpora
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from emobench import runs
from emobench.backend import start_backend
from emobench.experiments.context import Context
from emobench.metrics import uar
from emobench.runs.preparing import prepare
from emobench.spec import Job
from emobench.training.seeds import job_seed


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("corpus")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cache", type=Path)
    told = parser.parse_args()
    places = runs.find_places(data=told.data, cache=told.cache)
    planned = runs.plan(runs.Selection((told.model,), (told.corpus,), epochs=told.epochs), places)
    corpus, (model,) = planned.pairs[0]
    step, data = prepare(corpus, model, planned, places)
    context = Context(step.experiment, model, planned.protocol, data, data.folds(planned.protocol))
    start_backend()
    print(json.dumps({"model": model.name, "fold": told.fold, **measure(context, told.fold)}))


def measure(context: Context, fold: int) -> dict[str, object]:
    """Return the UAR of a fold's clips by every kind of statistics."""
    from emobench.training.normalisation import choose_statistics
    from emobench.training.ready_fold import make_ready, open_network

    ready = make_ready(context, context.folds[fold], job_seed(Job(fold)))
    network = open_network(ready, {})
    feed = ready.feed(network)
    network.restart(ready.seed, ready.tables)
    training, test = ready.parts.training, ready.parts.test
    loss = network.fit(
        feed.labelled(training, seed=ready.seed), context.epochs, lambda done, loss: None
    )
    truth = context.data.targets[test]

    def reached(probabilities: np.ndarray) -> float:
        return round(100 * uar(list(truth), list(probabilities.argmax(axis=1))), 1)

    tested = {"running": reached(network.predict(feed.unlabelled(test)))}
    facts = choose_statistics(
        network,
        "recomputed",
        feed.unlabelled(training, seed=ready.seed),
        feed.unlabelled(training),
        context.data.targets[training],
    )
    tested["recomputed"] = reached(network.predict(feed.unlabelled(test)))
    composed = feed.unlabelled(test, seed=ready.seed)
    rows = [network.predict_by_batch(composed.inputs(batch)) for batch in composed.current]
    tested["batch"] = reached(composed.scatter(np.concatenate(rows)))
    return {"test": tested, "training": facts["training_uar"], "loss": round(loss[-1], 4)}


if __name__ == "__main__":
    main()
