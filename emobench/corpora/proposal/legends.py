"""What notes beside the audio say of codes: `05 = angry`, `W: Wut (anger)`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..reading.audio_files import scan
from .vocabulary import emotion_of

_GLOBS = ("*.txt", "*.md", "*.csv", "*.tsv", "readme*")
_MOST_FILES = 20
_MOST_BYTES = 100_000
_LINE = re.compile(r"(?<!\w)(\w{1,4})[\"')\]]?\s*(?:=>?|:|->|[-–,;\t|])\s*[\"'(]?([^\W\d_]{3,})")

RAVDESS = {
    **{"01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry", "06": "fearful"},
    **{"07": "disgust", "08": "surprised"},
}
"""Emotions of names such as 03-01-06-01-02-01-12, which many corpora borrow."""

Legend = Mapping[str, str]
"""Words by code."""


def legend_of(
    texts: Sequence[tuple[str, Legend]], codes: Iterable[str]
) -> tuple[str, Legend] | None:
    """Look for a text that says what most of some codes mean.

    Args:
        texts: that lie beside the audio
        codes: as they stand in names; `05` is also looked for as `5`

    Returns:
        file, and the word for each code that it explains; None if there is no such text
    """
    wanted = set(codes)
    found = []
    for name, said in texts:
        told = {code: said.get(code) or said.get(code.lstrip("0")) for code in wanted}
        found.append((name, {code: word for code, word in told.items() if word}))
    best = max(found, key=lambda item: len(item[1]), default=("", {}))
    return best if len(best[1]) >= max(2, 0.6 * len(wanted)) else None


def texts(folder: Path) -> Iterator[tuple[str, Legend]]:
    """Yield, for each text below a folder, the codes that stand before a word for an emotion."""
    files = [file for file in scan(folder, _GLOBS) if 0 < file.size <= _MOST_BYTES]
    for file in files[:_MOST_FILES]:
        text = Path(file.path).read_bytes().decode("utf-8", errors="replace")
        pairs = ((code, word) for code, word in _LINE.findall(text) if emotion_of(word))
        yield file.relative, {code: word for code, word in pairs if emotion_of(code) is None}
