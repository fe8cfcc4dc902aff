"""The utterance table: one row per clip, the same columns for every corpus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .entries.schema import Corpus
from .opening import open_corpus
from .reading.clips import Reading
from .registry import load_registry
from .table_columns import columns

_TEXT = "str" if int(pd.__version__.partition(".")[0]) >= 3 else object


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
    found.raise_problems()
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
    found = columns(reading, cache)
    whole = not any(isinstance(age, float) for age in found["age"])
    # A path is not of pandas' text type: it may hold bytes that are no UTF-8.
    types = {"path": object, "age": "Int64" if whole else "Float64"}
    types |= dict.fromkeys(("start", "end", "duration"), "float64")
    return pd.DataFrame(
        {name: pd.Series(values, dtype=types.get(name, _TEXT)) for name, values in found.items()}
    ).set_index(pd.Index([clip.id for clip in reading.clips], dtype=_TEXT, name="id"))
