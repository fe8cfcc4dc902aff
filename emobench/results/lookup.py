"""What a leaderboard asks of the corpus registry, also about corpora that are gone from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..corpora.registry import normalised
from ..errors import SpecError

if TYPE_CHECKING:
    from ..corpora import Registry


@dataclass(frozen=True)
class Lookup:
    """Facts about corpora by name; a variant that the registry lacks is taken for its base.

    Attributes:
        registry: today's corpora
    """

    registry: Registry

    def known(self, corpus: str) -> Any | None:
        """Return a corpus, or None if the registry knows neither it nor its base.

        What is trained on or tested as a whole may be several, `a+b`.
        """
        base = corpus.partition(":")[0]
        get, side = self.registry.get, self.registry.side
        for look, name in ((get, corpus), (side, corpus), (get, base)):
            try:
                return look(name)
            except SpecError:
                continue
        return None

    def synthetic(self, corpus: str) -> bool:
        """Return whether a corpus is made up."""
        known = self.known(corpus)
        return bool(known and known.synthetic)

    def title(self, corpus: str) -> str:
        """Return a corpus' name for people, with its variant."""
        base, _, variant = corpus.partition(":")
        known = self.known(corpus)
        title = known.title if known else base
        return f"{title} ({variant})" if variant and variant not in title else title

    def clips(self, corpus: str) -> int | None:
        """Return the number of clips of a complete copy, or None if not known."""
        known = self.known(corpus)
        counts = known.expect.emotions if known is not None and known.expect else {}
        return sum(counts.values()) or None

    def heard(self, corpus: str, encoder: Any) -> tuple[str, ...]:
        """Return what an encoder was trained on that is in a corpus: itself, or a part of a pool.

        Args:
            corpus: by name
            encoder: what a configuration says of its frozen encoder, or None
        """
        named = encoder.get("training_corpora") if isinstance(encoder, Mapping) else None
        if not isinstance(named, Sequence) or isinstance(named, str):
            return ()
        own = self._names(corpus)
        return tuple(str(name) for name in named if self._names(str(name)) & own)

    def _names(self, corpus: str) -> set[str]:
        """Return all that a corpus and its parts are called, spelt as look-up does."""
        known = self.known(corpus)
        if known is None:
            return {normalised(corpus.partition(":")[0])}
        every = known.parts or (known,)
        return {
            normalised(name)
            for each in every
            for name in (each.name.partition(":")[0], each.title, *each.aliases)
        }

    def position(self, corpus: str) -> tuple[float, str]:
        """Return a sorting key: corpora in the order of the registry, then the others."""
        known, names = self.known(corpus), self.registry.names()
        base = known.name.partition(":")[0] if known else corpus
        return (names.index(base) if base in names else math.inf, corpus)
