"""The tables that an entry names, read as it says they are written."""

from __future__ import annotations

from ...errors import CorpusError
from ..entries.items import TableFile
from . import table_formats
from .audio_files import AudioFile
from .table_parts import Form, Part, Unreadable


def read(file: AudioFile, table: TableFile, where: str) -> list[Part]:
    """Return what a file of tables holds.

    Args:
        file: which file
        table: what the entry says of it
        where: file, line, entry and key that name it

    Raises:
        CorpusError: if it cannot be read as a table
    """
    form = Form(table.separator, table.encoding, table.skip, table.sheet, table.header)
    try:
        return table_formats.read(file.name, table_formats.content_of(file), form)
    except OSError as error:
        raise CorpusError(
            f"{file.path}: expected a table ({where}), found: {error.strerror}. Change its "
            "permissions, or unpack it again."
        ) from error
    except Unreadable as error:
        raise CorpusError(
            f"{file.path}: expected {error.expected} ({where}), found {error.found}. {error.advice}"
        ) from error
