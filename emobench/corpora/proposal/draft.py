"""An entry that is being proposed, and how it is written down for people to edit."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
import yaml.reader

from ...errors import count, printable
from ..reading.audio_files import AudioFile
from ..registry import normalised

_WIDTH = 96


@dataclass(frozen=True)
class Recordings:
    """What an entry is proposed for: audio files, the folder that they lie in, and a name."""

    files: Sequence[AudioFile]
    folder: Path
    name: str

    @property
    def extensions(self) -> list[str]:
        """What the files' names end with, without dot."""
        return sorted({file.name.rpartition(".")[2] for file in self.files})

    def keys(self, title: str = "") -> dict[str, object]:
        """Return the keys that lead to the files, and the title: by default the folder's name."""
        own = self.folder.resolve().name
        keys: dict[str, object] = {"title": title or own}
        if normalised(own) != normalised(self.name):
            keys["aliases"] = [own]
        if self.extensions != ["wav"]:
            keys["glob"] = [f"*.{extension}" for extension in self.extensions]
        return keys


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
        """Return the entry as YAML, with comments and a sentence on what came of trying it."""
        lines = _comment(verdict)
        listed = {"Missing": self.lacking, "Guessed, so please confirm": self.unsure}
        for title, sentences in listed.items():
            lines += [f"# {title}:"] if sentences else []
            lines += [line for each in sentences for line in _comment(each, "# - ", "#   ")]
        lines.append(f"{self.name}:")
        for key, value in self.keys.items():
            if key == "folds" and self.todo:
                own = "a word of your own goes before an arrow"
                lines.append(f"  # Say what these mean in `emotions`; {own}:")
                for label, clips in self.todo.items():
                    name = _dumped({label: None}).partition(": null")[0]
                    lines.append(f"  #   {name}: ?    {count(clips, 'clip')}")
            lines += textwrap.indent(_dumped({key: value}), "  ").splitlines()
        return "\n".join(lines) + "\n"


def _comment(text: str, first: str = "# ", then: str = "# ") -> list[str]:
    readable = yaml.reader.Reader.NON_PRINTABLE.sub("?", printable(text))
    wrapper = textwrap.TextWrapper(_WIDTH, first, then)
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return wrapper.wrap(readable)


class _Dumper(yaml.SafeDumper):
    """Writes a line a key, and what is repeated again, where YAML would point back to it."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent(self, data: object) -> None:
        node = self.represent_data(data)
        node.flow_style = False
        self.serialize(node)


def _dumped(value: Mapping[str, object]) -> str:
    form = {"default_flow_style": None, "allow_unicode": True, "sort_keys": False}
    return yaml.dump(value, Dumper=_Dumper, width=_WIDTH, **form)
