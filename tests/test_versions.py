"""What a fingerprint notices: raised versions of what computes, and nothing that is idle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import perform_here

from emobench import corpora, features, models, protocols, versions
from emobench.errors import EmobenchError
from emobench.executors.worker import perform
from emobench.experiments import configuration, current_fingerprint, parts
from emobench.experiments import context as contexts
from emobench.runs import Selection, execute, plan
from emobench.runs.preparing import prepare

RESULTS = Path(__file__).parent.parent / "results"
STORED = sorted(RESULTS.rglob("experiment.json"))
ESTIMATORS = [name for name in models.names() if models.get(name).kind == "estimator"]


REGISTRY = corpora.load_registry()


def configured(model: str, protocol: str = "losgo", corpus: str = "emo-db", **options) -> dict:
    return configuration(
        REGISTRY.get(corpus), models.get(model), protocols.get(protocol), **options
    )


def used_by(
    model: str, protocol: str = "losgo", corpus: str = "emo-db", backend: str = "tensorflow"
) -> list[str]:
    return parts(models.get(model), protocols.get(protocol), REGISTRY.get(corpus), backend)


@pytest.mark.parametrize("path", STORED, ids=lambda path: "-".join(path.parts[-5:-1]))
def test_committed_results_are_stale_where_what_computed_them_has_changed(path):
    stored = json.loads(path.read_text())
    today = current_fingerprint(stored, corpora.load_registry())
    if models.get(stored["model"]).kind == "estimator":
        assert today == stored["configuration_fingerprint"]
    elif "versions" not in stored["configuration"]:  # trained before batches weighed clips right
        assert today != stored["configuration_fingerprint"]


def test_there_are_committed_results_of_estimators():
    assert len([path for path in STORED if path.parts[-3] in ESTIMATORS]) >= 3


@pytest.mark.parametrize(
    ("model", "protocol", "used"),
    [
        ("svm-is09", "losgo", "folds resampling scaling weights tuning estimator"),
        ("svm-is09", "keesing2020", "folds resampling scaling weights tuning estimator"),
        ("svm-is09", "smoke", "folds resampling scaling weights estimator"),
        ("latif2019", "losgo", "folds resampling scaling weights batching training"),
        ("latif2019", "wang2020", "folds resampling scaling batching training"),
        ("yoon2018-tre", "losgo", "folds development weights batching training"),
        ("yoon2018-are", "yoon2018", "folds development resampling scaling batching training"),
    ],
)
def test_the_parts_that_an_experiment_uses(model, protocol, used):
    assert used_by(model, protocol) == used.split()


@pytest.mark.parametrize(
    ("model", "protocol", "corpus", "used"),
    [
        ("svm-is09", "losgo", "emo-db", ""),
        ("svm-is09", "losgo", "ravdess", ""),
        ("svm-is09", "wang2020-random5", "ravdess", ""),
        ("librosa-svm", "losgo", "emo-db", "scaling"),
        ("librosa-svm", "smoke", "emo-db", ""),
        ("librosa-svm", "keesing2020", "emo-db", "scaling"),
        ("svm-is09", "keesing2020", "tess", ""),
        ("svm-is09", "training-scaling", "emo-db", "scaling"),
        ("svm-is09", "leaky-scaling", "emo-db", ""),
        ("svm-is09", "losgo", "tess", "scaling"),  # a fold trains on one speaker
        ("svm-is09", "losgo", "iemocap", "speakers"),
        ("svm-is09", "smoke", "iemocap", ""),
        ("librosa-svm", "losgo", "msp-improv", "scaling speakers"),
        ("librosa-mlp", "losgo", "emo-db", ""),
        ("librosa-mlp", "losgo", "iemocap", "speakers"),
        ("zhang2019", "smoke", "iemocap:paper-speakers", ""),
        ("yoon2018-tre", "smoke", "iemocap:paper-speakers", "speakers"),
        ("latif2019", "losgo", "iemocap", ""),
    ],
)
def test_what_changed_inside_folds_is_another_experiment_only_where_it_changed(
    model, protocol, corpus, used
):
    found = [part for part in used_by(model, protocol, corpus) if part.startswith("inner ")]
    assert found == [f"inner {part}" for part in used.split()]


def test_a_searched_network_is_tuned():
    (searched, *_) = [name for name in models.names() if models.get(name).grid]
    assert models.get(searched).kind == "network"
    assert "tuning" in used_by(searched, "losgo")
    assert "tuning" not in used_by(searched, "smoke")
    assert "network tuning" not in used_by(searched, "losgo")
    assert "network tuning" in used_by(searched, "keesing2020")


@pytest.mark.parametrize("part", versions.VERSIONS)
def test_a_raised_version_is_another_experiment_where_the_part_is_used(part, monkeypatch):
    settings = [
        (name, protocol, corpus, backend)
        for name in ("svm-is09", "librosa-svm", "librosa-mlp", "latif2019", "yoon2018-tre")
        for protocol in ("losgo", "smoke", "wang2020", "leaky-tuning")
        for corpus in ("emo-db", "iemocap")
        for backend in ("tensorflow", "jax")
    ]

    def configured(name, protocol, corpus, backend):
        named = models.get(name), protocols.get(protocol)
        return configuration(REGISTRY.get(corpus), *named, backend=backend)

    before = {setting: configured(*setting) for setting in settings}
    monkeypatch.setitem(versions.VERSIONS, part, versions.VERSIONS[part] + 1)
    changed = [setting for setting in settings if configured(*setting) != before[setting]]
    used = [setting for setting in settings if part in used_by(*setting)]
    assert changed == used
    assert used


def test_first_versions_are_left_out():
    assert versions.raised([]) == {}
    assert "versions" not in configured("svm-is09")
    assert configured("latif2019")["versions"] == {"batching": 2, "training": 2}
    with pytest.raises(KeyError):
        versions.raised(["luck"])


@pytest.fixture
def planned(tiny_places):
    """A plan in which the SVM's features are not standardised."""
    return plan(Selection(("svm-is09",), ("tiny",), "smoke"), tiny_places)


def unscaled(planned):
    (corpus, (model,)) = planned.pairs[0]
    inputs = {name: replace(one, scaling="none") for name, one in model.inputs.items()}
    return replace(planned, pairs=((corpus, (replace(model, inputs=inputs),)),))


def test_a_worker_refuses_what_was_not_planned(planned, tiny_places):
    """The worker is a process of its own: it knows nothing of what was changed here."""
    summary = execute(unscaled(planned), tiny_places)
    assert summary.done == 0
    assert len(summary.failures) == 2
    for message in summary.failures.values():
        assert (
            "expected inputs.functionals.scaling = 'none', as planned, found 'speaker'" in message
        )
    assert list(tiny_places.results.rglob("*.parquet")) == []


@pytest.mark.parametrize("change", ["version", "registry", "part", "front-end"])
def test_every_kind_of_change_is_noticed(planned, tiny_places, monkeypatch, change, tmp_path):
    (corpus, (model,)) = planned.pairs[0]
    step, _ = prepare(corpus, model, planned, tiny_places)
    contexts._open.clear()
    places = tiny_places
    if change == "version":
        changed = replace(models.get("svm-is09"), version=7)
        monkeypatch.setattr(contexts.models, "get", lambda name: changed)
    elif change == "registry":
        text = tiny_places.datasets[0].read_text().replace("folds: speaker", "folds: 'groups: 2'")
        (tmp_path / "other.yaml").write_text(text)
        places = replace(tiny_places, datasets=(tmp_path / "other.yaml",))
    elif change == "part":
        monkeypatch.setitem(versions.VERSIONS, "scaling", 9)
    else:
        front_end = replace(features.get("is09"), version=5)
        monkeypatch.setitem(features.registry._FRONT_ENDS, "is09", front_end)
    with pytest.raises(EmobenchError, match=r"expected .*, as planned, found .* in the process"):
        contexts.open_context(step.experiment, places)
    assert step.experiment.fingerprint not in contexts._open


def test_what_was_planned_is_computed(planned, tiny_places, monkeypatch):
    perform_here(monkeypatch, lambda work: perform(work, lambda epoch: None))
    assert execute(planned, tiny_places).done == 2
