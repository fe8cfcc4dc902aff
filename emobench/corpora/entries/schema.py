"""What an entry of the registry may say, and the corpus that it describes.

Types and spellings are checked here; what keys mean to each other is checked in `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from .fields import (
    EMOTIONS,
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
    """The keys of an entry.

    Attributes:
        title: name of the corpus for people
        language: language or languages spoken
        year: of publication
        citation: the paper that presents it
        doi: of that paper
        licence: terms of use
        access: "open", or "licence" where one must ask for it
        homepage: where to get it
        urls: direct downloads
        size: of the download, for people
        aliases: further names, of the corpus and of its folder
        glob: audio files, anywhere below the corpus folder
        match: whether `pattern` is searched in the file's name or in its path
        pattern: regular expression whose named groups are columns
        id: template of clip ids in named groups; default what the expression matched
        extra: further columns
        emotions: codes and what they mean, `other` or `boredom -> other`
        values: how the texts of other columns are translated
        defaults: values of columns where they are unknown; `{column}` is filled in
        transcripts: texts by `sentence`
        texts: files that each hold the text of one clip
        constant_texts: whether each text is spoken in every emotion, so that the words alone say
            nothing of it
        tables: tables beside the audio
        drop: clips that are left out
        ignore: files that are no clips although they match `glob`
        reader: code that reads the corpus' own label files
        channel: which channel is heard where files have several; they must be alike if this does
            not say
        folds: what a fold holds out
        train_on: column that is trained on and scored
        synthetic: not recorded from people
        generator: code that makes the corpus on first use
        pool: corpora that are taken together; nothing else is said of how files are read
        pool_labels: whether clips of emotions that some of them lack are kept ("all") or not
            ("common")
        expect: what a complete copy holds
        variants: named changes of some keys; each is a corpus of its own
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    language: Text | None = None
    year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    citation: Text | None = None
    doi: Doi | None = None
    licence: Text | None = None
    access: Literal["open", "licence"] = "open"
    homepage: Address | None = None
    urls: Addresses = ()
    size: Text | None = None
    aliases: Texts = ()
    glob: Globs = ("*.wav",)
    match: Literal["name", "path"] = "name"
    pattern: Expression | None = None
    id: Text | None = None
    extra: Texts = ()
    emotions: dict[str, Emotion] = {}
    values: dict[str, ValueMap] = {}
    defaults: dict[str, Text] = {}
    transcripts: dict[str, Text] = {}
    texts: Annotated[TextFiles, BeforeValidator(from_glob)] | None = None
    constant_texts: bool = False
    tables: tuple[SideTable, ...] = ()
    drop: tuple[Drop, ...] = ()
    ignore: Globs = ()
    reader: Text | None = None
    channel: Channel | None = None
    folds: FoldRule = "speaker"
    train_on: Literal["emotion", "raw_emotion"] = "emotion"
    synthetic: bool = False
    generator: Text | None = None
    pool: Texts = ()
    pool_labels: Literal["all", "common"] = "all"
    expect: Expect | None = None
    variants: dict[str, dict[str, Any] | None] = {}

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

    @property
    def parts(self) -> tuple[Corpus, ...]:
        """The corpora that are pooled in this one; none in an ordinary corpus."""
        return self._parts

    @property
    def base(self) -> str:
        """Name without the variant; the folder on disk is called so."""
        return self.name.partition(":")[0]

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
    def labels(self) -> tuple[str, ...]:
        """Labels that can occur in training, in the order of the canonical emotions."""
        if self.parts:
            each = [{emotion for _, emotion in part.meanings.values()} for part in self.parts]
            joint = set.intersection if self.pool_labels == "common" else set.union
            return tuple(label for label in EMOTIONS if label in joint(*each))
        ordered = sorted(self.meanings.values(), key=lambda pair: EMOTIONS.index(pair[1]))
        column = 1 if self.train_on == "emotion" else 0
        return tuple(dict.fromkeys(pair[column] for pair in ordered))

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
        drops = [rule for rule in described.pop("drop", []) if [*rule["where"]] != ["path"]]
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
