"""What a leaderboard asks of the corpus registry, also about corpora that are gone from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
        """Return a corpus, or None if the registry knows neither it nor its base."""
        for name in (corpus, corpus.partition(":")[0]):
            try:
                return self.registry.get(name)
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

    def position(self, corpus: str) -> tuple[float, str]:
        """Return a sorting key: corpora in the order of the registry, then the others."""
        known, names = self.known(corpus), self.registry.names()
        base = known.name.partition(":")[0] if known else corpus
        return (names.index(base) if base in names else math.inf, corpus)
