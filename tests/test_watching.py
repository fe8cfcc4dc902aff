"""What becomes of jobs that were handed to a scheduler, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_commands import submission, works
from stored import Filled

from emobench.errors import EmobenchError, StoreError
from emobench.executors import Event, Work
from emobench.executors.endings import explain
from emobench.executors.submissions import Submissions, key
from emobench.executors.watching import Watching
from emobench.spec import Job
from emobench.store import Store

SHOWN = "JobId=8 ArrayJobId=7 JobState={} Reason=x ExitCode={} ReqNodeList=(null) NodeList={}"
NO_LOG = "found none, so {0} seems not to see that folder of the cache, or may not write there"


def test_submissions_are_remembered_while_they_are_in_the_queue(tmp_path):
    items = works(tmp_path)
    kept = Submissions(tmp_path / "cache", tmp_path / "results", "slurm")
    kept.folder.mkdir(parents=True)
    made = [submission(items[:4], "7_0", tmp_path), submission(items[4:], "7_1", tmp_path)]
    kept.note(made)
    assert list(kept.waiting({"7_0", "7_1", "9"})) == made
    assert list(kept.waiting({"7_1"})) == made[1:]
    assert list(kept.waiting({"7_0", "7_1"})) == made[1:]
    (kept.folder / "8.json").write_text("{")
    assert list(kept.waiting({"7_1"})) == made[1:]
    other = Submissions(tmp_path / "cache", tmp_path / "other", "slurm")
    assert list(other.waiting({"7_1"})) == []


class TestWatching:
    """What is told of jobs that nobody hears of but by what they file."""

    @pytest.fixture
    def items(self, tmp_path) -> list[Work]:
        items = works(tmp_path)
        for item in items[::4]:
            Store(item.places.results).open(item.experiment)
        return items

    def watch(self, items: list[Work], tmp_path: Path) -> Watching:
        made = [submission(items[:4], "7_0", tmp_path), submission(items[4:], "7_1", tmp_path)]
        return Watching({key(item): item for item in items}, made, "local")

    def told(self, events) -> list[tuple[str, str, int]]:
        found = [(event.kind, event.work.experiment.model, event.work.job.fold) for event in events]
        assert found[::2] == [("started", *rest) for _, *rest in found[1::2]]
        return found[1::2]

    def test_records_and_failures(self, items, tmp_path):
        store = Store(items[0].places.results)
        store.fail(items[2].experiment, Job(2), "an old reason")
        watching = self.watch(items, tmp_path)
        assert self.told(watching.filed()) == []
        Filled(store.results).run(items[0].experiment, [Job(0)])
        store.fail(items[1].experiment, Job(1), "no luck")
        assert self.told(watching.filed()) == [("done", "a", 0), ("failed", "a", 1)]
        assert self.told(watching.filed()) == []
        store.fail(items[2].experiment, Job(2), "a new reason")
        _, failed = watching.filed()
        assert failed.message == "a new reason"
        assert len(watching.left) == 5

    def test_what_cannot_be_read_is_left_for_the_next_look(self, items, tmp_path):
        """Another run that lost its claim may be filing it anew."""
        store = Store(items[0].places.results)
        watching = self.watch(items, tmp_path)
        Filled(store.results).run(items[0].experiment, [Job(0), Job(1)])
        record = store.folder(items[0].experiment) / f"{Job(0).name}.json"
        whole = record.read_bytes()
        record.write_bytes(whole[:20])
        assert self.told(watching.filed()) == [("done", "a", 1)]
        record.unlink()
        record.symlink_to(tmp_path / "vanished")
        assert self.told(watching.filed()) == []
        record.unlink()
        record.write_bytes(whole)
        assert self.told(watching.filed()) == [("done", "a", 0)]

    def test_a_folder_of_results_that_is_away_for_a_while(self, items, tmp_path):
        watching = self.watch(items, tmp_path)
        results = items[0].places.results
        Filled(results).run(items[0].experiment, [Job(0)])
        results.rename(tmp_path / "away")
        assert self.told(watching.filed()) == []
        (tmp_path / "away").rename(results)
        assert self.told(watching.filed()) == [("done", "a", 0)]

    def test_a_job_that_left_the_queue_without_a_record(self, items, tmp_path):
        (tmp_path / "7_1.err").write_text("it went wrong\n")
        watching = self.watch(items, tmp_path)
        assert self.told(watching.ended({"7_0", "7_1"})) == []
        assert self.told(watching.ended({"7_0"})) == []  # what it filed last may still come
        events: list[Event] = list(watching.ended({"7_0"}))
        assert self.told(events) == [("failed", "b", fold) for fold in range(4)]
        assert events[1].message == (
            "the scheduler's job 7_1 ended without a record of it. "
            f"Its log is {tmp_path / '7_1.err'}; it ends with 'it went wrong'. "
            "Give the same command to try again."
        )
        assert [one.id for one in watching.submissions] == ["7_0"]

    def test_why_jobs_wait_is_said_once(self, items, tmp_path, caplog):
        watching = self.watch(items, tmp_path)
        for queue in ({"7_0": "", "7_1": "None"}, {"7_1": "Resources"}, {"7_1": "Resources"}):
            watching.explain(queue)
        watching.explain({"7_0": "Resources", "7_1": "PartitionTimeLimit"})
        said = [record.getMessage() for record in caplog.records]
        assert [text.partition(" (")[0] for text in said] == [
            "the scheduler's job 7_1 waits: Resources",
            "the scheduler's job 7_1 waits: PartitionTimeLimit",
        ]

    def test_a_node_that_cannot_do_it_ends_the_run(self, items, tmp_path):
        watching = self.watch(items, tmp_path)
        watching.submissions[1].refusal.write_text("box7: expected emobench 1, found 2.")
        with pytest.raises(EmobenchError, match="box7: expected emobench 1, found 2"):
            list(watching.ended(set()))


@pytest.mark.parametrize(
    ("scontrol", "sacct", "log", "said"),
    [
        (
            f"echo '{SHOWN.format('FAILED', '2:0', 'box7')}'",
            "exit 1",
            "slurmstepd: error: execve(): /venv/python: No such file or directory\n"
            "srun: error: box7: task 0: Exited with exit code 2\n",
            [
                ", on node box7 (FAILED, exit code 2:0). Its log is",
                "ends with 'slurmstepd: error: execve(): /venv/python: No such file or directory'",
            ],
        ),
        (
            "exit 1",
            "echo 'OUT_OF_MEMORY|0:125|box8'",
            "",
            [", on node box8 (OUT_OF_MEMORY, exit code 0:125). Its log is", ".err. Give the same"],
        ),
        (
            f"echo '{SHOWN.format('FAILED', '0:53', 'box7')}'",
            "echo 'COMPLETED|0:0|box8'",
            None,
            [NO_LOG.format("box7"), "or leave the node out with --slurm exclude=box7."],
        ),
        ("exit 1", "exit 1", None, ["without a record of it. Expe", NO_LOG.format("its node")]),
        (
            f"echo '{SHOWN.format('CANCELLED', '0:0', '(null)')}'",
            "exit 1",
            None,
            ["on no node (CANCELLED, exit code 0:0). It never began, so there is no log. Give"],
        ),
        ("exit 1", "echo 'CANCELLED by 0|0:0|None assigned'", None, ["It never began"]),
    ],
)
def test_how_a_job_of_slurm_ended_is_said(tmp_path, commands, scontrol, sacct, log, said):
    commands.let("scontrol", scontrol)
    commands.let("sacct", sacct)
    one = submission(works(tmp_path), "7_1", tmp_path)
    if log is not None:
        one.log.write_text(log)
    message = explain(one, "slurm")
    assert message.startswith("the scheduler's job 7_1 ended without a record of it")
    for words in said:
        assert words in message


def test_slurm_without_commands_that_tell_of_ended_jobs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    one = submission(works(tmp_path), "7_1", tmp_path)
    assert "7_1 ended without a record of it. Expected its log at" in explain(one, "slurm")


def test_a_cache_that_takes_nothing_is_told(tmp_path):
    (tmp_path / "cache").write_text("a file in the way")
    kept = Submissions(tmp_path / "cache", tmp_path / "results", "slurm")
    with pytest.raises(StoreError, match=r"what was submitted.*name another folder with --cache"):
        kept.open()
    with pytest.raises(StoreError, match="what was submitted"):
        kept.note([submission(works(tmp_path, "a"), "3", tmp_path)])
