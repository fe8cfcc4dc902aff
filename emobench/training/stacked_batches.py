"""The batches of several trainings, one of each member at a time; clips are on the device once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..batches import Batches
from ..batching import Batch


@dataclass(frozen=True)
class Member:
    """One of the trainings.

    Attributes:
        seed: of weights and dropout
        tables: weights that a front-end gives; see `Network.restart`
        batches: the labelled training clips
    """

    seed: int
    tables: Sequence[Mapping[str, np.ndarray]]
    batches: Batches


def device_data(members: Sequence[Member]) -> dict[str, Any]:
    """Return every input on the device, padded to the longest clip.

    Returns:
        by name, of shape `(tables, clips, rows, …)`, where there is one table for all members if
        their standardisation agrees, else one for each fold
    """
    import jax.numpy as jnp

    data = {}
    for name in members[0].batches.sources:
        shared = _shared_table(members, name)
        if shared is None:
            firsts = dict(zip(reversed(_folds(members)), reversed(members), strict=True))
            tables = [_table(firsts[number].batches, name) for number in sorted(firsts)]
            data[name] = jnp.stack(tables)
        else:
            data[name] = jnp.asarray(shared)[None]
    return data


def _shared_table(members: Sequence[Member], name: str) -> np.ndarray | None:
    """Return one table that holds the clips of all members, or None where they disagree."""
    whole, known, seen = None, None, set()
    for member in members:
        own, source = member.batches.positions, member.batches.sources[name]
        if id(source) in seen and known[own].all():  # another repetition of a fold
            continue
        seen.add(id(source))
        table = _table(member.batches, name)
        if whole is None:
            whole, known = np.zeros_like(table), np.zeros(len(table), bool)
        both = own[known[own]]
        if whole.shape != table.shape or not np.array_equal(whole[both], table[both]):
            return None
        whole[own], known[own] = table[own], True
    return whole


def _table(batches: Batches, name: str) -> np.ndarray:
    """Return the training clips of a member, zero elsewhere, of shape `(clips, rows, …)`."""
    source = batches.sources[name]
    rows = int(max(source.padded(batches.batching)))
    stacked = source.stack(batches.positions, rows)
    table = np.zeros((len(source.lengths), *stacked.shape[1:]), np.float32)
    table[batches.positions] = stacked
    return table


def _folds(members: Sequence[Member]) -> list[int]:
    """Return the number of each member's fold: repetitions of one share its prepared inputs."""
    numbers: dict[tuple[int, ...], int] = {}
    keys = [
        (*map(id, member.batches.sources.values()), *map(int, member.batches.positions))
        for member in members
    ]
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def steps(
    members: Sequence[Member], epoch: int, *, by_length: bool
) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield an epoch's batches, one of each member at a time.

    Args:
        members: what is trained
        epoch: number of the epoch
        by_length: whether batches of different padded length must not be padded further: those of
            each length then take a step of their own, while the other members wait

    Yields:
        the padded length of each input and, for every member, indexes of clips, their weights,
        targets, excess rows, whether the member takes the step and the number of its table, each
        with a first axis of members
    """
    schedules = [member.batches.schedule.epoch(epoch) for member in members]
    tables = _folds(members)
    for number in range(max(map(len, schedules))):
        here = [schedule[min(number, len(schedule) - 1)] for schedule in schedules]
        goes = [number < len(schedule) for schedule in schedules]
        longest = tuple(int(length) for length in np.max([batch.rows for batch in here], axis=0))
        lengths = sorted({batch.rows for batch in here}) if by_length else [longest]
        for rows in lengths:
            each = [
                _arrays(
                    tables[at],
                    members[at],
                    batch,
                    rows,
                    active=goes[at] and (not by_length or batch.rows == rows),
                )
                for at, batch in enumerate(here)
            ]
            yield rows, tuple(map(np.stack, zip(*each, strict=True)))


def _arrays(
    table: int, member: Member, batch: Batch, rows: tuple[int, ...], *, active: bool
) -> tuple[Any, ...]:
    """Return what a step needs of a member's batch."""
    batches = member.batches
    weights = (batches.weights[batch.members] * batch.factors).astype(np.float32)
    return (
        batches.positions[batch.members].astype(np.int32),
        weights,
        batches.targets[batch.members].astype(np.float32),
        np.int32(max(0, *(mine - own for mine, own in zip(rows, batch.rows, strict=True)))),
        np.bool_(active),
        np.int32(table),
    )
