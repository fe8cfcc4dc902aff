"""Several runs at once on one folder: each job is done by one of them, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import perform_here
from stored import Filled, experiment, predictions

from emobench.executors import Event, Local, Outcome, Work, sharing
from emobench.executors.worker import perform
from emobench.spec import Job, Places
from emobench.storage import claims, locks, processes
from emobench.storage.claims import Claims, discard_void
from emobench.store import Store

NAME = "fold-03-repetition-2.claim"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


HOLDER = """
import sys
from pathlib import Path
from emobench.storage.claims import CLAIMS
print(CLAIMS.take(Path(sys.argv[1]), sys.argv[2]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has claimed a job, as part of the run "other"."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / NAME), "other"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"True\n"
        yield process
        process.kill()


def test_a_claim_is_kept_and_given_up(tmp_path):
    own = Claims()
    assert own.take(tmp_path / NAME)
    assert own.take(tmp_path / NAME)
    assert names(tmp_path) == [NAME]
    own.release(tmp_path / "other.claim")
    assert names(tmp_path) == [NAME]
    own.release(tmp_path / NAME)
    assert names(tmp_path) == []


def test_who_lives_keeps_its_claim(tmp_path, holder):
    assert not Claims().take(tmp_path / NAME)
    assert not Claims().take(tmp_path / NAME, "mine")
    discard_void(tmp_path)
    assert names(tmp_path) == [NAME]
    assert Claims().take(tmp_path / "other.claim")


def test_who_is_dead_does_not(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    while not Claims().take(tmp_path / NAME):  # it is not waited for, and so a zombie
        time.sleep(0.01)
    assert names(tmp_path) == [NAME]


def test_what_the_dead_leave_is_removed(tmp_path, holder):
    (tmp_path / f".{NAME}.0123").write_bytes((tmp_path / NAME).read_bytes())
    holder.kill()
    holder.wait()
    discard_void(tmp_path)
    assert names(tmp_path) == []


def test_what_other_machines_left_is_removed_once_it_is_old(tmp_path, monkeypatch):
    """By whoever opens the experiment, where there are no locks as well."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(locks, "_lock", lambda descriptor, wait: False)
    filled, made = Filled(tmp_path), experiment()
    folder = filled.run(made)
    for age, gone in ((claims.STALE_SECONDS - 30, False), (claims.STALE_SECONDS + 30, True)):
        far_away(folder, age)
        aside = folder / f".{NAME}.0123"
        aside.write_bytes((folder / NAME).read_bytes())
        made_at = aside.stat().st_mtime - (4_000 if gone else 3_000)
        os.utime(aside, (made_at, made_at))
        filled.store.open(made)
        assert (not (folder / NAME).exists(), not aside.exists()) == (gone, gone)
    assert len(filled.store.done(made)) == 3


def test_what_was_renewed_or_taken_over_meanwhile_is_not_removed(tmp_path, monkeypatch):
    far_away(tmp_path, claims.STALE_SECONDS + 30)
    real = claims._take_away

    def late(path, is_meant):
        os.utime(path)
        return real(path, is_meant)

    monkeypatch.setattr(claims, "_take_away", late)
    discard_void(tmp_path)
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize("end", ["release", "release_all"])
def test_who_was_suspended_leaves_its_successor_alone(tmp_path, monkeypatch, end):
    monkeypatch.setattr(claims, "RENEWED_SECONDS", 0.02)
    monkeypatch.setattr(claims, "STALE_SECONDS", -1)
    late, next_one = Claims(), Claims()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(processes, "machine", lambda: "far away")
        assert late.take(tmp_path / NAME)
    assert next_one.take(tmp_path / NAME)
    next_one._held.clear()  # so that nobody renews it
    content = (tmp_path / NAME).read_bytes()
    os.utime(tmp_path / NAME, (0, 0))
    time.sleep(0.1)
    assert (tmp_path / NAME).stat().st_mtime == 0  # and its predecessor does not either
    late.release(tmp_path / NAME) if end == "release" else late.release_all()
    assert (tmp_path / NAME).read_bytes() == content
    assert names(tmp_path) == [NAME]


def test_a_process_of_which_the_system_shows_nothing_is_judged_by_age(
    tmp_path, monkeypatch, holder
):
    """With `hidepid` the processes of others are not to be seen, though they can be asked for."""
    import psutil

    def hidden(number):
        raise psutil.NoSuchProcess(number)

    def forbidden(number, sent):
        raise PermissionError(1, "Operation not permitted")

    processes.own()
    with monkeypatch.context() as hiding:
        hiding.setattr(psutil, "Process", hidden)
        hiding.setattr(processes.os, "kill", forbidden)
        discard_void(tmp_path)
        assert not Claims().take(tmp_path / NAME, "mine")
        renewed = (tmp_path / NAME).stat().st_mtime - claims.STALE_SECONDS - 30
        os.utime(tmp_path / NAME, (renewed, renewed))
        assert Claims().take(tmp_path / NAME, "mine")


def test_the_claim_of_a_lost_worker_is_no_hindrance_to_its_run(tmp_path, holder):
    assert Claims().take(tmp_path / NAME, "other")


def far_away(folder: Path, age: float, text: str | None = None) -> None:
    """Let a process of another machine hold a claim that it last renewed so many seconds ago."""
    path = folder / NAME
    content = {"machine": "far away", "process": os.getpid(), "started": 0, "party": "other"}
    path.write_text(json.dumps(content) if text is None else text)
    renewed = path.stat().st_mtime - age
    os.utime(path, (renewed, renewed))


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"machine": 3}'])
def test_another_machine_is_believed_as_long_as_it_renews_its_claim(tmp_path, monkeypatch, text):
    monkeypatch.setattr(time, "time", lambda: 0.0)  # whatever the clock here says
    far_away(tmp_path, claims.STALE_SECONDS - 30, text)
    discard_void(tmp_path)
    assert not Claims().take(tmp_path / NAME)
    far_away(tmp_path, claims.STALE_SECONDS + 30, text)
    assert Claims().take(tmp_path / NAME)


def test_a_claim_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "RENEWED_SECONDS", 0.02)
    own = Claims()
    assert own.take(tmp_path / NAME)
    os.utime(tmp_path / NAME, (0, 0))
    while (tmp_path / NAME).stat().st_mtime == 0:
        time.sleep(0.01)
    own.release_all()
    assert names(tmp_path) == []


def test_without_hard_links(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    own = Claims()
    assert own.take(tmp_path / NAME)
    assert not Claims().take(tmp_path / NAME)
    assert names(tmp_path) == [NAME]
    own.release(tmp_path / NAME)
    assert Claims().take(tmp_path / NAME)


RACER = """
import sys
from pathlib import Path
from emobench.storage.claims import CLAIMS
print("ready", flush=True)
sys.stdin.readline()
folder = Path(sys.argv[1])
print([number for number in range(300) if CLAIMS.take(folder / f"{number}.claim")], flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_who_race_one_gets_each_job(tmp_path, stale):
    """Also where all of them find the claim of a dead one."""
    for number in range(300) if stale else ():
        content = {"machine": processes.machine(), "process": 2**30, "started": 0}
        (tmp_path / f"{number}.claim").write_text(json.dumps(content))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    racers = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    got = Counter(number for racer in racers for number in json.loads(racer.stdout.readline()))
    for racer in racers:
        racer.communicate()
    assert sorted(got) == list(range(300))
    assert got.total() == 300


def work(folder: Path, fold: int, **options) -> Work:
    made = experiment(backend="scikit-learn", n_folds=4, model=options.pop("model", "svm-is09"))
    return Work(made, Job(fold), Places(folder, folder), **options)


def test_a_worker_leaves_a_job_to_who_is_at_it(tmp_path, holder):
    item = work(tmp_path / "results", 3)
    folder = Store(item.places.results).open(item.experiment)
    (tmp_path / NAME).rename(folder / "fold-03-repetition-1.claim")
    outcome = perform(item, print)
    assert (outcome.elsewhere, outcome.record, outcome.message) == (True, None, "")
    holder.kill()
    holder.wait()
    outcome = perform(item, print)
    assert not outcome.elsewhere
    assert outcome.message
    assert names(folder) == ["experiment.json"]


def test_jobs_of_other_runs_come_last_and_are_looked_at_again(monkeypatch, tmp_path):
    monkeypatch.setattr(sharing, "AGAIN_SECONDS", 0.05)
    looks = Counter()

    def answer(item: Work) -> Outcome:
        key = (item.experiment.model, item.job.fold)
        looks[key] += 1
        elsewhere = key == ("a", 0) and looks[key] < 3
        return Outcome(None if elsewhere else {}, elsewhere=elsewhere)

    perform_here(monkeypatch, answer)
    jobs = [work(tmp_path, fold, model=model) for model in "ab" for fold in range(2)]
    events: list[Event] = list(Local(1).run(jobs))
    done = [(e.work.experiment.model, e.work.job.fold) for e in events if e.kind == "done"]
    assert done == [("b", 0), ("b", 1), ("a", 1), ("a", 0)]
    assert [event.kind for event in events].count("elsewhere") == 2


def test_an_interrupt_waits_for_no_other_run(monkeypatch, tmp_path):
    seen = []
    perform_here(monkeypatch, lambda item: seen.append(item) or Outcome(None, elsewhere=True))
    jobs = [work(tmp_path, fold) for fold in range(2)]
    events = list(Local(1).run(jobs, lambda: len(seen) >= 2))
    assert [event.kind for event in events if event.kind != "started"] == ["elsewhere"] * 2


@pytest.mark.parametrize("alone", [True, False])
def test_records_are_whole_where_locks_keep_nobody_out(tmp_path, monkeypatch, alone):
    """Another writer's predictions get between ours and our record, twice."""
    filled, made = Filled(tmp_path), experiment()
    filled.run(made, [])
    monkeypatch.setattr(locks, "_lock", lambda descriptor, wait: alone)
    real, meddled = os.replace, []

    def meddle(source, target):
        real(source, target)
        if str(target).endswith(".parquet") and len(meddled) < 2:
            meddled.append(target)
            Path(target).write_bytes(b"of another writer")

    monkeypatch.setattr(os, "replace", meddle)
    filled.store.add(made, Job(0), {}, predictions(Job(0)))
    assert len(meddled) == 2
    assert filled.store.done(made) == {Job(0)}


def test_a_results_folder_that_was_copied_to_another_machine_goes_on(tmp_path, monkeypatch):
    """The claims of who still works on the original count until they would have been renewed."""
    filled, made = Filled(tmp_path / "here"), experiment(n_folds=4)
    folder = filled.run(made, [Job(0)])
    theirs = Claims()
    assert all(theirs.take(folder / f"{Job(fold).name}.claim") for fold in (1, 2))
    (folder / f".{Job(3).name}.json.0123.tmp").write_text("{")
    shutil.copytree(tmp_path / "here", tmp_path / "there")  # gives all files the time of now
    monkeypatch.setattr(processes, "machine", lambda: "another name and another boot")
    store, own = Store(tmp_path / "there"), Claims()
    copied = store.open(made)
    assert not own.take(copied / f"{Job(1).name}.claim")
    assert own.take(copied / f"{Job(3).name}.claim")
    assert store.missing(made, [Job(fold) for fold in range(4)]) == [Job(1), Job(2), Job(3)]
    monkeypatch.setattr(claims, "STALE_SECONDS", 0.01)
    time.sleep(0.1)
    assert own.take(copied / f"{Job(1).name}.claim")
    store.open(made)
    assert not (copied / f"{Job(2).name}.claim").exists()
    Filled(tmp_path / "there").run(made, [Job(1), Job(2), Job(3)])
    own.release_all()
    assert store.missing(made, [Job(fold) for fold in range(4)]) == []
    assert list(copied.glob("*.claim")) == []
    assert len(list(folder.glob("*.claim"))) == 2  # the original is as it was
    theirs.release_all()


COUNTED = """
import os
from emobench.training import jobs
run = jobs._test
def counted(context, job, *more):
    with open(os.environ["TOLD"], "a") as stream:
        stream.write(f"{job.name}\\n")
    return run(context, job, *more)
jobs._test = counted
"""


def test_three_runs_at_once_share_the_work(tiny_places, tmp_path):
    """Each job is computed once; every run ends with all of them done."""
    (tmp_path / "sitecustomize.py").write_text(COUNTED)
    told = tmp_path / "told"
    variables = os.environ | {"PYTHONPATH": str(tmp_path), "TOLD": str(told)}
    command = [sys.executable, "-m", "emobench", "run", "--model", "svm-is09", "--corpus", "tiny"]
    for name, place in (("data", tiny_places.data), ("cache", tiny_places.cache)):
        command += [f"--{name}", str(place)]
    command += ["--results", str(tiny_places.results)]
    command += ["--datasets", str(tiny_places.datasets[0])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    runs = [subprocess.Popen(command, env=variables, **pipes) for _ in range(3)]
    answers = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], answers
    assert Counter(told.read_text().split()) == Counter(
        f"fold-{fold:02d}-repetition-1" for fold in range(4)
    )
    assert list(tiny_places.results.rglob("*.claim*")) == []
