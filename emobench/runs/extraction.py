"""Extracting features ahead of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import corpora, executors, features
from ..errors import SpecError, count
from ..features.workers import Processes
from ..spec import FeatureSpec, Places
from .choosing import select
from .placing import cards_for


@dataclass(frozen=True)
class Extracted:
    """The features of a corpus that the cache holds now.

    Attributes:
        corpus: whose clips
        spec: front-end with its parameters
        clips: that can be used
        refused: reason for each clip that was left out, by id
    """

    corpus: str
    spec: FeatureSpec
    clips: int
    refused: Mapping[str, str]

    def __str__(self) -> str:
        """Return a line for people."""
        left_out = f", {len(self.refused)} left out" if self.refused else ""
        return f"{self.corpus}: {self.spec}: {count(self.clips, 'clip')}{left_out}"


def extract_ahead(
    names: Sequence[str],
    corpus_names: Sequence[str],
    places: Places,
    *,
    jobs: int = 1,
    device: str = "auto",
    skip_bad: bool = False,
    progress: Callable[[str, str, int, int], None] = lambda corpus, what, done, total: None,
) -> Iterator[Extracted]:
    """Fill the cache with front-ends of corpora.

    Args:
        names: front-ends, such as "logmel", "logmel:bands=240" or "encoder:FOLDER"
        corpus_names: corpora, or "all" for every corpus on disk
        places: where audio and cache are
        jobs: processes that extract
        device: where a frozen encoder is computed, as --device says it
        skip_bad: leave out clips that a front-end refuses
        progress: told how far each corpus and front-end is

    Yields:
        what there is of each corpus and front-end

    Raises:
        SpecError: if a name or a parameter is wrong
        EmobenchError: if a corpus or a clip cannot be used
    """
    specs = [parse(name) for name in names]
    cards = {spec: _cards(spec, device) for spec in specs}
    if executors.parse(device).kind == "gpu" and not any(map(_folder, specs)):
        raise SpecError(
            f"--device {device}: expected encoder:FOLDER among the front-ends, found "
            f"{', '.join(map(str, specs))}, which the CPU computes. Leave --device away."
        )
    registry = corpora.load_registry(places.datasets)
    for corpus in select(corpus_names, registry, places):
        table = corpora.load(corpus, places.data, places.cache).sort_index()
        for spec in specs:
            values = features.load(
                table,
                spec,
                cache=places.cache,
                crew=Processes(jobs, cards[spec]),
                skip_bad=skip_bad,
                corpus=corpus.name,
                progress=lambda done, total, name=corpus.name, spec=spec: progress(
                    name, str(spec), done, total
                ),
            )
            yield Extracted(corpus.name, spec, len(values.ids), values.bad)


def _cards(spec: FeatureSpec, device: str) -> tuple[str, ...]:
    """Return the cards that a front-end is computed on, as CUDA_VISIBLE_DEVICES names them."""
    folder = _folder(spec)
    if folder is None:
        return ()
    found = cards_for(Path(folder), device)
    if executors.parse(device).kind == "gpu" and not found:
        raise SpecError(
            f"--device {device}: expected a library that computes {spec} on a graphics card, found "
            "none. For ONNX install onnxruntime-gpu in place of onnxruntime, for a preset a "
            "backend of Keras that is built for cards, or leave --device away."
        )
    return tuple(card.address for card in found)


def _folder(spec: FeatureSpec) -> str | None:
    """Return the folder of a frozen encoder; None for another front-end."""
    return dict(spec.params).get(features.get(spec.name).folder)


def parse(text: str) -> FeatureSpec:
    """Return the front-end that a text such as "logmel:bands=240" or "encoder:FOLDER" names.

    Raises:
        SpecError: if the name or a parameter is wrong
    """
    name, _, rest = text.partition(":")
    front_end = features.get(name)
    if front_end.folder:  # nothing else changes what is cached, and a path may hold any sign
        folder = {front_end.folder: str(Path(rest).expanduser().absolute())} if rest else {}
        return features.spec(name, **folder)
    defaults = front_end.defaults
    params = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise SpecError(f"{text}: expected parameter=value after the colon, found '{part}'.")
        params[key] = _typed(value, defaults.get(key, ""))
    return features.spec(name, **params)


def _typed(text: str, default: Any) -> Any:
    """Return a value of a default's type; the text itself, which is refused, if it is none."""
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return type(default)(text)
    except ValueError:
        return text
