"""Speaker-independent splits of a corpus: cross-validation, development sets, nested tuning.

Groups (speakers or sessions) are dealt in sorted order, so the order of the table, the machine
and the version of any library do not change who is held out. The dealing is that of
scikit-learn's `LeaveOneGroupOut` and `GroupKFold`, written out for that reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from .errors import CorpusError, SpecError
from .spec import TESTED, Fold, Protocol

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["speaker-disjoint", "within-speaker"]
Split = tuple[np.ndarray, np.ndarray]
"""Positions of what is trained on and of what is held out."""

MOST_LEFT_OUT_SINGLY = 12
"""Nested tuning leaves out single speakers up to this number, then deals them into `N_GROUPS`."""

N_GROUPS = 6
N_WITHIN = 5
"""Parts of a nested split inside one speaker."""

N_PARTS = 5
"""Folds of the protocols that do not follow the corpus' own rule."""


def make(table: pd.DataFrame, rule: str, protocol: Protocol) -> list[Fold]:
    """Split a corpus for cross-validation.

    Args:
        table: utterance table with columns `label` and `group`
        rule: what the registry entry says: "speaker" or "session" leave one group out,
            "groups: N" deals the groups into N folds; "tested: A,B" tests the clips of these
            corpora (column `corpus`) in one fold, whatever the protocol, and trains on the others
        protocol: how groups are dealt, and how many folds are run

    Returns:
        folds; without `max_folds`, development clips and "last-group" their test clips cover the
        table exactly once

    Raises:
        SpecError: if the rule is none of these
        CorpusError: if there are too few groups, a clip has no group, or a training part would
            hold a single class
    """
    if rule.startswith(TESTED):
        return [_between_corpora(table, rule.removeprefix(TESTED).split(","))]
    labels = table["label"].to_numpy(dtype=str)
    folds = []
    for index, (held_out, out) in enumerate(_held_out(table, rule, protocol)):
        _check_classes(labels[~out], f"fold {index} (without {', '.join(held_out)})")
        kept = np.zeros_like(out)
        if protocol.development is not None:
            kept[_drawn(table, out, protocol.development)] = True
        folds.append(
            Fold(
                index,
                tuple(map(str, held_out)),
                training=tuple(table.index[~out]),
                test=tuple(table.index[out & ~kept]),
                development=tuple(table.index[kept]),
                copies=_copies(table, out & ~kept, protocol.copies),
            )
        )
    return folds


def _between_corpora(table: pd.DataFrame, tested: Sequence[str]) -> Fold:
    """Return the fold that tests all clips of some corpora and trains on all others."""
    out = table["corpus"].isin(list(tested)).to_numpy()
    where = f"test corpus {', '.join(tested)}"
    _check_classes(table["label"].to_numpy(dtype=str)[~out], where)
    if not out.any():
        raise CorpusError(f"{where}: expected clips to test, found none. Complete it on disk.")
    return Fold(0, tuple(tested), training=tuple(table.index[~out]), test=tuple(table.index[out]))


def _held_out(
    table: pd.DataFrame, rule: str, protocol: Protocol
) -> list[tuple[Sequence[str], np.ndarray]]:
    """Return the names and the mask of what each fold holds out."""
    if protocol.split == "random":
        return _random_parts(table, N_PARTS)[: protocol.max_folds]
    groups = _named(table, "group")
    if protocol.split == "clips":
        own = _deal(groups, _n_folds(rule, groups), protocol.speaker_groups)
        return _random_parts(table, len(own))[: protocol.max_folds]
    if protocol.split:
        n_groups = len(np.unique(groups))
        if n_groups > N_PARTS:
            rule = f"groups: {N_PARTS}"
        elif rule.startswith("groups"):
            rule = "speaker"
    parts = _deal(groups, _n_folds(rule, groups), protocol.speaker_groups)
    chosen = parts[-1:] if protocol.split == "last-group" else parts[: protocol.max_folds]
    return [(part, np.isin(groups, part)) for part in chosen]


def _random_parts(table: pd.DataFrame, n_parts: int) -> list[tuple[Sequence[str], np.ndarray]]:
    """Return the names and the masks of random parts of the clips, whatever the table's order."""
    if len(table) < 2 * n_parts:
        raise CorpusError(
            f"random parts: expected at least {2 * n_parts} clips, found {len(table)}. "
            "Complete the corpus on disk."
        )
    order = np.argsort(table.index.to_numpy(dtype=str))
    dealt = np.empty(len(table), dtype=int)
    dealt[np.random.RandomState(0).permutation(order)] = np.arange(len(table)) % n_parts
    return [([f"random part {part}"], dealt == part) for part in range(n_parts)]


def _copies(table: pd.DataFrame, tested: np.ndarray, share: float | None) -> tuple[str, ...]:
    """Return the ids of a share of the test clips, in table order."""
    if share is None:
        return ()
    chosen = np.zeros_like(tested)
    chosen[_drawn(table, tested, share)] = True
    return tuple(table.index[chosen])


def _drawn(table: pd.DataFrame, out: np.ndarray, share: float) -> np.ndarray:
    """Return the positions of a share of the held-out clips, whatever the table's order.

    One clip at least, and never all: a fold without a test clip measures nothing.
    """
    held_out = np.flatnonzero(out)
    held_out = held_out[np.argsort(table.index[held_out].to_numpy(dtype=str))]
    n_kept = min(max(round(share * len(held_out)), 1), len(held_out) - 1)
    return np.random.RandomState(0).permutation(held_out)[:n_kept]


def positions(fold: Fold, table: pd.DataFrame) -> Split:
    """Return where a fold's training and test clips stand in a table."""
    return table.index.get_indexer(fold.training), table.index.get_indexer(fold.test)


def development(
    fold: Fold, table: pd.DataFrame, share: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...], Kind]:
    """Keep a share of the training clips of a fold for early stopping.

    Whole speakers are kept: that share of them, at least one, also where a corpus holds out
    sessions of several. Where training holds one speaker (two, one left out), that one's clips
    are split, class by class.

    Args:
        fold: its test clips are not looked at
        table: utterance table
        share: part of the speakers, between 0 and 1
        seed: draws the speakers

    Returns:
        ids to train on, ids of the development set (both in the order of the fold), and whether
        they share a speaker

    Raises:
        CorpusError: if training would hold a single class, or no clip can be spared
    """
    training = table.loc[list(fold.training)]
    speakers, random = _named(training, "speaker"), np.random.RandomState(seed)
    names = np.unique(speakers)
    kind: Kind = "speaker-disjoint" if len(names) > 1 else "within-speaker"
    if len(names) > 1:
        n_kept = min(max(round(share * len(names)), 1), len(names) - 1)
        kept = np.isin(speakers, random.permutation(names)[:n_kept])
    else:
        kept = _stratified(training, max(round(1 / share), 2), random) == 0
    where = f"development set of fold {fold.index}"
    _check_classes(training["label"].to_numpy(dtype=str)[~kept], where)
    return tuple(training.index[~kept]), tuple(training.index[kept]), kind


def inner_splits(fold: Fold, table: pd.DataFrame) -> tuple[list[Split], Kind]:
    """Split the training clips of a fold once more, for tuning.

    One speaker is left out at a time where training holds 12 or fewer, else six random sets of
    speakers, whatever the corpus holds out. Clips of a single speaker are split in five, class by
    class. A split whose training part holds a single class cannot be fitted and is left out.

    Args:
        fold: its test clips are not looked at
        table: utterance table

    Returns:
        pairs of positions in the table, none of them a test clip, and whether the two sides
        share a speaker

    Raises:
        CorpusError: if no split can be fitted
    """
    training, _ = positions(fold, table)
    clips = table.iloc[training]
    speakers, labels = _named(clips, "speaker"), clips["label"].to_numpy(dtype=str)
    n_speakers = len(np.unique(speakers))
    kind: Kind = "speaker-disjoint" if n_speakers > 1 else "within-speaker"
    if n_speakers > 1:
        n_parts = None if n_speakers <= MOST_LEFT_OUT_SINGLY else N_GROUPS
        masks = [np.isin(speakers, part) for part in _deal(speakers, n_parts, "random")]
    else:
        dealt = _stratified(clips, N_WITHIN, np.random.RandomState(0))
        masks = [dealt == part for part in range(dealt.max() + 1)]
    usable = [mask for mask in masks if len(np.unique(labels[~mask])) > 1]
    if not usable:
        _check_classes(labels[~masks[0]], f"tuning of fold {fold.index}")
    return [(training[~mask], training[mask]) for mask in usable], kind


def _named(table: pd.DataFrame, column: Literal["speaker", "group"]) -> np.ndarray:
    """Return who or what each clip belongs to, of shape `(clips,)`."""
    missing = table.index[table[column].isna()]
    if len(missing):
        raise CorpusError(
            f"{missing[0]}: expected a speaker or session, found none (and {len(missing) - 1} "
            "more). Correct the corpus entry, or complete the table that names them."
        )
    return table[column].to_numpy(dtype=str)


def _n_folds(rule: str, groups: np.ndarray) -> int | None:
    found = len(np.unique(groups))
    if rule in ("speaker", "session"):
        needed, number = 2, None
    elif match := re.fullmatch(r"groups:\s*(\d+)", rule):
        needed = number = int(match[1])
    else:
        raise SpecError(
            f"folds: expected 'speaker', 'session' or 'groups: N', found '{rule}'. "
            "Correct the corpus entry."
        )
    if found < max(needed, 2):
        what = "sessions" if rule == "session" else "speakers"
        raise CorpusError(
            f"folds '{rule}': expected at least {max(needed, 2)} {what}, found {found}. "
            "Complete the corpus on disk, or give its entry another rule."
        )
    return number


def _deal(
    groups: np.ndarray, n_folds: int | None, how: Literal["random", "greedy"]
) -> list[np.ndarray]:
    """Return the groups held out by each fold; None leaves them out one by one."""
    names, count = np.unique(groups, return_counts=True)
    if n_folds is None:
        return list(names[:, None])
    if how == "random":
        shuffled = np.random.RandomState(0).permutation(names)
        return [np.sort(part) for part in np.array_split(shuffled, n_folds)]
    parts: list[list[int]] = [[] for _ in range(n_folds)]
    clips = np.zeros(n_folds)
    # The largest group first, into the fold with the fewest clips; of equals, the last by name.
    for group in np.argsort(count, kind="stable")[::-1]:
        lightest = clips.argmin()
        parts[lightest].append(group)
        clips[lightest] += count[group]
    return [names[np.sort(part)] for part in parts]


def _stratified(table: pd.DataFrame, n_parts: int, random: np.random.RandomState) -> np.ndarray:
    """Deal the clips of each class into parts of even size; a lone clip of a class never leaves.

    Returns the part of every clip; -1 for a clip that belongs to no part.
    """
    part = np.full(len(table), -1)
    labels, ids = table["label"].to_numpy(dtype=str), table.index.to_numpy(dtype=str)
    dealt = 0
    for label in np.unique(labels):
        clips = np.flatnonzero(labels == label)
        clips = random.permutation(clips[np.argsort(ids[clips])])
        if len(clips) > 1:
            part[clips] = (dealt + np.arange(len(clips))) % n_parts
            dealt += len(clips)
    if not dealt:
        raise CorpusError(
            f"{table['group'].iloc[0]}: expected a class with two clips or more among the "
            "training clips, found none. Complete the corpus on disk."
        )
    return part


def _check_classes(labels: np.ndarray, where: str) -> None:
    classes = np.unique(labels)
    if len(classes) < 2:
        found = f"only '{classes[0]}'" if len(classes) else "none"
        raise CorpusError(
            f"{where}: expected two classes or more among the training clips, found {found}. "
            "Complete the corpus on disk, or drop what cannot be split from its entry."
        )
