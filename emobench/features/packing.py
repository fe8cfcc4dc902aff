"""How features lie in a folder: written once, checked when found, mapped when read."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from ..scaling import Moments
from ..storage import settle, unfinished

FORMAT = 1
"""Raised whenever the files of a folder change their meaning."""

_ABOUT = "about.json"
_VALUES = "values.npy"
_OFFSETS = "offsets.npy"
_MOMENTS = "moments.npy"
_BLOCK_BYTES = 2**24


class DamageError(Exception):
    """A folder does not hold what it should; the message says why."""


@dataclass(frozen=True)
class Packed:
    """The files of a folder, mapped.

    Attributes:
        about: content of `about.json`
        values: float32 of shape `(rows, columns)`
        offsets: int64 of shape `(clips + 1,)`
        moments: count, mean and sum of squares, float64 of shape `(3, clips, columns)`, or without
            columns where each clip is one row, which tells them
    """

    about: Mapping[str, Any]
    values: np.ndarray
    offsets: np.ndarray
    moments: np.ndarray


class Writer:
    """Packs clips into a folder that appears only when it is finished.

    Memory holds the moments of the clips, not their values.
    """

    def __init__(self, folder: Path, columns: int) -> None:
        self._folder = folder
        self._columns = columns
        self._ids: list[str] = []
        self._bad: dict[str, str] = {}
        self._offsets = [0]
        self._moments: list[Moments] = []
        self._sum = 0

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

    def add(self, name: str, values: np.ndarray, moments: Moments) -> None:
        """Append a clip.

        Raises:
            ValueError: if the values do not have the folder's number of columns
        """
        if values.ndim != 2 or values.shape[1] != self._columns:
            raise ValueError(f"{name}: expected {self._columns} columns, found {values.shape}.")
        data = np.ascontiguousarray(values, dtype="<f4").tobytes()
        self._file.write(data)
        self._sum = zlib.crc32(data, self._sum)
        self._ids.append(name)
        self._offsets.append(self._offsets[-1] + len(values))
        self._moments.append(moments)

    def refuse(self, name: str, reason: str) -> None:
        """Note a clip that cannot be used."""
        self._bad[name] = reason

    def finish(self, about: Mapping[str, Any]) -> None:
        """Give the folder its name; one that another process finished meanwhile is kept."""
        self._file.seek(0)
        self._write_header()
        settle(self._file)
        shape = (3, 0, self._columns)
        moments = np.empty(shape)
        if self._moments:
            stacked = Moments.stack(self._moments)
            moments = np.stack([stacked.count, stacked.mean, stacked.m2])
        sums = {
            _VALUES: self._sum,
            _OFFSETS: self._save(_OFFSETS, np.array(self._offsets, dtype="<i8")),
            _MOMENTS: self._save(_MOMENTS, moments.astype("<f8")),
        }
        content = {"format": FORMAT, **about, "sums": sums, "ids": self._ids, "bad": self._bad}
        with (self._temporary / _ABOUT).open("wb") as file:
            file.write(json.dumps(content, ensure_ascii=True).encode())
            settle(file)
        try:
            os.rename(self._temporary, self._folder)
        except OSError:
            if not (self._folder / _ABOUT).exists():
                raise

    def _save(self, name: str, array: np.ndarray) -> int:
        with (self._temporary / name).open("wb") as file:
            np.save(file, array)
            settle(file)
        return _sum(array)


def _sum(array: np.ndarray) -> int:
    """Return the checksum of an array's bytes."""
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    total = 0
    for first in range(0, len(data), _BLOCK_BYTES):
        total = zlib.crc32(data[first : first + _BLOCK_BYTES], total)
    return total


def open_packed(folder: Path) -> Packed:
    """Map the files of a folder.

    Raises:
        DamageError: if something is missing or does not fit together
    """
    try:
        about = json.loads((folder / _ABOUT).read_bytes())
        if about["format"] != FORMAT:
            raise DamageError(f"expected format {FORMAT}, found {about['format']!r}")
        packed = Packed(about, *(_map(folder / name) for name in (_VALUES, _OFFSETS, _MOMENTS)))
        _check_fit(packed)
    except FileNotFoundError as error:
        raise DamageError(f"{Path(error.filename or folder).name} is missing") from None
    except (DamageError, OSError):
        raise
    except Exception as error:  # NumPy reads a header as Python: a damaged one raises anything
        raise DamageError(f"it is damaged ({error})") from None
    return packed


def _map(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OverflowError):
        # An array of no rows cannot be mapped; a damaged one fails here as well.
        return np.load(path, allow_pickle=False)


def _check_fit(packed: Packed) -> None:
    clips = len(packed.about["ids"])
    rows, columns = packed.values.shape
    offsets = packed.offsets
    known = [(3, clips, columns), *([(3, clips, 0)] if rows == clips else [])]
    if offsets.shape != (clips + 1,) or packed.moments.shape not in known:
        raise ValueError("its files speak of different clips")
    if offsets[0] != 0 or offsets[-1] != rows or (np.diff(offsets) < 0).any():
        raise ValueError("its offsets do not fit its values")
    types = [array.dtype.str for array in (packed.values, offsets, packed.moments)]
    if types != ["<f4", "<i8", "<f8"] or set(packed.about["bad"]) & set(packed.about["ids"]):
        raise ValueError("its files are not what they should be")


def verify(folder: Path, packed: Packed) -> None:
    """Compare the content of a folder with its checksums.

    Raises:
        DamageError: if a file was altered
    """
    sums = packed.about.get("sums", {})
    arrays = {_VALUES: packed.values, _OFFSETS: packed.offsets, _MOMENTS: packed.moments}
    for name, array in arrays.items():
        if _sum(array) != sums.get(name):
            raise DamageError(f"the checksum of {name} is wrong")
