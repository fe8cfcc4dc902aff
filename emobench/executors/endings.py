"""How a scheduler's job ended that filed nothing: where it was, and what it said last."""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .slurm_options import OPTION
from .submissions import Submission

_PATIENCE_SECONDS = 30
_TAIL_BYTES = 8192
_LINE = 300
"""Characters of a log's last line that are told."""

_NOWHERE = ("", "(null)", "None assigned")


@dataclass(frozen=True)
class Ending:
    """What a scheduler knows of a job that ended.

    Attributes:
        node: where it was; "" for none
        state: in Slurm's words, such as FAILED
        status: exit code and signal, such as 1:0
    """

    node: str
    state: str
    status: str


def explain(one: Submission, cluster: str) -> str:
    """Return what to say of a job of the scheduler that left the queue without a record.

    Args:
        one: the job
        cluster: "slurm", or "local" for processes of this machine
    """
    ending = _asked(one.id) if cluster == "slurm" else None
    told = f"the scheduler's job {one.id} ended without a record of it"
    if ending is not None:
        where = f"on node {ending.node}" if ending.node else "on no node"
        told += f", {where} ({ending.state}, exit code {ending.status})"
    return f"{told}. {_of_log(one, ending)} Give the same command to try again."


def _of_log(one: Submission, ending: Ending | None) -> str:
    """Return where the log is, or what it means that there is none."""
    if one.log.exists():
        said = _last_line(one.log)
        return f"Its log is {one.log}" + (f"; it ends with '{said}'." if said else ".")
    if ending is not None and not ending.node:
        return "It never began, so there is no log."
    node = "its node" if ending is None else ending.node
    leave_out = "" if ending is None else f", or leave the node out with {OPTION} exclude={node}"
    return (
        f"Expected its log at {one.log}, found none, so {node} seems not to see that folder of the "
        f"cache, or may not write there. Mount it under the same path{leave_out}."
    )


def _last_line(log: Path) -> str:
    """Return the last line that is not of the commands which started the program."""
    with suppress(OSError), log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines()]
        told = [line for line in lines if line]
        own = [line for line in told if not line.startswith("srun:")]
        return (own or told or [""])[-1][:_LINE]
    return ""


def _asked(job: str) -> Ending | None:
    """Ask the controller, which soon forgets, and the accounts, which not every site keeps."""
    told = _run("scontrol", "show", "job", "--oneliner", job)
    found = dict(re.findall(r"(?:^|\s)(JobState|ExitCode|NodeList)=(\S*)", told))
    if len(found) == 3:
        return _ending(found["NodeList"], found["JobState"], found["ExitCode"])
    options = ("--allocations", "--noheader", "--parsable2", "--format=State,ExitCode,NodeList")
    lines = [line.split("|") for line in _run("sacct", f"--jobs={job}", *options).splitlines()]
    whole = [line for line in lines if len(line) == 3]
    if whole:
        state, status, node = whole[-1]
        return _ending(node, state, status)
    return None


def _ending(node: str, state: str, status: str) -> Ending:
    return Ending("" if node in _NOWHERE else node, state, status)


def _run(*command: str) -> str:
    """Return what a command prints; "" where it is not there, fails, or does not answer."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
