"""What a scheduler's job is started with, which every version of emobench can open.

The scheduler's package unpickles it on the node before any of our code runs there. Its name, its
place and its attributes, all of them texts and bytes, are therefore the same in all versions; what
changes between versions is inside, and is opened only once the versions are known to be the same.
"""

from __future__ import annotations

import pickle
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EmobenchError
from ..storage import write
from . import node
from .share import Share, told_to_end

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission


@dataclass(frozen=True)
class Sealed:
    """A share of a run's jobs; it is called on a node.

    Attributes:
        version: of emobench, where the run was planned
        packed: the share, pickled
        refusal: path of the file that says why the jobs cannot be done, where they cannot
    """

    version: str
    packed: bytes
    refusal: str

    def __call__(self) -> int:
        """Do the jobs that have no record yet; return how many were done."""
        where = platform.node()
        try:
            with told_to_end():
                node.insist_on_version(self.version, where)
                return self._opened(where).perform(where)
        except EmobenchError as error:
            named = str(error) if where in str(error) else f"{where}: {error}"
            write((Path(self.refusal), named.encode()))
            raise

    def checkpoint(self) -> DelayedSubmission:
        """Return what is to be done once the scheduler starts the job again: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _opened(self, where: str) -> Share:
        try:
            return pickle.loads(self.packed)
        except Exception as error:  # whatever unpickling meets in code that is not the same
            raise node.NodeError(
                f"{where}: expected the same code of emobench {self.version} as where the run was "
                f"planned, found that it cannot read the jobs ({type(error).__name__}: {error}). "
                "Install the same version, with the same extras, on every node."
            ) from error
