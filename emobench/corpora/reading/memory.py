"""What was found out about the files of a corpus, remembered on disk.

A corpus of several thousand files is looked at by every command; what takes reading or decoding
is found out once. A file counts as unchanged while its size, its time of change and the time at
which the system last touched it stay the same: the last cannot be set back, so other content
under the old size and date is seen too.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import AudioError
from .audio_files import AudioFile
from .parallel import each

_FEW = 64

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Memory:
    """A kind of knowledge about the files of a folder.

    Attributes:
        kind: what is known, such as "headers"
        version: of what is found out; what another version found is forgotten
        folder: of the corpus; each has a memory of its own
        cache: folder of caches; one that cannot be written only costs time
        threads: that find things out at the same time
    """

    kind: str
    version: int
    folder: Path
    cache: Path
    threads: int = 8

    def of(
        self,
        files: Sequence[AudioFile],
        find: Callable[[AudioFile], Any],
        *,
        details: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what is known of files, finding out what is not remembered.

        Args:
            files: of the corpus
            find: returns what JSON can hold, or raises `AudioError` with the reason
            details: what else must be unchanged, by path
            progress: called with the number of files looked at so far and in all

        Returns:
            what is known, and why a file cannot be used, by path
        """
        details = details or {}
        remembered = self._recall()
        known: dict[str, Any] = {}
        missing = []
        for file in files:
            entry = remembered.get(file.path)
            if entry is not None and entry[0] == _stamp(file, details):
                known[file.path] = entry[1]
            else:
                missing.append(file)
        bad: dict[str, str] = {}

        def found_of(file: AudioFile) -> tuple[Any, str | None]:
            try:
                return find(file), None
            except AudioError as error:
                return None, str(error)
            except OSError as error:  # it went away meanwhile, or its disk is failing
                return None, f"{file.path}: cannot be read ({error.strerror}). Try again."

        threaded = len(missing) >= _FEW
        one_by_one = nullcontext((file, found_of(file)) for file in missing)
        with each(found_of, missing, self.threads) if threaded else one_by_one as pairs:
            for done, (file, (value, reason)) in enumerate(pairs, 1):
                if reason is None:
                    known[file.path] = value
                    remembered[file.path] = [_stamp(file, details), value]
                else:
                    bad[file.path] = reason
                if progress is not None:
                    progress(done, len(missing))
        if len(missing) > len(bad):
            self._keep(remembered)
        return known, bad

    @property
    def _place(self) -> Path:
        name = hashlib.sha256(os.fsencode(os.path.abspath(self.folder))).hexdigest()[:16]
        return self.cache / self.kind / f"{name}.json"

    def _recall(self) -> dict[str, list]:
        """Return what is remembered; nothing from a file of another version or a damaged one."""
        try:
            stored = json.loads(self._place.read_text(encoding="ascii"))
            if stored["version"] == self.version:
                return {
                    path: entry
                    for path, entry in stored["files"].items()
                    if isinstance(entry, list) and len(entry) == 2
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return {}

    def _keep(self, entries: Mapping[str, list]) -> None:
        """Write what is known in one step, so that two commands at once do no harm."""
        place, temporary = self._place, None
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="ascii", dir=place.parent, prefix=".", suffix=".tmp", delete=False
            ) as file:
                temporary = file.name
                json.dump({"version": self.version, "files": dict(entries)}, file)
            os.replace(temporary, place)
        except OSError as error:
            _log.warning("%s: %s are not remembered: %s", place, self.kind, error.strerror or error)
            if temporary is not None and os.path.exists(temporary):
                os.unlink(temporary)


def _stamp(file: AudioFile, details: Mapping[str, str]) -> list:
    return [file.size, file.modified, file.touched, details.get(file.path, "")]
