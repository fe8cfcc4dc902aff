"""The ledger: every published number once, ours beside it, and verdicts by rule."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from stored import Expected, Filled, current, experiment, predictions

from emobench import corpora, models, protocols
from emobench.analysis import ledger
from emobench.analysis.ledger import NEAREST, Line, Ours, decide
from emobench.analysis.protocol_differences import Difference, differences
from emobench.cli.ledger import ledger as command
from emobench.errors import SpecError
from emobench.leaderboard import ledger as writers
from emobench.spec import Job, Protocol

ROOT = Path(__file__).parents[1]
FOLDS = 4


@dataclass(frozen=True)
class Corpus:
    """What the ledger asks of a corpus; complete are twenty clips of each of `FOLDS` speakers."""

    name: str
    title: str
    access: str = "open"
    folds: str = "speaker"
    synthetic: bool = False
    expect: Expected = field(
        default_factory=lambda: Expected({"anger": 10 * FOLDS, "neutral": 10 * FOLDS, "fear": 0})
    )


@dataclass(frozen=True)
class Registry:
    corpora: tuple[Corpus, ...] = (
        Corpus("emo-db", "EMO-DB"),
        Corpus("iemocap", "IEMOCAP", access="licence"),
        Corpus("ravdess", "RAVDESS", folds="groups: 6"),
    )

    def names(self) -> list[str]:
        return [corpus.name for corpus in self.corpora]

    def get(self, name: str) -> Corpus:
        for corpus in self.corpora:
            if corpus.name == name:
                return corpus
        raise SpecError(f"no corpus {name}")

    side = get


@pytest.fixture
def filled(tmp_path, monkeypatch) -> Filled:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    (tmp_path / "results").mkdir()
    return Filled(tmp_path / "results")


def made(model: str, protocol: str, corpus: str = "emo-db", **options):
    return experiment(corpus, model, protocol, n_folds=FOLDS, **options)


def lines(filled: Filled, **wanted: str) -> list[Line]:
    """Return the lines whose attributes are as wanted."""
    found = ledger.build(filled.results, current=current, registry=Registry())
    return [
        line for line in found if all(getattr(line, key) == item for key, item in wanted.items())
    ]


def one(filled: Filled, **wanted: str) -> Line:
    (line,) = lines(filled, **wanted)
    return line


def test_every_published_number_is_there_once(filled):
    """Table 3 has 15 corpora, 7 models and 11 rates of listeners; the others as printed."""
    found = lines(filled)
    assert Counter((line.paper, line.metric) for line in found) == {
        ("keesing2020", "uar"): 15 * 7,
        ("keesing2020", "recognition"): 11,
        ("wang2020", "uar"): 8,
        ("wang2020", "wa"): 8,
        ("mirsamadi2017", "uar"): 14,
        ("mirsamadi2017", "wa"): 14,
        ("krishna2019", "uar"): 11,
        ("yoon2018", "wap"): 3,
        ("schuller2009", "uar"): 3,
    }
    keys = Counter((line.paper, line.model, line.corpus, line.metric) for line in found)
    assert set(keys.values()) == {1}
    printed = {line.paper: 0.0 for line in found}
    for line in found:
        printed[line.paper] += float(line.published)
    assert printed["keesing2020"] == pytest.approx(5905.9)  # added up over Table 3
    assert sum(printed.values()) == pytest.approx(5905.9 + 3733.46)
    assert one(filled, model="wang2020-dual", metric="uar").sd == "0.8"


def test_models_are_ours_but_for_listeners_and_one(filled):
    unknown = {line.model for line in lines(filled) if not ledger._model(line.model)}
    assert unknown == {"human", "schuller2009"}
    assert {line.verdict for line in lines(filled) if line.model in unknown} == {"not comparable"}


def test_without_results_the_licence_decides(filled):
    assert one(filled, corpus="emo-db", model="svm-is09").verdict == "not run"
    line = one(filled, corpus="iemocap", model="wang2020-dual", metric="wa")
    assert (line.verdict, line.reason) == ("impossible here", "the corpus needs a licence")
    assert line.protocol == "wang2020-random5"
    assert line.chance == 50


def scores(score, skill: float, seed: int = 0) -> np.ndarray:
    """Return a score of each speaker in percent, one fold each."""
    parts = [predictions(Job(fold), skill=skill, seed=seed) for fold in range(FOLDS)]
    return 100 * np.array([score(part["label"], part["predicted"]) for part in parts])


@pytest.mark.parametrize(
    ("model", "metric", "score"),
    [
        ("svm-is09", "uar", balanced_accuracy_score),
        ("mirsamadi2017-svm-full", "wa", accuracy_score),
    ],
)
def test_ours_is_scored_and_held_between_scipy_s_bounds(filled, model, metric, score):
    filled.run(made(model, "losgo", "iemocap"), skill=0.6)
    ours = one(filled, corpus="iemocap", model=model, metric=metric).ours
    expected = scores(score, 0.6)
    assert ours.value == pytest.approx(expected.mean())
    bounds = stats.ttest_1samp(expected, 0).confidence_interval(0.95)
    assert ours.interval == pytest.approx(tuple(bounds))
    assert (ours.speakers, ours.protocol) == (FOLDS, "losgo")


def test_an_interval_of_three_speakers_decides_nothing(filled):
    filled.run(experiment("emo-db", "svm-is09", "losgo", n_folds=3), skill=0.6)
    ours = one(filled, corpus="emo-db", model="svm-is09").ours
    assert (ours.speakers, ours.interval) == (3, None)


def test_the_paper_s_own_protocol_comes_first(filled):
    filled.run(made("svm-is09", "losgo"))
    line = one(filled, corpus="emo-db", model="svm-is09")
    assert line.ours.protocol == "losgo"
    assert [str(one) for one in line.differences] == [
        "tuning: on the evaluation folds → on training folds",
        "class weights: from all clips → from training clips",
    ]
    assert (line.verdict, line.reason) == (
        *("not comparable", "; ".join(map(str, line.differences))),
    )
    filled.run(made("svm-is09", "keesing2020"), jobs=[Job(0)])
    line = one(filled, corpus="emo-db", model="svm-is09")
    assert (line.ours.protocol, line.verdict) == ("keesing2020", "incomplete")
    filled.run(made("svm-is09", "keesing2020", clips="others"))
    line = one(filled, corpus="emo-db", model="svm-is09")
    assert (line.ours.protocol, line.differences) == ("keesing2020", ())


def test_a_complete_result_that_may_be_compared_comes_before_an_incomplete_one(filled):
    filled.run(made("mirsamadi2017-svm-full", "mirsamadi2017", "iemocap"), jobs=[Job(0)])
    filled.run(made("mirsamadi2017-svm-full", "losgo", "iemocap"))
    line = one(filled, model="mirsamadi2017-svm-full", metric="uar")
    assert line.ours.protocol == "losgo"
    assert [each.what for each in line.differences] == ["split"]
    assert line.verdict in ("reproduced", "not reproduced")


def test_an_incomplete_result_is_not_judged(filled):
    filled.run(made("zhao2019", "keesing2020"), jobs=[Job(0), Job(2)])
    line = one(filled, corpus="emo-db", model="zhao2019")
    assert (line.verdict, line.reason) == ("incomplete", "2 of 4 folds")
    assert line.ours.interval is None


def test_strangers_are_not_compared_with_acquaintances(filled):
    filled.run(made("wang2020-dual", "wang2020", "iemocap"))
    line = one(filled, corpus="iemocap", model="wang2020-dual", metric="uar")
    assert line.verdict == "not comparable"
    assert line.reason == (
        "split: random clips, whoever speaks → five groups of speakers or sessions; "
        "epoch: the best on test clips → not chosen on test clips"
    )
    filled.run(made("wang2020-dual", "wang2020-random5", "iemocap"))
    line = one(filled, corpus="iemocap", model="wang2020-dual", metric="uar")
    assert (line.ours.protocol, line.differences) == ("wang2020-random5", ())
    assert line.verdict in ("reproduced", "not reproduced")


def test_other_clips_other_epochs_and_conditions(filled):
    heard = {"condition": {"name": "mp3:8k", "sides": "test", "version": 1}}
    filled.run(made("latif2019", "keesing2020", **heard))
    assert one(filled, corpus="emo-db", model="latif2019").verdict == "not run"
    filled.run(made("latif2019", "keesing2020", epochs_override=2))
    line = one(filled, corpus="emo-db", model="latif2019")
    assert (line.verdict, line.reason) == (
        *("not comparable", "trained for another number of epochs (2)"),
    )
    filled.run(experiment("emo-db", "zhang2019", "keesing2020", n_folds=3))
    line = one(filled, corpus="emo-db", model="zhang2019")
    assert (line.verdict, line.reason) == ("not comparable", "on 60 of 80 clips")


def test_texts_of_a_recogniser_stand_beside_their_own_number(filled):
    filled.run(made("yoon2018-mdrea", "yoon2018", "iemocap"), skill=0.9)
    texts = {"transcripts": {"sha256": "ab" * 32}}
    filled.run(made("yoon2018-mdrea", "yoon2018", "iemocap", **texts), skill=0.5)
    plain = one(filled, model="yoon2018-mdrea")
    recognised = one(filled, model="yoon2018-mdrea (ASR transcripts)")
    assert (plain.ours.column, plain.published) == ("yoon2018-mdrea", "69.0")
    assert (recognised.ours.column, recognised.published) == (
        *("yoon2018-mdrea+transcripts:abababab", "69.1"),
    )


OURS = Ours("losgo", "svm-is09", 70.0, (65.0, 75.0), 10, 10, 10, "", "f")
APART = Difference("split", "random clips", "speakers", apart=True)
ALLOWED = Difference("epochs", "50", "20")


@pytest.mark.parametrize(
    ("value", "changes", "unlike", "verdict", "reason"),
    [
        (75.0, {}, (), "reproduced", "+5.0 points from ours, inside the interval"),
        (75.1, {}, (), "not reproduced", "+5.1 points from ours"),
        (65.0, {}, (ALLOWED,), "reproduced", "-5.0 points from ours, inside the interval"),
        (64.9, {}, (ALLOWED,), "not reproduced", "-5.1 points from ours"),
        (72.0, {"interval": (69.9, 70.1)}, (), "reproduced", "+2.0 points from ours"),
        (72.1, {"interval": (69.9, 70.1)}, (), "not reproduced", "+2.1 points from ours"),
        (68.0, {"interval": None}, (), "reproduced", "-2.0 points from ours"),
        (67.9, {"interval": None}, (), "not reproduced", "-2.1 points from ours"),
        (70.0, {"done": 9}, (APART,), "incomplete", "9 of 10 folds"),
        (70.0, {}, (ALLOWED, APART), "not comparable", "split: random clips → speakers"),
        (70.0, {"other": "on 3 of 9 clips"}, (), "not comparable", "on 3 of 9 clips"),
    ],
)
def test_the_rule(value, changes, unlike, verdict, reason):
    found = decide(
        value, replace(OURS, **changes), unlike, metric="uar", known=True, access="licence"
    )
    assert (found[0], found[1][: len(reason)]) == (verdict, reason)


def test_protocols_are_told_apart_by_what_matters_to_the_model():
    real = corpora.load_registry()
    pair = (protocols.get("keesing2020"), protocols.get("losgo"))

    def between(model: str, corpus: str) -> list[str]:
        return [one.what for one in differences(*pair, models.get(model), real.get(corpus))]

    assert between("svm-is09", "emo-db") == ["tuning", "class weights"]
    assert between("svm-is09", "ravdess") == ["speaker groups", "tuning", "class weights"]
    assert between("latif2019", "iemocap") == ["class weights", "batches", "batch normalisation"]
    assert between("zhang2019", "emo-db") == ["class weights", "batches", "repetitions"]
    for order in NEAREST.values():
        own = protocols.get(order[0])
        assert differences(own, own, models.get("zhao2019"), real.get("ravdess")) == ()


CHANGED = {
    "split": "groups",
    "speaker_groups": "greedy",
    "max_folds": 2,
    "tuning": "none",
    "development": 0.25,
    "selection": "best-test-epoch",
    "weights": "none",
    "normalisation": "corpus",
    "copies": 0.2,
    "batching": "sorted",
    "statistics": "running",
    "repetitions": 1,
    "model_repetitions": {"yoon2018-are": 1, "zhao2019": 1},
    "epochs": 7,
}
IDLE = {
    *("name", "title", "paper", "fixed_parameters", "headline", "caution"),
    *("baseline", "practice"),
}
"""Fields that change no number, or only with another: fixed parameters where nothing is tuned."""


def test_no_field_of_a_protocol_is_overlooked():
    assert set(CHANGED) | IDLE == {field.name for field in fields(Protocol)}
    usual, corpus = protocols.get("losgo"), corpora.load_registry().get("ravdess")
    for name, value in CHANGED.items():
        other = replace(usual, **{name: value})
        found = [
            one
            for model in ("svm-is09", "zhao2019", "yoon2018-are")
            for one in differences(usual, other, models.get(model), corpus)
        ]
        assert len({one.what for one in found}) == 1, name


@pytest.mark.parametrize(
    ("changes", "apart"),
    [
        ({"split": "random"}, True),
        ({"split": "groups"}, False),
        ({"selection": "best-test-epoch"}, True),
        ({"weights": "corpus"}, True),
        ({"weights": "none"}, False),
        ({"normalisation": "training"}, False),
        ({"normalisation": "corpus"}, True),
        ({"copies": 0.2}, True),
        ({"split": "clips"}, True),
        ({"max_folds": 2}, True),
        ({"repetitions": 1}, False),
    ],
)
def test_what_sets_numbers_apart_is_what_the_gate_asks(changes, apart):
    usual, corpus = protocols.get("losgo"), corpora.load_registry().get("emo-db")
    (found,) = differences(usual, replace(usual, **changes), models.get("zhao2019"), corpus)
    assert found.apart is apart


def test_tuning_on_test_folds_does_not_concern_what_is_not_tuned():
    usual, corpus = protocols.get("losgo"), corpora.load_registry().get("emo-db")
    other = replace(usual, tuning="evaluation")
    (found,) = differences(usual, other, models.get("svm-is09"), corpus)
    assert found.apart
    assert differences(usual, other, models.get("zhao2019"), corpus) == ()


def test_a_smoke_test_is_no_result():
    pair = (protocols.get("losgo"), protocols.get("smoke"))
    found = differences(*pair, models.get("svm-is09"), corpora.load_registry().get("emo-db"))
    assert [str(one) for one in found if one.apart] == ["folds: all → 2"]


@pytest.fixture
def say(filled, monkeypatch):
    from emobench import runs

    monkeypatch.setattr(runs, "current_fingerprint", lambda stored, registry: current(stored))
    monkeypatch.setattr(corpora, "load_registry", lambda datasets: Registry())

    def call(*words: str):
        words = (*words, "--results", str(filled.results))
        return CliRunner().invoke(command, words, standalone_mode=False)

    return call


def test_the_command_writes_the_same_in_every_format(filled, say, tmp_path):
    filled.run(made("svm-is09", "losgo"), skill=0.8)
    rows = list(csv.DictReader(io.StringIO(say("--format", "csv").output)))
    facts = json.loads(say("--format", "json").output)
    assert len(rows) == len(facts["lines"]) == 177
    assert sum(facts["counts"].values()) == 177
    ours = [row for row in rows if row["ours"]]
    (same,) = [line for line in facts["lines"] if line["ours"]]
    assert [row["model"] for row in ours] == ["svm-is09"]
    expected = scores(balanced_accuracy_score, 0.8).mean()
    assert float(ours[0]["ours"]) == same["ours"] == pytest.approx(expected, abs=1e-4)
    assert (ours[0]["human"], ours[0]["chance"]) == ("84.3", "50.0")
    assert ours[0]["differences"] == "; ".join(same["differences"])
    page = say("--format", "markdown").output
    row = next(line for line in page.splitlines() if line.startswith("| EMO-DB | svm-is09"))
    assert f"| 82.1 | 50.0 | {expected:.1f} [" in row
    assert "losgo ¹" in row
    assert "¹ published → ours: tuning: on the evaluation folds → on training folds" in page
    assert sum(line.startswith("| ") and "| :--" not in line for line in page.splitlines()) == (
        177 + 6 + 1 + 6 + 1  # numbers, headers, and the table of counts: papers, all, header
    )
    assert f"{expected:.1f} [" in say("--model", "svm-is09", "--corpus", "emo-db").output


def test_the_command_chooses(filled, say):
    chosen = say("--verdict", "Impossible-Here", "--model", "yoon2018-mdrea", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(chosen.output)))
    assert [row["model"] for row in rows] == [
        *("yoon2018-mdrea", "yoon2018-mdrea (ASR transcripts)"),
    ]
    assert say("--corpus", "ravdess").output.splitlines()[-1] == "1 not comparable, 7 not run"
    nothing = say("--verdict", "reproduced").output
    assert nothing == (
        "Nothing was published of these corpora and models, or no number has this verdict.\n"
    )
    done = say("--verdict", "reproducd")
    assert isinstance(done.exception, SpecError)
    assert "--verdict: expected one of reproduced, not reproduced" in str(done.exception)


@pytest.mark.parametrize(("name", "format_"), [("ledger.md", "markdown"), ("ledger.csv", "csv")])
def test_the_committed_ledger_is_that_of_the_committed_records(name, format_):
    words = (sys.executable, "-m", "emobench", "ledger", "--results", "results")
    done = subprocess.run(
        (*words, "--format", format_), cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    )
    assert done.stdout == (ROOT / "results" / name).read_text(encoding="utf-8")


def test_a_page_of_nothing_has_no_tables():
    assert writers.tables([]) == []
    assert "**all** | 0 | 0" in writers.to_markdown([])
