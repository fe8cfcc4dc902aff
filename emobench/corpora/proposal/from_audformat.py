"""What a database in audformat says of itself, put into the keys of an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..entries.fields import EMOTIONS
from ..readers import audformat_database
from ..reading.audio_files import AudioFile
from .draft import Draft, where
from .drafting import emotions
from .vocabulary import Meaning, meaning


def draft(files: Sequence[AudioFile], folder: Path, name: str, own: str) -> Draft:
    """Return an entry for a database, not tried yet.

    Args:
        files: audio files
        folder: that holds the database
        name: of the corpus
        own: name of the folder

    Raises:
        CorpusError: if there is no database, or it cannot be read
    """
    database = audformat_database.load(folder)
    clips = audformat_database.tell(folder).clips().values()
    counts = Counter(facts["emotion"] for facts in clips)
    read = _meaning(counts)
    extensions = sorted({file.name.rpartition(".")[2] for file in files})
    keys = {"title": database.name, **where(name, own, extensions)}
    if database.languages:
        keys["language"] = ", ".join(database.languages)
    if database.license:
        keys["licence"] = str(database.license)
    tells = any("transcript" in facts for facts in clips)
    keys["reader"] = audformat_database.TEXTS if tells else "audformat"
    if read.emotions:
        keys["emotions"] = emotions(read)
    keys["folds"] = "speaker"
    return Draft(
        name,
        keys,
        {label: counts[label] for label in read.unknown},
        (f"emotion: what the labels of {audformat_database.HEADER} mean",),
        tuple(_lacking(clips)),
    )


def _meaning(counts: Counter[str]) -> Meaning:
    """Return what labels mean; `other` and `unknown`, which we write, are no words for emotions."""
    read = meaning(counts)
    own = {label: label for label in read.unknown if label in EMOTIONS}
    unknown = tuple(label for label in read.unknown if label not in own)
    return replace(read, emotions={**read.emotions, **own}, unknown=unknown)


def _lacking(clips: Sequence[dict[str, str]]) -> list[str]:
    """Return what no table tells, and what to do about it."""
    wanted = {"emotion": "emotions", "speaker": "speakers"}
    return [
        f"No column of the database is called '{column}', or has a scheme of that name, so "
        f"{what} are not known. Name one so."
        for column, what in wanted.items()
        if not any(column in facts for facts in clips)
    ]
