"""What a frozen encoder has heard before it is fed with a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import encoders
from ..results.lookup import Lookup
from .findings import Finding


def foresee_heard(corpus: str, encoder: Path, lookup: Lookup) -> Iterator[Finding]:
    """Yield, before anything is computed, that an encoder was trained on a corpus.

    Args:
        corpus: that is tested, by name
        encoder: folder of the encoder
        lookup: of corpora
    """
    card = encoders.described(encoder)
    yield from heard(lookup.heard(corpus, card), f"the encoder {card['name']}")


def heard(names: Sequence[str], encoder: str = "its encoder", where: str = "") -> Iterator[Finding]:
    """Yield a finding if an encoder was trained on a corpus.

    Args:
        names: what its card calls the corpus, or the parts of it that it was trained on
        encoder: what it is called in a sentence
        where: result that it is about
    """
    if names:
        yield Finding(
            "encoder-heard-corpus",
            "declared",
            f"{encoder} was trained on {', '.join(names)}, test speakers included",
            "an encoder that has heard none of the corpus",
            "Results with it are marked in every table and never the best.",
            where,
        )
