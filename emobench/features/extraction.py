"""Extraction of many clips, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import audio, sounds
from ..errors import AudioError, FeatureError, ToolError
from ..scaling import Moments
from ..spec import FeatureSpec
from . import registry
from .workers import ALONE, Crew

if TYPE_CHECKING:
    from ..conditions import Condition

_CLIPS_PER_TASK = 8


@dataclass(frozen=True)
class Clip:
    """Where the sound of a clip is.

    Attributes:
        id: name of the clip
        path: audio file
        start: in seconds, or None for the beginning of the file
        end: in seconds, or None for its end
        channel: what becomes of several channels
    """

    id: str
    path: Path
    start: float | None = None
    end: float | None = None
    channel: audio.Channel = "mean"


@dataclass(frozen=True)
class Extracted:
    """What became of a clip.

    Attributes:
        values: float32 of shape `(rows, columns)`, or None for a clip that was refused
        moments: of the clip
        reason: why it was refused, or ""
        sound: name of what was decoded, as `sounds.digest` gives it, or None if that failed
    """

    values: np.ndarray | None
    moments: Moments | None
    reason: str = ""
    sound: str | None = None


def extract_all(
    spec: FeatureSpec,
    clips: Sequence[Clip],
    crew: Crew = ALONE,
    condition: Condition | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[Extracted]:
    """Yield what becomes of each clip, in the order given.

    Args:
        spec: front-end with all its parameters
        clips: what to extract
        crew: who extracts
        condition: what the sound goes through first
        waiting: called again and again while others take their time; see `workers.Crew`

    Raises:
        FeatureError: if a worker dies
    """
    tasks = [clips[i : i + _CLIPS_PER_TASK] for i in range(0, len(clips), _CLIPS_PER_TASK)]
    extract = partial(_extract_task, spec, condition)
    network = registry.get(spec.name).network
    yield from crew.in_order(extract, tasks, str(spec), network=network, waiting=waiting)


def _extract_task(
    spec: FeatureSpec, condition: Condition | None, clips: Sequence[Clip]
) -> list[Extracted]:
    return [extract_clip(spec, condition, clip) for clip in clips]


def extract_clip(spec: FeatureSpec, condition: Condition | None, clip: Clip) -> Extracted:
    """Return what becomes of a clip.

    Args:
        spec: front-end with all its parameters
        condition: what the sound goes through first
        clip: where its sound is
    """
    sound = None
    try:
        samples, sample_rate = audio.decode(clip.path, clip.start, clip.end, channel=clip.channel)
        sound = sounds.digest(samples, sample_rate)
        if condition is not None:
            # What a codec makes of silence or of NaN is no reason to use a clip after all.
            samples = registry.usable(spec, samples, sample_rate)
            samples, sample_rate = condition.apply(samples)[0], audio.SAMPLE_RATE
        values, moments = registry.compute(spec, samples, sample_rate)
    except AudioError as error:
        return Extracted(None, None, str(error).removeprefix(f"{clip.path}: "), sound)
    except ToolError:
        raise  # kept as a refusal of the clip, it would outlive its cause
    except FeatureError as error:
        return Extracted(None, None, f"{error}.", sound)
    except Exception as error:
        error.add_note(f"while extracting {spec} from {clip.path}")
        raise
    return Extracted(values, moments, sound=sound)


def decode_clip(clip: Clip) -> Extracted:
    """Return why a clip cannot be decoded, or the name of its sound if it can be after all."""
    try:
        samples, sample_rate = audio.decode(clip.path, clip.start, clip.end, channel=clip.channel)
    except AudioError as error:
        return Extracted(None, None, str(error).removeprefix(f"{clip.path}: "))
    return Extracted(None, None, sound=sounds.digest(samples, sample_rate))
