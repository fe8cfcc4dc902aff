"""What was found out about files, remembered as long as they are not touched.

Looking at a corpus means reading or decoding thousands of files; what that tells is found out
once. A file counts as the one that was looked at while its inode, its size and its times of
modification and of change are the same. Nobody sets the time of change but the system, and it does
so whenever content is written: also where size and time of modification are put back to what they
were.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from .refusals import reason
from .writing import write

_SETTLED_NS = 2_000_000_000
"""Coarsest step of a file system's clock: content may change within it and the time not."""

_TELLS_CHANGES = os.name != "nt"
"""Windows keeps the time of creation where others keep that of change."""

_log = logging.getLogger(__name__)

Stamp = tuple[int, int, int, int]
"""Inode, size, time of modification and time of change: the same as long as the content is."""


def stamp(status: os.stat_result) -> Stamp:
    """Return what is the same as long as a file's content is."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Memory:
    """Answers about the files of one folder, kept in a file of their own.

    Damage to that file, and answers of another version, are forgotten; that it cannot be written
    only costs time.

    Args:
        kind: what is known, such as "headers"
        version: of what answers, as JSON
        folder: that the files are in
        cache: folder of caches
    """

    def __init__(self, kind: str, version: Any, folder: Path | str, cache: Path) -> None:
        name = hashlib.sha256(os.fsencode(os.path.abspath(folder))).hexdigest()[:16]
        self._folder = folder
        self._kind = kind
        self._version = version
        self._place = Path(cache) / kind / f"{name}.json"
        self._opened = time.time_ns()
        self._changed = False
        self._entries: dict[str, tuple[list[int], dict[str, Any]]] = self._read()

    def recall(self, file: str, looks: Stamp, question: str = "") -> Any:
        """Return an answer about a file that was not touched since; None if there is none."""
        known = self._entries.get(file)
        return known[1].get(question) if known and tuple(known[0]) == looks else None

    def note(self, file: str, looks: Stamp, answer: Any, question: str = "") -> None:
        """Take down an answer, unless the file may change without its looks changing.

        Args:
            file: its path below the folder, or an absolute one
            looks: of the file before it was read
            answer: what JSON holds, and not None
            question: further facts that the answer depends on
        """
        if looks[-1] + _SETTLED_NS >= self._opened:
            return
        if file not in self._entries or tuple(self._entries[file][0]) != looks:
            self._entries[file] = (list(looks), {})
        self._entries[file][1][question] = answer
        self._changed = True

    def save(self) -> None:
        """Write what is new in one step, so that two commands at once do no harm."""
        if not self._changed or not _TELLS_CHANGES:
            return
        files = {
            file: entry
            for file, entry in self._entries.items()
            if os.path.lexists(os.path.join(self._folder, file))
        }
        content = json.dumps(files).encode("ascii")
        about = {"version": self._version, "sha256": hashlib.sha256(content).hexdigest()}
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            write((self._place, json.dumps(about).encode("ascii") + b"\n" + content))
        except OSError as error:
            _log.warning("%s: %s are not remembered: %s", self._place, self._kind, reason(error))

    def _read(self) -> dict[str, Any]:
        try:
            about, _, content = self._place.read_bytes().partition(b"\n")
            expected = {"version": self._version, "sha256": hashlib.sha256(content).hexdigest()}
            if _TELLS_CHANGES and json.loads(about) == expected:
                return json.loads(content)
        except (OSError, ValueError, RecursionError):
            pass
        return {}
