"""Label files: their lines, and turns that have a label, a recording, or only one of them."""

from __future__ import annotations

import io
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import CorpusError, count, named
from ..entries.schema import Corpus
from ..reading.audio_files import AudioFile, readable
from ..reading.clips import Clip, LabelledClips
from ..reading.drops import Drops

_MOST_SHOWN = 5
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Line:
    """One line of a label file.

    Attributes:
        file: the file
        number: of the line, from 1
        text: without blanks at its ends
    """

    file: AudioFile
    number: int
    text: str

    @property
    def place(self) -> str:
        """File and line, to begin a message with."""
        return f"{readable(self.file.path)}, line {self.number}"


@dataclass(frozen=True)
class Label:
    """What a label file says of a turn.

    Attributes:
        turn: which
        line: where it says so
        facts: texts by column
    """

    turn: str
    line: Line
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Grammar:
    """How a corpus calls its turns.

    Attributes:
        turn: expression of their names; its group `name` tells them apart
        prefix: what stands before that in the name of a clip
        summary: what a line with a label looks like, for people
    """

    turn: re.Pattern[str]
    summary: str
    prefix: str = ""

    def clip(self, match: re.Match[str]) -> str:
        """Return the name of the clip that was matched."""
        return self.prefix + match["name"]

    def clip_of(self, stem: str) -> str | None:
        """Return the name of the clip that a file of this name belongs to."""
        match = self.turn.fullmatch(stem)
        return self.clip(match) if match else None


def lines_of(file: AudioFile) -> list[Line]:
    """Return the lines of a label file, in UTF-8 or else Latin-1, that are not blank.

    Raises:
        CorpusError: if it cannot be read
    """
    try:
        content = Path(file.path).read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{readable(file.path)}: expected a label file that can be read, found: "
            f"{error.strerror}. Change its permissions, or copy it again."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    # Not `splitlines`: what Windows wrote as an ellipsis would end a line.
    texts = enumerate(io.StringIO(text, newline=None), 1)
    return [Line(file, number, text.strip()) for number, text in texts if text.strip()]


def malformed(lines: Sequence[Line], expected: str) -> list[str]:
    """Return a sentence for each line that is not as it should be, for the first few."""
    told = [
        f"{line.place}: expected {expected}, found '{_shortened(line.text)}'. Restore the file "
        "from the archive."
        for line in lines[:_MOST_SHOWN]
    ]
    if len(lines) > _MOST_SHOWN:
        told.append(f"… and {len(lines) - _MOST_SHOWN:,} more such lines.")
    return told


def joined(
    corpus: Corpus, files: Sequence[AudioFile], found: Iterable[Label | Line], grammar: Grammar
) -> LabelledClips:
    """Join recordings of single turns to their labels.

    A recording without a label is a problem. A label without a recording is a gap, except where
    the entry leaves out clips of such a label anyway.

    Args:
        corpus: its entry says which labels are left out
        files: recordings
        found: labels, and lines that should hold one but cannot be understood
        grammar: how turns are called
    """
    labels: dict[str, Label] = {}
    bad: list[Line] = []
    problems: list[str] = []
    for item in found:
        if isinstance(item, Line):
            bad.append(item)
        elif labels.setdefault(item.turn, item).facts["emotion"] != item.facts["emotion"]:
            problems.append(_contradiction(labels[item.turn], item))
    # What stands in a line that is reported is not reported as lost, too.
    excused = {grammar.clip(match) for line in bad for match in grammar.turn.finditer(line.text)}
    clips, unmatched, unlabelled = [], [], []
    for file in files:
        turn = grammar.clip_of(file.stem)
        if turn is None:
            unmatched.append(file.relative)
        elif turn in labels:
            clips.append(Clip(turn, file, labels[turn].facts))
        elif turn not in excused:
            unlabelled.append(file.relative)
    lost = _lost(corpus, labels.values(), {clip.id for clip in clips})
    problems = [*malformed(bad, grammar.summary), *problems[:_MOST_SHOWN]]
    problems += [_unmatched_message(corpus, unmatched)] if unmatched else []
    problems += [_unlabelled_message(corpus, unlabelled)] if unlabelled else []
    gaps = (_lost_message(corpus, lost),) if lost else ()
    return LabelledClips(tuple(clips), {}, tuple(unmatched), gaps, tuple(problems))


def _lost(corpus: Corpus, labels: Iterable[Label], recorded: Container[str]) -> list[str]:
    """Return turns of which there is no recording, and where their labels stand."""
    drops = Drops(corpus)
    return [
        f"{label.turn} ({label.line.place})"
        for label in labels
        if label.turn not in recorded
        and drops.reason({**label.facts, "id": label.turn, "stem": label.turn}) is None
    ]


def nothing_found(corpus: Corpus, folder: Path, expected: str) -> str:
    """Return the sentence for a corpus whose label files are not there."""
    return (
        f"{readable(str(folder))}: expected label files {expected} somewhere below it "
        f"({corpus.at('reader')}), found none. Unpack the whole archive of {corpus.title} there."
    )


def _contradiction(first: Label, second: Label) -> str:
    return (
        f"{second.line.place}: expected '{first.facts['emotion']}' for {first.turn} as in "
        f"{first.line.place}, found '{second.facts['emotion']}'. Remove the line or file that is "
        "not of the release."
    )


def _unmatched_message(corpus: Corpus, files: Sequence[str]) -> str:
    return (
        f"{corpus.at('reader')}: expected audio files named like the turns of {corpus.title}, "
        f"found {count(len(files), 'file')} named otherwise: {named(files)}. List what is no "
        "clip under `ignore:`."
    )


def _unlabelled_message(corpus: Corpus, files: Sequence[str]) -> str:
    return (
        f"{corpus.at('reader')}: expected a label for every audio file, found none for "
        f"{count(len(files), 'file')}: {named(files)}. Restore the label files from the "
        "archive, or list the audio under `ignore:`."
    )


def _lost_message(corpus: Corpus, turns: Sequence[str]) -> str:
    return (
        f"{corpus.at('reader')}: expected an audio file for every label, found none for "
        f"{len(turns):,}: {named(turns)}. Restore the audio from the archive, or drop these "
        "clips with a reason."
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
