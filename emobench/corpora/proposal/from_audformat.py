"""What a database in audformat says of itself, put into the keys of an entry."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..entries.fields import NO_EMOTION
from ..readers import audformat_database
from .draft import Draft, Recordings
from .drafting import emotions
from .vocabulary import meaning


def draft(recordings: Recordings) -> Draft:
    """Return an entry for a database, not tried yet.

    Raises:
        CorpusError: if there is no database, or it cannot be read
    """
    database = audformat_database.load(recordings.folder)
    clips = audformat_database.tell(recordings.folder).clips().values()
    counts = Counter(facts["emotion"] for facts in clips)
    read = meaning(counts)
    # We write these ourselves, though they are no words for emotions.
    own = {label: label for label in NO_EMOTION & counts.keys()}
    known = read.emotions | own
    keys = recordings.keys(database.name)
    if database.languages:
        keys["language"] = ", ".join(database.languages)
    if database.license:
        keys["licence"] = str(database.license)
    tells = any("transcript" in facts for facts in clips)
    keys["reader"] = audformat_database.TEXTS if tells else "audformat"
    if known:
        keys["emotions"] = emotions(replace(read, emotions=known))
    keys["folds"] = "speaker"
    lacking = [
        f"No column of the database is called '{column}', or has a scheme of that name, so "
        f"{column}s are not known. Name one so."
        for column in ("emotion", "speaker")
        if not any(column in facts for facts in clips)
    ]
    todo = {label: counts[label] for label in read.unknown if label not in own}
    guessed = (f"emotion: what the labels of {audformat_database.HEADER} mean",)
    return Draft(recordings.name, keys, todo, guessed, tuple(lacking))
