"""What an entry of the registry may say, and the corpus that it describes.

Types and spellings are checked here; what keys mean to each other is checked in `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from ...spec import TESTED
from .fields import (
    EMOTIONS,
    NO_EMOTION,
    Address,
    Addresses,
    Channel,
    Doi,
    Emotion,
    Expression,
    FoldRule,
    Globs,
    Text,
    Texts,
    from_glob,
    split_emotion,
)
from .items import Drop, Expect, SideTable, TextFiles, ValueMap
from .readers import READERS
from .yaml_source import Entry as Source


class Entry(BaseModel):
    """The keys of an entry, each with what it means: the reference of the registry shows that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    """Name of the corpus, for people."""
    language: Text | None = None
    """Language or languages that are spoken."""
    year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    """Year of publication."""
    citation: Text | None = None
    """The paper that presents the corpus."""
    doi: Doi | None = None
    """DOI of that paper, without `https://doi.org/`."""
    licence: Text | None = None
    """Terms of use, in a few words."""
    access: Literal["open", "licence"] = "open"
    """`open` where anybody may download it, `licence` where one must ask."""
    homepage: Address | None = None
    """Where to get it."""
    urls: Addresses = ()
    """Files that `emobench download` fetches. What is published of a file may follow its address:
    `https://x.org/a.zip#md5=…&bytes=…` (or `sha256=`)."""
    size: Text | None = None
    """Size of the download, for people."""
    aliases: Texts = ()
    """Further names of the corpus and its folder. Case, blanks, `-`, `_` and `'` never matter."""
    glob: Globs = ("*.wav",)
    """The audio files, at any depth below the corpus folder. Case does not matter; `*` stays within
    a folder, `**` crosses folders."""
    match: Literal["name", "path"] = "name"
    """Whether `pattern` is searched in the file's name or in its path below the corpus folder."""
    pattern: Expression | None = None
    """Regular expression that must match every file. Its named groups are columns; a group that
    matches nothing leaves its column unknown. Extensions are matched in small letters."""
    id: Text | None = None
    """Template of the clips' ids, with groups of `pattern` in braces, such as
    `{speaker}_{emotion}{sentence}`. Without it, an id is what `pattern` matched, without extension.
    Two files with one id must hold the same recording."""
    extra: Texts = ()
    """Columns of the corpus' own that are kept in the table of its clips."""
    emotions: dict[str, Emotion] = {}
    """What the codes in the column `emotion` mean: `W: anger`, or `L: boredom -> other` where the
    corpus has a word of its own for it. Without this key the codes are the emotions themselves."""
    values: dict[str, ValueMap] = {}
    """How the texts of other columns are translated, by column."""
    defaults: dict[str, Text] = {}
    """Values of columns where they are still unknown; other columns may stand in braces, such as
    `{speaker}`."""
    transcripts: dict[str, Text] = {}
    """What is said, by the value of the column `sentence`."""
    texts: Annotated[TextFiles, BeforeValidator(from_glob)] | None = None
    """Text files beside the audio, each with what is said in one clip."""
    constant_texts: bool = False
    """Whether each text is spoken in every emotion, so that words alone do not tell the emotion."""
    tables: tuple[SideTable, ...] = ()
    """Tables beside the audio, joined one after another; a later one replaces what an earlier one
    said."""
    drop: tuple[Drop, ...] = ()
    """Clips that are left out. The first rule that applies gives the reason."""
    ignore: Globs = ()
    """Files that are no clips although `glob` matches them."""
    reader: Text | None = None
    """Code that reads the corpus' own label files, in place of `pattern`: `iemocap`, `msp-improv`
    or `smartkom`; of a database in audformat `audformat`, or `audformat-texts` where it tells what
    is said."""
    channel: Channel | None = None
    """Which channel is used of files that have several: `left` (the first), `right` or their
    `mean`. Without it, channels must be alike."""
    folds: FoldRule = "speaker"
    """What a fold of the cross-validation holds out: one `speaker`, one `session` (the column
    `group`), or one of N groups of speakers, `{groups: N}`."""
    train_on: Literal["emotion", "raw_emotion"] = "emotion"
    """Whether models learn the canonical emotions or the corpus' own words for them."""
    synthetic: bool = False
    """Whether the sound was computed, not recorded; such results never enter the leaderboard."""
    generator: Text | None = None
    """Code that makes the corpus on first use: `demo`."""
    pool: Texts = ()
    """Corpora that are taken together as one. Beside it stands nothing that says how files are
    read."""
    pool_labels: Literal["all", "common"] = "all"
    """Of a pool: whether `all` clips are kept, or those of emotions that every corpus has
    (`common`)."""
    expect: Expect | None = None
    """What a complete copy holds. `emobench check` compares a copy with it."""
    variants: dict[str, dict[str, Any] | None] = {}
    """Changed keys by the name of a variant, which is a corpus of its own, `corpus:variant`. A key
    replaces the whole value; an empty one removes it."""

    @property
    def columns(self) -> set[str]:
        """Columns that reader, expression, side tables, maps and defaults can fill."""
        return self.raw_columns | {
            *self.values,
            *self.defaults,
            *(["transcript"] if self.transcripts or self.texts else []),
        }

    @property
    def raw_columns(self) -> set[str]:
        """Columns that reader, expression and side tables fill, before anything is translated."""
        groups = re.compile(self.pattern).groupindex if self.pattern else {}
        read = READERS[self.reader].columns if self.reader in READERS else ()
        return {*groups, *read, *(column for table in self.tables for column in table.columns)}


_DESCRIPTIVE = {
    *("title", "language", "year", "citation", "doi", "licence", "access", "homepage", "urls"),
    *("size", "aliases", "ignore", "expect", "variants", "synthetic", "generator"),
    *("extra", "transcripts", "texts", "constant_texts"),
}

WITH_POOL = frozenset(
    {
        *("title", "language", "year", "citation", "doi", "licence", "homepage", "size", "aliases"),
        *("pool", "pool_labels", "folds", "expect", "variants"),
    }
)
"""Keys that go with `pool`."""

_TRAINED_ON = ("emotion", "speaker", "group")


class Corpus(Entry):
    """A corpus or a variant of one, ready to be read.

    Attributes:
        name: canonical name, with its variant behind a colon
    """

    name: str
    _source: Source = PrivateAttr()
    _parts: tuple[Corpus, ...] = PrivateAttr(())
    _sides: tuple[Corpus, Corpus] | None = PrivateAttr(None)

    @classmethod
    def described(cls, entry: Entry, source: Source) -> Corpus:
        """Return the corpus that a checked entry describes."""
        keys = {key: getattr(entry, key) for key in entry.model_fields_set}
        corpus = cls.model_construct(_fields_set={*keys, "name"}, **keys, name=source.name)
        corpus._source = source
        return corpus

    def pooled(self, parts: Sequence[Corpus]) -> Corpus:
        """Return this corpus, which names others in `pool`, made of them."""
        further = ("corpus", *(column for part in parts for column in part.extra))
        changes = {
            "extra": tuple(dict.fromkeys(further)),
            "synthetic": any(part.synthetic for part in parts),
            "access": "licence" if any(part.access == "licence" for part in parts) else "open",
            "constant_texts": all(part.constant_texts for part in parts),
        }
        corpus = self.model_copy(update=changes)
        corpus._parts = tuple(parts)
        return corpus

    def made_of(
        self, parts: Sequence[Corpus], sides: tuple[Corpus, Corpus] | None = None
    ) -> Corpus:
        """Return this corpus, which no entry describes, made of others.

        Args:
            parts: corpora with files of their own
            sides: what is trained on and what is tested, where its fold is between corpora
        """
        corpus = self.model_copy()
        corpus._source = parts[0]._source
        corpus = corpus.pooled(parts)
        corpus._sides = sides
        return corpus

    @property
    def parts(self) -> tuple[Corpus, ...]:
        """The corpora that are pooled in this one; none in an ordinary corpus."""
        return self._parts

    @property
    def sides(self) -> tuple[Corpus, Corpus] | None:
        """What is trained on and what is tested, where these are different corpora."""
        return self._sides

    @property
    def base(self) -> str:
        """Name without the variant; the folder on disk is called so."""
        return self.name if self._sides else self.name.partition(":")[0]

    def at(self, *location: str | int) -> str:
        """Return file, line, entry and key of something in the entry, to begin an error with."""
        return self._source.at(*location)

    @property
    def emotion_map(self) -> dict[str, tuple[str, str]]:
        """The corpus' own word and the canonical emotion, by code.

        The corpus' own word is what stands before an arrow. Where no code has one, it is the code
        itself; where some have, the others take the name of the emotion.
        """
        split = {code: split_emotion(text) for code, text in self.emotions.items()}
        named = any(raw for raw, _ in split.values())
        return {
            code: (raw or (emotion if named else code), emotion)
            for code, (raw, emotion) in split.items()
        }

    @property
    def meanings(self) -> dict[str, tuple[str, str]]:
        """As `emotion_map`; without a map of its own a corpus speaks of the canonical emotions."""
        return self.emotion_map or {emotion: (emotion, emotion) for emotion in EMOTIONS}

    @property
    def canonical(self) -> frozenset[str]:
        """Canonical emotions that can occur, whatever models are trained on."""
        if self._sides:
            trained, tested = (side.canonical for side in self._sides)
            return (trained & tested) - NO_EMOTION
        if self.parts:
            joint = frozenset.intersection if self.pool_labels == "common" else frozenset.union
            return joint(*(part.canonical for part in self.parts))
        return frozenset(emotion for _, emotion in self.meanings.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that can occur in training, in the order of the canonical emotions."""
        if self.parts:
            return tuple(label for label in EMOTIONS if label in self.canonical)
        ordered = sorted(self.meanings.values(), key=lambda pair: EMOTIONS.index(pair[1]))
        column = 1 if self.train_on == "emotion" else 0
        return tuple(dict.fromkeys(pair[column] for pair in ordered))

    @property
    def held_out(self) -> str:
        """What is tested at a time, for people."""
        if self.folds in ("speaker", "session"):
            return f"one {self.folds} is held out at a time"
        if self.folds.startswith(TESTED):
            return f"all speakers of {self.folds.removeprefix(TESTED)} are tested"
        return f"one of {self.folds.partition(':')[2]} groups of speakers is held out"

    @property
    def has_transcripts(self) -> bool:
        """Whether clips come with what is said in them."""
        if self.parts:
            return all(part.has_transcripts for part in self.parts)
        return "transcript" in self.columns

    def semantic(self) -> dict[str, Any]:
        """Return the keys that say which clips there are, and who says what in which fold.

        Keys at their defaults are left out, so that keys added to the schema later change no
        fingerprint; so are columns that no model trains on (sex, age, transcripts).
        """
        described = self.model_dump(
            mode="json", by_alias=True, exclude=_DESCRIPTIVE, exclude_defaults=True
        )
        # Where files lie says nothing that the clips themselves, which have a digest, do not.
        drops = [
            rule
            for rule in described.pop("drop", [])
            if "listed" not in rule and [*rule["where"]] != ["path"]
        ]
        for rule in drops:
            del rule["reason"]
        if drops:
            described["drop"] = drops
        for table in described.get("tables", []):
            table.pop("source", None)
        if self.parts:
            described["pool"] = [part.semantic() for part in self.parts]
        if self.train_on == "emotion" and self.emotions:
            described["emotions"] = {
                code: emotion for code, (_, emotion) in self.emotion_map.items()
            }
        if self.generator == "demo":
            from ... import demo  # loads NumPy

            described["generator"] = f"demo {demo.VERSION}"
        values = described.pop("values", {})
        trained_on = {key: values[key] for key in _TRAINED_ON if key in values}
        return {**described, "values": trained_on} if trained_on else described
