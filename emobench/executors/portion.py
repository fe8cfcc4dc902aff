"""A portion of an extraction, done on whatever machine gets it.

What is extracted goes back to who handed it out, and is cached there: there is one writer, and what
it writes is to the last bit what it would have extracted itself.
"""

from __future__ import annotations

import os
import pickle
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .. import __version__, encoders
from ..errors import EmobenchError, FeatureError
from ..features.workers import Processes
from ..spec import Places
from . import node
from .node import NodeError


@dataclass(frozen=True)
class Extraction:
    """What all portions of an extraction have in common.

    Attributes:
        work: from a task to results
        places: what the other machine must see
        what: is computed, for messages
        network: whether the work opens a network
    """

    work: Callable[[Any], Sequence[Any]]
    places: Places
    what: str
    network: bool

    def portions(self, tasks: Sequence[Any], size: int) -> Iterator[Portion]:
        """Yield neighbouring tasks, so many together."""
        for start in range(0, len(tasks), size):
            yield Portion(pickle.dumps((self, tasks[start : start + size])), __version__)


@dataclass(frozen=True)
class Portion:
    """Some tasks; it is called on another machine.

    Attributes:
        packed: an `Extraction` and its tasks, pickled: another version may not be able to read them
        version: of emobench, where they are handed out
    """

    packed: bytes
    version: str

    def __call__(
        self, processes: int = 1, on_cards: bool = False, where: str = ""
    ) -> tuple[list[Any], EmobenchError | None]:
        """Return the results of all tasks, or an error that names this machine.

        Args:
            processes: of this machine that work
            on_cards: whether a network is opened on the cards that are to be seen here
            where: name of this machine
        """
        where = where or platform.node()
        try:
            node.insist_on_version(self.version, where)
            extraction, tasks = pickle.loads(self.packed)
            node.insist_on_sources(extraction.places, where)
            crew = Processes(processes, _cards() if on_cards else ())
            how = {"network": extraction.network}
            return [*crew.in_order(extraction.work, tasks, extraction.what, **how)], None
        except NodeError as error:
            return [], error
        except EmobenchError as error:
            return [], FeatureError(f"{error} (on {where})")


def fits_cards(places: Places) -> bool:
    """Tell whether the encoder of a run can be computed on cards, by what is installed here."""
    return places.encoder is not None and encoders.accelerator(places.encoder) is not None


def _cards() -> tuple[str, ...]:
    """Return the cards of this process, each as CUDA_VISIBLE_DEVICES names it alone."""
    return tuple(filter(None, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")))
