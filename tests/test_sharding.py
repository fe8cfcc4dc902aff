"""Shares of the work that machines compute alike, each by itself."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from emobench import corpora, runs
from emobench.errors import SpecError
from emobench.leaderboard import build_all, render
from emobench.results.merging import Merged, merge
from emobench.runs import Observer, Selection, estimate, execute, plan, preview, sharding
from emobench.runs.sharding import Part, Shard, dealt, parse
from emobench.spec import Job, Places


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "a/b", "1/2/3", "-1/2", "1/0", "²/3"])
def test_what_is_no_shard_is_said(text, tiny_places):
    with pytest.raises(SpecError, match=f"--shard: expected I/N .* found '{text}'"):
        plan(Selection("svm-is09", "tiny", shard=text), tiny_places)


def test_what_is_a_shard():
    assert parse("3/12") == Shard(3, 12)
    assert parse(None) == Shard(1, 1)


def loads(parts: list[Part], of: int) -> list[float]:
    costs = {(part.key, fold): part.cost for part in parts for fold in part.folds}
    return [
        sum(
            costs[key, fold]
            for key, folds in dealt(parts, Shard(n, of)).folds.items()
            for fold in folds
        )
        for n in range(1, of + 1)
    ]


@pytest.mark.parametrize("of", [1, 2, 3, 7, 20])
def test_shards_part_the_work_evenly(of):
    parts = [
        Part(("c", f"m{model}", ""), frozenset([fold]), cost)
        for model, cost in enumerate([1000.0, 300.0, 299.0, 40.0, 7.0, 1.0])
        for fold in range(10)
    ]
    found = Counter(
        (key, fold)
        for number in range(1, of + 1)
        for key, folds in dealt(parts, Shard(number, of)).folds.items()
        for fold in folds
    )
    assert found == Counter((part.key, fold) for part in parts for fold in part.folds)
    assert max(loads(parts, of)) - min(loads(parts, of)) <= 1000.0
    assert [dealt(parts[::-1], Shard(n + 1, of)) for n in range(of)] == [
        dealt(parts, Shard(n + 1, of)) for n in range(of)
    ]


def test_a_plan_is_known_by_who_does_what():
    def plan(number: int, some: list[Part], protocol: str = "losgo") -> str:
        return dealt(some, Shard(number, 2), protocol).mark.plan

    parts = [
        Part((corpus, "m", ""), frozenset([fold]), cost)
        for corpus, cost in (("a", 5.0), ("b", 3.0))
        for fold in range(3)
    ]
    assert len(plan(1, parts)) == 8
    assert plan(1, parts) == plan(2, parts[::-1])
    slower = [replace(part, cost=part.cost * 3) for part in parts]  # all alike, and so dealt alike
    assert plan(1, slower) == plan(1, parts)
    assert len({plan(1, parts), plan(1, parts[:-1]), plan(1, parts, "quick")}) == 3


def wanted(places: Places, **options) -> Counter:
    options = {"model": ("svm-is09", "latif2019"), "corpus": "tiny", **options}
    planned = plan(Selection(**options), places)
    return Counter(
        (step.experiment.model, job) for step in preview(planned, places) for job in step.missing
    )


@pytest.mark.parametrize("of", [2, 3, 5, 40])
def test_shards_of_a_plan_are_all_of_it_and_disjoint(tiny_places, of):
    whole = wanted(tiny_places)
    assert len(whole) == 4 + 4 * 3
    shares = [wanted(tiny_places, shard=f"{number + 1}/{of}") for number in range(of)]
    assert sum(shares, Counter()) == whole
    for share in shares:  # repetitions of a fold stay together
        folds = {(model, job.fold) for model, job in share}
        assert {pair for pair in whole if (pair[0], pair[1].fold) in folds} == set(share)


def test_what_is_stored_changes_no_shard(tiny_places):
    before = wanted(tiny_places, model="svm-is09", shard="1/2")
    planned = plan(Selection("svm-is09", "tiny", shard="1/2"), tiny_places)
    assert execute(planned, tiny_places).done == len(before) == 2
    assert not wanted(tiny_places, model="svm-is09", shard="1/2")
    assert len(wanted(tiny_places, model="svm-is09", shard="2/2")) == 2


def test_a_search_that_all_folds_need_is_done_by_one_machine(tiny_places):
    shares = [
        wanted(tiny_places, model="svm-is09", protocol="keesing2020", shard=f"{number}/2")
        for number in (1, 2)
    ]
    assert sorted(map(len, shares)) == [0, 5]
    assert ("svm-is09", Job(None)) in max(shares, key=len)


def test_only_some_folds_are_dealt(tiny_places):
    options = {"folds": (1, 2), "model": "svm-is09"}
    shares = [wanted(tiny_places, shard=f"{number}/2", **options) for number in (1, 2)]
    assert sum(shares, Counter()) == wanted(tiny_places, **options)
    assert list(map(len, shares)) == [1, 1]


def test_a_costly_model_is_shared_by_all(tiny_places):
    for number in (1, 2):
        share = wanted(tiny_places, shard=f"{number}/2")
        assert len({job.fold for model, job in share if model == "latif2019"}) == 2


def test_two_shards_merged_are_the_whole(tiny_places, tmp_path):
    registry = corpora.load_registry(tiny_places.datasets)

    def tables(results):
        boards = build_all(
            results,
            current=lambda stored: runs.current_fingerprint(stored, registry),
            registry=registry,
        )
        return [render(boards, name) for name in ("markdown", "csv", "json")]

    results = {}
    for name, shard in (("whole", None), ("a", "1/2"), ("b", "2/2")):
        results[name] = tmp_path / name
        places = Places(results[name], *(tiny_places.cache, tiny_places.data, tiny_places.datasets))
        summary = execute(plan(Selection("svm-is09", "tiny", shard=shard), places), places)
        assert summary.done == (4 if shard is None else 2)
    merged = merge([results["a"], results["b"]], tmp_path / "merged")
    assert merged == Merged(records=4)
    told = [sorted(path.name for path in (results[name] / "shards").iterdir()) for name in "ab"]
    assert [[name[8:] for name in names] for names in told] == [["-1-of-2.json"], ["-2-of-2.json"]]
    assert {name[:8] for names in told for name in names} == {told[0][0][:8]}
    assert not (results["whole"] / "shards").exists()
    assert tables(tmp_path / "merged") == tables(results["whole"])


def test_a_run_and_its_estimate_name_share_and_plan(tiny_places):
    said, foretold = [], []
    planned = plan(Selection("svm-is09", "tiny", shard="1/2"), tiny_places)
    estimate(planned, tiny_places, notice=foretold.append)
    assert re.fullmatch("shard 1/2 of plan [0-9a-f]{8}", foretold[0])
    assert not tiny_places.results.exists()
    execute(planned, tiny_places, Observer(notice=said.append))
    assert foretold[0] in said


def test_a_corpus_that_cannot_be_split_is_said_by_one_machine(tiny_places, monkeypatch):
    monkeypatch.setattr(sharding, "parts", None)  # not called for it
    summaries = []
    places = Places(tiny_places.results, tiny_places.cache, tiny_places.results.parent / "nowhere")
    for number in (1, 2):
        planned = plan(Selection("svm-is09", "emo-db", shard=f"{number}/2"), places)
        summaries.append(execute(planned, places).failures)
    assert sorted(map(len, summaries)) == [0, 1]


def test_a_corpus_is_read_once_for_shares_for_what_is_to_do_and_for_its_features(
    tiny_places, monkeypatch, tmp_path
):
    read, load = [], corpora.load
    monkeypatch.setattr(
        corpora, "load", lambda corpus, *where: (read.append(corpus.name), load(corpus, *where))[1]
    )
    places = replace(tiny_places, results=tmp_path / "results")
    selection = Selection(("svm-is09", "librosa-svm"), "tiny", "smoke", shard="1/2")
    planned = plan(selection, places)
    assert execute(planned, places).done == 2
    assert read == ["tiny"]
    *_, last = preview(planned, places)
    assert last.kept == 1
    assert read == ["tiny"] * 2
