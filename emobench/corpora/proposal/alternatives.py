"""Other readings of who speaks: in words, and as the expression that an entry needs for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ..reading.audio_files import AudioFile
from .choice import Choice, compound, is_generic
from .parts import Part, shown

_SPEAKER = re.compile(r"\(\?P<speaker>[^)]*\)")


def alternatives(
    choice: Choice, files: Sequence[AudioFile], write: Callable[[Part], str]
) -> Iterator[tuple[str, str]]:
    """Yield what may tell the speaker in place of the part that was chosen.

    Args:
        choice: what the names tell
        files: audio files
        write: returns the expression in which a part is the speaker
    """
    for part in choice.rivals:
        yield str(part), write(part)
        if size := compound(part):
            heads, tails = {text[:size] for text in part.counts}, {t[size:] for t in part.counts}
            head, tail = f"(?P<speaker>.{{{size}}}).+?", f".{{{size}}}(?P<speaker>.+?)"
            yield f"its beginning ({shown(heads)})", _SPEAKER.sub(head, write(part))
            yield f"its end ({shown(tails)})", _SPEAKER.sub(tail, write(part))
    for part in filter(None, (choice.speaker, *choice.rivals)):
        if pairs := _with_folders(part, choice.emotion, files):
            text = re.sub(
                r"(\[\^/\]\+/)?\(\?P<speaker>", "(?P<speaker>[^/]+/", write(part), count=1
            )
            yield f"that with the folder above it ({shown(pairs)})", text


def _with_folders(part: Part, emotion: Part | None, files: Sequence[AudioFile]) -> set[str]:
    """Return folders named by number with those above them; nothing where each number is once."""
    above = part.level + 1
    paths = [file.relative.split("/") for file in files]
    of_emotion = emotion is not None and emotion.level == above
    if not (part.level and part.whole and is_generic(part)) or of_emotion:
        return set()
    if min(map(len, paths)) <= above:
        return set()
    pairs = {"/".join(path[-1 - above : -part.level]) for path in paths}
    return pairs if len(pairs) > len(part.counts) else set()
