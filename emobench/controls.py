"""Negative controls: the same run on labels that tell nothing, which must come out at chance.

Labels are permuted among the clips of each speaker, those that are tested like those that are
trained on. Each speaker keeps as many clips of each class, each clip its sound, and the folds
their clips; what is lost is that a clip's sound tells its label. A model that still recalls more
than guessing does has learnt of test clips in another way.

Test labels are permuted too. Were they not, every fold would be tested on what its training
labels happen to have kept of the truth, the same for all folds, and no interval over speakers would
tell chance from luck; and a test clip that is among the training clips would go unnoticed, as it
is trained with another label than it is tested with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Control = Literal["none", "labels"]

SEED = 0
VERSION = 1
"""Raised whenever the same control gives other labels."""

_LABELS = ("label", "emotion", "raw_emotion")
"""What goes from clip to clip, together: nothing that computes may know the truth."""


def identity(control: Control) -> dict[str, Any]:
    """Return what a control does, as plain JSON: for fingerprints."""
    return {"name": control, "within": "speaker", "seed": SEED, "version": VERSION}


def permuted(table: pd.DataFrame) -> pd.DataFrame:
    """Return an utterance table whose labels are permuted within each speaker.

    A speaker's permutation depends on that speaker's name and ids alone, not on the others, the
    order of the table or the machine.

    Args:
        table: indexed by id, with the columns `speaker`, `label` and `emotion`
    """
    changed = table.copy()
    columns = [name for name in _LABELS if name in table]
    ids, speakers = table.index.to_numpy(dtype=str), table["speaker"].to_numpy(dtype=str)
    for speaker in np.unique(speakers):
        own = np.flatnonzero(speakers == speaker)
        own = own[np.argsort(ids[own])]
        drawn = np.random.default_rng([SEED, *speaker.encode()]).permutation(own)
        for name in columns:
            column = changed.columns.get_loc(name)
            changed.iloc[own, column] = table[name].to_numpy()[drawn]
    return changed


def unmoved(table: pd.DataFrame) -> list[str]:
    """Return the speakers of one label, in whom a permutation changes nothing."""
    labels = table.groupby("speaker")["label"].nunique()
    return sorted(map(str, labels.index[labels < 2]))
