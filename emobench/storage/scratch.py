"""Room on the disk for what memory should not hold, gone with the process that asked for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import EmobenchError
from .refusals import Purpose, storing


@contextmanager
def scratch_file(what: str, error: type[EmobenchError]) -> Iterator[ScratchFile]:
    """Give a file that nobody else sees and that needs not be removed.

    Args:
        what: is kept there, for the message where there is no room
        error: is raised then

    Raises:
        EmobenchError: of that kind
    """
    place = Path(tempfile.gettempdir())
    purpose = Purpose(what, error, "set TMPDIR to another folder")
    with storing(place, purpose):
        stream = tempfile.TemporaryFile()  # noqa: SIM115  closed below
    with stream:
        yield ScratchFile(stream, place, purpose)


class ScratchFile:
    """A file that bytes are added to and read from.

    Args:
        stream: the file
        place: where it is
        purpose: what it is for
    """

    def __init__(self, stream: BinaryIO, place: Path, purpose: Purpose) -> None:
        self._stream, self._place, self._purpose = stream, place, purpose
        self._end = 0

    def add(self, content: bytes | memoryview) -> int:
        """Append bytes; return where they begin.

        Raises:
            EmobenchError: of the purpose's kind, if there is no room
        """
        begin = self._end
        with storing(self._place, self._purpose, len(content)):
            self._stream.seek(begin)
            self._stream.write(content)
            self._stream.flush()
        self._end = begin + len(content)
        return begin

    def read(self, begin: int, size: int) -> bytes:
        """Return bytes that were added."""
        self._stream.seek(begin)
        return self._stream.read(size)
