"""Labelling clips in a stream: memory holds a few hundred, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from ..audio import SAMPLE_RATE, Channel
from ..experiments.fitted_input import FittedInput
from ..scaling import Standard
from ..sources import Source
from .extracting import Extracted, extract
from .predictors import Predictor
from .speakers import FEW, Shelf, Statistics, by_speaker
from .wanted import Key, Wanted

Notice = Callable[[str], None]

_CLIPS = 512
_BYTES = 2**26
"""Clips that are predicted at once, and the memory of their values: whichever is reached first."""


@dataclass(frozen=True)
class Answer:
    """What became of a clip.

    Attributes:
        clip: what was asked about
        probabilities: float32 of shape `(classes,)`; None if it cannot be used
        reason: why it cannot be used, or ""
    """

    clip: Wanted
    probabilities: np.ndarray | None
    reason: str = ""


@dataclass
class _Held:
    """Clips that were extracted and wait for their turn."""

    clips: list[Wanted] = field(default_factory=list)
    values: list[Mapping[str, np.ndarray]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    size: int = 0

    def add(self, clip: Wanted, values: Mapping[str, np.ndarray], seconds: float) -> None:
        self.clips.append(clip)
        self.values.append(values)
        self.seconds.append(seconds)
        self.size += sum(each.nbytes for each in values.values())

    @property
    def full(self) -> bool:
        return len(self.clips) >= _CLIPS or self.size >= _BYTES


class Labelling:
    """A model at work.

    Args:
        inputs: of the model, fitted
        predict: from inputs to probabilities
        channel: which channel of files is taken; see `extract`
        jobs: processes that extract
        cards: that a frozen encoder is computed on
        notice: told what a user should know, each thing once
    """

    def __init__(
        self,
        inputs: Mapping[str, FittedInput],
        predict: Predictor,
        *,
        channel: Channel | None = None,
        jobs: int = 1,
        cards: Sequence[str] = (),
        notice: Notice = lambda text: None,
    ) -> None:
        self._inputs, self._predict = inputs, predict
        self._channel, self._jobs, self._cards = channel, jobs, cards
        self._notice, self._noticed = notice, set[str]()
        self._audio = [name for name, item in inputs.items() if not item.front_end.text]
        self._takes_text = len(self._audio) < len(inputs)

    def answers(self, clips: Sequence[Wanted], known: Collection[Key] = ()) -> Iterator[Answer]:
        """Yield what becomes of clips; those of a speaker come together, the first ones first.

        Args:
            clips: what is asked about
            known: keys of clips whose answers are not needed; they still tell how their speakers
                sound

        Raises:
            FeatureError: if a worker dies, or there is no room for the values of a speaker
        """
        usable = []
        for clip in clips:
            if self._takes_text and clip.transcript is None and clip.key not in known:
                yield Answer(clip, None, "has no transcript, which the model needs.")
            elif not self._takes_text or clip.transcript is not None:
                usable.append(clip)
        groups = self._groups(usable, known)
        wanted = (clip for group in groups.values() for clip in group)
        extracted = self._extract(wanted)
        for speaker, group in groups.items():
            own = zip(group, islice(extracted, len(group)), strict=True)
            if speaker is None:
                yield from self._of_nobody(own)
            else:
                yield from self._of_speaker(speaker, own, known)

    def _groups(
        self, clips: Iterable[Wanted], known: Collection[Key]
    ) -> dict[str | None, list[Wanted]]:
        """Return the clips of each speaker; all are nobody's where no speaker matters."""
        matters = bool(by_speaker(self._inputs))
        groups: dict[str | None, list[Wanted]] = {}
        for clip in clips:
            groups.setdefault(clip.speaker if matters else None, []).append(clip)
        needed = {
            who: [clip for clip in group if who is not None or clip.key not in known]
            for who, group in groups.items()
            if any(clip.key not in known for clip in group)
        }
        if matters and None in needed:
            self._say(
                "no speaker",
                "clips without a speaker are standardised by the mean and scale of the training "
                "clips. The model was trained on clips that were standardised by speaker and may "
                "do worse so: say who speaks.",
            )
        return needed

    def _extract(self, clips: Iterable[Wanted]) -> Iterator[Extracted]:
        specs = {name: self._inputs[name].spec for name in self._audio}
        if not specs:
            return (Extracted() for _ in clips)
        how = {"channel": self._channel, "jobs": self._jobs, "cards": self._cards}
        return extract(clips, specs, **how)

    def _of_nobody(self, extracted: Iterable[tuple[Wanted, Extracted]]) -> Iterator[Answer]:
        """Label clips that the training clips' statistics standardise."""
        held = _Held()
        for clip, found in extracted:
            if found.reason:
                yield Answer(clip, None, found.reason)
                continue
            self._mind(found)
            held.add(clip, found.values, found.seconds)
            if held.full:
                yield from self._label(held, {})
                held = _Held()
        yield from self._label(held, {})

    def _of_speaker(
        self, speaker: str, extracted: Iterable[tuple[Wanted, Extracted]], known: Collection[Key]
    ) -> Iterator[Answer]:
        """Label the clips of a speaker, once all were extracted."""
        statistics, clips = Statistics(self._inputs), []
        with Shelf(self._audio) as shelf:
            for clip, found in extracted:
                if not found.reason:
                    self._mind(found)
                    statistics.add(found.moments)
                    shelf.add(found.values)
                    clips.append((clip, found.seconds))
                elif clip.key not in known:
                    yield Answer(clip, None, found.reason)
            if 0 < statistics.clips < FEW:
                self._say(
                    "few clips",
                    f"fewer than {FEW} clips of a speaker, such as the {statistics.clips} of "
                    f"{speaker}, tell little of how that speaker sounds: take what is predicted "
                    "of them with care.",
                )
            standards, held = statistics.standards(), _Held()
            for position, (clip, seconds) in enumerate(clips):
                if clip.key in known:
                    continue
                held.add(clip, shelf.take(position), seconds)
                if held.full:
                    yield from self._label(held, standards)
                    held = _Held()
            yield from self._label(held, standards)

    def _label(self, held: _Held, standards: Mapping[str, Standard]) -> Iterator[Answer]:
        """Predict what is held."""
        if not held.clips:
            return
        sources = {
            name: self._source(name, item, held, standards.get(name))
            for name, item in self._inputs.items()
        }
        probabilities = self._predict(sources, np.array(held.seconds))
        for clip, row in zip(held.clips, probabilities, strict=True):
            yield Answer(clip, row)

    def _source(
        self, name: str, item: FittedInput, held: _Held, standard: Standard | None
    ) -> Source:
        """Return an input of what is held; a clip becomes what the model sees in its turn."""
        if name not in self._audio:
            texts = [clip.transcript for clip in held.clips]
            fixed = np.zeros(len(texts), dtype=np.int64)  # as many rows as the front-end says
            return item.source(lambda position: item.apply(texts[position]), fixed)
        values = [own[name] for own in held.values]
        rows = np.array([len(each) for each in values])
        return item.source(lambda position: item.apply(values[position], standard), rows)

    def _mind(self, found: Extracted) -> None:
        """Say once what a clip that can be used lacks."""
        if found.sample_rate < SAMPLE_RATE:
            self._say(
                "low rate",
                f"files with a sampling rate below {SAMPLE_RATE:,} Hz hold less than the model was "
                "trained on: take what is predicted of them with care.",
            )

    def _say(self, about: str, text: str) -> None:
        """Tell the user something, once about each thing."""
        if about not in self._noticed:
            self._noticed.add(about)
            self._notice(text)
