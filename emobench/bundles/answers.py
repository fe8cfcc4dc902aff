"""Answers as rows of CSV or lines of JSON, and a file of them that is gone on with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from ..errors import SpecError
from ..storage import output, storing
from .labelling import Answer
from .wanted import Key

Format = Literal["csv", "json"]

_FACTS = ("path", "start", "end", "speaker", "predicted")
_OUT = output("--out")
_SIGNED = "bundle"
_FIRST = '{"path": '
"""How a line of JSON begins."""

_ENCODING = {"encoding": "utf-8", "errors": "surrogateescape"}
"""Names of files may hold bytes that are no text."""


class Told(NamedTuple):
    """What a line says of its clip: the label, the probability of each, and who speaks."""

    predicted: str
    probabilities: dict[str, float]
    speaker: str | None


@dataclass(frozen=True)
class Writing:
    """How answers of a bundle are written down.

    Attributes:
        labels: classes, in the order of the probabilities
        bundle: model and digest, which every answer is signed with
        format: rows of CSV below a head, or an object of JSON a line
    """

    labels: tuple[str, ...]
    bundle: str
    format: Format = "csv"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of CSV."""
        return (*_FACTS, *(f"p_{label}" for label in self.labels), _SIGNED)

    @property
    def head(self) -> str:
        """What a file begins with."""
        return _row(self.columns) if self.format == "csv" else ""

    def line(self, answer: Answer) -> str:
        """Return the line of an answer that has probabilities."""
        clip, found = answer.clip, answer.probabilities
        predicted = self.labels[int(found.argmax())]
        facts = (clip.name, clip.start, clip.end, clip.speaker, predicted)
        numbers = [float(str(share)) for share in found]  # no more digits than they have
        if self.format == "csv":
            return _row((*facts, *numbers, self.bundle))
        content = dict(zip(_FACTS, facts, strict=True))
        content["probabilities"] = dict(zip(self.labels, numbers, strict=True))
        return json.dumps({**content, _SIGNED: self.bundle}) + "\n"

    def resume(self, file: Path) -> set[Key]:
        """Return which clips a file answers already; a line that was cut short is taken off it.

        Args:
            file: that was written to before, or is not there yet

        Raises:
            SpecError: if it holds something else than answers of this bundle in this format, or
                cannot be read
        """
        if not file.exists():
            return set()
        with storing(file, _OUT), file.open("rb+") as stream:
            content = stream.read()
            whole = self._whole(content)
            found = self._answered(whole.decode(**_ENCODING), content[len(whole) :], file)
            stream.truncate(len(whole))
        return found

    def read(self, file: Path) -> dict[Key, Told]:
        """Return what a file of answers says, by clip.

        Args:
            file: that was written to the end

        Raises:
            SpecError: if it holds something else, or cannot be read
        """
        with storing(file, _OUT):
            content = file.read_bytes().decode(**_ENCODING)
        try:
            return {self._key(row): self._told(row) for row in self._rows(content)}
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise self._refused(file, error) from None

    def _whole(self, content: bytes) -> bytes:
        """Return what there is up to the end of the last whole answer."""
        end = content.rfind(b"\n") + 1
        while self.format == "csv" and content.count(b'"', 0, end) % 2:
            # That was inside of a name of several lines, which is quoted and comes first.
            end = content.rfind(b'\n"', 0, end - 1) + 1
        return content[:end]

    def _answered(self, whole: str, rest: bytes, file: Path) -> set[Key]:
        """Return what whole lines answer, if they and the rest are what this writes."""
        begin = (self.head or _FIRST).encode()
        try:
            if not whole and not (begin.startswith(rest) or rest.startswith(begin)):
                raise ValueError("no line of answers")
            if f",{self.bundle}\n".encode() in rest:  # no answer that was cut has its end
                raise ValueError("a quote that nothing closes")
            return {self._key(row) for row in self._rows(whole)}
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise self._refused(file, error) from None

    def _refused(self, file: Path, error: Exception) -> SpecError:
        return SpecError(
            f"--out {file}: expected answers of {self.bundle} as {self.format}, found "
            f"something else ({error}). Name another file, or remove it."
        )

    def _rows(self, whole: str) -> list[dict]:
        """Return the answers of whole lines, by column."""
        if self.format == "json":
            return [json.loads(line) for line in whole.split("\n")[:-1]]
        head, *rows = csv.reader(io.StringIO(whole, newline="")) if whole else [self.columns]
        if tuple(head) != self.columns:
            raise ValueError(f"its columns are {', '.join(head)}")
        return [dict(zip(self.columns, row, strict=True)) for row in rows]

    def _key(self, row: dict) -> Key:
        if row[_SIGNED] != self.bundle:
            raise ValueError(f"an answer of {row[_SIGNED]}")
        start, end = (None if row[name] in ("", None) else float(row[name]) for name in _FACTS[1:3])
        return row["path"], start, end

    def _told(self, row: dict) -> Told:
        given = row.get("probabilities") or {name: row[f"p_{name}"] for name in self.labels}
        shares = {name: float(given[name]) for name in self.labels}
        return Told(row["predicted"], shares, row["speaker"] or None)


class AnswerFile:
    """A file that answers are added to; a context manager.

    Args:
        file: goes on where it ends
        writing: how answers are written down
    """

    def __init__(self, file: Path, writing: Writing) -> None:
        self._file, self._writing = file, writing

    def __enter__(self) -> AnswerFile:
        with storing(self._file, _OUT):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._file.open("a", newline="", **_ENCODING)
            if not self._stream.tell():
                self._stream.write(self._writing.head)
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def add(self, answer: Answer) -> None:
        """Write an answer down at once.

        Raises:
            SpecError: if the disk is full
        """
        with storing(self._file, _OUT):
            self._stream.write(self._writing.line(answer))
            self._stream.flush()


def _row(values: Sequence[object]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(
        "" if value is None else value for value in values
    )
    return written.getvalue()
