"""What a table has a column for: a model with its options, and the files that it was given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import models, papers
from ..errors import SpecError
from ..papers import Paper

FILES = ("transcripts", "vectors", "encoder")
"""Files beside audio that a model may have been given."""

UNKNOWN = "unknown"
"""What stands for a part of a configuration that is not what this version writes."""

_DIGITS = 8
_ONE_LINE = 12


@dataclass(frozen=True)
class Column:
    """A model with its options, and the files that it was given beside audio.

    Attributes:
        model: name in the registry
        options: hyper-parameters that differ from the paper's, such as "time_fit=truncate"
        transcripts: SHA-256 of a file of texts, or "" for the corpora's own
        vectors: SHA-256 of a file of word vectors, or "" for none
        encoder: name of a frozen encoder with the beginning of its SHA-256, or "" for none
    """

    model: str
    options: tuple[str, ...] = ()
    transcripts: str = ""
    vectors: str = ""
    encoder: str = ""

    @classmethod
    def of(cls, experiment: Mapping[str, Any]) -> Column:
        """Return the column of an experiment, from what its `experiment.json` holds."""
        configured = experiment["configuration"]
        files = {key: _given(configured, key) for key in FILES}
        return cls.named(experiment["model"], **files)

    @classmethod
    def named(cls, configured: str, **files: str) -> Column:
        """Return the column of a model with its options, as `--model` takes it."""
        model, colon, options = configured.partition(":")
        return cls(model, tuple(options.split(",")) if colon else (), **files)

    @property
    def configured(self) -> str:
        """Return the model's name with its options, as `--model` takes it."""
        return ":".join([self.model, *([",".join(self.options)] if self.options else [])])

    @property
    def files(self) -> dict[str, str]:
        """Return the digest of each file that was given, an encoder's behind its name."""
        digests = {key: getattr(self, key) for key in FILES}
        return {key: digest for key, digest in digests.items() if digest}

    @property
    def name(self) -> str:
        """Return what it is called, the same in every table.

        Examples:
            >>> Column("yoon2018-tre", ("units=100",), vectors="1a2b3c4d5e6f").name
            'yoon2018-tre:units=100+vectors:1a2b3c4d'
            >>> Column("encoder-svm", encoder="wavlm-base@1a2b3c4d").name
            'encoder-svm+wavlm-base@1a2b3c4d'
        """
        return "".join(self._pieces())

    def heading(self) -> tuple[str, ...]:
        """Return the name in the lines of a narrow heading, or a short one in one line.

        Examples:
            >>> Column("wang2020-dual", ("time_fit=pad",)).heading()
            ('wang2020-', 'dual:', 'time_fit=pad')
            >>> Column("latif2019").heading()
            ('latif2019',)
        """
        if len(self.name) <= _ONE_LINE:
            return (self.name,)
        model, *more = self._pieces()
        family, hyphen, rest = model.partition("-")
        return (family + hyphen, rest, *more) if hyphen else (model, *more)

    @cached_property
    def paper(self) -> Paper:
        """Return the paper that the model is from.

        A model that names none, or that is not registered any more, is one of its own family.

        Examples:
            >>> Column("librosa-svm").paper.name, Column("my-network").paper.name
            ('yoon2018', 'my')
        """
        try:
            named = models.get(self.model).paper
        except SpecError:
            named = ""
        return papers.get(named or self._family)

    @cached_property
    def position(self) -> tuple[Any, ...]:
        """Return a sorting key: papers in their order, and models in their paper's.

        The baseline stands last in its paper, and what only belongs to it behind its own models.
        """
        paper = self.paper
        own = models.of_paper(paper.name)
        return (
            papers.position(paper),
            self.model == BASELINE.model,
            self._family != paper.name,
            own.index(self.model) if self.model in own else math.inf,
            self.name,
        )

    @property
    def _family(self) -> str:
        return self.model.partition("-")[0]

    def _pieces(self) -> list[str]:
        """Return the pieces of the name, after each of which a heading may be broken."""
        options = [f"{option}," for option in self.options[:-1]] + list(self.options[-1:])
        files = [
            part
            for key, digest in self.files.items()
            if key != "encoder"
            for part in (f"+{key}:", digest[:_DIGITS])
        ]
        encoder = [f"+{self.encoder}"] if self.encoder else []
        return [f"{self.model}:" if options else self.model, *options, *files, *encoder]


BASELINE = Column("svm-is09")
"""What stands beside the models of every paper, where it was run."""


def detail(configured: Mapping[str, Any], key: str, part: str) -> str:
    """Return a part of what only some configurations have, or "" where there is nothing of it."""
    extra = configured.get(key)
    if extra is None:
        return ""
    return str(extra.get(part, UNKNOWN)) if isinstance(extra, Mapping) else UNKNOWN


def _given(configured: Mapping[str, Any], key: str) -> str:
    """Return what tells a file that was given from others of its kind, or ""."""
    digest = detail(configured, key, "sha256")
    if key != "encoder" or not digest:
        return digest
    return f"{detail(configured, key, 'name')}@{digest[:_DIGITS]}"
