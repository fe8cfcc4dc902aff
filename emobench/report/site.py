"""The whole site: which pages there are, and how they come to disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from .. import leaderboard, storage
from ..errors import SpecError
from ..results.gathering import Current
from . import evidence as reading
from .evidence import Evidence
from .page import Page
from .pages import (
    across,
    attention,
    cells,
    citing,
    comparisons,
    corpora,
    findings,
    ledger,
    models,
    ranks,
)
from .pages import leaderboard as first
from .templating import render

if TYPE_CHECKING:
    from ..corpora import Registry

MANIFEST = "site.json"
"""Lists the files of a site: what another run replaces or removes."""

_SITE = storage.Purpose("the site", SpecError, "name another folder with --out")

ASSETS = ("style.css", "emobench.js")


@dataclass(frozen=True)
class Site:
    """A site on disk.

    Attributes:
        folder: where it lies
        sizes: bytes of each file, by its path in the folder
    """

    folder: Path
    sizes: dict[str, int]

    @property
    def pages(self) -> list[str]:
        """Return the pages among the files."""
        return [name for name in self.sizes if name.endswith(".html")]


def write(results: Path, out: Path, *, registry: Registry, current: Current) -> Site:
    """Make the site of a results folder.

    Args:
        results: folder that runs wrote to
        out: folder to write to: a new or empty one, or one that holds a site, which is replaced
        registry: today's corpora
        current: tells today's configuration fingerprint of an experiment

    Raises:
        StoreError: if there is no folder of results
        SpecError: if the site cannot be written, or other things lie in its folder
    """
    former = _former(out)
    files = dict(contents(reading.read(results, registry=registry, current=current)))
    sizes = {name: len(content) for name, content in files.items()}
    with storage.storing(out, _SITE, sum(sizes.values())):
        _replace(out, former, files)
    return Site(out, sizes)


def _replace(out: Path, former: set[str], files: Mapping[str, bytes]) -> None:
    """Put a site in the place of another, of which nothing is lost before all of it is on disk."""
    for folder in {out, *((out / name).parent for name in former)}:
        storage.discard_leftovers(folder)
    # Listed before it is written: whatever ends this run, the next one knows its files.
    storage.overwrite(out / MANIFEST, _manifest({*former, *files}))
    storage.write_all((out / name, content) for name, content in files.items())
    for name in sorted(former - {*files}):
        (out / name).unlink(missing_ok=True)
    storage.overwrite(out / MANIFEST, _manifest(files))


def contents(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a site with what it holds."""
    for page in pages(evidence):
        yield page.address, render(page)
    for name in ASSETS:
        yield name, resources.files("emobench.report").joinpath("assets", name).read_bytes()
    boards = evidence.boards
    yield "leaderboard.csv", leaderboard.render(boards, "csv").encode()
    yield citing.FILE, citing.bibliography(evidence).encode()
    yield "leaderboard.json", leaderboard.render(boards, "json").encode()


def pages(evidence: Evidence) -> Iterator[Page]:
    """Yield every page."""
    yield from first.pages(evidence)
    yield from cells.pages(evidence)
    yield corpora.index(evidence)
    yield from corpora.pages(evidence)
    yield models.index(evidence)
    yield from models.pages(evidence)
    yield ledger.page(evidence)
    yield comparisons.speed(evidence)
    yield comparisons.mp3(evidence)
    yield comparisons.prices(evidence)
    yield ranks.page(evidence)
    yield across.page(evidence)
    yield attention.page(evidence)
    yield findings.page(evidence)
    yield citing.page(evidence)


def _manifest(names: Iterable[str]) -> bytes:
    return (json.dumps({"files": sorted(names)}, indent=1) + "\n").encode()


def _former(out: Path) -> set[str]:
    """Return the files of the site that a folder holds; refuse a folder of other things."""
    if not out.is_dir() or storage.is_empty(out):
        return set()
    try:
        listed = json.loads((out / MANIFEST).read_bytes())["files"]
        return {name for name in listed if _inside(name)}
    except (OSError, ValueError, KeyError, TypeError):
        raise SpecError(
            f"--out {out}: expected a new or empty folder or a site that `emobench report` made, "
            f"found a folder without {MANIFEST}. Name another folder, or empty this one."
        ) from None


def _inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts
