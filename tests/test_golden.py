"""Numbers that move take a version with them; see `golden`."""

from __future__ import annotations

from dataclasses import replace

import golden
import keras
import numpy as np
import pytest
import soxr
from golden import entries, networks, on_jax, verdicts
from golden.__main__ import renew
from golden.entries import Entry

from emobench import conditions, features, folds, models, scaling, versions, weights
from emobench.features import frames, logmel
from emobench.spec import ModelSpec

KEPT, MADE_WITH = entries.read()
ASKED = dict(golden.measures())
TRAINED_HERE = keras.backend.backend() == "tensorflow"


@pytest.mark.parametrize("name", ASKED)
def test_numbers_move_with_their_version_only(name):
    if "on JAX" in name:
        pytest.importorskip("jax")
    elif name.startswith(("network", "training")) and not TRAINED_HERE:
        pytest.skip("the numbers of networks are TensorFlow's")
    wrong = verdicts.explain(name, KEPT.get(name), ASKED[name](), MADE_WITH, entries.packages())
    assert wrong == "", wrong


def test_nothing_is_kept_that_nobody_asks():
    assert sorted(set(KEPT) - set(ASKED)) == []


def test_everything_that_has_a_version_is_asked():
    asked = {name.partition(" ")[2] for name in ASKED}
    networks_of = {name for name in models.names() if models.get(name).kind == "network"}
    assert networks_of <= asked
    own = {name for name in features.names() if not features.get(name).folder}
    assert {name.partition("(")[0] for name in asked} >= own
    by_training = {"training", "training together"}  # asked of networks
    assert asked >= set(versions.VERSIONS) - by_training
    assert {part for entry in KEPT.values() for part in entry.versions} >= set(versions.VERSIONS)


@pytest.mark.parametrize("name", on_jax.SMALL)
def test_alone_and_together_a_network_is_kept_to_the_same_numbers(name):
    alone, together = (KEPT[f"{trainer} on JAX, {name}"] for trainer in on_jax.TRAINERS)
    assert list(entries.differences(alone.numbers, together.numbers)) == []
    assert set(together.versions) - set(alone.versions) == {"training together"}


# What follows are mutations: each is a change that nobody noticed once, and must be found.


def found(name: str, answer: Entry) -> bool:
    """Tell whether a change is noticed as one of numbers whose version was not raised."""
    return verdicts.judge(KEPT[name], answer) == "moved"


def built(spec: ModelSpec, change) -> ModelSpec:
    """Return a network that is changed after it is built."""

    def build(*arguments):
        network = spec.build(*arguments)
        count = sum(bool(change(layer)) for layer in network._flatten_layers())
        assert count, "the mutation changes nothing"
        return network

    return replace(spec, build=build)


def other_activation(layer) -> bool:
    relu = getattr(layer, "activation", None) is keras.activations.relu
    if relu:
        layer.activation = keras.activations.elu
    return relu


def other_initialiser(layer) -> bool:
    kernel = getattr(layer, "kernel", None) if isinstance(layer, keras.layers.Dense) else None
    if kernel is not None:
        kernel.assign(keras.initializers.HeNormal(seed=1)(kernel.shape))
    return kernel is not None


def no_dropout(layer) -> bool:
    drops = getattr(layer, "rate", 0) or getattr(layer, "dropout", 0)
    if drops:
        setattr(layer, "rate" if hasattr(layer, "rate") else "dropout", 0.0)
    return bool(drops)


def other_momentum(layer) -> bool:
    normalises = hasattr(layer, "momentum")
    if normalises:
        layer.momentum = 0.7
    return normalises


def other_epsilon(layer) -> bool:
    normalises = hasattr(layer, "momentum")
    if normalises:
        layer.epsilon = 0.1
    return normalises


def frozen(layer) -> bool:
    dense = isinstance(layer, keras.layers.Dense)
    if dense:
        layer.trainable = False
    return dense


BUILT = [
    ("latif2019", other_activation, "network training"),
    ("latif2019", other_initialiser, "network training"),
    ("latif2019", no_dropout, "training"),
    ("latif2019", other_momentum, "training"),
    ("latif2019", other_epsilon, "network training"),
    ("aldeneh2017-logmel40", other_activation, "network training"),
    ("aldeneh2017-logmel40", other_initialiser, "network training"),
    ("aldeneh2017-logmel40", frozen, "training"),
    ("zhao2019", other_momentum, "training"),
    ("wang2020-dslstm", other_momentum, "training"),
    ("zhang2019", other_initialiser, "network training"),
    ("zhang2019", no_dropout, "training"),
]


@pytest.mark.skipif(not TRAINED_HERE, reason="the numbers of networks are TensorFlow's")
@pytest.mark.parametrize(("name", "change", "noticed"), BUILT)
def test_a_changed_network_is_noticed(name, change, noticed):
    answers = networks.answer(built(models.get(name), change))
    kinds = zip(("network", "training"), answers, strict=True)
    assert [kind for kind, one in kinds if found(f"{kind} {name}", one)] == noticed.split()


@pytest.mark.skipif(not TRAINED_HERE, reason="the numbers of networks are TensorFlow's")
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("librosa-mlp", {"learning_rate": 1.1e-3}),
        ("yoon2018-are", {"clip_value": 1.0}),
        ("yoon2018-are", {"learning_rate": 5e-4}),
    ],
)
def test_another_setting_of_the_optimizer_is_noticed(name, config):
    spec = models.get(name)
    fresh, trained = networks.answer(replace(spec, config=replace(spec.config, **config)))
    assert not found(f"network {name}", fresh)
    assert found(f"training {name}", trained)


def no_gradient_is_clipped(trainer):
    compiled = trainer.Network.__init__

    def init(self, *arguments):
        compiled(self, *arguments)
        self.learner.optimizer.clipvalue = None

    return init


def weights_are_ignored(trainer):
    fit = trainer.Network.fit

    def changed(self, training, *arguments, **options):
        training.weights = np.ones_like(training.weights)
        return fit(self, training, *arguments, **options)

    return changed


@pytest.mark.skipif(not TRAINED_HERE, reason="the numbers of networks are TensorFlow's")
@pytest.mark.parametrize(
    ("method", "change"), [("__init__", no_gradient_is_clipped), ("fit", weights_are_ignored)]
)
def test_a_changed_trainer_is_noticed(monkeypatch, method, change):
    from emobench.training import network

    monkeypatch.setattr(network.Network, method, change(network))
    _, trained = networks.answer(models.get("yoon2018-are"))
    assert found("training yoon2018-are", trained)


def weights_of_roots(balanced):
    def changed(labels):
        roots = np.sqrt(balanced(labels))
        return roots / roots.mean()

    return changed


def sample_deviation(scaler_of):
    def changed(moments, group):
        scaler = scaler_of(moments, group)
        count = np.maximum(scaling.Moments.stack(moments).count, 2)
        return replace(scaler, scale=scaler.scale * np.sqrt(count / (count - 1)))

    return changed


def backwards(dealt):
    return lambda *arguments: dealt(*arguments)[::-1]


def of_low_quality(resample):
    return lambda *arguments, **options: resample(*arguments, **{**options, "quality": "LQ"})


@pytest.mark.parametrize(
    ("module", "name", "change", "part"),
    [
        (scaling, "EPSILON", lambda value: 0.0, "part scaling"),
        (scaling, "_scaler", sample_deviation, "part scaling"),
        (weights, "balanced", weights_of_roots, "part weights"),
        (folds, "N_PARTS", lambda value: 4, "part folds"),
        (folds, "N_WITHIN", lambda value: 4, "part folds"),
        (soxr, "resample", of_low_quality, "part resampling"),
        (folds, "_stratified", backwards, "part development"),
        (
            *(logmel, "_RANGE_DB", lambda value: 50.0),
            "front-end logmel5s(bands=40, drop_last_frame=False)",
        ),
        (frames, "PRE_EMPHASIS", lambda value: 0.95, "front-end logmel(bands=40)"),
        (conditions, "_QUALITY", lambda value: 7, "condition mp3:64k"),
    ],
)
def test_a_changed_part_is_noticed(monkeypatch, module, name, change, part):
    monkeypatch.setattr(module, name, change(getattr(module, name)))
    assert found(part, ASKED[part]())


@pytest.mark.parametrize(
    ("key", "value"),
    [("scaling", "training"), ("pad_multiple", 32), ("longest", 100), ("bucket_multiple", 128)],
)
def test_another_setting_of_a_front_end_is_noticed(monkeypatch, key, value):
    changed = replace(features.get("logmel"), **{key: value})
    monkeypatch.setitem(features.registry._FRONT_ENDS, "logmel", changed)
    assert found("front-end logmel(bands=40)", ASKED["front-end logmel(bands=40)"]())


# How answers are judged and renewed.

OLD = Entry({"model": 2, "training": 3}, {"losses": [1.0, 0.5], "parameters": 12, "name": "a"})


def with_numbers(**numbers) -> Entry:
    return Entry(OLD.versions, {**OLD.numbers, **numbers})


def with_versions(**raised) -> Entry:
    return Entry({**OLD.versions, **raised}, with_numbers(losses=[1.0, 0.7]).numbers)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (OLD, "same"),
        (with_numbers(losses=[1.0004, 0.5]), "same"),
        (with_numbers(losses=[1.002, 0.5]), "moved"),
        (with_numbers(losses=[1.0, 0.502]), "moved"),
        (with_numbers(losses=[1.0, float("nan")]), "moved"),
        (with_numbers(losses=[1.0]), "moved"),
        (with_numbers(parameters=13), "moved"),
        (with_numbers(name="b"), "moved"),
        (with_numbers(more=[1.0]), "moved"),
        (with_versions(model=3), "raised"),
        (with_versions(training=4), "raised"),
        (with_versions(model=1), "lowered"),
        (with_versions(model=3, training=2), "lowered"),
        (with_versions(weather=1), "new"),
    ],
)
def test_how_answers_are_judged(answer, verdict):
    assert verdicts.judge(OLD, answer) == verdict
    assert (verdicts.explain("network x", OLD, answer) == "") == (verdict == "same")


def test_what_moved_is_explained():
    message = verdicts.explain(
        "network x", OLD, with_numbers(losses=[1.0, 0.7]), {"keras": "3.0"}, {"keras": "3.1"}
    )
    assert "network x: its numbers moved and its version did not (model 2, training 3)" in message
    assert "raise `version` of its `ModelSpec` in emobench/models" in message
    assert '"training" in emobench/versions.py, then run `make golden`' in message
    assert "Other packages compute here: keras 3.0 → 3.1." in message
    assert "losses: 1 of 2 numbers, such as 0.5 → 0.7 at 1" in message


def test_only_raised_and_new_answers_are_renewed():
    answers = {
        "same": with_numbers(losses=[1.0001, 0.5]),
        "moved": with_numbers(losses=[3.0, 0.5]),
        "raised": with_versions(model=3),
        "lowered": with_versions(model=1),
        "new": OLD,
    }
    kept = dict.fromkeys(("same", "moved", "raised", "lowered", "gone"), OLD)
    asked = [(name, lambda answer=answer: answer) for name, answer in answers.items()]
    said = []
    renewed, refused = renew(kept, asked, entries.packages(), say=said.append)
    assert renewed == {
        "same": OLD, "moved": OLD, "raised": answers["raised"], "lowered": OLD, "new": OLD
    }  # fmt: skip
    assert said == ["raised: raised", "new: new"]
    assert [text.partition(":")[0] for text in refused] == ["moved", "lowered"]


@pytest.mark.parametrize(("keras_version", "excused"), [("0.1", True), (None, False)])
def test_other_packages_excuse_what_moved_on_request(keras_version, excused):
    made_with = entries.packages() | ({"keras": keras_version} if keras_version else {})
    moved = with_numbers(losses=[3.0, 0.5])
    asked = [("moved", lambda: moved)]
    renewed, refused = renew(
        {"moved": OLD}, asked, made_with, other_packages=True, say=lambda text: None
    )
    assert renewed == {"moved": moved if excused else OLD}
    assert bool(refused) != excused
    assert renew({"moved": OLD}, asked, made_with, say=lambda text: None)[0] == {"moved": OLD}


def test_answers_come_back_from_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "FILE", tmp_path / "numbers.json")
    assert entries.read() == ({}, {})
    entries.write({"b": OLD, "a": with_versions(model=3)}, {"keras": "3"})
    assert entries.read() == ({"a": with_versions(model=3), "b": OLD}, {"keras": "3"})
