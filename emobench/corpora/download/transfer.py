"""One file from a server to the disk, however often the connection breaks."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import requests
import urllib3

from ...errors import CorpusError
from ...storage import insist_on_room, storing, write
from ..entries.fields import split_download
from .connection import Guarded, Interrupted, open_address
from .keeping import CORPORA

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there, and how many there are to be (None if nobody says)."""

Notice = Callable[[str], None]
"""Called with a sentence for people."""

_CHUNK = 1 << 16
_LONGEST_PAUSE = 60.0
_MOST_BYTES = 200 << 30
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
        timeout: longest silence in seconds
        rate: least bytes a second, measured over as long as the longest silence
        attempts: that bring nothing new, one after another, before it is given up
        pause: before the second of them, in seconds; doubled each time
    """

    timeout: float = 30.0
    rate: float = 1_000.0
    attempts: int = 6
    pause: float = 1.0


@dataclass(frozen=True)
class _State:
    """What is known of a transfer that was begun, kept beside what has arrived.

    Attributes:
        validator: by which the server tells versions apart (a strong ETag, or a date)
        total: size of the whole in bytes
        whole: whether everything has arrived
    """

    validator: str | None = None
    total: int | None = None
    whole: bool = False


class Transfer:
    """A file on its way; what has arrived stays on the disk and is gone on from.

    Args:
        source: what to fetch
        file: where it goes; beside it lies what is known of it, with `.json` at the end
        progress: told how far it is
        notice: told when something goes wrong and is tried again
    """

    def __init__(self, source: Source, file: Path, *, progress: Progress, notice: Notice) -> None:
        self.source = source
        self.file = file
        self._notes = file.with_name(f"{file.name}.json")
        self._progress = progress
        self._notice = notice
        self._pieced = False

    def fetch(self, patience: Patience) -> str:
        """Fetch the file and compare it with what is published of it.

        Returns:
            its SHA-256 in hexadecimal digits

        Raises:
            CorpusError: if the server refuses, breaks off too often or sends something else, or
                the disk is full; what has arrived is kept where it is of use
        """
        for again in (True, False):
            self._fetch_all(patience)
            digests, wrong = self._digests()
            if wrong is None:
                return digests["sha256"]
            self.discard()
            if not (again and self._pieced):
                break
            self._notice(f"{wrong}; the parts are not of one file, starting anew")
        raise CorpusError(
            f"{self.source.address}: {wrong}. It was damaged on its way, or is another file by "
            "now: try again, and see the corpus' page if that does not help."
        )

    def discard(self) -> None:
        """Remove what has arrived."""
        self.file.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def _fetch_all(self, patience: Patience) -> None:
        """Try until everything is there, as long as attempts bring something new."""
        most, idle = self._size(), 0
        with Guarded() as session:
            while not self._known().whole:
                try:
                    self._attempt(session, patience)
                except Interrupted as problem:
                    here = self._size()
                    idle = 0 if here > most and not problem.in_vain else idle + 1
                    most = max(most, here)
                    if idle >= patience.attempts:
                        raise CorpusError(self._given_up(problem)) from problem
                    pause = patience.pause * 2 ** max(0, idle - 1)
                    pause = min(_LONGEST_PAUSE, max(pause, problem.pause or 0))
                    self._notice(f"{problem} after {here / 1e6:,.1f} MB; again in {pause:.3g} s")
                    time.sleep(pause)

    def _given_up(self, problem: Interrupted) -> str:
        total, here = self._known().total, self._size()
        wanted = f"{total:,} bytes" if total else "the whole file"
        kept = " It goes on where this stopped." if here else ""
        return (
            f"{self.source.address}: expected {wanted}, found {here:,} bytes and then: {problem}. "
            f"Run the same command again later.{kept}"
        )

    def _attempt(self, session: requests.Session, patience: Patience) -> None:
        """Fetch what is missing.

        Raises:
            Interrupted: if that did not succeed
        """
        known, here = self._known(), self._size()
        if here and here == known.total:
            self._note(replace(known, whole=True))
            return
        headers = {}
        if here and (known.validator or self.source.has_checksum):
            headers["Range"] = f"bytes={here}-"
            if known.validator:
                headers["If-Range"] = known.validator
        with open_address(session, self.source.address, headers, patience.timeout) as response:
            state, begin = self._understood(response, known, here)
            insist_on_room(self.file.parent, (state.total or 0) - begin, CORPORA)
            self._note(state)
            self._receive(response, begin, state.total, patience)
        total = state.total
        if total is not None and self._size() < total:
            raise Interrupted(f"the server promised {total:,} bytes and ended too soon")
        self._note(_State(state.validator, self._size(), whole=True))

    def _understood(
        self, response: requests.Response, known: _State, here: int
    ) -> tuple[_State, int]:
        """Return what the answer says of the file, and from which byte on it sends it."""
        if response.status_code == requests.codes.partial_content:
            span = re.fullmatch(
                r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", "").strip()
            )
            total = int(span[3]) if span and span[3] != "*" else None
            same = _validator(response) in (None, known.validator) or known.validator is None
            fits = known.total is None or total in (None, known.total)
            if span is None or int(span[1]) != here or not same or not fits:
                self.discard()
                raise Interrupted("the server sent another part than the missing one")
            self._pieced = self._pieced or here > 0
            return _State(known.validator or _validator(response), total or known.total), here
        if response.status_code != requests.codes.ok:  # it has less than we have: all was wrong
            self.discard()
            raise Interrupted(f"the server answered {response.status_code} {response.reason}")
        length = response.headers.get("Content-Length", "")
        total = int(length) if re.fullmatch(r"\d+", length) else None
        published = self.source.size
        if None not in (total, published) and total != published:
            raise CorpusError(
                f"{self.source.address}: expected {published:,} bytes, as the registry says, found "
                f"{total:,}. It is another file by now: see the corpus' page."
            )
        return _State(_validator(response), total or published), 0

    def _receive(
        self, response: requests.Response, begin: int, total: int | None, patience: Patience
    ) -> None:
        """Write what the server sends, from a byte on."""
        most = total
        if most is None:
            most = begin + min(_MOST_BYTES, shutil.disk_usage(self.file.parent).free - _SPARE_BYTES)
        with (
            storing(self.file, CORPORA),
            self.file.open("r+b" if begin else "wb", buffering=0) as file,
        ):
            file.seek(begin)
            done = marked = begin
            due = time.monotonic() + patience.timeout
            for chunk in _chunks(response):
                done += len(chunk)
                if done > most:
                    break
                file.write(chunk)
                self._progress(done, total)
                if time.monotonic() > due:
                    if done - marked < patience.rate * patience.timeout:
                        raise Interrupted("the server sends too slowly", in_vain=True)
                    marked, due = done, time.monotonic() + patience.timeout
        if done > most:
            self.discard()
            raise Interrupted(f"more than {most:,} bytes were sent")

    def _digests(self) -> tuple[dict[str, str], str | None]:
        """Return digests of what has arrived, and what is wrong with it."""
        digests = {"bytes": str(self._size())}
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
        return self.file.stat().st_size if self.file.is_file() else 0

    def _known(self) -> _State:
        """Return what is known; nothing if it does not belong to this address."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            address = notes.pop("address")
            state = _State(**notes)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return _State()
        lost = state.whole and state.total != self._size()
        return _State() if address != self.source.address or lost else state

    def _note(self, state: _State) -> None:
        text = json.dumps({"address": self.source.address, **asdict(state)}, indent=1)
        with storing(self._notes, CORPORA):
            write((self._notes, f"{text}\n".encode()))


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield the bytes as they were sent, and as they come: nobody waits for a whole chunk."""
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            yield chunk
    except urllib3.exceptions.ReadTimeoutError as error:
        raise Interrupted("the server fell silent") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Interrupted("the connection broke") from error
    except Exception as error:  # a chunk of a negative size, and what else is no HTTP
        raise Interrupted(f"the server sends no lawful HTTP ({error})", in_vain=True) from error


def _validator(response: requests.Response) -> str | None:
    """Return by what `If-Range` recognises a version; weak tags do not promise equal bytes."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")
