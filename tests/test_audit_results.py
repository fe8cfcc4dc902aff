"""`emobench audit --results`: each finding in a folder of results that was made to have it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import TINY, write_tiny_corpus

from emobench import cli, metrics, models, protocols, runs
from emobench.experiments.dataset import Dataset
from emobench.runs import running
from emobench.spec import Experiment, Fold, Job, Places
from emobench.store import Store
from emobench.training import scoring

ROOT = Path(__file__).parents[1]
Change = Callable[[pd.DataFrame, Fold], pd.DataFrame]


@dataclass
class Made:
    """Results of a model on the corpus `tiny` that nobody trained: probabilities are drawn."""

    root: Path

    def __post_init__(self) -> None:
        write_tiny_corpus(self.root)
        self.places = Places(
            results=self.root / "results",
            cache=self.root / "cache",
            data=self.root,
            datasets=(self.root / "datasets.yaml",),
        )

    def plan(
        self, protocol: str = "losgo", control: str = "none"
    ) -> tuple[Experiment, Dataset, list[Fold]]:
        model = models.get("svm-is09")
        selection = runs.Selection((model.name,), ("tiny",), protocol, control=control)
        planned = runs.plan(selection, self.places)
        corpus = planned.pairs[0][0]
        step, data = running.prepare(corpus, model, planned, self.places, extract=False)
        return step.experiment, data, data.folds(protocols.get(protocol))

    def run(
        self,
        protocol: str = "losgo",
        *,
        change: Change = lambda table, fold: table,
        folds: slice = slice(None),
        clips: str | None = None,
        control: str = "none",
        **record: object,
    ) -> Path:
        """File results; what is changed is changed before, so that records vouch for it."""
        experiment, data, made = self.plan(protocol, control)
        experiment = replace(experiment, clips=clips or experiment.clips)
        store, random = Store(self.places.results), np.random.default_rng(0)
        facts = {"labels": list(data.labels), "n_clips": len(data.table), "left_out": {}}
        folder = store.open(experiment, facts)
        for fold in made[folds]:
            job = Job(fold.index)
            chances = random.dirichlet(np.ones(len(data.labels)), len(fold.test))
            facts, table = scoring.score(data, fold, job, data.labels, chances)
            table = change(table, fold)
            scores = metrics.score(table, data.labels)
            store.add(experiment, job, {**facts, "scores": scores, **record}, table)
        return folder


@pytest.fixture
def made(tmp_path):
    return Made(tmp_path)


@pytest.fixture
def audit(made, capsys, monkeypatch):
    """Audit the results as a user does: exit status, findings by kind, and what was not checked."""
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)

    def run(*words: str, data: Path | None = made.root) -> tuple[int, dict[str, dict], list[str]]:
        places = ["--cache", made.places.cache, "--datasets", made.places.datasets[0]]
        places += [] if data is None else ["--data", data]
        with pytest.raises(SystemExit) as ended:
            cli.main(
                [*map(str, ("audit", "--results", made.places.results, "--json", *places, *words))]
            )
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        audits = json.loads(said.out)["audits"]
        findings = [finding for one in audits for finding in one["findings"]]
        status = int(ended.value.code or 0)
        assert status == int(any(one["severity"] == "hard" for one in findings))
        return (
            status,
            {finding["kind"]: finding for finding in findings},
            [line for one in audits for line in one["not_checked"]],
        )

    return run


def hard(audited: tuple[int, dict[str, dict], list[str]], kind: str) -> dict:
    status, found, _ = audited
    assert (status, found[kind]["severity"]) == (1, "hard")
    return found[kind]


def soft(audited: tuple[int, dict[str, dict], list[str]], kind: str) -> dict:
    status, found, _ = audited
    assert (status, found[kind]["severity"]) == (0, "soft")
    return found[kind]


def test_results_of_today_have_none(made, audit):
    made.run()
    status, found, not_checked = audit()
    assert (status, not_checked) == (0, [])
    assert {kind: one["severity"] for kind, one in found.items()} == {
        "test-clips-normalise": "declared"
    }


def test_a_protocol_that_reproduces_flaws_declares_them(made, audit):
    folder = made.run("keesing2020")
    status, found, _ = audit()
    assert status == 0
    declared = {kind for kind, one in found.items() if one["severity"] == "declared"}
    # Batches are of networks: the SVM has none.
    assert declared == {"test-clips-tune", "test-clips-weigh", "test-clips-normalise"}
    assert found["test-clips-tune"]["evidence"] == [f"tiny svm-is09 {folder.name}"]


@pytest.mark.parametrize("protocol", ["wang2020-random5", "leaky-random-clips"])
def test_random_parts_are_no_speakers_in_two_folds(made, audit, protocol):
    made.run(protocol)
    assert audit()[0] == 0


def test_a_control_at_chance_is_no_finding_and_no_result(made, audit):
    made.run(control="labels")
    status, found, _ = audit()
    assert (status, found) == (0, {})


def test_a_control_beyond_chance_is_hard(made, audit):
    folder = made.run(control="labels", change=lambda table, fold: table.assign(
        predicted=table["label"]
    ))  # fmt: skip
    told = hard(audit(), "control-not-at-chance")
    assert "UAR 100.0" in told["found"]
    assert "does NOT hold chance (33.3)" in told["found"]
    assert told["where"] == f"tiny svm-is09 with permuted labels {folder.name}"


def test_a_control_that_may_be_unlucky_is_soft(made, audit):
    def luckier(table, fold):
        """Of each speaker half of the clips and one more are right, or one fewer."""
        right = 3 + fold.index % 2
        predicted = table["label"].where(np.arange(len(table)) < right, "anger")
        return table.assign(predicted=predicted)

    made.run(control="labels", change=luckier)
    assert "One sound run in twenty" in soft(audit(), "control-not-at-chance")["advice"]


# Hard: predictions and records --------------------------------------------------------------------


def test_predictions_that_were_changed_after_the_record(made, audit):
    folder = made.run()
    table = pd.read_parquet(folder / "fold-01-repetition-1.parquet")
    table["predicted"] = table["label"]
    table.to_parquet(folder / "fold-01-repetition-1.parquet")
    told = hard(audit(), "damaged-result")
    assert told["where"].endswith("fold-01-repetition-1.json")
    assert told["found"] == "the predictions were changed after the record was made"


def test_scores_that_are_not_those_of_the_predictions(made, audit):
    folder = made.run()
    path = folder / "fold-01-repetition-1.json"
    record = json.loads(path.read_text())
    record["scores"]["uar"] = 0.99
    path.write_text(json.dumps(record))
    assert "uar 0.9900 on file" in hard(audit(), "damaged-result")["found"]


def test_a_clip_that_two_folds_test(made, audit):
    first: list[pd.DataFrame] = []

    def borrow(table: pd.DataFrame, fold: Fold) -> pd.DataFrame:
        first.append(table)
        return pd.concat([table, first[0].head(1)]) if fold.index == 1 else table

    made.run(change=borrow)
    assert "1 clips are tested in several folds" in hard(audit(), "damaged-result")["found"]


def test_folds_that_tested_other_clips(made, audit):
    """Two folds exchanged: each clip is tested once, but by the model that was trained on it."""
    tables: list[pd.DataFrame] = []

    def exchange(table: pd.DataFrame, fold: Fold) -> pd.DataFrame:
        tables.append(table)
        return table

    made.run(change=exchange)
    shutil.rmtree(made.places.results)
    made.run(change=lambda table, fold: tables[{0: 1, 1: 0}.get(fold.index, fold.index)])
    audited = audit()
    assert len(hard(audited, "other-folds")["evidence"]) == 12
    assert hard(audited, "speaker-on-both-sides")["evidence"] == ["s1", "s2"]


def test_a_speaker_that_two_folds_test(made, audit):
    """By the predictions alone, where the corpus is not at hand."""
    made.run(
        change=lambda table, fold: table.assign(
            speaker=np.where(table.index == 0, "s1", table["speaker"]),
            group=np.where(table.index == 0, "s1", table["group"]),
        )
    )
    told = hard(audit(data=None), "group-on-both-sides")
    assert told["evidence"] == ["s1"]
    assert "tested in several folds" in told["found"]
    assert hard(audit(), "other-speaker")["severity"] == "hard"


def test_a_truth_that_is_not_the_corpus(made, audit):
    made.run(change=lambda table, fold: table.assign(label="anger"))
    told = hard(audit(), "other-label")
    assert len(told["evidence"]) == 16


def test_a_prediction_that_does_not_follow_from_its_probabilities(made, audit):
    made.run(change=lambda table, fold: table.assign(predicted=table["label"]))
    found = hard(audit(data=None), "prediction-not-likeliest")
    assert 0 < len(found["evidence"]) < 24


def test_tuning_on_the_evaluation_folds_under_a_protocol_that_forbids_it(made, audit):
    made.run(tuned_on="evaluation folds")
    assert "evaluation folds" in hard(audit(), "test-clips-tune")["found"]


def test_another_number_of_training_clips(made, audit):
    made.run(n_training=20)
    assert "fold 0: 20 instead of 18" in hard(audit(), "other-training-part")["found"]


# Hard: the corpus and the configuration of today --------------------------------------------------


def test_another_configuration(made, audit):
    made.run()
    (made.root / "datasets.yaml").write_text(TINY.replace("speaker\n", "{groups: 2}\n"))
    told = hard(audit(), "other-configuration")
    assert "the configuration has changed since" in told["found"]


def test_other_sound(made, audit):
    made.run()
    folder = made.root / "tiny"
    shutil.copy(folder / "s1_anger_1.wav", folder / "s1_anger_2.wav")
    told = hard(audit(), "other-clips")
    assert "labels, speakers, segments or sound differ" in told["found"]


def test_other_labels(made, audit):
    made.run()
    folder = made.root / "tiny"
    (folder / "s1_anger_1.wav").rename(folder / "s1_swap_1.wav")
    (folder / "s1_sadness_1.wav").rename(folder / "s1_anger_1.wav")
    (folder / "s1_swap_1.wav").rename(folder / "s1_sadness_1.wav")
    told = hard(audit(), "other-clips")
    assert "labels, speakers, segments or sound differ" in told["found"]


def test_a_clip_that_is_gone(made, audit):
    made.run()
    (made.root / "tiny" / "s1_anger_1.wav").unlink()
    audited = audit()
    assert "it is of 24 clips, and 23 are there" in hard(audited, "other-clips")["found"]
    assert hard(audited, "other-folds")["evidence"] == ["s1_anger_1"]


def test_a_result_on_fewer_clips_than_the_corpus_has(made, audit):
    expected = "  expect: {anger: 9, sadness: 8, neutral: 8, speakers: 4}\n"
    (made.root / "datasets.yaml").write_text(TINY + expected)
    made.run()
    assert hard(audit(), "fewer-clips")["found"] == "it is of 24 of 25 clips"


# Soft ---------------------------------------------------------------------------------------------


def test_an_incomplete_result(made, audit):
    made.run(folds=slice(2))
    assert "2 of 4 folds" in soft(audit(), "incomplete-result")["found"]


def test_a_failed_job(made, audit):
    made.run(folds=slice(3))
    experiment = made.plan()[0]
    Store(made.places.results).fail(experiment, Job(3), "out of memory")
    assert "fold 3 repetition 1: out of memory" in soft(audit(), "failed-job")["found"]


def test_folds_of_several_precisions(made, audit):
    made.run(folds=slice(2), precision="float32")
    assert "mixed-precision" not in audit()[1]
    made.run(folds=slice(2, None), precision="float32, products in tf32")
    told = soft(audit(), "mixed-precision")
    assert told["found"] == (
        "its folds were computed in 'float32' and in 'float32, products in tf32'"
    )


def test_tuning_within_the_only_speaker(made, audit):
    made.run(tuned_on="training folds, within-speaker")
    told = soft(audit(), "tuned-within-speaker")
    assert "chosen on clips of speakers that were trained on" in told["found"]


def test_results_from_before_sound_was_named(made, audit):
    data = made.plan()[1]
    made.run(clips=replace(data, sounds={}).digest)
    assert "of the sound nobody knows" in soft(audit(), "sound-not-recorded")["found"]


def test_what_is_alike_for_several_results_is_said_once(made, audit):
    for protocol in ("losgo", "mirsamadi2017"):
        made.run(protocol, clips="0" * 64)
    _, found, _ = audit("--protocol", "losgo")
    assert found["other-clips"]["where"].startswith("tiny svm-is09 ")
    shutil.rmtree(made.places.results)
    for clips in ("0" * 64, "1" * 64):
        made.run(clips=clips)
    told = hard(audit(), "other-clips")
    assert told["where"].startswith("2 results (tiny svm-is09 ")
    assert len(told["evidence"]) == 2


# What could not be looked at ----------------------------------------------------------------------


def test_a_corpus_that_is_not_there_is_said(made, audit):
    folder = made.run()
    status, _, not_checked = audit(data=None)
    assert status == 0
    (line,) = not_checked
    assert line.startswith(
        f"not compared with the corpus: 1 result (tiny svm-is09 {folder.name}). tiny: expected"
    )


def test_no_results(made, audit, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "--results", str(made.root / "nowhere")])
    assert ended.value.code == 1
    assert "expected a folder of results, found none" in capsys.readouterr().err


def committed(capsys, *words: str) -> tuple[int, dict]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "--results", str(ROOT / "results"), "--json", *words])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def test_the_committed_results(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    status, audited = committed(capsys, "--cache", str(tmp_path))
    assert (status, audited["hard"]) == (0, 0)


@pytest.mark.corpora
def test_the_committed_results_beside_their_corpora(capsys, real_data, tmp_path):
    status, audited = committed(capsys, "--cache", str(tmp_path), "--data", str(real_data))
    assert (status, audited["hard"]) == (0, 0)
    assert [line for one in audited["audits"] for line in one["not_checked"]] == []
