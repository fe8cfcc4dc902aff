"""Texts that take the place of a corpus' own, such as those of a speech recogniser."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..errors import CorpusError

_LONGEST_HEADER = 10_000


def read(file: Path, ids: pd.Index) -> pd.Series:
    """Return the text of each clip from a table with the columns `id` and `text`.

    Args:
        file: CSV in UTF-8
        ids: of the clips

    Returns:
        texts indexed by id; clips that the table does not name have none

    Raises:
        CorpusError: if the file cannot be read, lacks a column, names a clip twice, or names none
            of the clips
    """
    try:
        with file.open("rb") as stream:
            if len(stream.readline(_LONGEST_HEADER + 1)) > _LONGEST_HEADER:
                raise CorpusError(
                    f"{file}: expected the columns id and text, found a first line of more than "
                    f"{_LONGEST_HEADER:,} bytes. Correct --transcripts."
                )
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError, MemoryError, pd.errors.ParserError) as error:
        raise CorpusError(
            f"{file}: expected a CSV file in UTF-8 with the columns id and text, found: {error}. "
            "Correct --transcripts."
        ) from None
    missing = [name for name in ("id", "text") if name not in table]
    if missing:
        raise CorpusError(
            f"{file}: expected the columns id and text, found {', '.join(table) or 'none'}. "
            "Name the columns in the first line."
        )
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise CorpusError(
            f"{file}: expected each id once, found '{twice.iloc[0]}' again. Remove one of them."
        )
    texts = table.set_index("id")["text"].reindex(ids)
    if texts.isna().all():
        raise CorpusError(
            f"{file}: expected ids such as '{ids[0]}', found "
            f"{', '.join(table['id'][:3]) or 'none'}. `emobench utterances NAME` lists them."
        )
    return texts
