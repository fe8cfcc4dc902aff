"""Extraction of many clips, in worker processes and in order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import audio, sounds
from ..errors import AudioError, FeatureError, ToolError
from ..scaling import Moments
from ..spec import FeatureSpec
from . import registry

if TYPE_CHECKING:
    from ..conditions import Condition

T, R = TypeVar("T"), TypeVar("R")

_CLIPS_PER_TASK = 8
_TASKS_AHEAD = 3
"""Per worker: what is finished but not written yet is bounded by this."""

_WATCH_SECONDS = 1.0


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
    spec: FeatureSpec, clips: Sequence[Clip], jobs: int, condition: Condition | None = None
) -> Iterator[Extracted]:
    """Yield what becomes of each clip, in the order given.

    Args:
        spec: front-end with all its parameters
        clips: what to extract
        jobs: worker processes; one extracts in this process
        condition: what the sound goes through first

    Raises:
        FeatureError: if a worker dies
    """
    tasks = [clips[i : i + _CLIPS_PER_TASK] for i in range(0, len(clips), _CLIPS_PER_TASK)]
    extract = partial(_extract_task, spec, condition)
    yield from in_order(extract, tasks, min(jobs, len(tasks)), str(spec))


def in_order(
    work: Callable[[T], Sequence[R]], tasks: Iterable[T], jobs: int, what: str
) -> Iterator[R]:
    """Yield what becomes of tasks, in the order given, with one thread for each process.

    Args:
        work: from a task to results; both can be pickled
        tasks: taken up as they are needed, a few for each process ahead
        jobs: worker processes; one works in this process
        what: is computed, for messages

    Raises:
        FeatureError: if a worker dies
    """
    if jobs > 1:
        yield from _in_workers(work, iter(tasks), jobs, what)
        return
    from threadpoolctl import threadpool_limits

    for task in tasks:
        # The last bits of a matrix product depend on the number of threads.
        with threadpool_limits(1):
            found = work(task)
        yield from found


def _in_workers(
    work: Callable[[T], Sequence[R]], tasks: Iterator[T], jobs: int, what: str
) -> Iterator[R]:
    from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor

    pool = ProcessPoolExecutor(jobs, initializer=_prepare_worker, initargs=(os.getpid(),))
    waiting: deque[Any] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) >= jobs * _TASKS_AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise FeatureError(
            f"{what}: a process that extracted features was killed, most likely because "
            "memory ran out. Run again with fewer --jobs."
        ) from None
    finally:
        pool.shutdown(wait=True, kill_workers=bool(waiting))


def _prepare_worker(parent: int) -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process once its parent is gone: nobody would ever tell it to."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


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
