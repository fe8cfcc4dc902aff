"""What features the cache holds: of what, how large, used when and still of use; and less of it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..spec import FeatureSpec
from ..storage import discard, leftovers, unused
from . import packing, recipes
from .finding import pack_folders

GRACE_DAYS = 1.0
"""For so long after it was used a pack may be in use on a machine whose locks are not seen here."""

_DAY = 86_400
_NOT_OURS = "it is not ours to remove"
_SHELVES = "*-v[0-9]*"


@dataclass(frozen=True)
class Holding:
    """A pack of features, or what was to become one.

    Attributes:
        folder: where it is
        kind: "features", "damaged" (it is extracted anew once it is needed) or "unfinished" (a
            process was killed that wrote it)
        front_end: such as "logmel", or "" if it is not told
        params: parameters of the front-end, by name
        version: of the front-end; None if it is not told
        condition: what the sound went through, or ""
        corpus: whose clips it was made for, or ""
        clips: that it holds; None if it is not told
        refused: clips that cannot be used; None if it is not told
        size: in bytes
        used: when it was used last, in seconds since 1970
        outdated: why nothing uses it any more, or ""
        libraries: which libraries made it that are others here, or "": of use to other machines
    """

    folder: Path
    kind: Literal["features", "damaged", "unfinished"]
    front_end: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    condition: str = ""
    corpus: str = ""
    clips: int | None = None
    refused: int | None = None
    size: int = 0
    used: float = 0.0
    outdated: str = ""
    libraries: str = ""

    @property
    def title(self) -> str:
        """Front-end with its parameters, such as "logmel(bands=40)"; else the folder's name."""
        if not self.front_end:
            return self.folder.parent.name
        return str(FeatureSpec(self.front_end, tuple(self.params.items())))

    @property
    def days(self) -> float:
        """How long it was not used, in days."""
        return _days(self.used)


@dataclass(frozen=True)
class Criteria:
    """What is to go.

    Attributes:
        older_than: days for which features were not used; None for any
        outdated: whether features go that nothing asks for any more on any machine
    """

    older_than: float | None = None
    outdated: bool = False

    @property
    def grace(self) -> float:
        """For how many days features stay in any case after they were used."""
        return GRACE_DAYS if self.older_than is None else min(self.older_than, GRACE_DAYS)

    def reason(self, holding: Holding) -> str:
        """Return why something is to go, or "": leftovers and damage go in any case."""
        if holding.kind == "unfinished":
            return "left by a process that was killed"
        if holding.kind == "damaged":
            return f"damaged: {holding.outdated}"
        if self.outdated and holding.outdated:
            return f"outdated: {holding.outdated}"
        if self.older_than is not None and holding.days >= self.older_than:
            return f"not used for {holding.days:.0f} days"
        return ""


def shelves(cache: Path) -> list[Path]:
    """Return the folders of packs in a cache."""
    return sorted(path for path in cache.glob(_SHELVES) if path.is_dir())


def holdings(cache: Path) -> Iterator[Holding]:
    """Yield what features there are.

    Args:
        cache: folder of caches
    """
    for shelf in shelves(cache):
        for folder in pack_folders(shelf):
            with suppress(OSError):  # removed meanwhile, or not for us to read
                yield _held(folder)
        for folder in leftovers(shelf):
            with suppress(OSError):
                yield Holding(folder, "unfinished", size=size_of(folder), used=_newest(folder))


def size_of(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    return total


def remove(holding: Holding, grace: float = GRACE_DAYS, *, pretend: bool = False) -> str:
    """Remove something, unless it may be of use to a process that runs on any machine.

    Args:
        holding: what goes
        grace: days for which features stay after they were used; what is damaged does not
        pretend: leave it there, and only say whether it could be removed

    Returns:
        why it stays, or ""

    Raises:
        OSError: if the cache cannot be written
    """
    try:
        return _remove(holding, grace, pretend)
    except PermissionError:
        return _NOT_OURS
    except FileNotFoundError:  # another process was faster
        return ""


def _remove(holding: Holding, grace: float, pretend: bool) -> str:
    if not all(os.access(place, os.W_OK) for place in (holding.folder.parent, holding.folder)):
        return _NOT_OURS
    if holding.kind == "unfinished":
        if not pretend:
            shutil.rmtree(holding.folder, ignore_errors=True)
        return "not all of it could be removed" if not pretend and holding.folder.exists() else ""
    strangers = {path.name for path in holding.folder.iterdir()} - packing.FILES
    if strangers:
        return f"it holds {min(strangers)}, which is not ours"
    about = holding.folder / packing.ABOUT
    if not about.exists():
        return "" if pretend else _removed(holding.folder)
    with unused(about) as free:
        if not free:
            return "a process uses it"
        if holding.kind == "features" and _days(about.stat().st_mtime) < grace:
            return f"another machine may use it: it was used in the last {24 * grace:.0f} hours"
        return "" if pretend else _removed(holding.folder)


def _days(instant: float) -> float:
    """Return how many days ago something was; machines need not agree what time it is."""
    return max(0.0, time.time() - instant) / _DAY


def _removed(folder: Path) -> str:
    """Remove a pack, and its shelf if that was the last."""
    discard(folder)
    with suppress(OSError):
        folder.parent.rmdir()
    return ""


def _held(folder: Path) -> Holding:
    """Return what is known of a pack.

    Raises:
        FileNotFoundError: if it is not there any more
    """
    facts: dict[str, Any] = {"size": size_of(folder), "used": _newest(folder)}
    try:
        about = packing.read_about(folder)
    except packing.OtherFormatError as other:
        return Holding(folder, "features", **_told(folder), outdated=str(other), **facts)
    except packing.DamageError as damage:
        return Holding(folder, "damaged", outdated=str(damage), **facts)
    made = about.recipe
    return Holding(
        folder,
        "features",
        made["front_end"],
        made["params"],
        made["version"],
        made["condition"]["name"] if made["condition"] else "",
        about.corpus,
        len(about.sounds),
        len(about.bad),
        outdated=recipes.outdated(made),
        libraries=recipes.other_libraries(made),
        **facts,
    )


def _told(folder: Path) -> dict[str, Any]:
    """Return what a pack of another format says of itself, as far as that can be read."""
    with suppress(OSError, ValueError):
        first, _, rest = (folder / packing.ABOUT).read_bytes().partition(b"\n")
        known = json.loads(rest or first)
        ids, bad = known.get("ids", []), known.get("bad", {})
        return {"version": known.get("version"), "clips": len(ids), "refused": len(bad)}
    return {}


def _newest(folder: Path) -> float:
    """Return when a pack was used last, or when something was written that is not one yet.

    Raises:
        FileNotFoundError: if it is not there any more
    """
    about = folder / packing.ABOUT
    if about.exists():
        return about.stat().st_mtime
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
