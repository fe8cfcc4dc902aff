"""Where corpora and caches lie on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from ..errors import CorpusError
from .entries.schema import Corpus
from .registry import normalised


def data_root(data: Path | None) -> Path | None:
    """Return the folder that holds the corpora: the one given, or `EMOBENCH_DATA`, or None."""
    chosen = data or os.environ.get("EMOBENCH_DATA") or None
    return Path(chosen).expanduser() if chosen else None


def cache_root(cache: Path | None) -> Path:
    """Return the folder of caches: the one given, or `EMOBENCH_CACHE`, or the platform's."""
    chosen = cache or os.environ.get("EMOBENCH_CACHE") or platformdirs.user_cache_dir("emobench")
    return Path(chosen).expanduser()


def find(corpus: Corpus, data: Path | None) -> Path | None:
    """Return the folder of a corpus, or None if there is none; the data folder for a pool.

    The folder may bear any name under which the corpus is looked up. Nothing is generated.

    Args:
        corpus: a variant is found in the folder of its corpus
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
    """
    root = data_root(data)
    if root is None or not root.is_dir():
        return None
    if corpus.parts:
        return root if all(find(part, data) for part in corpus.parts) else None
    exact = root / corpus.base
    if exact.is_dir():
        return exact
    named = (folder for folder in sorted(root.iterdir()) if _bears_name(folder, corpus))
    return next((folder for folder in named if folder.is_dir()), None)


def _bears_name(folder: Path, corpus: Corpus) -> bool:
    return normalised(folder.name) in map(normalised, (corpus.base, *corpus.aliases))


def locate(corpus: Corpus, data: Path | None, cache: Path | None = None) -> Path:
    """Return the folder of a corpus; one that the package generates is made first.

    Raises:
        CorpusError: if there is no such folder; says where it was looked for
    """
    if corpus.generator == "demo":
        from .. import demo

        return demo.ensure(_writable_root(corpus, data, cache))
    root = data_root(data)
    if root is None:
        raise CorpusError(
            f"{corpus.name}: expected to be told where the corpora are, found neither --data nor "
            "EMOBENCH_DATA. Pass --data DIR; the corpus belongs in "
            f"DIR/{corpus.base}."
        )
    if not root.is_dir():
        raise CorpusError(
            f"{root}: expected the folder that holds the corpora, found "
            f"{'a file' if root.exists() else 'nothing'}. Correct --data."
        )
    folder = find(corpus, data)
    if folder is None and _bears_name(root.resolve(), corpus):
        raise CorpusError(
            f"{root}: expected the folder that holds the corpora, found that of {corpus.name} "
            f"itself. Pass --data {root / '..'}."
        )
    if folder is None:
        raise CorpusError(
            f"{root}: expected a folder '{corpus.base}'{_other_names(corpus)}, found "
            f"{_listing(root)}. Unpack the corpus into {root / corpus.base}, or correct --data. "
            f"{how_to_get(corpus)}"
        )
    return folder


def locate_parts(corpus: Corpus, data: Path | None, cache: Path | None = None) -> list[Path]:
    """Return the folders of the corpora that are pooled in another.

    Raises:
        CorpusError: if there is no folder for some of them; names them all
    """
    root = data_root(data)
    missing = [part for part in corpus.parts if part.generator is None and find(part, data) is None]
    if root is None or not root.is_dir() or not missing:
        return [locate(part, data, cache) for part in corpus.parts]
    wanted = " and ".join(f"'{part.base}'" for part in corpus.parts)
    raise CorpusError(
        f"{root}: expected folders {wanted} for {corpus.name}, found {_listing(root)}. "
        + " ".join(f"Unpack {part.title} into {root / part.base}." for part in missing)
        + f" {_how_to_get_all(missing)}"
    )


def how_to_get(corpus: Corpus) -> str:
    """Return where a corpus is to be had, in a sentence; one for each that a pool is made of."""
    if corpus.parts:
        return _how_to_get_all(corpus.parts)
    verb = "Download it" if corpus.access == "open" else "Ask for a licence"
    place = corpus.homepage or (corpus.urls[0] if corpus.urls else None)
    where = f" at {place}" if place else " from its authors"
    size = f" ({corpus.size})" if corpus.size else ""
    return f"{verb}{where}{size}."


def _how_to_get_all(corpora: Sequence[Corpus]) -> str:
    return " ".join(f"{corpus.title}: {how_to_get(corpus)}" for corpus in corpora)


def _writable_root(corpus: Corpus, data: Path | None, cache: Path | None) -> Path:
    """Return where a generated corpus goes: the data folder unless that cannot be written."""
    root = data_root(data)
    if root is not None:
        there = (root / corpus.base).is_dir() or (root.is_dir() and os.access(root, os.W_OK))
        if there or not root.exists():
            return root
    return cache_root(cache) / "generated"


def _other_names(corpus: Corpus) -> str:
    return f" (or {', '.join(corpus.aliases)})" if corpus.aliases else ""


def _listing(root: Path) -> str:
    folders = (item for item in root.iterdir() if item.is_dir())
    names = sorted(item.name for item in folders if not item.name.startswith("."))
    if not names:
        return "no folders"
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
