"""How features lie in a folder, a pack: written once, checked when found, mapped when read.

`values.npy` holds the rows of all clips one after the other; `offsets.npy` tells where each clip
begins; `moments.npy` holds what scaling needs; `about.json` names what was heard in each clip, what
was refused, how it was made, and checksums. Clips have no names here: the same sound is the same
clip in every corpus. A pack is complete from the moment its folder has its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from ..scaling import Moments
from ..storage import Use, discard, settle, unfinished, using

FORMAT = 2
"""Raised whenever the files of a folder change their meaning."""

ABOUT = "about.json"
_VALUES = "values.npy"
_OFFSETS = "offsets.npy"
_MOMENTS = "moments.npy"
FILES = frozenset((ABOUT, _VALUES, _OFFSETS, _MOMENTS))


class DamageError(Exception):
    """A folder does not hold what it should; the message says why."""


class OtherFormatError(DamageError):
    """A folder was written by a version of emobench that packs otherwise."""


@dataclass(frozen=True)
class About:
    """What a pack says of itself.

    Attributes:
        recipe: all that its values depend on beside the sound
        corpus: whose clips it was made for, or ""
        sounds: what is heard in each clip, see `Writer.add`
        sums: checksum of the values of each clip
        files: checksum of each other file, by name
        bad: reason for each sound that cannot be used
    """

    recipe: Mapping[str, Any]
    corpus: str
    sounds: tuple[str, ...]
    sums: tuple[int, ...]
    files: Mapping[str, int]
    bad: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Pack:
    """The files of a folder, mapped.

    Attributes:
        folder: where they are
        about: what it says of itself
        values: float32 of shape `(rows, columns)`
        offsets: int64 of shape `(clips + 1,)`
        moments: count, mean and sum of squares, float64 of shape `(3, clips, columns)`, or without
            columns where each clip is one row, which tells them
        use: keeps others from removing the folder
    """

    folder: Path
    about: About
    values: np.ndarray
    offsets: np.ndarray
    moments: np.ndarray
    use: Use | None = None

    def clip(self, place: int) -> np.ndarray:
        """Return the values of a clip, float32 of shape `(rows, columns)`, read-only."""
        return self.values[self.offsets[place] : self.offsets[place + 1]]

    def renew(self) -> None:
        """Say that the folder is still used, which machines are told that see no locks."""
        if self.use is not None:
            self.use.renew()

    def verify(self, places: Iterable[int]) -> None:
        """Compare the values of some clips with their checksums.

        Raises:
            DamageError: if they were altered
        """
        for place in places:
            if _sum(self.clip(place)) != self.about.sums[place]:
                raise DamageError(f"a checksum of {_VALUES} is wrong")


class Writer:
    """Packs clips into a folder that appears only when it is finished.

    Memory holds the moments of the clips, not their values.
    """

    def __init__(self, folder: Path, columns: int) -> None:
        self._folder = folder
        self._columns = columns
        self._sounds: list[str] = []
        self._sums: list[int] = []
        self._bad: dict[str, str] = {}
        self._offsets = [0]
        self._moments: list[Moments] = []

    def __enter__(self) -> Writer:
        with ExitStack() as stack:
            self._temporary = stack.enter_context(unfinished(self._folder))
            self._file: BinaryIO = (self._temporary / _VALUES).open("wb")
            self._write_header()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            try:
                self._file.close()
            except OSError:
                # What could not be flushed on a full disk is about to be removed; the first error
                # is the one to tell.
                if error is None:
                    raise

    def _write_header(self) -> None:
        # NumPy leaves room for the first axis to grow: the header keeps its size.
        shape = (self._offsets[-1], self._columns)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, sound: str, values: np.ndarray, moments: Moments) -> None:
        """Append a clip.

        Args:
            sound: all that its values depend on beside the recipe
            values: of shape `(rows, columns)`
            moments: of the clip

        Raises:
            ValueError: if the values do not have the folder's number of columns
        """
        if values.ndim != 2 or values.shape[1] != self._columns:
            raise ValueError(f"{sound}: expected {self._columns} columns, found {values.shape}.")
        data = np.ascontiguousarray(values, dtype="<f4")
        self._file.write(data.tobytes())
        self._sounds.append(sound)
        self._sums.append(_sum(data))
        self._offsets.append(self._offsets[-1] + len(values))
        self._moments.append(moments)

    def refuse(self, sound: str, reason: str) -> None:
        """Note a sound that cannot be used."""
        self._bad[sound] = reason

    def finish(self, recipe: Mapping[str, Any], corpus: str) -> None:
        """Give the folder its name; one that another process finished meanwhile is kept."""
        self._file.seek(0)
        self._write_header()
        settle(self._file)
        moments = np.empty((3, 0, self._columns))
        if self._moments:
            stacked = Moments.stack(self._moments)
            moments = np.stack([stacked.count, stacked.mean, stacked.m2])
        content = {
            "recipe": recipe,
            "corpus": corpus,
            "sounds": self._sounds,
            "sums": self._sums,
            "bad": self._bad,
            "files": {
                _OFFSETS: self._save(_OFFSETS, np.array(self._offsets, dtype="<i8")),
                _MOMENTS: self._save(_MOMENTS, moments.astype("<f8")),
            },
        }
        with (self._temporary / ABOUT).open("wb") as file:
            file.write(_sealed(json.dumps(content).encode("ascii")))
            settle(file)
        try:
            os.rename(self._temporary, self._folder)
        except OSError:
            if not _is_sound(self._folder):
                discard(self._folder)
                os.rename(self._temporary, self._folder)

    def _save(self, name: str, array: np.ndarray) -> int:
        with (self._temporary / name).open("wb") as file:
            np.save(file, array)
            settle(file)
        return _sum(array)


def _sum(array: np.ndarray) -> int:
    """Return the checksum of an array's bytes."""
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def _sealed(content: bytes) -> bytes:
    """Return what `about.json` holds: a line that vouches for the other."""
    header = {"format": FORMAT, "sha256": hashlib.sha256(content).hexdigest()}
    return json.dumps(header).encode("ascii") + b"\n" + content


def read_about(folder: Path) -> About:
    """Return what a pack says of itself.

    Raises:
        OtherFormatError: if another version of emobench wrote it
        DamageError: if it is missing or damaged
        OSError: if it cannot be read now, which says nothing of what it holds
    """
    try:
        first, _, content = (folder / ABOUT).read_bytes().partition(b"\n")
        header = json.loads(first)
        found = header["format"]
        if found != FORMAT and isinstance(found, int):
            raise OtherFormatError(f"expected format {FORMAT}, found {found!r}")
        if _sealed(content).partition(b"\n")[0] != first:
            raise DamageError(f"the checksum of {ABOUT} is wrong")
        known = json.loads(content)
        return About(
            known["recipe"],
            known["corpus"],
            tuple(known["sounds"]),
            tuple(known["sums"]),
            known["files"],
            known["bad"],
        )
    except (FileNotFoundError, NotADirectoryError):
        raise DamageError(f"{ABOUT} is missing") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamageError(f"{ABOUT} is damaged ({error})") from None


def _is_sound(folder: Path) -> bool:
    try:
        read_about(folder)
    except DamageError:
        return False
    return True


def open_pack(folder: Path, about: About | None = None) -> Pack:
    """Map the files of a folder, and keep others from removing it as long as they are mapped.

    Args:
        folder: the pack
        about: what it says of itself, where that was read

    Raises:
        DamageError: if something is missing, altered, or does not fit together. Values are
            looked at by `Pack.verify`
    """
    about = about or read_about(folder)
    try:
        use = using(folder / ABOUT)
        arrays = (_map(folder / name) for name in (_VALUES, _OFFSETS, _MOMENTS))
        pack = Pack(folder, about, *arrays, use)
        _check_fit(pack)
    except FileNotFoundError as error:
        raise DamageError(f"{Path(error.filename or folder).name} is missing") from None
    except (DamageError, OSError):
        raise
    except Exception as error:  # NumPy reads a header as Python: a damaged one raises anything
        raise DamageError(f"it is damaged ({error})") from None
    return pack


def _map(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OverflowError):
        # An array of no rows cannot be mapped; a damaged one fails here as well.
        return np.load(path, allow_pickle=False)


def _check_fit(pack: Pack) -> None:
    clips = len(pack.about.sounds)
    rows, columns = pack.values.shape
    offsets, moments = pack.offsets, pack.moments
    known = [(3, clips, columns), *([(3, clips, 0)] if rows == clips else [])]
    if offsets.shape != (clips + 1,) or moments.shape not in known:
        raise ValueError("its files speak of different clips")
    if [array.dtype.str for array in (pack.values, offsets, moments)] != ["<f4", "<i8", "<f8"]:
        raise ValueError("its files are not what they should be")
    for name, array in ((_OFFSETS, offsets), (_MOMENTS, moments)):
        if _sum(array) != pack.about.files.get(name):
            raise DamageError(f"the checksum of {name} is wrong")
    if offsets[-1] != rows:
        raise ValueError("its offsets do not fit its values")
