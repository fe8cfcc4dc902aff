"""One file from a server to the disk, however often the connection breaks."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import urllib3
from pydantic import TypeAdapter, ValidationError
from urllib3.util import Retry

from ...errors import CorpusError
from ...storage import insist_on_room, storing, write
from ..entries.fields import split_download
from .connection import Interrupted, asked
from .keeping import CORPORA, set_aside

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there, and how many there are to be (None if nobody says)."""

Notice = Callable[[str], None]
"""Called with a sentence for people."""

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_LONGEST_PAUSE = 60.0
_MOST_BYTES = 200 << 30
_BYTES = r"\d{1,18}"
_SPARE_BYTES = 1 << 28
"""Left free on the disk where nobody says how much is to come."""


@dataclass(frozen=True)
class Source:
    """What to fetch.

    Attributes:
        address: where it lies
        published: what is published of it: `md5`, `sha256`, `bytes`
    """

    address: str
    published: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Source:
        """Return the source that an entry's `urls` name."""
        return cls(*split_download(text))

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.address.rpartition("/")[2]

    @property
    def size(self) -> int | None:
        """Published size in bytes."""
        return int(self.published["bytes"]) if "bytes" in self.published else None

    @property
    def has_checksum(self) -> bool:
        """Whether the content can be told from any other."""
        return bool({"md5", "sha256"} & set(self.published))


@dataclass(frozen=True)
class Patience:
    """How long a server is given.

    Attributes:
        timeout: longest silence in seconds; twice that for the answer before its content
        rate: least bytes a second, measured over as long as the longest silence
        attempts: that bring next to nothing, one after another, before it is given up
        pause: before a further attempt, in seconds; doubled each time
    """

    timeout: float = 30.0
    rate: float = 1_000.0
    attempts: int = 6
    pause: float = 1.0

    @property
    def least(self) -> float:
        """Bytes that an attempt must bring to be worth another."""
        return self.rate * self.timeout


@dataclass(frozen=True)
class _State:
    """What is known of a file while it arrives: what tells its versions apart, and its size."""

    validator: str | None = None
    total: int | None = None


class Transfer:
    """A file on its way; what has arrived stays on the disk and is gone on from.

    Args:
        source: what to fetch
        file: where it goes when it is whole; until then it lies beside that, with `.part` at the
            end, and what is known of it with `.json`
        progress: told how far it is
        notice: told when something goes wrong and is tried again
    """

    def __init__(self, source: Source, file: Path, *, progress: Progress, notice: Notice) -> None:
        self.source = source
        self.file = file
        self._part, self._notes = (file.with_name(file.name + end) for end in (".part", ".json"))
        self._progress = progress
        self._notice = notice

    def fetch(self, patience: Patience) -> str:
        """Fetch the file and compare it with what is published of it.

        Returns:
            its SHA-256 in hexadecimal digits

        Raises:
            CorpusError: if the server refuses, breaks off too often or sends something else, or
                the disk is full; what has arrived is kept where it is of use
        """
        if not self.file.is_file():
            self._fetch_all(patience)
        digests, wrong = self._digests()
        if wrong is not None:
            raise CorpusError(
                f"{self.source.address}: {wrong}. It was damaged on its way, or is another file by "
                "now: run the same command again, and see the corpus' page if that does not help. "
                f"{set_aside(self.file, self.source.name)}"
            )
        return digests["sha256"]

    def _fetch_all(self, patience: Patience) -> None:
        """Try until everything is there, as long as attempts bring something new."""
        fresh = Retry(patience.attempts - 1, backoff_factor=patience.pause)
        retry, most = fresh, self._size()
        while not self.file.is_file():
            try:
                self._attempt(patience)
            except Interrupted as problem:
                here = self._size()
                try:
                    idle = here - most < patience.least
                    retry = retry.increment("GET", error=problem) if idle else fresh
                except urllib3.exceptions.MaxRetryError:
                    total = self._known().total
                    whole = f"{total:,} bytes" if total else "the whole file"
                    raise CorpusError(
                        f"{self.source.address}: expected {whole}, found {here:,} bytes and then: "
                        f"{problem}. Run the same command again later; it goes on where this "
                        "stopped."
                    ) from problem
                most = max(most, here)
                pause = max(patience.pause, retry.get_backoff_time())
                with suppress(urllib3.exceptions.InvalidHeader, ValueError):
                    pause = max(pause, retry.parse_retry_after(problem.retry_after or "0"))
                pause = min(pause, _LONGEST_PAUSE)
                self._notice(f"{problem} after {here / 1e6:,.1f} MB; again in {pause:.3g} s")
                time.sleep(pause)

    def _attempt(self, patience: Patience) -> None:
        """Fetch what is missing.

        Raises:
            Interrupted: if that did not succeed
        """
        known, here = self._known(), self._size()
        headers = {}
        if here and here == known.total:
            return self._finish()
        if here and (known.validator or self.source.has_checksum):
            headers["Range"] = f"bytes={here}-"
            if known.validator:
                headers["If-Range"] = known.validator
        with asked(self.source.address, headers, patience.timeout) as wait:
            state, begin = self._understood(wait(2 * patience.timeout), known, here)
            insist_on_room(self.file.parent, (state.total or 0) - begin, CORPORA)
            with storing(self._notes, CORPORA):
                write((self._notes, TypeAdapter(_State).dump_json(state)))
            self._receive(wait, begin, state.total, patience)
        if state.total is not None and self._size() < state.total:
            raise Interrupted(f"the server promised {state.total:,} bytes and ended too soon")
        return self._finish()

    def _understood(
        self, response: requests.Response, known: _State, here: int
    ) -> tuple[_State, int]:
        """Return what the answer says of the file, and from which byte on it sends it.

        Raises:
            CorpusError: if the server refuses
            Interrupted: if it says that it cannot now, or sends what is of no use
        """
        status, headers, published = response.status_code, response.headers, self.source.size
        said = f"{status} {response.reason}".strip()
        if status == requests.codes.partial_content:
            return self._goes_on(headers, known, here), here
        if status == requests.codes.range_not_satisfiable:  # it has less than we: all was wrong
            self._discard()
        if status in (requests.codes.range_not_satisfiable, *_PASSING):
            raise Interrupted(f"the server answered {said}", headers.get("Retry-After"))
        if status != requests.codes.ok:
            raise CorpusError(
                f"{self.source.address}: expected a file, found that the server answers '{said}'. "
                "It may have moved or ask for a log-in: see the corpus' page."
            )
        length = headers.get("Content-Length", "")
        total = int(length) if re.fullmatch(_BYTES, length) else published
        if published not in (None, total):
            raise CorpusError(
                f"{self.source.address}: expected {published:,} bytes, as the registry says, found "
                f"{total:,}. It is another file by now: see the corpus' page."
            )
        return _State(_validator(headers), total), 0

    def _goes_on(self, headers: Mapping[str, str], known: _State, here: int) -> _State:
        """Return what the rest of a file is of, if it belongs to what has arrived."""
        span = re.fullmatch(
            rf"bytes ({_BYTES})-\d+/(?:({_BYTES})|\*)", headers.get("Content-Range", "").strip()
        )
        total = int(span[2]) if span and span[2] else None
        pairs = ((_validator(headers), known.validator), (total, known.total))
        differs = any(None not in pair and pair[0] != pair[1] for pair in pairs)
        if span is None or int(span[1]) != here or differs:
            self._discard()
            raise Interrupted("the server sent another part than the missing one")
        return _State(known.validator or _validator(headers), total or known.total)

    def _receive(
        self, wait: Callable[[float], Any], begin: int, total: int | None, patience: Patience
    ) -> None:
        """Write what the server sends, from a byte on."""
        free = shutil.disk_usage(self.file.parent).free - _SPARE_BYTES
        most = begin + min(_MOST_BYTES, free) if total is None else total
        mode, done = "r+b" if begin else "wb", begin
        with storing(self._part, CORPORA), self._part.open(mode) as file:
            file.seek(begin)
            marked, due = begin, time.monotonic() + patience.timeout
            while piece := wait(2 * patience.timeout):
                done += len(piece)
                if done > most:
                    break
                file.write(piece)
                self._progress(done, total)
                if time.monotonic() > due:
                    if done - marked < patience.least:
                        raise Interrupted("the server sends too slowly")
                    marked, due = done, time.monotonic() + patience.timeout
        if done > most:
            self._discard()
            raise Interrupted(f"more than {most:,} bytes were sent")

    def _finish(self) -> None:
        """Give what has arrived its name."""
        with storing(self.file, CORPORA):
            self._part.replace(self.file)
            self._notes.unlink(missing_ok=True)

    def _discard(self) -> None:
        """Remove what has arrived."""
        self._part.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def _digests(self) -> tuple[dict[str, str], str | None]:
        """Return digests of what has arrived, and what is wrong with it."""
        digests = {"bytes": str(self.file.stat().st_size)}
        for name in ("sha256", *self.source.published):
            if name not in digests:
                with self.file.open("rb") as file:
                    digests[name] = hashlib.file_digest(file, name).hexdigest()
        for name, wanted in self.source.published.items():
            if digests[name] != wanted:
                what = name.upper() if name != "bytes" else "a size in bytes of"
                return digests, f"expected {what} {wanted}, found {digests[name]}"
        return digests, None

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _known(self) -> _State:
        """Return what is known; nothing where that cannot be read."""
        try:
            return TypeAdapter(_State).validate_json(self._notes.read_bytes())
        except (OSError, ValidationError):
            return _State()


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return by what `If-Range` recognises a version; weak tags do not promise equal bytes."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified")
