"""The columns of an utterance table as lists, for those who need no data frame. Free of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import CorpusError, count, named
from . import paths
from .entries.fields import TABLE_COLUMNS
from .reading import durations
from .reading.clips import Reading

_OLDEST = 150


def columns(reading: Reading, cache: Path | None = None) -> dict[str, list[Any]]:
    """Return what is known of clips that were read, by column.

    Args:
        reading: usable clips
        cache: folder of caches

    Returns:
        `TABLE_COLUMNS` and then the entry's further columns, each with one value per clip: texts,
        but for `start`, `end` and `duration` in seconds and `age` in years; None where unknown.
        Where an entry says which channel is used there is a column `audio_channel`.

    Raises:
        CorpusError: if an age is no number, or channels differ that nobody chose from
    """
    clips = reading.clips
    files = list({clip.file.path: clip.file for clip in clips}.values())
    headers = durations.read(files, reading.folder, paths.cache_root(cache))
    _check_channels(reading, headers)
    chosen = {clip.channel for clip in clips} - {None}
    computed = {
        "path": [clip.file.path for clip in clips],
        "start": [clip.start for clip in clips],
        "end": [clip.end for clip in clips],
        "age": _ages(reading),
        "duration": [durations.of(clip, headers) for clip in clips],
        "audio_channel": [clip.channel for clip in clips],
    }
    return {
        name: computed[name] if name in computed else [clip.facts.get(name) for clip in clips]
        for name in (*TABLE_COLUMNS, *(["audio_channel"] if chosen else []), *reading.corpus.extra)
    }


def _check_channels(reading: Reading, headers: durations.Headers) -> None:
    mixed = headers.mixed(reading.clips)
    if not mixed:
        return
    relative = {clip.file.path: clip.file.relative for clip in reading.clips}
    shown = [f"{relative[path]} ({how})" for path, how in mixed.items()]
    raise CorpusError(
        f"{reading.corpus.at('channel')}: expected channels that are alike, found "
        f"{count(len(shown), 'file')} whose channels differ: {named(shown)}. "
        "Write `channel: left` (the first), `channel: right` or `channel: mean` in the entry."
    )


def _ages(reading: Reading) -> list[int | float | None]:
    """Return ages, as whole numbers if all of them are."""
    texts: Sequence[str | None] = [clip.facts.get("age") for clip in reading.clips]
    wrong = [text for text in texts if text is not None and not _is_age(text)]
    if wrong:
        raise CorpusError(
            f"{reading.corpus.at('values', 'age')}: expected ages in years, found "
            f"'{wrong[0][:60]}'. Translate it under `values:`, or leave out the column."
        )
    numbers = [None if text is None else float(text) for text in texts]
    if all(number is None or number.is_integer() for number in numbers):
        return [None if number is None else int(number) for number in numbers]
    return numbers


def _is_age(text: str) -> bool:
    return is_number(text) and 0 <= float(text) <= _OLDEST


def is_number(text: str) -> bool:
    """Tell whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
