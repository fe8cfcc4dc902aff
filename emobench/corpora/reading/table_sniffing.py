"""How a text that holds a table is written, where no entry says so."""

from __future__ import annotations

import codecs
import re
from collections.abc import Set
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath

from .table_formats import separated
from .table_keys import spelled
from .table_parts import Form, Part, Unreadable, decoded

_SEPARATORS = (",", ";", "\t", "|")
_MOST_SKIPPED = 6
_LOOKED_AT = 200
"""Lines from which the form is told."""


def sniffed(name: str, content: bytes, stems: Set[str] = frozenset()) -> Form | None:
    """Return how a text is written, by its first lines; None if it does not look like a table.

    Args:
        name: of the file
        content: of the file
        stems: names of recordings without extension
    """
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8", "cp1252", "latin-1"):
        with suppress(Unreadable):
            text = decoded(content, Form(encoding=encoding))
            break
    else:
        return None
    lines = text.splitlines(keepends=True)
    for skip in range(min(_MOST_SKIPPED, len(lines))):
        begin, widest, best = "".join(lines[: skip + _LOOKED_AT]), 0, None
        for separator in _SEPARATORS:
            form = Form(separator, encoding, skip)
            with suppress(Unreadable):
                part = separated(name, begin, form)
                if header := invented(part, stems):
                    form = replace(form, header=header)
                    part = separated(name, begin, form)
                table = cleaned(part)
                if table is not None and len(table.header) > widest:
                    widest, best = len(table.header), form
        if best is not None:
            return best
    return None


def invented(part: Part, stems: Set[str]) -> tuple[str, ...]:
    """Return names for the columns of a table in which a recording stands where these should.

    Args:
        part: as it was read, its first line taken for a header
        stems: names of recordings without extension

    Returns:
        none if the table has names of its own
    """
    for column in zip(part.header, *(line for _, line in part.lines[:1]), strict=False):
        files = [spelled("name", cell.strip()) for cell in column]
        if all({file, PurePath(file).stem} & stems for file in files):
            return tuple(f"column {1 + place}" for place in range(len(part.header)))
    return ()


def cleaned(part: Part) -> Part | None:
    """Return a table of several named columns, without the numbers of its rows; None if it is none.

    Args:
        part: as it was read; lines that are too short or too long are left out, if they are few
    """
    rows = [(number, [cell.strip() for cell in row]) for number, row in part.lines]
    whole = [(number, row) for number, row in rows if len(row) == len(part.header)]
    if len(whole) < max(2, 0.9 * len(rows)):
        return None
    kept, nameless = [], 0
    for place, header in enumerate(part.header):
        if header == f"Unnamed: {place}":
            if all(re.fullmatch(r"0|[1-9]\d*|", row[place]) for _, row in whole):
                continue
            nameless += 1
        kept.append(place)
    names = [part.header[place] for place in kept]
    if nameless > 1 or len(names) < 2 or len(set(names)) < len(names):
        return None
    lines = [(number, [row[place] for place in kept]) for number, row in whole]
    return replace(part, header=names, lines=lines)
