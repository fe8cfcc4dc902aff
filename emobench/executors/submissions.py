"""What was handed to a scheduler, so that a later run knows what is still in its queue."""

from __future__ import annotations

import getpass
import json
import subprocess
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError
from ..spec import fingerprint
from ..storage import Purpose, storing, write
from .work import Work

_KEPT = Purpose("what was submitted", StoreError, "name another folder with --cache")
_PATIENCE_SECONDS = 60

Key = tuple[str, str]
"""Fingerprint of an experiment, and name of a job."""


def key(work: Work) -> Key:
    """Return what a job is called among all that were handed over."""
    return work.experiment.fingerprint, work.job.name


@dataclass(frozen=True)
class Submission:
    """One job of a scheduler, with the jobs of the run that are its share.

    Attributes:
        id: that the scheduler gave it, such as "1234_5"
        jobs: its share
        refusal: file that says why they cannot be done, where they cannot
        log: where it writes to
    """

    id: str
    jobs: frozenset[Key]
    refusal: Path
    log: Path


class Submissions:
    """Those of one folder of results, kept in files of their own.

    Args:
        cache: folder of what can be made again
        results: folder of results
        cluster: name of the scheduler
    """

    def __init__(self, cache: Path, results: Path, cluster: str) -> None:
        self.folder = cache / cluster / fingerprint(str(results.resolve()))[:12]

    def open(self) -> None:
        """Make the folder.

        Raises:
            StoreError: if that is not possible
        """
        with storing(self.folder, _KEPT):
            self.folder.mkdir(parents=True, exist_ok=True)

    def note(self, made: Collection[Submission]) -> None:
        """Take down what was handed over.

        Raises:
            StoreError: if it cannot be written
        """
        for one in made:
            content = {
                "id": one.id,
                "jobs": sorted(one.jobs),
                "refusal": str(one.refusal),
                "log": str(one.log),
            }
            with storing(self.folder, _KEPT):
                write((self.folder / f"{one.id}.json", json.dumps(content).encode()))

    def waiting(self, queued: Collection[str]) -> Iterator[Submission]:
        """Yield those that are still in the queue, and forget the others.

        Args:
            queued: ids of the jobs in the queue
        """
        for path in sorted(self.folder.glob("*.json")):
            try:
                content = json.loads(path.read_bytes())
                jobs = frozenset((print_, name) for print_, name in content["jobs"])
                found = Submission(
                    content["id"], jobs, Path(content["refusal"]), Path(content["log"])
                )
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if found.id in queued:
                yield found
            else:
                with suppress(OSError):
                    path.unlink()


def queued(cluster: str, ids: Collection[str] = ()) -> dict[str, str]:
    """Return the jobs that wait or run, by id, and why those wait that do.

    Args:
        cluster: "slurm", or "local" for processes of this machine
        ids: which to look for, where the scheduler has no list

    Raises:
        OSError: if the scheduler does not answer
    """
    if cluster == "local":
        return {one: "" for one in ids if one.isdigit() and _runs(int(one))}
    command = [
        "squeue",
        f"--user={getpass.getuser()}",
        "--array",
        "--noheader",
        "--format=%i %t %r",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"squeue: no answer within {_PATIENCE_SECONDS} s") from None
    if done.returncode:
        raise OSError(done.stderr.strip() or f"squeue: exit status {done.returncode}")
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    told = [line for line in lines if len(line) >= 2]
    return {one: " ".join(why) if state == "PD" else "" for one, state, *why in told}


def _runs(process: int) -> bool:
    """Tell whether a process of this machine is a job of submitit."""
    import psutil

    with suppress(psutil.Error):
        found = psutil.Process(process)
        words = " ".join(found.cmdline())
        return "submitit" in words and found.status() != psutil.STATUS_ZOMBIE
    return False
