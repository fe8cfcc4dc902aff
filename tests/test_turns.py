"""Features are extracted as they are needed: results come while others are made ready."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import perform_here

from emobench import models
from emobench.cli.progress import Progress
from emobench.errors import FeatureError, StoreError
from emobench.executors import Coming, Event, Local, Outcome, Work, local
from emobench.executors.pending import Pending
from emobench.features import cache as caching
from emobench.runs import Observer, Selection, execute, plan, running
from emobench.runs.handing_out import Handout, Step
from emobench.runs.turns import Feed, Made, Readying, StoppedError, Turn, Workers
from emobench.spec import Experiment, Job, Places
from emobench.store import read_experiments

FIRST, SECOND, THIRD = "svm-is09", "mirsamadi2017-svm-mean", "librosa-svm"
FRONT_ENDS = {FIRST: "is09", SECOND: "hsf32", THIRD: "librosa180"}


@pytest.fixture
def own(tiny_places, tmp_path) -> Places:
    """The corpus `tiny`, of which nothing is cached."""
    return replace(tiny_places, cache=tmp_path / "cache")


class Heard:
    """What an observer was told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def observer(self, **more) -> Observer:
        return Observer(
            **{
                "listener": lambda event: self.told.append(
                    (event.kind, event.work.experiment.model, event.work.job)
                ),
                "feature_progress": lambda corpus, what, done, total: self.told.append(
                    ("features", what.partition("(")[0], done)
                ),
                "begin": lambda steps: self.told.append(("begin", len(steps), None)),
                **more,
            }
        )

    def first(self, kind: str, name: str) -> int:
        return [told[:2] for told in self.told].index((kind, name))

    def last(self, kind: str, name: str) -> int:
        return len(self.told) - 1 - [told[:2] for told in self.told[::-1]].index((kind, name))


def run(places: Places, *names: str, observer: Observer, **options):
    selection = Selection(names, ("tiny",), **{"protocol": "smoke", **options})
    return execute(plan(selection, places), places, observer)


@pytest.mark.parametrize(("cores", "jobs"), [(1, 1), (8, 1), (2, 2)])
def test_a_result_is_there_before_the_next_features_are_extracted(own, monkeypatch, cores, jobs):
    monkeypatch.setattr(running, "processors", lambda: cores)
    perform_here(monkeypatch, lambda work: Outcome({}))
    heard, threads = Heard(), set()
    observer = heard.observer(
        feature_progress=lambda corpus, what, done, total: (
            threads.add(threading.current_thread()),
            heard.told.append(("features", what.partition("(")[0], done)),
        )
    )
    summary = run(own, FIRST, SECOND, THIRD, observer=observer, jobs=jobs)
    assert (summary.done, summary.failures) == (6, {})
    assert heard.first("begin", 3) < heard.first("features", "is09")
    for before, after in ((FIRST, SECOND), (SECOND, THIRD)):
        assert heard.first("done", before) < heard.first("features", FRONT_ENDS[after])
        assert heard.last("features", FRONT_ENDS[after]) < heard.first("started", after)
        if cores == jobs == 1:  # the only worker trains, or features are extracted
            assert heard.last("done", before) < heard.first("features", FRONT_ENDS[after])
    assert threads == {threading.main_thread()}, "observers need not be safe for threads"


RUN = """
import json, sys, time
from pathlib import Path
from emobench.runs import Observer, Selection, execute, plan
from emobench.spec import Places

results, cache, data = map(Path, sys.argv[1:4])
places = Places(results, cache, data, (data / "datasets.yaml",))

def tell(*what):
    print(json.dumps(what), flush=True)

observer = Observer(
    lambda event: tell(event.kind, event.work.experiment.model, event.work.job.name),
    lambda corpus, what, done, total: tell("features", what.partition("(")[0], done),
)
planned = plan(Selection(tuple(sys.argv[4:]), ("tiny",), "smoke"), places)
summary = execute(planned, places, observer)
tell("summary", summary.done, summary.kept)
"""


def started(places: Places, *names: str) -> subprocess.Popen:
    paths = map(str, (places.results, places.cache, places.data))
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *paths, *names], stdout=subprocess.PIPE, text=True
    )


def predictions(results: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*.parquet")
    }


@pytest.fixture(scope="module")
def undisturbed(tiny_data, tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    places = Places(folder / "results", folder / "cache", tiny_data, (tiny_data / "datasets.yaml",))
    assert run(places, FIRST, SECOND, observer=Observer()).done == 4
    return predictions(places.results)


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("moment", [["done", FIRST], ["features", "hsf32"]])
def test_killed_in_between_the_same_command_goes_on(own, undisturbed, moment):
    killed, told = started(own, FIRST, SECOND), []
    for line in killed.stdout:
        told.append(json.loads(line))
        if told[-1][:2] == moment:
            os.kill(killed.pid, signal.SIGKILL)
            break
    killed.communicate()
    assert ["done", FIRST] in [each[:2] for each in told]
    if moment[0] == "features":
        assert [each[:2] for each in told].index(["done", FIRST]) < len(told) - 1
    done = {path.stem for path in own.results.rglob("fold-*.json")}
    assert done

    again = started(own, FIRST, SECOND)
    lines = [json.loads(line) for line in again.communicate(timeout=120)[0].splitlines()]
    kinds = [each[:2] for each in lines]
    assert ["features", "is09"] not in kinds, "extracted again"
    assert predictions(own.results) == undisturbed
    _, computed, kept = lines[-1]
    assert computed + kept == 4
    assert kept >= 1
    assert not list(own.cache.rglob(".unfinished-*"))


def test_what_is_done_needs_no_features(own):
    assert run(own, FIRST, observer=Observer()).done == 2
    shutil.rmtree(own.cache / "is09-v1")
    heard = Heard()
    summary = run(own, FIRST, observer=heard.observer())
    assert (summary.done, summary.kept) == (0, 2)
    assert not (own.cache / "is09-v1").exists()


def test_jobs_of_fewer_clips_than_were_foreseen_are_others(own, tmp_path):
    """Which clips cannot be used is known once features are extracted, and decides what is done."""
    shutil.copytree(own.data, tmp_path / "data")
    own = replace(own, data=tmp_path / "data")
    clip = sorted((own.data / "tiny").glob("*.wav"))[3]
    soundfile.write(clip, np.zeros(16_000), 16_000)
    revised = []
    observer = Observer(revise=lambda *steps: revised.append(steps))
    first = run(own, FIRST, observer=observer, skip_bad=True)
    assert (first.done, first.kept) == (2, 0)
    assert list(first.skipped_clips["tiny"]) == [clip.stem]
    assert revised == []  # as many as were foreseen
    second = run(own, FIRST, observer=observer, skip_bad=True)
    assert (second.done, second.kept) == (0, 2)
    ((foreseen, step),) = revised
    assert (len(foreseen.missing), len(step.missing), step.kept) == (2, 0, 2)
    assert foreseen.experiment.fingerprint != step.experiment.fingerprint
    (stored,) = read_experiments(own.results)
    assert stored.experiment["fingerprint"] == step.experiment.fingerprint
    assert stored.experiment["n_clips"] == 23
    refused = run(own, FIRST, SECOND, observer=observer)
    assert len(refused.failures) == 2
    assert all("found 1 of 24 that cannot be used" in text for text in refused.failures.values())


def test_an_experiment_that_cannot_be_made_ready_stops_no_other(own, monkeypatch):
    perform_here(monkeypatch, lambda work: Outcome({}))
    extract_all = caching.extract_all

    def broken(spec, *how):
        if spec.name == FRONT_ENDS[SECOND]:
            raise FeatureError("no luck")
        return extract_all(spec, *how)

    monkeypatch.setattr(caching, "extract_all", broken)
    heard, revised = Heard(), []
    observer = heard.observer(revise=lambda foreseen, step: revised.append((foreseen, step)))
    summary = run(own, FIRST, SECOND, THIRD, observer=observer)
    assert summary.failures == {f"tiny {SECOND}": "no luck"}
    assert summary.done == 4
    ((foreseen, step),) = revised
    assert (foreseen.experiment.model, step) == (SECOND, None)


def test_a_stop_ends_the_extraction_and_keeps_what_is_done(own, monkeypatch):
    monkeypatch.setattr(running, "processors", lambda: 8)
    perform_here(monkeypatch, lambda work: Outcome({}))
    heard = Heard()
    extracting = []

    def progress(corpus, what, done, total):
        heard.told.append(("features", what.partition("(")[0], done))
        extracting.extend([what] * (what.startswith("hsf32")))

    observer = heard.observer(feature_progress=progress, stopping=lambda: bool(extracting))
    summary = run(own, FIRST, SECOND, observer=observer)
    assert summary.stopped
    assert summary.failures == {}
    assert ("started", SECOND) not in [told[:2] for told in heard.told]
    assert not list(own.cache.rglob(".unfinished-*"))
    assert run(own, FIRST, SECOND, observer=Observer()).done == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stop_while_the_first_is_extracted_begins_no_other(own, monkeypatch, jobs):
    """With tuning steps, for which there are several phases."""
    perform_here(monkeypatch, lambda work: pytest.fail("a job was begun"))
    heard = Heard()

    def stop():
        return any(kind == "features" and what != "sound" for kind, what, _ in heard.told)

    names = (FIRST, SECOND)
    options = {"protocol": "keesing2020", "repetitions": 1, "jobs": jobs}
    summary = run(own, *names, observer=heard.observer(stopping=stop), **options)
    assert (summary.stopped, summary.done, summary.failures) == (True, 0, {})
    assert {what for kind, what, _ in heard.told if kind == "features"} <= {"sound", "is09"}
    assert not list(own.cache.rglob(".unfinished-*"))


def test_an_error_that_ends_the_run_ends_the_extraction(own, monkeypatch):
    """A full disk, say: told where the run waits, though it happens in a thread."""
    perform_here(monkeypatch, lambda work: Outcome({}))

    def full(*given, **more):
        if more.get("extract", True):
            raise StoreError("a full disk")
        return prepare(*given, **more)

    prepare = running.prepare
    monkeypatch.setattr(running, "prepare", full)
    with pytest.raises(StoreError, match="a full disk"):
        run(own, FIRST, observer=Observer())
    assert [thread for thread in threading.enumerate() if thread.name.startswith("features")] == []


def test_tuning_comes_first_and_its_folds_read_it(own, monkeypatch):
    """Each tuning step has all processes; no other experiment is extracted for it."""
    order = []
    perform_here(monkeypatch, lambda work: (order.append(work), Outcome({}))[1])
    heard = Heard()
    summary = run(
        own, FIRST, SECOND, observer=heard.observer(), protocol="keesing2020", repetitions=1, jobs=2
    )
    assert summary.failures == {}
    tuning = [work for work in order if work.job.fold is None]
    assert order[: len(tuning)] == tuning
    assert {work.tuning_jobs for work in tuning} == {2}
    assert summary.done == len(order)


# In turn ------------------------------------------------------------------------------------------


ALONE = Workers(on_cards=0, others=1, here=1)


def turn(name: str, jobs: int = 2, model: str = FIRST) -> Turn:
    spec = models.get(model)
    backend = "jax" if spec.kind == "network" else "scikit-learn"
    experiment = Experiment("tiny", name, "smoke", backend, {"model": name}, "", 2, 1)
    step = Step(experiment, spec, tuple(Job(fold) for fold in range(jobs)), 0)
    return Turn(None, spec, None, None, step)


class Slowly:
    """Makes experiments ready once it is told to."""

    def __init__(self, *, spare: int, workers: Workers = ALONE, processes: int = 4) -> None:
        self.begun: list[tuple[str, int]] = []
        self.may_end = threading.Event()
        self.readying = Readying(
            self.make,
            processes=processes,
            available=workers.here * workers.threads + spare,
            workers=workers,
            tell=lambda *told: None,
            stopping=lambda: False,
        )

    def make(self, turn, processes, progress):
        self.begun.append((turn.foreseen.experiment.model, processes))
        assert self.may_end.wait(10)
        return Made(turn.foreseen, {}, {})

    def feed(self, *turns: Turn, together: int = 1) -> Feed:
        def settle(turn, readying):
            turn.settle(readying.wait(turn).step)

        handout = Handout(Places(Path("r"), Path("c")), 1, 1, lambda missing: together)
        return Feed(turns, self.readying, settle, handout.folds)


def until(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def over(work: Work, kind: str = "done") -> Event:
    return Event(kind, work)


@pytest.mark.parametrize("spare", [0, 1, 3, 9])
def test_how_far_ahead_experiments_are_made_ready(spare):
    slowly = Slowly(spare=spare)
    feed = slowly.feed(turn("a"), turn("b"), turn("c"))
    assert isinstance(feed, Coming)
    assert not feed.ready()
    until(lambda: slowly.begun == [("a", 4)])
    slowly.may_end.set()
    until(feed.ready)
    one, two = next(feed), next(feed)
    slowly.may_end.clear()
    for _ in range(3):
        assert not feed.ready()
    assert slowly.begun == [("a", 4)]  # nothing is done yet
    feed.heard(over(one, "failed"))
    if spare:
        until(lambda: slowly.begun == [("a", 4), ("b", min(spare, 4))])
    else:
        assert not feed.ready()
        assert slowly.begun == [("a", 4)]  # the only worker is busy
        feed.heard(over(two))
        assert not feed.ready()
        until(lambda: slowly.begun == [("a", 4), ("b", 4)])
    slowly.may_end.set()
    assert [work.experiment.model for work in feed] == ["b", "b", "c", "c"]
    assert feed.ready()
    slowly.readying.close()


NETWORK = "latif2019"


def all_drawn(slowly: Slowly, feed: Feed) -> list[Work]:
    """Every job that comes, as a worker draws them who looks for others behind them."""
    drawn = []
    while True:
        if feed.ready():
            work = next(feed, None)
            if work is None:
                return drawn
            drawn.append(work)
        elif slowly.readying._future is not None:
            until(feed.ready)
        else:
            return drawn


def test_jobs_that_wait_for_the_card_keep_no_processor_from_working():
    """One card and two processors, all with workers: the SVM's features wait for no network."""
    slowly = Slowly(spare=0, workers=Workers(on_cards=1, others=2, here=3))
    feed = slowly.feed(turn("net", 30, NETWORK), turn("svm"))
    slowly.may_end.set()
    networks = all_drawn(slowly, feed)
    assert {work.is_network for work in networks[:30]} == {True}
    assert slowly.begun == [("net", 4), ("svm", 2)]
    assert [work.is_network for work in networks[30:]] == [False, False]
    slowly.readying.close()


def test_a_card_waits_for_no_estimators():
    slowly = Slowly(spare=0, workers=Workers(on_cards=1, others=2, here=3))
    feed = slowly.feed(turn("svm", 30), turn("another", 30), turn("net", 1, NETWORK))
    slowly.may_end.set()
    assert len(all_drawn(slowly, feed)) == 61
    assert slowly.begun == [("svm", 4), ("another", 1), ("net", 1)]
    slowly.readying.close()


def test_a_card_for_which_nothing_comes_lets_no_processor_be_shared():
    """All workers on CPUs are busy, and those that are idle are of no use to what is to come."""
    slowly = Slowly(spare=0, workers=Workers(on_cards=1, others=2, here=3))
    feed = slowly.feed(turn("a", 5), turn("b", 5))
    slowly.may_end.set()
    drawn = all_drawn(slowly, feed)
    for number, work in enumerate(drawn):
        assert slowly.begun == [("a", 4)]
        assert not feed.ready()
        feed.heard(over(work))
        if len(drawn) - number - 1 < 2:  # one of two has nothing to do
            break
    assert not feed.ready()
    until(lambda: slowly.begun == [("a", 4), ("b", 1)])
    slowly.readying.close()


def test_what_is_trained_at_once_keeps_one_worker_busy():
    slowly = Slowly(spare=0, workers=Workers(on_cards=0, others=2, here=2))
    feed = slowly.feed(turn("a", 6, NETWORK), turn("b", 1), together=6)
    slowly.may_end.set()
    first, *_ = all_drawn(slowly, feed)
    assert slowly.begun == [("a", 4)]
    feed.heard(over(first))
    assert [work.experiment.model for work in all_drawn(slowly, feed)] == ["b"]
    assert slowly.begun == [("a", 4), ("b", 1)]
    slowly.readying.close()


def test_workers_of_other_machines_are_counted_and_leave_this_one_alone():
    """Of a cluster's hundred workers four are on this node: the others are idle, and far away."""
    slowly = Slowly(spare=0, workers=Workers(on_cards=0, others=100, here=4), processes=8)
    feed = slowly.feed(turn("a", 30), turn("b", 200), turn("c", 1))
    slowly.may_end.set()
    first, *others = all_drawn(slowly, feed)
    assert (slowly.begun, len(others)) == ([("a", 8)], 29)
    feed.heard(over(first))
    assert len(all_drawn(slowly, feed)) == 200
    assert slowly.begun == [("a", 8), ("b", 4)]
    slowly.readying.close()


def test_where_nobody_works_here_nothing_is_waited_for():
    slowly = Slowly(spare=4, workers=Workers(on_cards=0, others=16, here=0))
    feed = slowly.feed(turn("a"), turn("b"), turn("c"))
    slowly.may_end.set()
    for expected in ("a", "b", "c"):
        until(feed.ready)
        assert [next(feed).experiment.model for _ in range(2)] == [expected] * 2
    assert slowly.begun == [("a", 4), ("b", 4), ("c", 4)]
    slowly.readying.close()


def test_threads_of_a_worker_are_no_processors_to_spare():
    options = Selection((FIRST,), ("demo",), jobs=2, threads=3)
    workers = running.workers_of(Local(2), plan(options, Places(Path("r"), Path("c"))))
    assert workers == Workers(0, 2, 2, 3)
    for available, spare in ((4, 0), (6, 0), (7, 1), (12, 2)):
        more = {"tell": lambda *told: None, "stopping": lambda: False}
        readying = Readying(None, processes=2, available=available, workers=workers, **more)
        assert readying.spare == spare
        readying.close()


def test_jobs_are_counted_as_they_turn_out_to_be(capsys):
    one, other = turn("a", 3).foreseen, turn("b", 2).foreseen
    with Progress() as progress:
        progress.begin([one, other])
        progress.revise(one, None)
        handout = Handout(Places(Path("r"), Path("c")), 1, 1, lambda missing: 1)
        for work in handout.folds(other):
            progress.event(over(work, "started"))
            progress.event(over(work))
    told = capsys.readouterr().err
    assert "jobs to do: 5" in told
    assert "[1/2]" in told
    assert "[2/2]" in told


def test_a_job_that_another_run_is_at_holds_up_nothing():
    slowly = Slowly(spare=0)
    feed = slowly.feed(turn("a", 1), turn("b", 1))
    slowly.may_end.set()
    (until(feed.ready),)
    feed.heard(over(next(feed), "elsewhere"))
    until(feed.ready)
    assert next(feed).experiment.model == "b"
    slowly.readying.close()


def test_experiments_without_jobs_are_passed_over():
    slowly = Slowly(spare=0)
    slowly.may_end.set()
    settled = turn("b")
    settled.settle(None)
    feed = slowly.feed(turn("a", 0), settled, turn("c", 1), turn("d", 0))
    assert [work.experiment.model for work in feed] == ["c"]
    slowly.readying.close()


def test_who_stops_is_handed_no_more():
    stop, begun = [], []

    def make(turn, processes, progress):
        begun.append(turn)
        progress("is09", 1, 2)

    readying = Readying(
        make,
        processes=1,
        available=1,
        workers=ALONE,
        tell=lambda *told: stop.append(told),
        stopping=lambda: bool(begun),
    )

    def settle(turn, readying):
        with pytest.raises(StoppedError):
            readying.wait(turn)
        raise StoppedError

    first = turn("a")
    first.corpus = models.get(FIRST)  # whatever has a name
    assert list(Feed([first], readying, settle, lambda step: iter(()))) == []
    assert stop == [(FIRST, "is09", 1, 2)]
    readying.close()


def test_who_waits_for_jobs_goes_on_with_those_that_are_there(monkeypatch):
    """A worker is kept, and hears of jobs as soon as they are there."""
    slowly, workers, told = Slowly(spare=1), [], []
    perform_here(monkeypatch, lambda work: Outcome({}))
    engage = local.WorkerProcess
    monkeypatch.setattr(local, "WorkerProcess", lambda *how: (workers.append(how), engage(*how))[1])
    feed = slowly.feed(turn("a"), turn("b"))
    slowly.may_end.set()
    for event in Local().run(feed):
        if event.kind == "started" and not told:
            slowly.may_end.clear()
        if event.kind == "done":
            told.append(event.work.experiment.model)
            if told == ["a", "a"]:
                threading.Timer(0.3, slowly.may_end.set).start()
        feed.heard(event)
    assert told == ["a", "a", "b", "b"]
    assert slowly.begun == [("a", 4), ("b", 1)]
    assert len(workers) == 1
    slowly.readying.close()


def test_jobs_that_wait_are_no_end():
    class Later:
        def __init__(self):
            self.there = []

        def __iter__(self):
            return self

        def __next__(self):
            if not self.there:
                raise StopIteration
            return self.there.pop()

        def ready(self):
            return bool(self.there)

    later = Later()
    pending = Pending(later)
    assert pending
    assert not pending.waits()
    assert pending.take() is None
    assert pending.more
    slowly = Slowly(spare=0)
    slowly.may_end.set()
    (work,) = slowly.feed(turn("a", 1))
    later.there.append(work)
    assert pending.take() == work
    assert pending
    pending.keep_only(())
    assert not pending
    slowly.readying.close()
