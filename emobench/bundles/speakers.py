"""Whose statistics standardise a clip that no training knew, and what is kept until they are known.

A speaker's clips are standardised by all of that speaker's own, so none can be predicted before the
last was heard. Their values wait on disk meanwhile.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import IO

import numpy as np

from ..errors import FeatureError
from ..experiments.fitted_input import FittedInput
from ..scaling import Moments, Standard

FEW = 10
"""Clips of a speaker from which on nothing is said of how few they are."""

_BLOCK = 256
"""Clips whose moments are held at once."""


def by_speaker(inputs: Mapping[str, FittedInput]) -> list[str]:
    """Return the names of the inputs that are standardised by the speaker."""
    return [
        name
        for name, item in inputs.items()
        if item.scaling == "speaker" and item.standard is not None
    ]


class Statistics:
    """Gathers the statistics of a speaker.

    Args:
        inputs: of the model

    Attributes:
        clips: how many were added
    """

    def __init__(self, inputs: Mapping[str, FittedInput]) -> None:
        self._inputs = {name: inputs[name] for name in by_speaker(inputs)}
        self._moments: dict[str, list[Moments]] = {name: [] for name in self._inputs}
        self.clips = 0

    def add(self, moments: Mapping[str, Moments]) -> None:
        """Take a clip into account, given its moments by input."""
        self.clips += 1
        for name, kept in self._moments.items():
            kept.append(moments[name])
            if len(kept) == _BLOCK:
                kept[:] = [_together(kept)]

    def standards(self) -> dict[str, Standard]:
        """Return what the speaker's clips are standardised with, by input.

        Inputs of one row a clip are left out where there is a single clip, of which nothing would
        be left: the standard of the training clips then serves.
        """
        enough = {
            name: kept
            for name, kept in self._moments.items()
            if kept and (self.clips > 1 or self._inputs[name].shape[0] != 1)
        }
        return {name: Standard.of(_together(kept)) for name, kept in enough.items()}


def _together(moments: Iterable[Moments]) -> Moments:
    stacked = Moments.stack(list(moments))
    return stacked.merge(np.arange(len(stacked)))


class Shelf:
    """Values of clips, put on disk one by one and mapped when they are asked for.

    Args:
        names: of the inputs
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._files: dict[str, IO[bytes]] = {
            name: tempfile.TemporaryFile()  # noqa: SIM115  closed on exit, and gone with the process
            for name in names
        }
        self._shapes: dict[str, list[tuple[int, int, int]]] = {name: [] for name in self._files}

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def add(self, values: Mapping[str, np.ndarray]) -> None:
        """Put the values of a clip there, by input, each of shape `(rows, columns)`.

        Raises:
            FeatureError: if the disk is full
        """
        for name, file in self._files.items():
            own = np.ascontiguousarray(values[name], dtype=np.float32)
            self._shapes[name].append((file.tell(), *own.shape))
            try:
                file.write(own.data)
            except OSError as error:
                raise FeatureError(
                    f"{tempfile.gettempdir()}: expected room for the features of a speaker, found: "
                    f"{error.strerror}. Free some, or set TMPDIR to another folder."
                ) from error

    def take(self, position: int) -> dict[str, np.ndarray]:
        """Return the values of a clip, by input."""
        return {name: self._read(name, *self._shapes[name][position]) for name in self._files}

    def _read(self, name: str, begin: int, rows: int, columns: int) -> np.ndarray:
        file = self._files[name]
        end = file.seek(0, 2)
        file.seek(begin)
        values = np.frombuffer(file.read(4 * rows * columns), dtype=np.float32)
        file.seek(end)
        return values.reshape(rows, columns)
