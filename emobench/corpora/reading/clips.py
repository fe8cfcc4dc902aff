"""What clips are, and what reading a corpus folder found."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...errors import CorpusError
from ..entries.fields import Channel
from ..entries.schema import Corpus
from .audio_files import AudioFile, found_instead

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clip:
    """One clip, as the corpus describes it.

    Attributes:
        id: unique name
        file: where its audio is
        facts: texts by column; before translation as they stand in names and label files,
            afterwards as in the utterance table
        start: where it begins in the file, in seconds; None for the whole file
        end: where it ends
        channel: what becomes of several channels; None if the entry does not say
    """

    id: str
    file: AudioFile
    facts: Mapping[str, str]
    start: float | None = None
    end: float | None = None
    channel: Channel | None = None

    @property
    def known(self) -> dict[str, str]:
        """What can be asked of a clip: its facts, its id, and how its file is called."""
        return {**self.facts, "id": self.id, **self.file.names}


class Duplicate(NamedTuple):
    """A file that holds the same recording as another of the same id.

    Attributes:
        id: of the clip
        used: file that is used, below the corpus folder
        unused: file that is not
    """

    id: str
    used: str
    unused: str


@dataclass(frozen=True)
class LabelledClips:
    """What a reader of label files found.

    Attributes:
        clips: in the order of the audio files
        dropped: number of recordings that the reader leaves out, by reason
        unmatched: audio files of which the label files say nothing
        gaps: what a smaller copy lacks, one sentence each
        problems: what is wrong, one sentence each
    """

    clips: tuple[Clip, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Everything that was found in a corpus folder.

    Attributes:
        corpus: which corpus
        folder: its folder
        clips: usable clips, sorted by path
        files: number of files that the glob matched
        duplicates: further files with the id and the content of one that is used
        dropped: number of clips left out by the entry, by reason
        unmatched: files that match the glob but not the expression
        gaps: what a smaller copy lacks although its label files speak of it, one sentence each
        problems: what else is wrong, one sentence each
    """

    corpus: Corpus
    folder: Path
    clips: tuple[Clip, ...] = ()
    files: int = 0
    duplicates: tuple[Duplicate, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def raise_problems(self) -> None:
        """Raise what is wrong, and log what is lacking: a smaller copy can be used.

        Raises:
            CorpusError: naming file, entry, key and line, and some of the files
        """
        if self.problems:
            raise CorpusError("\n".join(self.problems))
        if not self.files:
            raise CorpusError(self.nothing_found())
        for gap in self.gaps:
            _log.warning("%s", gap)

    def nothing_found(self) -> str:
        """Return the sentence for a folder without audio."""
        corpus = self.corpus
        found = found_instead(self.folder) or f"none. Unpack the archives of {corpus.title} there."
        return (
            f"{self.folder}: expected audio files like {' or '.join(corpus.glob)} "
            f"({corpus.at('glob')}), found {found}"
        )
