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


class SideTable(_Strict):
    """A table beside the audio, joined by one or more of its columns.

    Cells that are empty or hold question marks alone say nothing.

    Attributes:
        file: which file, as a glob anywhere below the corpus folder: text, a workbook, JSON,
            Parquet or Arrow
        key: our columns (or id, name, stem, path) and what the table calls them; all must agree
        columns: our columns to fill and what the table calls them; they replace what the
            expression found
        sheet: sheets of a workbook, default all of them
        separator: between fields of text; default a comma in `.csv`, else a tab
        encoding: of the text
        skip: lines before the header
        spelt: keys of the table that some files are called otherwise than, and what these are
        required: whether the corpus is unusable without it
        source: where to get the table if it does not come with the corpus
    """

    file: Glob
    key: Annotated[dict[str, Text], Field(min_length=1)]
    columns: Annotated[dict[str, Text], Field(min_length=1)]
    sheet: Texts = ()
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Text = "utf-8"
    skip: Count = 0
    spelt: dict[str, Text] = {}
    required: bool = True
    source: Address | None = None


class TextFiles(_Strict):
    """Files beside the audio that each hold what is said in the clip of the same name.

    Attributes:
        file: which files, as a glob anywhere below the corpus folder; a file belongs to the
            clips whose file has the same name without extension
        encoding: of those that are no UTF-8
    """

    file: Glob
    encoding: Text = "cp1252"


class ValueMap(_Strict):
    """How the texts of a column become its values.

    Attributes:
        source: column whose text is looked up (key `from`); None means the column itself
        map: texts and what they become
        otherwise: for texts that are not in the map; None leaves them as they are, or unknown
            where they come from another column
        similar: whether texts that are spelt nearly alike are one, as `spellings` tells
    """

    source: Annotated[Text | None, Field(alias="from")] = None
    map: dict[str, Text] = {}
    otherwise: Text | None = None
    similar: bool = False


class Drop(_Strict):
    """Clips that are left out.

    Attributes:
        where: columns and the texts they must hold, as they stand in names and side tables; `*`
            stands for any letters, and an empty text for a clip of which nothing is known
        reason: why, for people
    """

    where: Annotated[dict[str, Cells], Field(min_length=1)]
    reason: Text

    def applies(self, facts: Mapping[str, str]) -> bool:
        """Tell whether what is known of a clip is so."""
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
    """What a complete copy holds, after drops: clips by emotion, and speakers."""

    anger: Count = 0
    happiness: Count = 0
    sadness: Count = 0
    fear: Count = 0
    surprise: Count = 0
    disgust: Count = 0
    neutral: Count = 0
    other: Count = 0
    unknown: Count = 0
    speakers: Count | None = None

    @property
    def emotions(self) -> dict[str, int]:
        """Clips by canonical emotion, those that occur."""
        return {name: getattr(self, name) for name in EMOTIONS if getattr(self, name)}
