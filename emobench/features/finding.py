"""Which packs of the cache hold the features of which sounds."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..storage import discard
from . import packing
from .packing import About, DamageError, OtherFormatError, Pack
from .recipes import Recipe

LOG = logging.getLogger(__name__)

LENGTH = 24
"""Of the name of a pack."""

_PACK = re.compile(rf"[0-9a-f]{{{LENGTH}}}")


@dataclass
class Found:
    """What was found of sounds that are wanted.

    Attributes:
        packs: that hold them
        places: positions of the pack and of the clip in it, by sound
        bad: reason for each that cannot be used
    """

    packs: list[Pack] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)

    def __contains__(self, sound: str) -> bool:
        """Tell whether it is known what becomes of a sound."""
        return sound in self.places or sound in self.bad

    def add(self, pack: Pack, wanted: Collection[str]) -> None:
        """Take from a pack what is wanted.

        Raises:
            DamageError: if that was altered
        """
        places = {name: place for place, name in enumerate(pack.about.sounds) if name in wanted}
        pack.verify(places.values())
        if places:
            self.places |= {name: (len(self.packs), place) for name, place in places.items()}
            self.packs.append(pack)
        self.bad |= {name: why for name, why in pack.about.bad.items() if name in wanted}


def look_up(shelf: Path, recipe: Recipe, wanted: Collection[str]) -> Found:
    """Find sounds in the packs of a folder; packs that are damaged are moved away.

    Args:
        shelf: folder of packs
        recipe: how the values are to be made
        wanted: the sounds
    """
    found = Found()
    left = set(wanted)
    holding = [(left & _sounds(about), folder, about) for folder, about in _packs(shelf, recipe)]
    # Those that hold most come first, so that few are opened.
    for held, folder, about in sorted(holding, key=lambda each: (-len(each[0]), each[1])):
        if not held & left:
            continue
        try:
            found.add(packing.open_pack(folder, about), held & left)
            left -= held
        except DamageError as damage:
            _reject(folder, damage)
    return found


def held(shelf: Path, recipe: Recipe) -> set[str]:
    """Return the sounds of which packs say that they hold them; nothing is opened or moved away.

    Args:
        shelf: folder of packs
        recipe: how the values are to be made
    """
    found: set[str] = set()
    for folder in pack_folders(shelf):
        with suppress(DamageError):
            about = packing.read_about(folder)
            found |= _sounds(about) if about.recipe == recipe else set()
    return found


def pack_folders(shelf: Path) -> list[Path]:
    """Return the folders of packs in a folder; whatever else is there is somebody else's."""
    try:
        return sorted(path for path in shelf.iterdir() if _PACK.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _packs(shelf: Path, recipe: Recipe) -> Iterator[tuple[Path, About]]:
    """Yield packs of which the recipe is the one that is wanted, with what they say."""
    for folder in pack_folders(shelf):
        try:
            about = packing.read_about(folder)
        except (OtherFormatError, PermissionError):  # a shared cache may hold what is not for us
            continue
        except DamageError as damage:
            _reject(folder, damage)
            continue
        if about.recipe == recipe:
            yield folder, about


def _sounds(about: About) -> set[str]:
    return {*about.sounds, *about.bad}


def _reject(folder: Path, damage: DamageError) -> None:
    """Move a damaged pack away, so that it is not looked at again."""
    LOG.warning("%s: the cache cannot be used: %s. Extracting again.", folder, damage)
    with suppress(OSError):  # another process was faster, or the cache is only read
        discard(folder)
