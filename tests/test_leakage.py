"""What leaky practices add: one difference each, told apart, and never among the results."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats
from sklearn.metrics import recall_score
from stored import FakeRegistry, Filled, current, experiment, predictions
from test_folds import regular
from test_inner_folds import CLASSES, context_of

from emobench import controls, folds, leaderboard, models, protocols
from emobench.analysis import controls as judging
from emobench.analysis import leakage
from emobench.cli.leakage import leakage as command
from emobench.experiments import baseline, obstacle
from emobench.leaderboard import price_tables
from emobench.runs import Observer, Selection, execute, plan, run_variants
from emobench.runs.leakage import variants_of
from emobench.spec import Job
from emobench.store import read_experiments
from emobench.training import estimator_fold, feeding

LOSGO = protocols.get("losgo")
WORDS = {"name", "title", "caution", "practice", "baseline", "repetitions"}
"""Fields of a protocol that compute nothing."""


# What the protocols are


@pytest.mark.parametrize("variant", protocols.variants(), ids=lambda each: each.name)
def test_a_variant_differs_from_the_default_in_one_thing(variant):
    ours, theirs = asdict(variant), asdict(LOSGO)
    differing = {key for key in ours if ours[key] != theirs[key]} - WORDS
    assert len(differing) == 1
    assert bool(variant.caution) == variant.name.startswith("leaky-")
    assert variant.practice
    assert protocols.get(variant.baseline)


def test_all_that_leaks_is_labelled_loudly():
    leaky = [each for each in protocols.variants() if each.name != "training-scaling"]
    assert len(leaky) == 6
    for each in leaky:
        assert each.caution.startswith(("SPEAKER-DEPENDENT", "OPTIMISTIC"))


@pytest.mark.parametrize(("n_speakers", "rule"), [(5, "speaker"), (20, "groups: 6")])
def test_random_clips_make_as_many_folds_of_speakers_that_are_trained_on(n_speakers, rule):
    table = regular(n_speakers, per_class=8)
    honest, random = (
        folds.make(table, rule, protocols.get(name)) for name in ("losgo", "leaky-random-clips")
    )
    assert len(random) == len(honest)
    tested = [clip for fold in random for clip in fold.test]
    assert sorted(tested) == sorted(table.index)
    assert max(len(fold.test) for fold in random) - min(len(fold.test) for fold in random) <= 1
    for fold in random:
        assert set(table.loc[list(fold.test), "speaker"]) <= set(
            table.loc[list(fold.training), "speaker"]
        )
    shuffled = table.sample(frac=1, random_state=5)
    again = folds.make(shuffled, rule, protocols.get("leaky-random-clips"))
    assert [set(fold.test) for fold in again] == [set(fold.test) for fold in random]


def test_copies_are_a_fifth_of_the_test_clips_and_all_else_is_as_it_was():
    table = regular(5, per_class=10)
    honest, copied = (
        folds.make(table, "speaker", protocols.get(name)) for name in ("losgo", "leaky-copies")
    )
    assert [replace(fold, copies=()) for fold in copied] == honest
    for fold in copied:
        assert len(fold.copies) == 6
        assert set(fold.copies) < set(fold.test)
    shuffled = folds.make(table.sample(frac=1, random_state=5), "speaker", LOSGO)
    assert all(fold.copies == () for fold in shuffled)


@pytest.mark.parametrize(
    ("model", "protocol", "why"),
    [
        ("svm-is09", "leaky-tuning", ""),
        ("librosa-mlp", "leaky-tuning", ""),
        ("latif2019", "leaky-tuning", "no hyper-parameters"),
        ("svm-is09", "leaky-epoch", "not trained in epochs"),
        ("latif2019", "leaky-epoch", ""),
        ("svm-is09", "training-scaling", ""),
        ("librosa-mlp", "training-scaling", "standardised so in any case"),
        ("librosa-mlp", "leaky-scaling", ""),
        ("yoon2018-tre", "leaky-scaling", "not standardised"),
        ("yoon2018-tre", "training-scaling", "not standardised"),
        ("svm-is09", "leaky-weights", ""),
        ("latif2019", "leaky-random-clips", ""),
        ("latif2019", "leaky-copies", ""),
    ],
)
def test_where_a_practice_does_not_apply_is_said(model, protocol, why):
    found = obstacle(models.get(model), protocols.get(protocol))
    assert (why in found) if why else (found == "")


@pytest.mark.parametrize(
    ("model", "protocol", "compared"),
    [
        ("svm-is09", "leaky-scaling", "training-scaling"),
        ("librosa-mlp", "leaky-scaling", "losgo"),
        ("svm-is09", "leaky-weights", "losgo"),
        ("svm-is09", "training-scaling", "losgo"),
    ],
)
def test_what_a_practice_is_compared_with(model, protocol, compared):
    assert baseline(models.get(model), protocols.get(protocol)).name == compared


# What they compute


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(8).normal(size=(30, 40)).astype(np.float32)


def test_copies_are_fitted_and_nothing_else_is_learnt_from_them(values):
    context = context_of("training", values, "leaky-copies")
    honest = context_of("training", values)
    seen = {}

    class Machine:
        def __init__(self, name):
            self.seen = seen.setdefault(name, {})

        def tune(self, features, labels, splits, **options):
            self.seen["tuned"] = [(*split, matrix) for split, matrix in zip(splits, features)]  # noqa: B905
            return SimpleNamespace(parameters={"C": 1.0}, scores=[])

        def fit(self, features, labels, weights, parameters, seed):
            self.seen["fitted"] = features, labels, weights
            return SimpleNamespace(classes=CLASSES, predict=lambda rows: np.ones((len(rows), 3)))

    for name, one in (("copied", context), ("honest", honest)):
        one.model = replace(one.model, build=lambda config, name=name: Machine(name))
        estimator_fold.run(one, Job(2), 0, 1)
    for copied, plain in zip(seen["copied"]["tuned"], seen["honest"]["tuned"], strict=True):
        for ours, theirs in zip(copied, plain, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    features, labels, weights = seen["copied"]["fitted"]
    fold = context.folds[2]
    n_training = len(fold.training)
    np.testing.assert_array_equal(features[:n_training], seen["honest"]["fitted"][0])
    assert labels[n_training:] == list(context.data.table.loc[list(fold.copies), "label"])
    assert len(weights) == len(features) == n_training + len(fold.copies) == n_training + 1


def test_a_network_is_taught_the_copies_and_standardised_without_them(values):
    context = context_of("training", values, "leaky-copies")
    fold = context.folds[0]
    parts = feeding.part(context, fold, 0)
    assert list(parts.taught) == [*parts.training, *context.data.positions(fold.copies)]
    assert set(parts.copies) < set(parts.test)
    assert not set(parts.training) & set(parts.test)


def recognised(values, protocol, share=None) -> pd.DataFrame:
    """Return predictions of an SVM with narrow kernels on permuted labels."""
    context = context_of("training", values, protocol)
    data = replace(context.data, table=controls.permuted(context.data.table))
    rules = replace(context.protocol, tuning="none", fixed_parameters={"C": 64.0, "gamma": 0.05})
    rules = replace(rules, copies=share)
    context = SimpleNamespace(
        data=data, protocol=rules, folds=data.folds(rules), model=context.model
    )
    tables = []
    for index, fold in enumerate(context.folds):
        found = estimator_fold.run(context, Job(index), 0, 1)
        own = data.table.loc[list(fold.test)].reset_index()
        classes = np.asarray(found.classes, dtype=object)
        own["predicted"] = classes[found.probabilities.argmax(axis=1)]
        tables.append(own.assign(fold=index, repetition=1))
    return pd.concat(tables)


def test_a_control_finds_copies_and_passes_what_has_none(values):
    assert judging.judge(recognised(values, "losgo")).passes
    verdict = judging.judge(recognised(values, "leaky-copies", share=0.5))
    assert not verdict.passes
    assert verdict.uar > 0.5


def test_a_network_is_tuned_on_the_folds_that_are_reported(tiny_places):
    """Its best cell reached on each fold just what is then filed for it."""
    selection = Selection("librosa-mlp", "tiny", "leaky-tuning", epochs=3, skip_bad=True)
    summary = execute(plan(selection, tiny_places), tiny_places)
    assert (summary.failures, summary.done) == ({}, 5)
    (stored,) = read_experiments(tiny_places.results)
    (tuning,) = tiny_places.results.rglob("tuning.json")
    found = json.loads(tuning.read_text())
    assert found["tuned_on"] == "evaluation folds"
    assert [cell["l2"] for cell in found["grid"]] == [1e-3, 5e-3, 1e-2]
    (best,) = [cell for cell in found["grid"] if cell["l2"] == found["parameters"]["l2"]]
    assert best["score"] == max(cell["score"] for cell in found["grid"])
    folds_filed = [record for record in stored.records if record["fold"] is not None]
    assert [record["scores"]["uar"] for record in folds_filed] == best["splits"]
    assert all(record["parameters"] == found["parameters"] for record in folds_filed)


# How they are priced


def outcome(skill: float, seed: int = 0, n_folds: int = 6) -> pd.DataFrame:
    return pd.concat([predictions(Job(fold), skill=skill, seed=seed) for fold in range(n_folds)])


def test_a_price_is_a_paired_t_interval_over_speakers():
    one, other = outcome(0.8, seed=1), outcome(0.5, seed=2)
    found = leakage.price(one.assign(fold=0), other)  # whatever the folds are
    uars = [
        [
            recall_score(own["label"], own["predicted"], average="macro")
            for _, own in table.groupby("speaker")
        ]
        for table in (one, other)
    ]
    expected = stats.ttest_rel(*uars).confidence_interval(0.95)
    assert found.difference == pytest.approx(np.mean(uars[0]) - np.mean(uars[1]))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.speakers == 6
    assert leakage.mean_uar(one) == pytest.approx(np.mean(uars[0]))


def test_other_clips_have_no_price():
    with pytest.raises(ValueError, match="expected predictions of the same clips, found others"):
        leakage.price(outcome(0.5), outcome(0.5, n_folds=5))


@pytest.fixture
def filled(tmp_path) -> Filled:
    """Results of a model that finds more where test clips leak, some of them missing."""
    made = Filled(tmp_path)
    made.run(experiment("emo-db", "librosa-mlp", "losgo", n_folds=6, repetitions=3), skill=0.4)
    for name, skill in (("leaky-random-clips", 0.9), ("leaky-scaling", 0.5)):
        made.run(experiment("emo-db", "librosa-mlp", name, n_folds=6), skill=skill)
    half = experiment("emo-db", "librosa-mlp", "leaky-epoch", n_folds=6)
    made.run(half, jobs=[Job(0), Job(1)])
    other = experiment("emo-db", "librosa-mlp", "leaky-copies", n_folds=6, backend="jax")
    made.run(other)
    made.run(experiment("emo-db", "svm-is09", "losgo", n_folds=6))
    return made


def lists_of(filled, **chosen):
    return leaderboard.build_price_lists(
        filled.results, current=current, registry=FakeRegistry(), **chosen
    )


def test_the_price_list_says_what_each_practice_adds(filled):
    (one,) = lists_of(filled)  # nothing of the SVM to price
    assert (one.corpus, one.model) == ("emo-db", "librosa-mlp")
    lines = {line.protocol: line for line in one.lines}
    assert list(lines) == ["losgo", *(each.name for each in protocols.variants())]
    assert lines["losgo"].uar == pytest.approx(leakage.mean_uar(outcome(0.4)))
    assert lines["losgo"].price is None
    price = lines["leaky-random-clips"].price
    assert price == leakage.price(outcome(0.9), outcome(0.4))
    assert price.difference > 0.2
    assert lines["leaky-scaling"].baseline == "speaker-independent"
    assert lines["leaky-epoch"].note == "2 of 6 folds"
    assert lines["leaky-weights"].note == "not run"
    assert "does not apply" in lines["training-scaling"].note
    assert lines["leaky-copies"].note == "computed by jax, the other by tensorflow"
    assert [line.leaks for line in one.lines] == [False, True, True, True, True, False, True, True]


def test_only_the_models_and_corpora_that_are_asked_for(filled):
    assert lists_of(filled, chosen={"svm-is09"}) == []
    assert lists_of(filled, corpora={"ravdess"}) == []
    assert len(lists_of(filled, corpora={"emo-db"}, chosen={"librosa-mlp"})) == 1


def test_every_form_has_the_figures(filled):
    lists = lists_of(filled)
    price = lists[0].lines[1].price
    shown = f"{100 * price.difference:+.1f}"
    interval = f"{100 * price.low:+.1f} to {100 * price.high:+.1f}"
    text = price_tables.to_text(lists)
    (line,) = [line for line in text.splitlines() if "random clips" in line]
    assert shown in line
    assert interval in line
    table = price_tables.to_markdown(lists)
    assert f"({shown}; {interval})" in table
    assert "| EMO-DB" in table
    told = json.loads(price_tables.to_json(lists))["price_lists"][0]["practices"][1]
    assert told["difference"] == round(100 * price.difference, 4)
    assert told["leaks"] is True


def test_no_table_of_results_shows_them(filled):
    boards = leaderboard.build_all(filled.results, current=current, registry=FakeRegistry())
    assert [board.protocol for board in boards] == ["losgo"]
    assert "leaky" not in leaderboard.render(boards, "csv")
    asked = leaderboard.build(
        filled.results, protocol="leaky-scaling", current=current, registry=FakeRegistry()
    )
    assert "OPTIMISTIC" in leaderboard.render(asked)


# The command


def test_what_applies_is_run_of_each_model(tiny_places):
    selection = Selection(("svm-is09", "librosa-mlp"), "tiny", "smoke", repetitions=3)
    found = {
        planned.protocol.name: [model.name for _, models in planned.pairs for model in models]
        for planned in variants_of(selection, tiny_places)
    }
    both = ["svm-is09", "librosa-mlp"]
    assert found == {
        "losgo": both,
        "leaky-random-clips": both,
        "leaky-tuning": both,
        "leaky-epoch": ["librosa-mlp"],
        "leaky-weights": both,
        "training-scaling": ["svm-is09"],
        "leaky-scaling": both,
        "leaky-copies": both,
    }


@pytest.mark.slow
def test_what_is_missing_is_run_once(tiny_places):
    selection = Selection("svm-is09", "tiny")
    told: list[str] = []
    first = run_variants(selection, tiny_places, Observer(notice=told.append))
    assert first.failures == {}
    # Four folds of each, and the tuning on them; the choice of an epoch does not apply.
    assert first.done == 7 * 4 + 1
    assert [line.partition(":")[0] for line in told] == [
        "protocol losgo",
        *(f"protocol {each.name}" for each in protocols.variants() if each.name != "leaky-epoch"),
    ]
    second = run_variants(selection, tiny_places)
    assert (second.done, second.kept) == (0, first.done)


def test_the_command_shows_what_is_on_disk(filled, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- leakage:start -->\nold\n<!-- leakage:end -->\nb\n")
    words = ["--stored", "--results", str(filled.results), "--readme", str(readme)]
    done = CliRunner().invoke(command, [*words, "--format", "json"])
    assert done.exit_code == 0
    assert json.loads(done.output)["price_lists"] == []  # no configuration of these is today's
    assert readme.read_text().startswith("a\n<!-- leakage:start -->\n\nNo result under a leaky")


def test_the_command_has_no_option_that_would_be_another_experiment():
    names = {item.name for item in command.params}
    assert names >= {"model", "corpus", "data", "results", "cache", "jobs", "backend", "device"}
    assert not names & {"protocol", "repetitions", "epochs", "condition", "control", "test_corpus"}


def test_the_command_asks_what_it_is_to_price():
    done = CliRunner().invoke(command, ["--model", "svm-is09"])
    assert done.exit_code == 2
    assert "expected --model and --corpus to run what is missing, or --stored" in done.output
