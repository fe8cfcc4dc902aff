"""What an entry leaves out: by what is known of a clip, or because a table lists its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..entries.items import Drop
from ..entries.schema import Corpus
from .audio_files import AudioFile
from .side_tables import read_lists
from .table_keys import Paths


class Drops:
    """The rules under `drop`, ready to be asked.

    Args:
        corpus: whose rules they are
        folder: of the corpus, in which tables that list files may lie; None for no such tables

    Raises:
        CorpusError: if such a table cannot be read
    """

    def __init__(self, corpus: Corpus, folder: Path | None = None) -> None:
        lists = [None] * len(corpus.drop) if folder is None else read_lists(corpus, folder)
        self._rules = list(zip(corpus.drop, lists, strict=True))

    def reason(self, known: Mapping[str, str]) -> str | None:
        """Return why a clip is left out of which so much is known; None if it is not."""
        reasons = (r.reason for r, paths in self._rules if _applies(r, paths, known))
        return next(reasons, None)

    def reason_for_file(self, file: AudioFile) -> str | None:
        """Return why a file is left out, whether it is a clip or not; None if it is not."""
        of_files = ((r, paths) for r, paths in self._rules if r.of_files)
        return next((r.reason for r, paths in of_files if _applies(r, paths, file.names)), None)


def _applies(rule: Drop, listed: Paths | None, known: Mapping[str, str]) -> bool:
    if rule.listed is None:
        return rule.applies(known)
    path = known.get("path", "")
    return listed is not None and listed.cell_of(path) is not None and rule.applies(known)
