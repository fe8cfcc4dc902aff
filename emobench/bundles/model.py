"""A bundle in use: what it predicts of files, parts of files and samples."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import encoders, features
from ..audio import Channel
from ..errors import BundleError, SpecError
from ..models.support_vectors import SupportVectors
from . import tables, wanted
from .contents import Contents
from .folder import MACHINE, NETWORK, Opened, open_bundle
from .labelling import Answer, Labelling, Notice
from .predictors import Machine, Network, Predictor
from .speakers import by_speaker
from .wanted import Key, Wanted

_log = logging.getLogger(__name__)

Clips = str | Path | pd.DataFrame | Sequence[str | Path | np.ndarray]
"""What `Model.predict` takes."""


def load_model(folder: str | Path, *, encoder: str | Path | None = None) -> Model:
    """Open a bundle that `emobench export` wrote.

    Args:
        folder: where it lies
        encoder: folder of the frozen encoder that the model is fed from, where there is one

    Returns:
        the model; its weights are read when they are first needed

    Raises:
        BundleError: if something in it is missing, damaged, changed, or of a version that cannot be
            used here
        SpecError: if an encoder is given to a model that is fed from none
    """
    opened = open_bundle(Path(folder), Path(encoder) if encoder else None)
    fed = any(item.front_end.folder for item in opened.contents.inputs.values())
    if encoder and not fed:
        raise SpecError(
            f"{folder}: expected no frozen encoder beside it, as {opened.contents.model} is not "
            f"fed from one, found {encoder}. Leave the encoder out, or name another bundle."
        )
    for item in opened.contents.inputs.values():
        package = features.missing_package(item.spec.name)
        if package:
            raise BundleError(
                f"{folder}: expected the package {package}, which {item.spec.name} needs, found "
                f"that it is not installed. Run `pip install {package}`."
            )
        folder_of = item.front_end.folder
        extra = folder_of and encoders.missing_package(Path(dict(item.spec.params)[folder_of]))
        if extra:
            raise BundleError(
                f"{folder}: expected what its encoder needs, found that it is not installed. "
                f'Run `pip install "emobench[{extra}]"`.'
            )
    return Model(opened)


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        opened: the bundle that it comes from
    """

    opened: Opened

    @property
    def contents(self) -> Contents:
        """What the bundle says of itself."""
        return self.opened.contents

    @property
    def name(self) -> str:
        """Model and the first digits of the bundle's digest."""
        return self.opened.short_name

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes, in the order of the probabilities."""
        return self.contents.labels

    @property
    def knows_speakers(self) -> bool:
        """Whether clips are standardised by who speaks."""
        return bool(by_speaker(self.contents.inputs))

    @cached_property
    def predictor(self) -> Predictor:
        """What maps standardised inputs to probabilities.

        Raises:
            BundleError: if the weights are not those of the model
        """
        spec = self.contents.spec
        file = self.opened.folder / (NETWORK if spec.kind == "network" else MACHINE)
        try:
            return self._network(spec, file) if spec.kind == "network" else self._machine(file)
        except Exception as error:  # of many kinds, whatever is in the file
            reason = str(error).strip().split("\n")[0]
            raise BundleError(
                f"{file}: expected the weights of {spec.name}, found what cannot be read as such "
                f"({reason}). Export the model anew."
            ) from error

    def _network(self, spec: Any, file: Path) -> Network:
        """Build the network and read its weights; nothing that the file says is executed."""
        from ..backend import start_backend

        start_backend()
        shapes = {name: item.shape for name, item in self.contents.inputs.items()}
        network = spec.build(spec.config, shapes, len(self.labels))
        network.load_weights(file)
        return Network(network, spec.prediction)

    def _machine(self, file: Path) -> Machine:
        with np.load(file, allow_pickle=False) as arrays:
            vectors = SupportVectors.from_arrays(arrays)
        (item,) = self.contents.inputs.values()
        rows, columns = item.shape
        found = tuple(map(str, vectors.classes)), vectors.vectors.shape[1]
        if found != (self.labels, columns) or not 0 <= int(vectors.row) < rows:
            raise ValueError(f"expected {self.labels} on {item.shape}, found {found}")
        return Machine(vectors)

    def answers(
        self,
        clips: Sequence[Wanted],
        *,
        known: Collection[Key] = (),
        channel: Channel | None = None,
        jobs: int = 1,
        cards: Sequence[str] = (),
        notice: Notice = lambda text: None,
    ) -> Iterator[Answer]:
        """Yield what becomes of clips; see `Labelling.answers`.

        Args:
            clips: what is asked about
            known: keys of clips whose answers are not needed
            channel: which channel of files is taken
            jobs: processes that extract
            cards: that a frozen encoder is computed on
            notice: told what a user should know
        """
        how = {"channel": channel, "jobs": jobs, "cards": cards, "notice": notice}
        work = Labelling(self.contents.inputs, self.predictor, **how)
        return work.answers(clips, known)

    def predict(
        self,
        clips: Clips,
        *,
        sample_rate: float | None = None,
        speakers: Sequence[str | None] | None = None,
        transcripts: Sequence[str | None] | None = None,
        channel: Channel | None = None,
        jobs: int = 1,
        cards: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Label clips.

        Args:
            clips: a file, a folder or a glob, several of these, arrays of samples (each mono,
                floating-point in [-1, 1), of shape `(samples,)`), or a table with the column `path`
                and, where there are such, `start`, `end` (in seconds), `speaker` and `transcript`
            sample_rate: of arrays, in Hz
            speakers: who speaks in each file or array
            transcripts: what is said in each file or array
            channel: which channel of files is taken: "left", "right" or "mean"; by default the
                channels of a file must be alike
            jobs: processes that extract; more than one need `if __name__ == "__main__":` in scripts
            cards: graphics cards that a frozen encoder is computed on, by a process each, as
                CUDA_VISIBLE_DEVICES names them; none for the CPU

        Returns:
            one row a clip, in the order given: `path` (the position, for arrays), `start`, `end`,
            `speaker`, `predicted`, `p_<label>` of each class, and `error`, why a clip could not be
            used, which is "" for all others

        Raises:
            SpecError: if there is nothing to label, or the arguments do not fit together
        """
        asked = _asked(clips, sample_rate, speakers, transcripts)
        asked_once = wanted.distinct(asked)
        answers = self.answers(
            asked_once, channel=channel, jobs=jobs, cards=cards, notice=_log.warning
        )
        found = {answer.clip.key: answer for answer in answers}
        return pd.DataFrame([self._row(found[clip.key]) for clip in asked])

    def _row(self, answer: Answer) -> dict[str, Any]:
        found = answer.probabilities
        missing = found is None
        given = [np.nan] * len(self.labels) if missing else found.tolist()
        clip = answer.clip
        return {
            "path": clip.name,
            "start": clip.start,
            "end": clip.end,
            "speaker": clip.speaker,
            "predicted": None if missing else self.labels[int(found.argmax())],
            **{f"p_{label}": share for label, share in zip(self.labels, given, strict=True)},
            "error": answer.reason,
        }


def _asked(
    clips: Clips,
    sample_rate: float | None,
    speakers: Sequence[str | None] | None,
    transcripts: Sequence[str | None] | None,
) -> list[Wanted]:
    """Return the clips that a caller means."""
    if isinstance(clips, pd.DataFrame):
        speaker = "speaker" if "speaker" in clips else None
        return tables.clips_of(clips, "clips", speaker=speaker)
    items = [clips] if isinstance(clips, (str, Path)) else list(clips)
    if not items:
        raise SpecError("clips: expected at least one, found none.")
    if isinstance(items[0], np.ndarray):
        asked = _arrays(items, sample_rate)
    else:
        names = list(wanted.expand(map(str, items)))
        asked = [Wanted(name=name, path=Path(name)) for name in names]
    given = {"speaker": speakers, "transcript": transcripts}
    for name, values in given.items():
        if values is not None and len(values) != len(asked):
            raise SpecError(
                f"{name}s: expected one for each of {len(asked)} clips, found {len(values)}."
            )
    columns = {name: values for name, values in given.items() if values is not None}
    return [
        replace(clip, **{name: values[index] for name, values in columns.items()})
        for index, clip in enumerate(asked)
    ]


def _arrays(items: Sequence[Any], sample_rate: float | None) -> list[Wanted]:
    if sample_rate is None or not sample_rate > 0:
        raise SpecError(f"sample_rate: expected that of the arrays in Hz, found {sample_rate}.")
    wrong = [index for index, item in enumerate(items) if not isinstance(item, np.ndarray)]
    if wrong:
        raise SpecError(f"clips: expected arrays throughout, found another kind at {wrong[0]}.")
    return [
        Wanted(name=str(index), samples=item, sample_rate=sample_rate)
        for index, item in enumerate(items)
    ]
