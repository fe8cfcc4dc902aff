"""Which shares of which plans were run into a folder of results: `shards/3f2a91c4-1-of-2.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .filing import file_new, make_folder
from .json_files import to_json

_FOLDER = "shards"
_NAME = re.compile(r"([0-9a-f]{8})-(\d+)-of-(\d+)\.json")


@dataclass(frozen=True, order=True)
class Mark:
    """One share of a plan.

    Attributes:
        plan: digest of who does what
        number: of the share, from 1
        of: how many there are
    """

    plan: str
    number: int
    of: int

    def __str__(self) -> str:
        """Return it in words."""
        return f"shard {self.number}/{self.of} of plan {self.plan}"

    @property
    def name(self) -> str:
        """Return that of the file which tells of it."""
        return f"{self.plan}-{self.number}-of-{self.of}.json"


def note(results: Path, mark: Mark, content: Mapping[str, Any]) -> None:
    """File that a share is run into a folder, unless that is known.

    Raises:
        StoreError: if it cannot be written
    """
    _file(results, mark, to_json(content))


def noted(results: Path) -> set[Mark]:
    """Return the shares that were run into a folder."""
    found = (_NAME.fullmatch(path.name) for path in (results / _FOLDER).glob("*.json"))
    return {Mark(match[1], int(match[2]), int(match[3])) for match in found if match}


def copy(source: Path, results: Path) -> None:
    """File in a folder of results what another knows of the shares that were run into it.

    Raises:
        StoreError: if it cannot be written
    """
    for mark in noted(source):
        _file(results, mark, (source / _FOLDER / mark.name).read_bytes())


def mixed(folders: Sequence[Path]) -> str:
    """Return a warning if shares of different plans come together, or "".

    That is so where of two folders each has a share of a plan that the other knows nothing of, and
    nobody has all shares of either: the machines were given the same command, and dealt otherwise.
    """
    marks = {folder: noted(folder) for folder in dict.fromkeys(folders)}
    every = set().union(*marks.values())
    lacking = {one for one in every if sum(one.plan == each.plan for each in every) < one.of}
    for position, first in enumerate(marks):
        for second in list(marks)[position + 1 :]:
            ours, theirs = (
                [
                    mark
                    for mark in sorted(marks[one] & lacking)
                    if all(mark.plan != each.plan for each in marks[other])
                ]
                for one, other in ((first, second), (second, first))
            )
            if ours and theirs:
                return (
                    f"{first} holds {ours[0]}, {second} holds {theirs[0]}: expected shards of one "
                    "plan, found that the machines dealt otherwise, so that folds may be done "
                    "twice or by nobody. See that --dry-run names one plan on both: the same "
                    "command, corpora and packages."
                )
    return ""


def _file(results: Path, mark: Mark, content: bytes) -> None:
    path = results / _FOLDER / mark.name
    if not path.exists():
        make_folder(path.parent)
        file_new((path, content))
