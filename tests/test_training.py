"""Nothing about a test clip reaches training; a reset network is a new network."""

from __future__ import annotations

from dataclasses import make_dataclass, replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from conftest import feature_set

from emobench import corpora, models, protocols
from emobench.batches import Batches
from emobench.experiments import dataset
from emobench.experiments.context import open_context
from emobench.experiments.dataset import Dataset
from emobench.experiments.inputs import Side
from emobench.runs import Selection, plan
from emobench.runs.preparing import prepare
from emobench.sources import Source
from emobench.spec import Development, Job, OutputSpec, Places
from emobench.training import jobs, network_fold
from emobench.training.network import Network

MODEL = "latif2019"  # batch normalisation and dropout: the most state to leak or to forget


@pytest.fixture(scope="module")
def data(tiny_data, tiny_cache, tmp_path_factory):
    places = Places(
        tmp_path_factory.mktemp("unused"), tiny_cache, tiny_data, (tiny_data / "datasets.yaml",)
    )
    registry = corpora.load_registry(places.datasets)
    return dataset.load(registry.get("tiny"), models.get(MODEL), places)


@pytest.fixture(scope="module")
def context(data, tiny_data, tiny_cache, tmp_path_factory):
    places = Places(
        tmp_path_factory.mktemp("results"), tiny_cache, tiny_data, (tiny_data / "datasets.yaml",)
    )
    selection = Selection((MODEL,), ("tiny",), epochs=2)
    planned = plan(selection, places)
    corpus, (model,) = planned.pairs[0]
    step, _ = prepare(corpus, model, planned, places)
    return open_context(step.experiment, places)


def trained_weights(context):
    """Run a job and return what was learnt."""
    trained = network_fold.train(context, context.folds[1], 7)
    return [keras.ops.convert_to_numpy(value) for value in trained.network.model.variables]


def sources_of(data: Dataset, positions: np.ndarray) -> dict[str, Source]:
    """Return the inputs, standardised with the clips at these positions."""
    return {name: data.prepare(name, positions).source for name in data.inputs}


def shapes_of(data: Dataset) -> dict[str, tuple]:
    """Return the shape of each input."""
    return {name: data.prepare(name, np.arange(3)).shape for name in data.inputs}


def assert_same(first, second):
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)


def with_test_labels(data: Dataset, test: np.ndarray) -> Dataset:
    """Return a data set whose test clips all carry another label."""
    table = data.table.copy()
    column = table.columns.get_loc("label")
    shifted = [data.labels[(data.labels.index(label) + 1) % 3] for label in table["label"]]
    for position in test:
        table.iat[position, column] = shifted[position]
    return replace(data, table=table)


def with_test_audio(data: Dataset, test: np.ndarray) -> Dataset:
    """Return a data set whose test clips hold other values, with other statistics."""
    changed = {}
    for name, item in data.inputs.items():
        side = item.learnt
        values = [np.array(side.clip(position)) for position in range(len(data.table))]
        for position in test:
            values[position] = values[position][::-1] * 3 + 1
        side = Side(feature_set(data.table.index, values), np.arange(len(values)))
        changed[name] = replace(item, learnt=side, tested=side)
    return replace(data, inputs=changed)


@pytest.mark.parametrize("change", [with_test_labels, with_test_audio])
@pytest.mark.parametrize("scaling", ["speaker", "training"])
def test_nothing_about_a_test_clip_changes_what_is_trained(context, change, scaling):
    inputs = {name: replace(item, scaling=scaling) for name, item in context.data.inputs.items()}
    context = replace(context, data=replace(context.data, inputs=inputs))
    test = context.data.positions(context.folds[1].test)
    changed = replace(context, data=change(context.data, test))
    assert_same(trained_weights(context), trained_weights(changed))


def test_training_does_change_when_a_training_clip_does(context):
    training = context.data.positions(context.folds[1].training)[:1]
    changed = replace(context, data=with_test_labels(context.data, training))
    before, after = trained_weights(context), trained_weights(changed)
    assert any(not np.array_equal(one, two) for one, two in zip(before, after, strict=True))


def test_published_weights_count_test_clips_and_only_that_protocol_does(context):
    published = replace(context, protocol=protocols.get("keesing2020"))
    published = replace(published, experiment=replace(context.experiment, protocol="keesing2020"))
    test = published.data.positions(published.folds[1].test)
    changed = replace(published, data=with_test_labels(published.data, test[:1]))
    before, after = trained_weights(published), trained_weights(changed)
    assert any(not np.array_equal(one, two) for one, two in zip(before, after, strict=True))


def test_a_development_set_holds_other_speakers_and_no_test_clip(context):
    model = replace(context.model, development=Development(share=0.3, patience=1))
    config = replace(model.config, learning_rate=1e-2)
    context = replace(context, model=replace(model, config=config))
    experiment = replace(
        context.experiment,
        configuration={**context.experiment.configuration, "epochs_override": 30},
    )
    context = replace(context, experiment=experiment)
    facts = network_fold.run(context, Job(1), 7, lambda done, total, loss: None).facts
    assert facts["developed_on"] == "speaker-disjoint"
    assert facts["epochs"] < 30
    test = context.data.positions(context.folds[1].test)
    before = trained_weights(context)
    assert_same(before, trained_weights(replace(context, data=with_test_audio(context.data, test))))


def test_a_restarted_network_is_a_new_one(data):
    spec = models.get(MODEL)
    shapes = shapes_of(data)
    positions = np.arange(len(data.table))
    sources = sources_of(data, positions)
    truth = np.eye(3, dtype=np.float32)[data.targets]

    def train(network, seed):
        network.restart(seed)
        batches = Batches(
            sources,
            positions,
            targets=truth,
            weights=np.ones(len(positions), np.float32),
            batch_size=8,
            batching="padded-length",
            seed=seed,
        )
        network.fit(batches, 2, lambda done, loss: None)
        test = Batches(sources, positions, batch_size=8, batching="padded-length")
        return network.predict(test)

    used = Network(spec, shapes, 3)
    train(used, 1)
    train(used, 2)
    np.testing.assert_array_equal(train(used, 5), train(Network(spec, shapes, 3), 5))
    assert not np.array_equal(train(used, 5), train(used, 6))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="counts TensorFlow's traces")
def test_a_second_job_traces_nothing(data):
    spec = models.get(MODEL)
    network = Network(spec, shapes_of(data), 3)
    positions = np.arange(len(data.table))
    sources = sources_of(data, positions)
    steps = []
    step = network.learner.train_step

    def counted(batch):
        steps.append(batch)  # a traced function's Python runs only while it is traced
        return step(batch)

    network.learner.train_step = counted
    for fold in (positions[:15], positions[3:], positions[::2]):
        network.restart(0)
        batches = Batches(
            sources,
            fold,
            targets=np.eye(3, dtype=np.float32)[data.targets][fold],
            weights=np.ones(len(fold), np.float32),
            batch_size=2,
            batching="padded-length",
            seed=0,
        )
        network.fit(batches, 2, lambda done, loss: None)
    assert len(steps) <= 2  # one of the first length, one of any


def test_predictions_are_in_the_order_of_the_positions(data):
    spec = models.get(MODEL)
    shapes = shapes_of(data)
    network = Network(spec, shapes, 3)
    positions = np.arange(len(data.table))[::-1]
    sources = sources_of(data, positions)
    many = network.predict(Batches(sources, positions, batch_size=8, batching="padded-length"))
    for row, position in enumerate(positions):
        one = network.predict(
            Batches(sources, np.array([position]), batch_size=1, batching="padded-length")
        )
        np.testing.assert_allclose(many[row], one[0], atol=1e-5)


def two_heads(config, shapes, n_classes):
    """Build a network whose prediction is the mean of two heads, each with a loss."""
    samples = keras.Input(shapes["waveform"], name="waveform")
    pooled = keras.layers.GlobalMaxPooling1D()(
        keras.layers.Conv1D(4, 400, strides=160, activation="tanh")(samples)
    )
    heads = {
        name: keras.layers.Softmax(name=name)(keras.layers.Dense(n_classes)(pooled))
        for name in ("one", "two")
    }
    mean = keras.layers.Average(name="mean")(list(heads.values()))
    return keras.Model({"waveform": samples}, {**heads, "mean": mean})


def test_a_network_with_several_outputs_is_trained_and_read(data):
    spec = replace(
        models.get(MODEL),
        build=two_heads,
        outputs={
            "one": OutputSpec(weight=0.25),
            "two": OutputSpec(weight=0.75),
            "mean": OutputSpec(loss=None),
        },
        prediction="mean",
    )
    network = Network(spec, shapes_of(data), 3)
    network.restart(0)
    positions = np.arange(len(data.table))
    sources = sources_of(data, positions)
    common = {"batch_size": 64, "batching": "sorted"}
    truth = np.eye(3, dtype=np.float32)[data.targets]
    batches = Batches(
        sources,
        positions,
        targets=truth,
        weights=np.ones(len(positions), np.float32),
        outputs=network.trained_outputs,
        **common,
    )
    clips = {"waveform": sources["waveform"].stack(positions, 24000)}
    heads = network.model.predict(clips, verbose=0)
    expected = sum(
        weight * -np.log((heads[name] * truth).sum(axis=1)).mean()
        for name, weight in (("one", 0.25), ("two", 0.75))
    )
    predicted = network.predict(Batches(sources, positions, **common))
    np.testing.assert_allclose(predicted, (heads["one"] + heads["two"]) / 2, atol=1e-6)
    (loss,) = network.fit(batches, 1, lambda done, loss: None)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_a_loss_that_is_not_a_number_is_said(data):
    spec = models.get(MODEL)
    config = replace(spec.config, learning_rate=1e30)
    network = Network(replace(spec, config=config), {"waveform": (None, 1)}, 3)
    positions = np.arange(len(data.table))
    batches = Batches(
        sources_of(data, positions),
        positions,
        targets=np.eye(3, dtype=np.float32)[data.targets],
        weights=np.full(len(positions), np.nan, np.float32),
        batch_size=8,
        batching="padded-length",
        seed=0,
    )
    network.restart(0)
    with pytest.raises(Exception, match="the training loss is not a number"):
        network.fit(batches, 2, lambda done, loss: None)


def test_a_job_has_a_seed_of_its_own_on_every_machine():
    assert jobs.job_seed(Job(0, 1)) == 1835504127
    seeds = {jobs.job_seed(Job(fold, number)) for fold in range(12) for number in range(1, 4)}
    assert len(seeds) == 36


def with_epochs(context, epochs):
    configuration = {**context.experiment.configuration, "epochs_override": epochs}
    return replace(context, experiment=replace(context.experiment, configuration=configuration))


def test_only_flawed_protocols_let_the_test_clips_choose_the_epoch(context):
    choosing = [name for name in protocols.names() if protocols.get(name).selection]
    assert choosing == ["wang2020-random5", "leaky-epoch"]
    fold, epochs = context.folds[1], 3
    config = replace(context.model.config, learning_rate=3e-3)
    collected = replace(context.protocol, statistics="running")  # what the epochs are judged by
    context = replace(context, model=replace(context.model, config=config), protocol=collected)
    last = [network_fold.train(with_epochs(context, n + 1), fold, 7) for n in range(epochs)]
    assert all("best_test_epoch" not in trained.facts for trained in last)
    truth = context.data.targets[context.data.positions(fold.test)]
    accuracy = [np.mean(trained.probabilities.argmax(axis=1) == truth) for trained in last]
    published = protocols.get("wang2020-random5").selection
    chosen = replace(context, protocol=replace(context.protocol, selection=published))
    best = network_fold.train(with_epochs(chosen, epochs), fold, 7)
    assert best.facts["best_test_epoch"] == np.argmax(accuracy) + 1
    assert best.facts["epochs"] == epochs
    np.testing.assert_array_equal(best.probabilities, last[np.argmax(accuracy)].probabilities)


@pytest.mark.parametrize(
    ("max_steps", "portion", "rounds"),
    [(None, 1, 9), (1, 1, 1), (19, 1, 1), (20, 1, 2), (999, 1, 9), (None, 0.25, 30), (20, 0.25, 6)],
)
def test_the_most_steps_and_epochs_are_kept(max_steps, portion, rounds):
    """Ten batches, three of them between checks where the portion is a quarter; nine epochs."""
    source = Source(lambda position: np.zeros((1, 1), np.float32), np.ones(40, int))
    batches = Batches(
        {"x": source}, np.arange(40), batch_size=4, batching="sorted", seed=0, portion=portion
    )
    config = SimpleNamespace(max_steps=max_steps)
    context = SimpleNamespace(epochs=9, model=SimpleNamespace(config=config))
    assert network_fold._rounds(context, batches) == rounds


def test_checks_within_an_epoch_make_no_more_epochs(context):
    early = Development(share=0.3, patience=99, checks_per_epoch=10)
    config = replace(context.model.config, batch_size=3)
    context = replace(context, model=replace(context.model, development=early, config=config))
    trained = network_fold.train(with_epochs(context, 3), context.folds[1], 7)
    # Twelve clips are left to train on: whole batches, two of them between checks.
    assert trained.facts["n_development"] == 6
    assert trained.facts["epochs"] == pytest.approx(3, abs=0.5)
    assert len(trained.facts["loss"]) > 3
    watched = trained.facts["development_loss"]
    assert len(watched) == len(trained.facts["loss"])
    share = trained.facts["epochs"] / len(watched)
    assert trained.facts["best_epoch"] == pytest.approx(share * (np.argmin(watched) + 1), abs=0.01)


def small_network(data, **options):
    """Return a network with these options and a function that trains it."""
    spec = models.get(MODEL)
    names = {"learning_rate": 0.1, "batch_size": 4, **options}
    config = make_dataclass("Config", [(key, type(names[key])) for key in names])(**names)
    network = Network(
        replace(spec, config=config, build=lambda config, *more: one_head(*more)),
        shapes_of(data), 3,
    )  # fmt: skip
    positions = np.arange(len(data.table))

    def train(epochs, report=lambda done, loss: None, portion=1.0):
        network.restart(0)
        start = network.model.get_weights()
        batches = Batches(
            sources_of(data, positions),
            positions,
            targets=np.eye(3, dtype=np.float32)[data.targets],
            weights=np.ones(len(positions), np.float32),
            batch_size=4,
            batching="sorted",
            seed=0,
            portion=portion,
        )
        network.fit(batches, epochs, report)
        return start, network.model.get_weights()

    return network, train


def one_head(shapes, n_classes):
    samples = keras.Input(shapes["waveform"], name="waveform")
    pooled = keras.layers.GlobalMaxPooling1D()(keras.layers.Conv1D(3, 400, 160)(samples))
    output = keras.layers.Softmax()(keras.layers.Dense(n_classes)(pooled))
    return keras.Model({"waveform": samples}, output)


def test_the_learning_rate_is_halved_after_the_epochs_named(data):
    network, train = small_network(data, halve_after=(1, 3))
    for portion, expected in (
        (1.0, [0.1, 0.05, 0.05, 0.025, 0.025]),
        (0.5, [0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025]),
    ):
        seen = []
        train(
            len(expected),
            lambda done, loss, seen=seen: seen.append(
                float(network.learner.optimizer.learning_rate)
            ),
            portion,
        )
        assert seen == pytest.approx(expected)


def test_gradients_are_clipped_by_value(data):
    network, train = small_network(data, clip_value=1e-30)
    assert network.learner.optimizer.clipvalue == 1e-30
    # Adam divides by the gradient's own size but for an epsilon of 1e-7: nothing is left of it.
    for before, after in zip(*train(1), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-20)
    free, train = small_network(data)
    assert free.learner.optimizer.clipvalue is None
    assert not np.array_equal(*(each[0] for each in train(1)))


def test_each_watched_clip_counts_alike_whatever_its_batch(data):
    """Batches to predict are of several sizes; the loss that stops training is over clips."""
    network = Network(models.get(MODEL), shapes_of(data), 3)
    network.restart(3)
    lengths = np.array([8000] * 9 + [16000] * 2 + [24000])
    rows = [np.random.default_rng(n).normal(size=(n, 1)).astype(np.float32) for n in lengths]
    source = Source(rows.__getitem__, lengths, 8000, 8000)
    truth = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    weights = np.linspace(0.2, 3, 12, dtype=np.float32)
    watched = Batches(
        {"waveform": source},
        np.arange(12),
        targets=truth,
        weights=weights,
        batch_size=4,
        batching="padded-length",
    )
    assert len({len(batch.members) for batch in watched.current}) > 1
    chances = network.predict(watched)
    expected = (weights * -np.log((chances * truth).sum(axis=1))).mean()
    assert network.loss(watched) == pytest.approx(expected, rel=1e-4)
