"""The parts of an entry of the registry that have keys of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .fields import EMOTIONS, Address, Cells, Count, Glob, Text, Texts


class _Strict(BaseModel):
    """Refuses keys that it does not know; values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TableFile(_Strict):
    """A table beside the audio."""

    file: Glob
    """The table, as a glob at any depth below the corpus folder: `.csv`, `.tsv`, `.txt`, a workbook
    (`.xlsx`), JSON (`.json`, `.jsonl`), Parquet or Arrow (`.parquet`, `.feather`, `.arrow`)."""
    sheet: Texts = ()
    """Sheets of a workbook; without it all of them."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Character between the fields of a text. Without it a comma in `.csv`, else a tab."""
    encoding: Text = "utf-8"
    """Encoding of a text file, such as `latin-1` or `cp1252`."""
    skip: Count = 0
    """Number of lines before the header."""
    header: Texts = ()
    """Names of all columns from left to right, for a text or workbook without a line of them."""


class SideTable(TableFile):
    """A table beside the audio, joined by one or more of its columns.

    Cells that are empty or hold nothing but question marks count as unknown.
    """

    key: Annotated[dict[str, Text], Field(min_length=1)]
    """How a line of the table is found for a clip: a group of `pattern` (or `id`, or `name`, `stem`
    or `path` of the file) and what the table calls it, such as `{speaker: ActorID}`. All of them
    must agree."""
    columns: Annotated[dict[str, Text], Field(min_length=1)]
    """Columns to fill in and what the table calls them, such as `{sex: Sex, age: Age}`. What the
    table says replaces what `pattern` found."""
    spelt: dict[str, Text] = {}
    """Where the table names a clip otherwise than its file: what the table writes, and what the
    file is called."""
    required: bool = True
    """Whether the corpus cannot be used without the table."""
    source: Address | None = None
    """Where to get the table if it does not come with the corpus."""


class TextFiles(_Strict):
    """Files beside the audio that each hold what is said in the clip of the same name."""

    file: Glob
    """The text files, as a glob at any depth below the corpus folder. A text belongs to the clip
    whose file has the same name without extension. A glob alone may stand for both keys."""
    encoding: Text = "cp1252"
    """Encoding of files that are not UTF-8."""


class ValueMap(_Strict):
    """How the texts of a column become its values."""

    source: Annotated[Text | None, Field(alias="from")] = None
    """Column whose text is looked up; without it the column itself."""
    map: dict[str, Text] = {}
    """Texts and what they become."""
    otherwise: Text | None = None
    """What texts that are not in `map` become. Without it they stay as they are, or are unknown
    where they come from another column."""
    similar: bool = False
    """Whether texts that are spelt nearly alike are taken for one, such as names of speakers."""


class Listing(TableFile):
    """A table that lists files; where it is not there, it lists none."""

    column: Text
    """What the table calls the column of their names or paths."""


class Drop(_Strict):
    """Clips that are left out."""

    where: Annotated[dict[str, Cells], Field(min_length=1)] = {}
    """Columns (or `id`, `name`, `stem`, `path`) and the texts they must hold, as written in names
    and tables, before they are translated. `*` stands for any letters, an empty text for a clip of
    which nothing is known."""
    listed: Listing | None = None
    """A table that the files of these clips must be listed in, such as
    `{file: withdrawn.csv, column: name}`."""
    reason: Text
    """Why, for people: `emobench check` lists it with the number of clips."""

    @property
    def of_files(self) -> bool:
        """Whether it asks for nothing but what a file is called and where it lies."""
        return {*self.where} <= {"name", "stem", "path"}

    def applies(self, facts: Mapping[str, str]) -> bool:
        """Tell whether what is known of a clip is as under `where`."""
        return all(
            expression.fullmatch(facts.get(column, ""))
            for column, expression in self._expressions.items()
        )

    @cached_property
    def _expressions(self) -> dict[str, re.Pattern[str]]:
        return {
            column: re.compile(
                "|".join(re.escape(text).replace(r"\*", ".*") for text in texts), re.DOTALL
            )
            for column, texts in self.where.items()
        }


class Expect(_Strict):
    """What a complete copy holds, once clips are dropped: clips by emotion, and speakers."""

    anger: Count = 0
    """Clips of this emotion, as of the eight that follow."""
    happiness: Count = 0
    sadness: Count = 0
    fear: Count = 0
    surprise: Count = 0
    disgust: Count = 0
    neutral: Count = 0
    other: Count = 0
    unknown: Count = 0
    speakers: Count | None = None
    """Number of speakers; without it they are not counted."""

    @property
    def emotions(self) -> dict[str, int]:
        """Clips by canonical emotion, those that occur."""
        return {name: getattr(self, name) for name in EMOTIONS if getattr(self, name)}
