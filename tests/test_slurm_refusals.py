"""What is done where Slurm does not take an array of jobs, or does not answer."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from slurm_commands import submission, works
from stored import Filled

from emobench.errors import EmobenchError, SpecError
from emobench.executors import Work
from emobench.executors import slurm as executor
from emobench.executors.slurm_options import Asked, parse
from emobench.executors.submissions import Submissions
from emobench.spec import Job
from emobench.store import Store


class TestWhatIsNotTakenNow:
    """A scheduler that refuses an array while it has another of ours."""

    @pytest.fixture
    def items(self, tmp_path, monkeypatch) -> list[Work]:
        monkeypatch.setattr(executor, "_LOOK_SECONDS", {"slurm": 0.05})
        monkeypatch.setattr(executor, "_AGAIN_SECONDS", {"slurm": 0.2})
        items = works(tmp_path, "ab", folds=2)
        for item in items[::2]:
            Store(item.places.results).open(item.experiment)
        return items

    REFUSAL = "sbatch: error: AssocMaxSubmitJobLimit"

    def made(self, items: list[Work]) -> executor.Slurm:
        return executor.Slurm(parse("time=9"), items[0].places)

    def queue_one(self, items: list[Work]) -> Submissions:
        """Let an array of an earlier run be in the queue."""
        kept = Submissions(items[0].places.cache, items[0].places.results, "slurm")
        kept.open()
        kept.note([submission(items, "3", kept.folder)])
        return kept

    def test_it_is_tried_again_once_others_are_done(self, items, commands, caplog):
        kept = self.queue_one(items[:2])
        commands.let("squeue", "echo '3 R None'")
        tries = commands.folder / "tries"
        commands.let("sbatch", f"echo >> {tries}; echo '{self.REFUSAL}' >&2; exit 1")
        done, until = [], time.monotonic() + 30

        def stopping() -> bool:
            if not done and tries.exists() and len(tries.read_text()) == 3:
                done.append(Filled(items[0].places.results).run(items[0].experiment, [Job(0)]))
                done.append(Filled(items[0].places.results).run(items[0].experiment, [Job(1)]))
                commands.let("squeue", "echo '7 R None'")
                commands.take()
            elif (commands.folder / "script").exists() and len(done) == 2:
                done.append(Filled(items[0].places.results).run(items[2].experiment, [Job(0)]))
                done.append(Filled(items[0].places.results).run(items[2].experiment, [Job(1)]))
            return time.monotonic() > until

        told = [event.work.job for event in self.made(items).run(items, stopping)][1::2]
        assert told == [Job(0), Job(1), Job(0), Job(1)]
        said = [text for text in caplog.messages if "takes no more for now" in text]
        assert len(said) == 1
        assert f"{self.REFUSAL}); 2 jobs wait here, and are handed over later" in said[0]
        # A try that came to nothing leaves nothing behind.
        assert len([path for path in kept.folder.iterdir() if path.is_dir()]) == 1

    def test_with_nothing_of_ours_in_the_queue_it_is_an_error(self, items, commands):
        commands.let("sbatch", f"echo '{self.REFUSAL}' >&2; exit 1")
        with pytest.raises(SpecError, match=f"{self.REFUSAL}.* Correct the options"):
            list(self.made(items).run(items))

    def test_options_that_there_are_not_are_an_error_at_once(self, items, commands):
        self.queue_one(items[:2])
        commands.let("squeue", "echo '3 R None'")
        made = executor.Slurm(parse("time=9,partitoin=gpu"), items[0].places)
        with pytest.raises(SpecError, match="Unknown argument 'partitoin'"):
            list(made.run(items))

    def test_what_others_do_meanwhile_is_not_handed_over(self, items, commands, monkeypatch):
        self.queue_one(items[:2])
        commands.let("squeue", "echo '3 R None'")
        commands.let("sbatch", f"touch {commands.folder}/tried; echo no >&2; exit 1")
        filled = []

        def stopping() -> bool:
            if (commands.folder / "tried").exists() and not filled:
                for item in items:
                    filled.append(
                        Filled(item.places.results).run(item.experiment, [Job(0), Job(1)])
                    )
                commands.take()
            return False

        assert len(list(self.made(items).run(items, stopping))) == 2 * len(items)
        assert not (commands.folder / "script").exists()

    def test_a_queue_that_does_not_answer_is_waited_for(self, items, commands, caplog):
        """Whoever submitted earlier may have something in it."""
        self.queue_one(items)
        commands.let("squeue", f"touch {commands.folder}/asked; echo 'no contact' >&2; exit 1")

        def stopping() -> bool:
            if (commands.folder / "asked").exists():
                commands.let("squeue", "echo '3 R None'")
            return "4 jobs of an earlier run are in the queue" in caplog.text

        assert list(self.made(items).run(items, stopping)) == []
        assert "the scheduler does not answer (no contact); 4 jobs wait here" in caplog.text
        assert "4 jobs stay in the queue (3)" in caplog.text

    def test_a_queue_that_does_not_answer_the_first_run_is_an_error(self, items, commands):
        commands.let("squeue", "echo 'no contact' >&2; exit 1")
        with pytest.raises(EmobenchError, match="squeue to list the queue, found: no contact"):
            list(self.made(items).run(items))


def test_a_queue_that_cannot_be_asked_is_said(tiny_places, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    made = executor.Slurm(Asked(), replace(tiny_places, cache=tmp_path))
    with pytest.raises(EmobenchError, match="expected the command squeue to list the queue"):
        list(made.run(works(tmp_path)))
