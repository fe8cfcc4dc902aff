"""The words of the registry: columns, emotions, and the kinds of text that an entry may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ...errors import suggest

EMOTIONS = (
    "anger",
    "happiness",
    "sadness",
    "fear",
    "surprise",
    "disgust",
    "neutral",
    "other",
    "unknown",
)
"""Canonical emotions, in the order of the paper's Table 1."""

NO_EMOTION = frozenset({"other", "unknown"})
"""What falls under these differs from corpus to corpus."""

FACTS = ("speaker", "group", "sex", "age", "sentence", "intensity", "repetition", "transcript")
"""Columns that an entry may fill, beside `emotion`."""

TABLE_COLUMNS = (
    "path",
    "start",
    "end",
    "label",
    "emotion",
    "raw_emotion",
    *FACTS,
    "duration",
)
"""Columns of an utterance table; its index is `id`."""

_FEMALE = "f female w woman weiblich frau femme féminin femmina femminile donna mujer femenino"
_MALE = "m male man männlich maennlich mann homme masculin maschio maschile uomo hombre masculino"
SEXES = dict.fromkeys(_FEMALE.split(), "female") | dict.fromkeys(_MALE.split(), "male")
"""What the column `sex` holds, by what may stand for it in small letters."""

FILE_FACTS = ("id", "name", "stem", "path")
"""What is known of a clip without an expression: its id, and how its file is called."""

_PUBLISHED = {"md5": "[0-9a-f]{32}", "sha256": "[0-9a-f]{64}", "bytes": "[1-9][0-9]*"}

_ARROW = re.compile(r"^\s*(?:(?P<raw>.+?)\s*->\s*)?(?P<emotion>\S.*?)\s*$")


def complaint(expected: str, advice: str) -> PydanticCustomError:
    """Return an error that a validator raises; where and what was found are added later."""
    return PydanticCustomError("expected", "{expected}|{advice}", _context(expected, advice))


def _context(expected: str, advice: str) -> dict[str, Any]:
    return {"expected": expected, "advice": advice}


def split_emotion(text: str) -> tuple[str | None, str]:
    """Split what stands behind a code: `boredom -> other`, or just `other`.

    Returns:
        the corpus' own word (None if not given), and the emotion

    Examples:
        >>> split_emotion("boredom -> other")
        ('boredom', 'other')
    """
    match = _ARROW.match(text)
    return (match["raw"], match["emotion"]) if match else (None, text)


def _emotion(text: str) -> str:
    _, emotion = split_emotion(text)
    if emotion not in EMOTIONS:
        advice = "A label of the corpus' own goes before an arrow, as in 'boredom -> other'."
        raise complaint(
            f"one of {', '.join(EMOTIONS)}", suggest(emotion, EMOTIONS).strip() or advice
        )
    return text


def _fold_rule(value: Any) -> str:
    """Return a fold rule as `speaker`, `session` or `groups:N`."""
    if isinstance(value, Mapping) and list(value) == ["groups"]:
        value = f"groups:{value['groups']}"
    if isinstance(value, str):
        text = re.sub(r"\s+", "", value)
        if text in ("speaker", "session"):
            return text
        if re.fullmatch(r"groups:0*([2-9]|[1-9]\d+)", text):
            return f"groups:{int(text.partition(':')[2])}"
        advice = suggest(text, ("speaker", "session", "groups:6")).strip()
    else:
        advice = ""
    raise complaint(
        "speaker, session or {groups: N} with N of 2 or more",
        advice or "It says what a fold of the cross-validation holds out.",
    )


def _several(value: Any) -> Any:
    """Let one text stand for a list of one."""
    return [value] if isinstance(value, str) else value


def from_glob(value: Any) -> Any:
    """Let a glob alone stand for the files that it finds."""
    return {"file": value} if isinstance(value, str) else value


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        place = "" if error.pos is None else f" at character {error.pos + 1}"
        raise complaint("a regular expression", f"Python says: {error.msg}{place}.") from error
    except (OverflowError, RecursionError, MemoryError) as error:
        said = str(error) or type(error).__name__
        raise complaint("a regular expression that Python can use", f"It says: {said}.") from error
    return text


def _glob(text: str) -> str:
    if text.startswith("/") or ".." in text.split("/") or "\\" in text:
        raise complaint(
            "a pattern such as '*.wav' or 'AudioWAV/*.wav' below the corpus folder",
            "Separate folders with '/', and leave out where the corpus lies.",
        )
    return text


def _address(text: str) -> str:
    if not re.match(r"https?://\S+$", text):
        raise complaint("an address that begins with https:// or http://", "Write it in full.")
    return text


def split_download(text: str) -> tuple[str, dict[str, str]]:
    """Split what stands under `urls`: an address, and what is published of the file there.

    The facts stand behind a `#`, which no server gets to see.

    Examples:
        >>> split_download("https://x.org/a.zip#md5=0a1b&bytes=12")
        ('https://x.org/a.zip', {'md5': '0a1b', 'bytes': '12'})
    """
    address, _, facts = text.partition("#")
    pairs = (fact.partition("=") for fact in facts.split("&") if fact)
    return address, {name: value.lower() for name, _, value in pairs}


def _download(text: str) -> str:
    for name, value in split_download(_address(text))[1].items():
        if name not in _PUBLISHED or not re.fullmatch(_PUBLISHED[name], value):
            raise complaint(
                "behind '#' what is published of the file: md5=…, sha256=… or bytes=…",
                "Write the whole checksum in hexadecimal digits, or leave out what follows '#'.",
            )
    return text


def _doi(text: str) -> str:
    if not re.match(r"10\.\d{4,}/\S+$", text):
        raise complaint("a DOI such as 10.1000/182", "Leave out 'doi:' and 'https://doi.org/'.")
    return text


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_several)]
Emotion = Annotated[Text, AfterValidator(_emotion)]
Cells = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
Expression = Annotated[Text, AfterValidator(_expression)]
Glob = Annotated[Text, AfterValidator(_glob)]
Globs = Annotated[tuple[Glob, ...], BeforeValidator(_several)]
Address = Annotated[Text, AfterValidator(_address)]
Download = Annotated[Text, AfterValidator(_download)]
Addresses = Annotated[tuple[Download, ...], BeforeValidator(_several)]
Doi = Annotated[Text, AfterValidator(_doi)]
FoldRule = Annotated[str, BeforeValidator(_fold_rule)]
Channel = Literal["left", "right", "mean"]
"""As in `audio`, which loads NumPy."""
Count = Annotated[int, Field(ge=0)]
