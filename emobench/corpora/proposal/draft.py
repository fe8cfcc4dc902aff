"""An entry that is being proposed, and how it is written down for people to edit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml
import yaml.reader

from ...errors import count, printable
from ..registry import normalised

_WIDTH = 96


@dataclass(frozen=True)
class Draft:
    """The keys of an entry, and what is to be said of them.

    Attributes:
        name: of the corpus
        keys: key and value, in the order of an entry; texts, lists and mappings
        todo: labels that are left for the user, with the number of clips
        unsure: what was guessed
        lacking: what is not there and makes the entry incomplete
        doubt: what must be confirmed before the entry may be used; "" if nothing
    """

    name: str
    keys: Mapping[str, object]
    todo: Mapping[str, int] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    doubt: str = ""

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
            if key == "folds":
                lines += self._open_labels()
            lines += textwrap.indent(_dumped({key: value}), "  ").splitlines()
        return "\n".join(lines) + "\n"

    def _open_labels(self) -> Iterable[str]:
        """Yield a comment for each label whose meaning is for the user to say."""
        if self.todo:
            yield "  # Say what these mean in `emotions`; a word of your own goes before an arrow:"
        for label, clips in self.todo.items():
            name = _dumped({label: None}).partition(": null")[0]
            yield f"  #   {name}: ?    {count(clips, 'clip')}"


def where(name: str, own: str, extensions: Sequence[str]) -> dict[str, object]:
    """Return the keys that lead to the files of a corpus.

    Args:
        name: of the corpus
        own: name of its folder
        extensions: of its files
    """
    keys: dict[str, object] = {}
    if normalised(own) != normalised(name):
        keys["aliases"] = [own]
    if extensions != ["wav"]:
        keys["glob"] = [f"*.{extension}" for extension in extensions]
    return keys


def _comment(text: str, first: str = "# ", then: str = "# ") -> list[str]:
    readable = yaml.reader.Reader.NON_PRINTABLE.sub("?", printable(text))
    return textwrap.wrap(
        readable,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


class _Dumper(yaml.SafeDumper):
    """Writes a line a key, and what is repeated again, where YAML would point back to it."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent(self, data: object) -> None:
        node = self.represent_data(data)
        node.flow_style = False
        self.serialize(node)


def _dumped(value: Mapping[str, object]) -> str:
    return yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=None,
        width=_WIDTH,
        allow_unicode=True,
        sort_keys=False,
    )
