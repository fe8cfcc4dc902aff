"""The registry: which corpora there are, read from YAML files and looked up by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SpecError, suggest
from ..spec import BETWEEN
from .entries import yaml_source
from .entries.across import JOIN, across, together
from .entries.rules import LONGEST_NAME, is_name
from .entries.schema import Corpus
from .entries.validation import shown, validated
from .entries.yaml_source import Entry as Source

PACKAGED = Path(__file__).parent.parent / "datasets.yaml"
"""The registry that comes with the package."""

HERE = Path("datasets.yaml")
"""A registry in the working directory takes the place of the packaged one."""

DRAFT = Path("draft")
"""How messages call the text of entries that are in no file yet."""


@dataclass(frozen=True)
class Registry:
    """Corpora by name.

    Attributes:
        corpora: every corpus and every variant, by canonical name
    """

    corpora: Mapping[str, Corpus]
    _known: Mapping[str, str] = field(repr=False)

    def names(self) -> list[str]:
        """Return the canonical names in the order of the files, without variants."""
        return [name for name in self.corpora if ":" not in name]

    def variants(self, name: str) -> list[str]:
        """Return the full names of a corpus' variants."""
        base = self.get(name).base
        return [name for name in self.corpora if name.startswith(f"{base}:")]

    def get(self, name: str) -> Corpus:
        """Return a corpus or a variant; case, blanks, `-`, `_` and `'` do not matter.

        `A-to-B` is what is trained on A and tested on B; see `side` for how they are written.

        Raises:
            SpecError: if there is no such corpus or variant
        """
        if normalised(name) not in self._known:
            sides = self._sides(name)
            if sides is not None:
                return across(*sides)
        return self._registered(name)

    def side(self, name: str) -> Corpus:
        """Return what is trained on or tested as a whole: a corpus, a variant, or `a+b`.

        Raises:
            SpecError: if there is no such corpus or variant, or one stands there twice
        """
        try:
            return self._registered(name)
        except SpecError:
            parts = self._joined(name.split(JOIN))
            if not parts:
                raise
        return together(parts)

    def _joined(self, words: Sequence[str]) -> list[Corpus]:
        """Return the corpora of `a+b`, where a name may hold a `+` itself; none if one is wrong."""
        for end in range(1, len(words) + 1):
            try:
                first = self._registered(JOIN.join(words[:end]))
            except SpecError:
                continue
            rest = self._joined(words[end:])
            if rest or end == len(words):
                return [first, *rest]
        return []

    def _registered(self, name: str) -> Corpus:
        base, colon, variant = name.partition(":")
        found = self._known.get(normalised(base))
        if found is None:
            raise SpecError(
                f"corpus: expected one of {', '.join(self.names())}, found '{name}'."
                + self._suggestion(base)
                + " `emobench corpora` lists them."
            )
        if not colon:
            return self.corpora[found]
        return self._variant(found, variant)

    def _sides(self, name: str) -> tuple[Corpus, Corpus] | None:
        """Return what `A-to-B` trains on and tests, or None for any other name."""
        words = name.strip().lower().split(BETWEEN)
        for position in range(1, len(words)):
            left, right = words[:position], words[position:]
            try:
                return self.side(BETWEEN.join(left)), self.side(BETWEEN.join(right))
            except SpecError:
                continue
        return None

    def _suggestion(self, word: str) -> str:
        close = suggest(normalised(word), self._known)
        for spelling, name in self._known.items():
            close = close.replace(f"'{spelling}'", f"'{name}'")
        return close

    def _variant(self, base: str, variant: str) -> Corpus:
        variants = {name.partition(":")[2]: name for name in self.variants(base)}
        for known, name in variants.items():
            if normalised(known) == normalised(variant):
                return self.corpora[name]
        raise SpecError(
            f"corpus {base}: expected one of its variants ({', '.join(variants) or 'none'}), "
            f"found '{variant}'.{suggest(variant, variants)} Leave out ':{variant}' for the corpus "
            "itself."
        )


def normalised(name: str) -> str:
    """Return a name without what look-up ignores.

    Examples:
        >>> normalised("eNTERFACE'05") == normalised("enterface-05")
        True
    """
    return re.sub(r"[\s\-_'’]+", "", name).casefold()


def load_registry(files: Sequence[Path] = (), draft: str = "") -> Registry:
    """Read the registry.

    Args:
        files: further registry files; an entry of a later one takes the place of an entry of the
            same name. The first of all is `datasets.yaml` of the working directory or, where
            there is none, that of the package.
        draft: text of a last registry file, which is not written yet

    Raises:
        SpecError: if a file or an entry is wrong; names file, line, entry and key
    """
    first = HERE if HERE.is_file() else PACKAGED
    sources: dict[str, Source] = {}
    for file in (first, *files):
        found = yaml_source.read(Path(file))
        if not found and file in files:
            raise SpecError(
                f"{file}: expected entries of corpora, found none. Add one, as `emobench corpora "
                "add` proposes it, or leave out --datasets."
            )
        sources.update({source.name: source for source in found})
    sources.update({source.name: source for source in yaml_source.parse(draft, DRAFT)})
    corpora: dict[str, Corpus] = {}
    for source in sources.values():
        corpora.update(_read_entry(source))
    known = _known_names(corpora)
    for name, corpus in corpora.items():
        if corpus.pool:
            corpora[name] = _pooled(corpus, corpora, known)
    return Registry(corpora, known)


def _read_entry(source: Source) -> dict[str, Corpus]:
    """Return the corpus of an entry and its variants."""
    if not is_name(source.name) or source.name == "all":
        raise SpecError(
            f"{source.file}, line {source.line}: expected as name of a corpus up to {LONGEST_NAME} "
            f"small letters, digits and - + . _ (and not 'all'), found {shown(source.name)}. "
            "Rename the entry; other spellings may go under `aliases:`."
        )
    entry = validated(source)
    corpora = {source.name: Corpus.described(entry, source)}
    for variant in entry.variants:
        changed = source.overlaid(variant)
        corpora[changed.name] = Corpus.described(validated(changed), changed)
    return corpora


def _pooled(corpus: Corpus, corpora: Mapping[str, Corpus], known: Mapping[str, str]) -> Corpus:
    """Return a corpus that names others, made of them.

    Raises:
        SpecError: if one of them does not exist, or is itself made of others
    """
    registry = Registry(corpora, known)
    parts = []
    for position, name in enumerate(corpus.pool):
        where = corpus.at("pool", position)
        try:
            part = registry.get(name)
        except SpecError as error:
            expected = str(error).partition(": ")[2]
            raise SpecError(f"{where}: {expected}") from error
        if part.pool:
            raise SpecError(
                f"{where}: expected a corpus that has files of its own, found '{name}', which is "
                f"made of {' and '.join(part.pool)}. Name these."
            )
        parts.append(part)
    return corpus.pooled(parts)


def _known_names(corpora: Mapping[str, Corpus]) -> dict[str, str]:
    """Return canonical names by every spelling, ready for look-up.

    Raises:
        SpecError: if two corpora claim the same spelling
    """
    known: dict[str, str] = {}
    for name, corpus in corpora.items():
        if ":" in name:
            continue
        for position, spelling in enumerate((name, *corpus.aliases)):
            owner = known.setdefault(normalised(spelling), name)
            if owner != name:
                where = corpus.at("aliases", position - 1) if position else corpus.at()
                raise SpecError(
                    f"{where}: expected a name of its own, found '{spelling}', which means "
                    f"{owner} ({corpora[owner].at()}) too. Rename one of them."
                )
    return known
