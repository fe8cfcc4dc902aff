"""A few steps of a model on made-up clips, timed: what it takes here where no record tells.

Run as a program in a process like a worker's, it reads what to try from standard input and prints
what it found; nothing is written anywhere.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from .. import features, models, protocols
from ..experiments.context import Context
from ..experiments.dataset import Dataset, specs_of
from ..experiments.inputs import AudioInput, Input, Side, TextInput
from ..scaling import Moments
from ..spec import Experiment, FeatureSpec, Fold, Job, ModelSpec, Places
from . import estimator_fold
from .provenance import peak_resident_mib

SPEAKERS = 6
_FEWEST, _EPOCHS = 2, 6
"""Epochs: what is built and traced in the first is told apart by another."""

_TELLING = 20
"""Columns whose mean differs from class to class."""

_PROTOCOL = "losgo"
_WORDS = ("one", "two", "three", "four", "five", "six", "seven")


@dataclass(frozen=True)
class Wanted:
    """What is to be tried.

    Attributes:
        model: name, with its options
        classes: number of classes
        rows: of each clip, by the name of the input; nothing of inputs that are read
        columns: of each input's cached values, by its name
        clips: number of clips
        seconds: after which no further epoch is begun
        alone: whether to count the seconds of this process alone, as a machine would take that has
            nothing else to do; for a single thread without a card
        encoder: folder of a frozen encoder, or ""
    """

    model: str
    classes: int
    rows: Mapping[str, Sequence[int]]
    columns: Mapping[str, int]
    clips: int
    seconds: float
    alone: bool = True
    encoder: str = ""

    @property
    def clock(self) -> Callable[[], float]:
        """Return what tells the time."""
        return time.process_time if self.alone else time.perf_counter


@dataclass(frozen=True)
class Taken:
    """What it took.

    Attributes:
        first: seconds until the first epoch was over, building and tracing included; of an
            estimator, of all
        epoch: seconds of each further epoch; of an estimator, 0
        training: clips that were trained on
        inner: folds of a search; 0 where there was none
        memory: the most that the process held, in MiB
    """

    first: float
    epoch: float
    training: int
    inner: int
    memory: int


class _Enough(Exception):
    """The time is up, or enough was seen."""


def main() -> None:
    """Try what standard input says, and print what it took as one line of JSON."""
    found = take(Wanted(**json.load(sys.stdin)))
    print(json.dumps(vars(found)))


def take(wanted: Wanted) -> Taken:
    """Try a model on made-up clips.

    Args:
        wanted: model, and the size of the clips
    """
    spec = models.get(wanted.model)
    data = _made_up(spec, wanted)
    ids = data.table.index
    held_out = (data.table["speaker"] == "s0").to_numpy()
    fold = Fold(0, ("s0",), tuple(ids[~held_out]), tuple(ids[held_out]))
    experiment = Experiment(
        *("made-up", spec.name, _PROTOCOL, "tensorflow"),
        *({"epochs_override": _EPOCHS}, "", 1, 1),
    )
    context = Context(experiment, spec, protocols.get(_PROTOCOL), data, [fold])
    if spec.kind == "estimator":
        return _estimator(context, wanted.clock)
    return _network(context, wanted)


def _estimator(context: Context, clock: Callable[[], float]) -> Taken:
    for _ in range(2):  # the first loads packages
        started = clock()
        estimator_fold.run(context, Job(0), 0, 1)
        seconds = clock() - started
    training = len(context.folds[0].training)
    return Taken(seconds, 0.0, training, SPEAKERS - 1, peak_resident_mib())


def _network(context: Context, wanted: Wanted) -> Taken:
    from ..backend import start_backend

    start_backend()
    from . import network_fold  # loads Keras

    clock, began, ends = wanted.clock, time.perf_counter(), []
    started = clock()

    def report(done: int, total: int, loss: float) -> None:
        ends.append(clock() - started)
        late = time.perf_counter() - began > wanted.seconds
        if done >= _FEWEST and (late or done == total):
            raise _Enough

    with contextlib.suppress(_Enough):
        network_fold.train(context, context.folds[0], 0, report=report)
    # The fastest is of shapes that were all traced before.
    epoch = min(later - end for end, later in itertools.pairwise(ends))
    return Taken(ends[0], epoch, len(context.folds[0].training), 0, peak_resident_mib())


def _made_up(spec: ModelSpec, wanted: Wanted) -> Dataset:
    """Return clips of noise, of all classes and some speakers, as long as they are told to be."""
    number = np.arange(wanted.clips)
    labels = tuple(f"c{each}" for each in range(wanted.classes))
    table = pd.DataFrame(
        {
            "label": [labels[each] for each in number // SPEAKERS % wanted.classes],
            "speaker": [f"s{each}" for each in number % SPEAKERS],
            "sex": None,
            "sentence": None,
            "emotion": ["neutral" if each % 5 else "anger" for each in number],
            "transcript": [" ".join(np.roll(_WORDS, each)) for each in number],
        },
        index=pd.Index([f"clip{each:06d}" for each in number], name="id"),
    )
    table["group"] = table["speaker"]
    places = Places(Path(), Path(), encoder=Path(wanted.encoder) if wanted.encoder else None)
    inputs = {
        name: _input(table, name, own, spec, wanted) for name, own in specs_of(spec, places).items()
    }
    return Dataset(table, labels, "speaker", inputs, {}, "transcript" in spec.needs)


@dataclass(frozen=True)
class _MadeUp:
    """Features that are nowhere on disk, as a `Side` asks for them.

    Attributes:
        clips: values of each clip
        lengths: rows of each clip, of shape `(clips,)`
    """

    clips: tuple[np.ndarray, ...]
    lengths: np.ndarray

    def clip(self, position: int) -> np.ndarray:
        """Return the values of a clip, of shape `(rows, columns)`."""
        return self.clips[position]

    @cached_property
    def moments(self) -> Moments:
        """Moments of each clip."""
        return Moments.stack([Moments.of(clip) for clip in self.clips])

    def renew(self) -> None:
        """Nobody could remove them."""


def _input(
    table: pd.DataFrame, name: str, own: FeatureSpec, spec: ModelSpec, wanted: Wanted
) -> Input:
    front_end = features.get(own.name)
    if front_end.text:
        return TextInput(front_end, own, list(table["transcript"]))
    rows = np.asarray(wanted.rows[name])
    offsets = np.concatenate([[0], np.cumsum(rows)])
    random = np.random.default_rng(0)
    values = random.standard_normal((offsets[-1], wanted.columns[name]), dtype=np.float32)
    # Classes that differ, as those of speech do: in mere noise, machines search for long.
    shifts = random.standard_normal((wanted.classes, _TELLING), dtype=np.float32)
    classes = pd.factorize(table["label"])[0]
    values[:, :_TELLING] += np.repeat(shifts[classes], rows, axis=0)[:, : wanted.columns[name]]
    clips = tuple(values[begin:end] for begin, end in itertools.pairwise(offsets))
    side = Side(_MadeUp(clips, rows), np.arange(len(table)))
    scaling = spec.inputs[name].scaling or front_end.scaling
    return AudioInput(front_end, own, scaling, side, side)
