"""The features of a list of clips, wherever in the cache they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..scaling import Moments
from .packing import Pack


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """The features of a list of clips: a view of the packs that hold them, mapped from disk.

    Attributes:
        ids: of the clips, in the order of the table that they were asked for with
        packs: that hold them; none is empty
        pack: position in `packs` of the one that holds each clip, of shape `(clips,)`
        place: position of each clip in its pack, of shape `(clips,)`
        bad: reason for each clip that was left out, by id
    """

    ids: tuple[str, ...]
    packs: tuple[Pack, ...]
    pack: np.ndarray
    place: np.ndarray
    bad: Mapping[str, str]

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.ids)

    def clip(self, position: int) -> np.ndarray:
        """Return the values of a clip, float32 of shape `(rows, columns)`, read-only."""
        return self.packs[self.pack[position]].clip(self.place[position])

    @cached_property
    def lengths(self) -> np.ndarray:
        """Rows of each clip, of shape `(clips,)`."""
        found = np.zeros(len(self), dtype=np.int64)
        for number, pack in enumerate(self.packs):
            here = self.pack == number
            found[here] = np.diff(pack.offsets)[self.place[here]]
        return found

    @cached_property
    def moments(self) -> Moments:
        """Moments of each clip; without columns where each clip is one row, which tells them."""
        columns = self.packs[0].moments.shape[2]
        found = np.empty((3, len(self), columns))
        for number, pack in enumerate(self.packs):
            here = self.pack == number
            found[:, here] = pack.moments[:, self.place[here]]
        return Moments(*found)

    def renew(self) -> None:
        """Say that the packs are still used, so that no machine removes them."""
        for pack in self.packs:
            pack.renew()

    def first_rows(self, positions: np.ndarray) -> np.ndarray:
        """Return the first row of some clips, float32 of shape `(positions, columns)`."""
        found = np.empty((len(positions), self.packs[0].values.shape[1]), dtype=np.float32)
        for number, pack in enumerate(self.packs):
            here = self.pack[positions] == number
            found[here] = pack.values[pack.offsets[self.place[positions][here]]]
        return found
