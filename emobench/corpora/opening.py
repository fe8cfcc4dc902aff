"""From a corpus, single or pooled, to what is found in its folder. Free of pandas."""

from __future__ import annotations

from pathlib import Path

from . import places
from .clips import Reading
from .pooling import merged
from .reading import read
from .schema import Corpus


def open_corpus(corpus: Corpus, data: Path | None = None, cache: Path | None = None) -> Reading:
    """Return all that is found in a corpus' folder, mistakes included.

    Raises:
        CorpusError: if the folder or a required side table is absent
    """
    if not corpus.parts:
        return read(corpus, places.locate(corpus, data, cache), cache)
    folders = places.locate_parts(corpus, data, cache)
    readings = [
        read(part, folder, cache) for part, folder in zip(corpus.parts, folders, strict=True)
    ]
    return merged(corpus, readings)
