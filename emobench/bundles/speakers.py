"""Whose statistics standardise a clip that no training knew, and what is kept until they are known.

A speaker's clips are standardised by all of that speaker's own, so none can be predicted before the
last was extracted. Their values wait on disk meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

import numpy as np

from ..errors import FeatureError
from ..experiments.fitted_input import FittedInput
from ..scaling import Moments, Standard
from ..storage import scratch_file

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
    """Values of clips, put on disk one by one and read when they are asked for.

    Args:
        names: of the inputs
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._places: dict[str, list[tuple[int, int, int]]] = {name: [] for name in names}

    def __enter__(self) -> Shelf:
        self._open = ExitStack()
        self._files = {
            name: self._open.enter_context(scratch_file("the features of a speaker", FeatureError))
            for name in self._places
        }
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, values: Mapping[str, np.ndarray]) -> None:
        """Put the values of a clip there, by input, each of shape `(rows, columns)`.

        Raises:
            FeatureError: if the disk is full
        """
        for name, file in self._files.items():
            own = np.ascontiguousarray(values[name], dtype=np.float32)
            self._places[name].append((file.add(own.tobytes()), *own.shape))

    def take(self, position: int) -> dict[str, np.ndarray]:
        """Return the values of a clip, by input."""
        return {name: self._read(name, *self._places[name][position]) for name in self._files}

    def _read(self, name: str, begin: int, rows: int, columns: int) -> np.ndarray:
        content = self._files[name].read(begin, 4 * rows * columns)
        return np.frombuffer(content, dtype=np.float32).reshape(rows, columns)
