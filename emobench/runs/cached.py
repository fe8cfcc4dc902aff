"""What the folder of caches holds, and how it becomes smaller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FeatureError
from ..features import inventory
from ..features.inventory import Criteria, Holding
from ..spec import Places
from ..storage import Purpose, storing

_WRITTEN = Purpose("what is pruned", FeatureError, "name another folder with --cache")

_OTHERS = {
    "sounds": "what is heard in audio files",
    "headers": "length, rate and channels of audio files",
    "bytes": "checksums of audio files",
    "decoded": "what a deep check found of audio files",
    "compiled": "programs compiled for graphics cards",
    "generated": "corpora that are made on first use",
    "pool": "corpora taken together for a bundle",
    "slurm": "jobs that were handed to Slurm",
    "local": "jobs that were handed to submitit's local executor",
}
"""Folders beside the features: by name, what they hold."""


@dataclass(frozen=True)
class Other:
    """What lies in the folder of caches beside features.

    Attributes:
        name: of the file or folder
        what: it holds, or "" where that is not known
        size: in bytes
    """

    name: str
    what: str
    size: int


@dataclass(frozen=True)
class Cached:
    """What a folder of caches holds.

    Attributes:
        folder: the folder
        features: packs of features, and what killed extractions left
        others: everything else
    """

    folder: Path
    features: tuple[Holding, ...]
    others: tuple[Other, ...]

    @property
    def size(self) -> int:
        """Of all, in bytes."""
        return sum(one.size for one in (*self.features, *self.others))


def cached(places: Places) -> Cached:
    """Return what the folder of caches holds; nothing if there is none."""
    folder = places.cache
    features = tuple(inventory.holdings(folder))
    shelves = {shelf.name for shelf in inventory.shelves(folder)}
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    others = tuple(
        Other(name, _OTHERS.get(name, ""), _size(folder / name))
        for name in names
        if name not in shelves
    )
    return Cached(folder, features, others)


def _size(path: Path) -> int:
    return inventory.size_of(path) if path.is_dir() else path.lstat().st_size


@dataclass(frozen=True)
class Pruned:
    """What became of something that was to go.

    Attributes:
        holding: what
        reason: why it was to go
        kept: why it stays all the same, or ""
    """

    holding: Holding
    reason: str
    kept: str = ""


def prune(places: Places, criteria: Criteria, *, dry_run: bool = False) -> Iterator[Pruned]:
    """Remove features that nobody needs, what killed extractions left, and what is damaged.

    Args:
        places: where the cache is
        criteria: which features go
        dry_run: leave everything where it is

    Yields:
        what goes, and what stays because a process may use it or it is not ours to remove

    Raises:
        FeatureError: if the cache cannot be written
    """
    for holding in list(inventory.holdings(places.cache)):
        if reason := criteria.reason(holding):
            with storing(places.cache, _WRITTEN):
                kept = inventory.remove(holding, criteria.grace, pretend=dry_run)
                yield Pruned(holding, reason, kept)
