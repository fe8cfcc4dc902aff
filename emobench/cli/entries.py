"""What there is to say about a corpus of the registry, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..corpora import Corpus, Registry


def described(registry: Registry, corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield names and values, in the order in which they are read."""
    yield from _origin(corpus)
    yield from _contents(corpus)
    yield from _reading(corpus)
    if corpus.aliases:
        yield "also called", ", ".join(corpus.aliases)
    if ":" in corpus.name:
        yield "variant of", corpus.base
    for name in registry.variants(corpus.name):
        if name != corpus.name:
            yield "variant", f"{name}: {registry.get(name).title}"


def where_to_get(corpus: Corpus, missing: list[Corpus] | None = None) -> str:
    """Return where a corpus is to be had and how large it is.

    Args:
        corpus: one of the registry
        missing: of the corpora that are pooled in it, those that are not on disk
    """
    from .. import corpora as package

    if corpus.parts:
        names = [part.name for part in (missing or corpus.parts)]
        return f"It is made of {' and '.join(names)}; get {'it' if len(names) == 1 else 'these'}."
    command = f" `emobench download {corpus.name}` fetches it." if corpus.urls else ""
    return package.how_to_get(corpus) + command


def _origin(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield who made it, and how to get it."""
    from ..corpora.entries.fields import split_download

    for key in ("language", "year", "citation", "doi", "licence"):
        if getattr(corpus, key) is not None:
            yield key, str(getattr(corpus, key))
    if corpus.synthetic:
        yield "access", "made on first use"
    else:
        yield "access", "open" if corpus.access == "open" else "for those who are granted a licence"
    if corpus.size is not None:
        yield "size", corpus.size
    if corpus.parts:
        yield "made of", " and ".join(f"{part.name} ({part.title})" for part in corpus.parts)
        if corpus.pool_labels == "common":
            yield "made of", "emotions that each of them has"
    if not corpus.synthetic:
        yield "get it", where_to_get(corpus)
    for url in corpus.urls:
        yield "download", split_download(url)[0]


def _contents(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield what a complete copy holds."""
    if corpus.expect is not None:
        counts = [f"{name} {count:,}" for name, count in corpus.expect.emotions.items()]
        yield "clips", f"{sum(corpus.expect.emotions.values()):,}: {', '.join(counts)}"
        if corpus.expect.speakers is not None:
            yield "speakers", str(corpus.expect.speakers)
    else:
        yield "clips", "not known beforehand"
    yield from _labels(corpus)
    yield "folds", f"{corpus.folds} ({corpus.held_out})"
    yield "transcripts", _texts(corpus)


def _labels(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield labels, and what the corpus or each of its parts writes for them."""
    yield "labels", ", ".join(corpus.labels)
    for part in corpus.parts or (corpus,):
        codes = {label: _codes(part, label, pooled=bool(corpus.parts)) for label in corpus.labels}
        if all(texts in ([], [label]) for label, texts in codes.items()):
            continue
        if corpus.parts:
            yield f"in {part.name}", "codes:"
        for label, texts in codes.items():
            if texts:
                yield "", f"{label:<14}from {', '.join(texts)}"
    if corpus.train_on == "raw_emotion":
        yield "", "trained on in the words of the corpus; counted by emotion"


def _codes(corpus: Corpus, label: str, *, pooled: bool) -> list[str]:
    """Return what stands for a label in names and label files, and what else it is called."""
    raw_is_label = corpus.train_on == "raw_emotion" and not pooled
    told = []
    for code, (raw, emotion) in corpus.emotion_map.items():
        mine, other = (raw, emotion) if raw_is_label else (emotion, raw)
        if mine == label:
            told.append(code if other in (code, label) else f"{code} ({other})")
    return told


def _texts(corpus: Corpus) -> str:
    known = "yes" if corpus.has_transcripts else "no"
    if corpus.constant_texts:
        return f"{known}; each text is spoken in every emotion, so words alone say nothing of it"
    return known


def _reading(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Yield how its files are read."""
    if corpus.parts:
        return
    yield "files", " or ".join(corpus.glob)
    if corpus.reader is not None:
        yield "labels by", f"the reader of {corpus.reader}'s own label files"
    if corpus.pattern is not None:
        yield "pattern", corpus.pattern
    for table in corpus.tables:
        need = "" if table.required else " (if it is there)"
        yield "table", f"{table.file}{need}: {', '.join(table.columns)}"
    for rule in corpus.drop:
        asked = [
            f"{name} {' or '.join(text or '(nothing)' for text in texts)}"
            for name, texts in rule.where.items()
        ]
        asked += [f"listed in {rule.listed.file}"] if rule.listed else []
        yield "left out", f"{' and '.join(asked)}: {rule.reason}"
