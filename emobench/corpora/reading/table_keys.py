"""How a cell of a table leads to an audio file, wherever the table was made."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from .audio_files import with_small_extension

_ELSEWHERE = re.compile(r"/|~|\.\./|[A-Za-z]:/")


def spelled(column: str, text: str) -> str:
    r"""Return a cell as what it is compared with is spelt.

    Args:
        column: of ours; "name" and "path" are names of files
        text: the cell

    Examples:
        >>> spelled("path", r".\a\b.WAV"), spelled("name", "/data/b.wav")
        ('a/b.wav', 'b.wav')
    """
    if column not in ("name", "path"):
        return text
    path = with_small_extension(text.replace("\\", "/").removeprefix("./"))
    return path.rpartition("/")[2] if column == "name" else path


class Paths:
    """The paths of a table, which may begin elsewhere than in the corpus folder.

    A path means a file if one of the two ends with the other. Of paths that begin outside of any
    corpus folder (`/home/x/…`, `../…`, `C:/…`) only what they do not all begin with must agree.

    Args:
        cells: as `spelled` returns them
    """

    def __init__(self, cells: Iterable[str]) -> None:
        self._by_name: dict[str, list[list[str]]] = defaultdict(list)
        parts = [cell.split("/") for cell in dict.fromkeys(cells)]
        for path in parts:
            self._by_name[path[-1]].append(path)
        self._common = min((_alike(path[:-1], parts[0][:-1]) for path in parts), default=0)

    def cell_of(self, location: str) -> str | None:
        """Return the cell that means a file; None if there is none, or several do as well."""
        wanted = location.split("/")
        found: dict[int, list[str]] = defaultdict(list)
        for path in self._by_name.get(wanted[-1], ()):
            agreeing = _alike(path[::-1], wanted[::-1])
            elsewhere = _ELSEWHERE.match("/".join(path))
            least = len(path) - self._common if elsewhere else min(len(path), len(wanted))
            if agreeing >= min(least, len(wanted)):
                found[agreeing].append("/".join(path))
        best = found[max(found)] if found else []
        return best[0] if len(best) == 1 else None


def _alike(one: list[str], other: list[str]) -> int:
    """Return how many parts two paths have in common at the beginning."""
    pairs = zip(one, other, strict=False)
    differing = (count for count, (first, second) in enumerate(pairs) if first != second)
    return next(differing, min(len(one), len(other)))
