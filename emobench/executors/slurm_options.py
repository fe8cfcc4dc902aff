"""What is asked of Slurm: the text after --slurm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import SpecError

OPTION = "--slurm"
SHARES = 16
"""Jobs of an array, unless something else is asked for."""

LEAST_MINUTES = 3
"""Jobs are told a minute and a half before their time is up."""

_CLUSTERS = ("slurm", "local")
_NAMES = {
    "time": "timeout_min",
    "gpus": "gpus_per_node",
    "cpus": "cpus_per_task",
    "cpus_per_task": "cpus_per_task",
    "mem": "mem_gb",
}
"""What submitit calls what is short on our command line."""

_CARDS = ("gpus_per_node", "slurm_gpus_per_node", "slurm_gpus_per_task", "slurm_num_gpus")
_OURS = ("srun_args", "additional_parameters", "setup", "teardown", "use_srun")
"""What submitit takes that is no text, or that jobs are started with."""

_ONE = ("nodes", "ntasks_per_node", "tasks_per_node")


@dataclass(frozen=True)
class Asked:
    """What is asked of the scheduler.

    Attributes:
        cluster: "slurm", or "local" for processes of this machine
        shares: jobs of an array
        parameters: of each, as submitit calls them
        requeue: whether a job that loses its node is queued again, whatever is usual at the site
    """

    cluster: str = "slurm"
    shares: int = SHARES
    parameters: Mapping[str, Any] = field(default_factory=dict)
    requeue: bool = True

    @property
    def gpus(self) -> int:
        """Cards of each job, however they are asked for."""
        asked = [str(self.parameters[name]) for name in _CARDS if name in self.parameters]
        for one in str(self.parameters.get("slurm_gres", "")).split(","):
            kind, _, rest = one.partition(":")
            asked += [rest or "1"] if kind == "gpu" else []
        return max(map(_cards, asked), default=0)


def parse(text: str) -> Asked:
    """Return what a text such as "partition=gpu,time=120,gpus=1,array=20" asks for.

    Raises:
        SpecError: if a part of it is no KEY=VALUE, a number is none, or the time is not told

    Examples:
        >>> parse("time=120,gpus=1").parameters
        {'timeout_min': 120, 'gpus_per_node': 1}
        >>> parse("time=120,exclude=n1,n2").parameters
        {'timeout_min': 120, 'slurm_exclude': 'n1,n2'}
    """
    given = _given(text)
    cluster, shares = given.pop("cluster", "slurm"), given.pop("array", SHARES)
    if cluster not in _CLUSTERS:
        raise SpecError(f"{OPTION} cluster: expected slurm or local, found '{cluster}'.")
    _insist_on_numbers({"array": shares, **{name: given[name] for name in _NAMES if name in given}})
    for name in _OURS:
        if name in given:
            raise SpecError(
                f"{OPTION} {name}: expected an option of sbatch, found one of submitit that no "
                "text can say. Leave it out."
            )
    for name in _ONE:
        if given.pop(name, 1) != 1:
            raise SpecError(
                f"{OPTION} {name}: expected 1, as each job of the array does its share on one node "
                "with the processes of --jobs. For more nodes, ask for a larger array."
            )
    if cluster == "slurm" and given.get("time", 0) < LEAST_MINUTES:
        raise SpecError(
            f"{OPTION}: expected time=MINUTES, {LEAST_MINUTES} or more, found "
            f"{given.get('time', 'none')}: how long a job of the array may run. A fold that takes "
            "longer is begun again and again."
        )
    requeue = _requeue(given.pop("requeue", "yes"))
    named = {_NAMES.get(name, f"slurm_{name}"): value for name, value in given.items()}
    return Asked(cluster, shares, named, requeue)


def _given(text: str) -> dict[str, Any]:
    """Return values by key; what follows a comma without a key goes on with the value before."""
    words: dict[str, str] = {}
    last = ""
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals and last:
            words[last] += f",{part}"
            continue
        if not name or not value:
            raise SpecError(f"{OPTION}: expected KEY=VALUE with commas between, found '{part}'.")
        words[name], last = value, name
    return {
        name: int(word) if word.isascii() and word.isdigit() else word
        for name, word in words.items()
    }


def _requeue(word: Any) -> bool:
    if word not in ("yes", "no"):
        raise SpecError(
            f"{OPTION} requeue: expected yes, so that a job whose node is lost or taken away is "
            f"queued again whatever is usual at the site, or no; found '{word}'."
        )
    return word == "yes"


def _cards(text: str) -> int:
    """Return how many cards a text such as "2", "h100:2" or "h100" asks for."""
    number = text.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdigit() else 1


def _insist_on_numbers(numbers: Mapping[str, Any]) -> None:
    for name, value in numbers.items():
        if not isinstance(value, int) or value < 1:
            raise SpecError(f"{OPTION} {name}: expected a number of 1 or more, found {value}.")
