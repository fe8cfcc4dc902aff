"""An entry that is being proposed, and how it is written down for people to edit."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_WIDTH = 98
_PLAIN = re.compile(r"[A-Za-z0-9À-ÿ][\w À-ÿ.+/()'>-]*(?<! )")


@dataclass(frozen=True)
class Draft:
    """The keys of an entry, and what is to be said of them.

    Attributes:
        name: of the corpus
        keys: key and value, in the order of an entry; texts, lists and mappings
        todo: labels that are left for the user, with the number of clips
        unsure: what was guessed
        lacking: what is not there and makes the entry incomplete
    """

    name: str
    keys: Mapping[str, object]
    todo: Mapping[str, int] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    def written(self, verdict: str) -> str:
        """Return the entry as YAML, with comments.

        Args:
            verdict: sentence on what came of reading the corpus by this entry
        """
        lines = list(_comment(verdict))
        for title, sentences in (
            ("Missing:", self.lacking),
            ("Guessed, so please confirm:", self.unsure),
        ):
            if sentences:
                lines.append(f"# {title}")
            for sentence in sentences:
                lines += _comment(sentence, "# - ", "#   ")
        lines.append(f"{self.name}:")
        for key, value in self.keys.items():
            lines += _entry(key, value)
            if key == "emotions":
                lines += self._open_labels()
        if self.todo and "emotions" not in self.keys:
            lines += self._open_labels()
        return "\n".join(lines) + "\n"

    def _open_labels(self) -> Iterable[str]:
        """Yield a comment for each label whose meaning is for the user to say."""
        if self.todo:
            yield "  # Say what these mean in `emotions`; a word of your own goes before an arrow:"
        for label, count in self.todo.items():
            yield f"  #   {_quoted(label)}: ?    {count:,} {'clip' if count == 1 else 'clips'}"


def _comment(text: str, first: str = "# ", then: str = "# ") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _entry(key: str, value: object) -> Iterable[str]:
    """Yield the lines of a key: one, unless it is too long."""
    whole = f"  {key}: {_flow(value)}"
    if len(whole) <= _WIDTH or isinstance(value, str):
        yield whole
    elif isinstance(value, Mapping):
        pieces = [f"{_quoted(name)}: {_flow(item)}" for name, item in value.items()]
        yield from _wrapped(f"  {key}: {{", pieces, "}")
    elif isinstance(value, Sequence):
        yield f"  {key}:"
        yield from (f"    - {_flow(item)}" for item in value)


def _wrapped(begin: str, pieces: Sequence[str], end: str) -> Iterable[str]:
    """Yield a long mapping on as few lines as it takes."""
    line = begin
    for position, piece in enumerate(pieces):
        text = piece + (", " if position < len(pieces) - 1 else end)
        if len(line) + len(text) > _WIDTH and line.strip():
            yield line.rstrip()
            line = " " * len(begin)
        line += text
    yield line


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_quoted(name)}: {_flow(item)}" for name, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, str | int):
        return _quoted(str(value))
    return f"[{', '.join(map(_flow, value))}]"


def _quoted(text: str) -> str:
    """Return a text in quotes, unless any YAML reader takes it for itself without them."""
    if _PLAIN.fullmatch(text) and text.casefold() not in ("null", "~"):
        return text
    if re.search(r"[\x00-\x1f\x7f]", text):
        escaped = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
        return f'"{escaped}"'
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
