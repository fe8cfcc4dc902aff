"""From clips to what front-ends make of them: each is decoded once, several at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import audio
from ..audio import Channel
from ..errors import AudioError, FeatureError
from ..features.registry import compute, get
from ..features.workers import Processes
from ..scaling import Moments
from ..spec import FeatureSpec
from .wanted import Wanted

LONGEST_SECONDS = 120.0
"""A model labels utterances, which last seconds: what is longer is refused before it is decoded."""

_CLIPS_PER_TASK = 4
"""What is extracted but not used yet is bounded by a few tasks for each process."""


@dataclass(frozen=True)
class Extracted:
    """What became of a clip.

    Attributes:
        values: as its front-ends give them, of shape `(rows, columns)`, by input
        moments: of the clip, by input
        seconds: that it lasts
        sample_rate: of its file, in Hz
        reason: why it cannot be used, or ""
    """

    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    moments: Mapping[str, Moments] = field(default_factory=dict)
    seconds: float = 0.0
    sample_rate: float = 0.0
    reason: str = ""


def extract(
    clips: Iterable[Wanted],
    specs: Mapping[str, FeatureSpec],
    *,
    channel: Channel | None = None,
    jobs: int = 1,
    cards: Sequence[str] = (),
) -> Iterator[Extracted]:
    """Yield what front-ends make of clips, in the order given.

    Args:
        clips: what to extract from
        specs: front-ends, by input; none of them reads
        channel: which channel of a file is taken; None takes the mean of channels that are alike
            and refuses a file whose channels differ
        jobs: worker processes; see `features.workers`
        cards: that a frozen encoder is computed on

    Raises:
        FeatureError: if a worker dies
    """
    clips = iter(clips)
    tasks = iter(lambda: list(islice(clips, _CLIPS_PER_TASK)), [])
    yield from Processes(jobs, tuple(cards)).in_order(
        partial(_extract, dict(specs), channel),
        tasks,
        "prediction",
        network=any(get(spec.name).network for spec in specs.values()),
    )


def _extract(
    specs: Mapping[str, FeatureSpec], channel: Channel | None, clips: Sequence[Wanted]
) -> list[Extracted]:
    return [_extract_clip(specs, channel, clip) for clip in clips]


def _extract_clip(
    specs: Mapping[str, FeatureSpec], channel: Channel | None, clip: Wanted
) -> Extracted:
    try:
        samples, rate = _sound(clip, channel)
        found = {name: compute(spec, samples, rate) for name, spec in specs.items()}
    except AudioError as error:
        return Extracted(reason=str(error).removeprefix(f"{clip.path}: "))
    except FeatureError as error:
        return Extracted(reason=f"{error}.")
    except Exception as error:
        error.add_note(f"while extracting {', '.join(map(str, specs.values()))} from {clip}")
        raise
    return Extracted(
        values={name: values for name, (values, _) in found.items()},
        moments={name: _moments(*each) for name, each in found.items()},
        seconds=len(samples) / rate,
        sample_rate=rate,
    )


def _moments(values: np.ndarray, moments: Moments) -> Moments:
    """Return the moments of a clip, which follow from its row where it kept none."""
    return moments if moments.count.shape[1] else Moments.of_rows(values)


def _sound(clip: Wanted, channel: Channel | None) -> tuple[np.ndarray, float]:
    """Return the samples of a clip and their rate; a clip that is too long is not decoded."""
    if clip.path is None:
        _insist_on_utterance(len(clip.samples) / clip.sample_rate)
        return clip.samples, clip.sample_rate
    file = _File.at(clip.path)
    length = _length(file)
    if isinstance(length, str):
        raise AudioError(length)
    _insist_on_utterance((length if clip.end is None else clip.end) - (clip.start or 0.0))
    if channel is None and (differing := _difference(file)):
        raise FeatureError(
            f"its channels differ ({differing}). Choose one: --channel left|right|mean"
        )
    return audio.decode(clip.path, clip.start, clip.end, channel=channel or "mean")


class _File(NamedTuple):
    """A file as it is now: clips of one are asked about in a row, and it is looked at once."""

    path: Path
    size: int = -1
    modified: int = -1

    @classmethod
    def at(cls, path: Path) -> _File:
        with suppress(OSError, ValueError):  # those are told of when it is opened
            status = os.stat(path)
            return cls(path, status.st_size, status.st_mtime_ns)
        return cls(path)


@lru_cache(maxsize=8)
def _length(file: _File) -> float | str:
    """Return how long a file lasts in seconds, or why it cannot be used."""
    try:
        return audio.information(file.path).duration
    except AudioError as error:
        return str(error)


@lru_cache(maxsize=8)
def _difference(file: _File) -> str:
    """Return how the channels of a file differ; "" where they are alike, or there is one."""
    if audio.information(file.path).channels == 1:
        return ""
    found = audio.compare(file.path)
    return str(found) if found is not None and found.matters else ""


def _insist_on_utterance(seconds: float) -> None:
    if seconds > LONGEST_SECONDS:
        raise FeatureError(
            f"lasts {seconds:,.0f} s, longer than the {LONGEST_SECONDS:g} s that a model takes for "
            "one utterance. Name its utterances in a CSV file with the columns path, start and end "
            "(in seconds)"
        )
