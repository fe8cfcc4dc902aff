"""The utterance table: one row per clip, the same columns for every corpus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import CorpusError
from . import durations, places
from .clips import Reading
from .fields import FACTS, TABLE_COLUMNS
from .opening import open_corpus
from .registry import load_registry
from .schema import Corpus

_TEXT = "str" if int(pd.__version__.partition(".")[0]) >= 3 else object
_TEXTS = ("label", "emotion", "raw_emotion", *(name for name in FACTS if name != "age"))


def load(corpus: Corpus, data: Path | None = None, cache: Path | None = None) -> pd.DataFrame:
    """Return the utterance table of a corpus.

    Args:
        corpus: from the registry
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        cache: folder of caches; None means `EMOBENCH_CACHE` or the platform's

    Returns:
        one row per clip, with index `id` and the columns `TABLE_COLUMNS`, then the entry's
        further columns. `start`, `end` and `duration` are in seconds; what is unknown is NA, the
        duration of a file without a usable header too.

    Raises:
        CorpusError: if the corpus is not there, a file cannot be told apart, or a label is
            unknown; names file, entry, key and line
    """
    found = open_corpus(corpus, data, cache)
    found.insist()
    return tabulate(found, cache)


def load_corpus(
    name: str,
    data: str | Path | None = None,
    *,
    cache: str | Path | None = None,
    datasets: Sequence[str | Path] = (),
) -> pd.DataFrame:
    """Return the utterance table of a corpus given by name.

    Args:
        name: of the corpus, with its variant behind a colon
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        cache: folder of caches; None means `EMOBENCH_CACHE` or the platform's
        datasets: registry files that add or override entries

    Returns:
        one row per clip, as `load` does

    Raises:
        SpecError: if there is no such corpus, or a registry file is wrong
        CorpusError: if the corpus is not on disk or cannot be read
    """
    registry = load_registry([Path(file) for file in datasets])
    return load(registry.get(name), Path(data) if data else None, Path(cache) if cache else None)


def tabulate(reading: Reading, cache: Path | None = None) -> pd.DataFrame:
    """Return the utterance table of clips that were read.

    Args:
        reading: usable clips
        cache: folder of caches

    Raises:
        CorpusError: if an age is no number
    """
    found = reading.clips
    files = list({clip.file.path: clip.file for clip in found}.values())
    headers = durations.read(files, reading.folder, places.cache_root(cache))
    columns: dict[str, Any] = {
        # Not the text type of pandas: a path may hold bytes that are no UTF-8.
        "path": pd.Series([clip.file.path for clip in found], dtype=object),
        "start": pd.Series([clip.start for clip in found], dtype="float64"),
        "end": pd.Series([clip.end for clip in found], dtype="float64"),
    }
    for name in (*_TEXTS, *reading.corpus.extra):
        columns[name] = pd.Series([clip.facts.get(name) for clip in found], dtype=_TEXT)
    columns["age"] = _ages(reading)
    seconds = [durations.of(clip, headers) for clip in found]
    columns["duration"] = pd.Series(seconds, dtype="float64")
    table = pd.DataFrame(columns)[[*TABLE_COLUMNS, *reading.corpus.extra]]
    table.index = pd.Index([clip.id for clip in found], dtype=_TEXT, name="id")
    return table


def _ages(reading: Reading) -> pd.Series:
    texts: Sequence[str | None] = [clip.facts.get("age") for clip in reading.clips]
    try:
        numbers = [None if text is None else float(text) for text in texts]
    except ValueError as error:
        wrong = next(text for text in texts if text is not None and not _is_number(text))
        corpus = reading.corpus
        raise CorpusError(
            f"{corpus.at('values', 'age')}: expected ages in years, found '{wrong}'. Translate it "
            "under `values:`, or leave out the column."
        ) from error
    whole = all(number is None or number.is_integer() for number in numbers)
    return pd.Series(numbers, dtype="Float64").astype("Int64" if whole else "Float64")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
