"""Extracting features ahead of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import corpora, executors, features
from ..errors import SpecError, count
from ..executors import Executor, Local
from ..features.workers import Processes
from ..run_options import Selection, Where
from ..spec import FeatureSpec, Places
from .choosing import select
from .placing import cards_for, elsewhere
from .planning import insist_on_executor


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
    executor: Where = "local",
    address: str | None = None,
    slurm: str = "",
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
        executor: which machines extract
        address: of a Ray cluster
        slurm: what is asked of Slurm
        progress: told how far each corpus and front-end is

    Yields:
        what there is of each corpus and front-end

    Raises:
        SpecError: if a name or a parameter is wrong, or a cluster is asked for that is not there
        EmobenchError: if a corpus or a clip cannot be used
    """
    specs = [parse(name) for name in names]
    how = {"executor": executor, "address": address, "slurm": slurm}
    selection = Selection("", "", jobs=jobs, device=device, skip_bad=skip_bad, **how)
    insist_on_executor(selection)
    cards = {spec: _cards(spec, selection) for spec in specs}
    _insist_on_use(selection, specs)
    registry = corpora.load_registry(places.datasets)
    with closing(_executor(selection, specs, places)) as machines:
        for corpus in select(corpus_names, registry, places):
            table = corpora.load(corpus, places.data, places.cache).sort_index()
            for spec in specs:
                values = features.load(
                    table,
                    spec,
                    cache=places.cache,
                    crew=machines.crew(Processes(jobs, cards[spec])),
                    skip_bad=skip_bad,
                    corpus=corpus.name,
                    progress=lambda done, total, name=corpus.name, spec=spec: progress(
                        name, str(spec), done, total
                    ),
                )
                yield Extracted(corpus.name, spec, len(values.ids), values.bad)


def _insist_on_use(selection: Selection, specs: Sequence[FeatureSpec]) -> None:
    """Refuse cards for what none computes."""
    if executors.parse(selection.device).kind == "gpu" and not any(map(_folder, specs)):
        raise SpecError(
            f"--device {selection.device}: expected encoder:FOLDER among the front-ends, found "
            f"{', '.join(map(str, specs))}, which the CPU computes. Leave --device away."
        )


def _executor(selection: Selection, specs: Sequence[FeatureSpec], places: Places) -> Executor:
    """Return whose machines extract."""
    if selection.executor == "local":
        return Local(selection.jobs)
    encoder = next(filter(None, map(_folder, specs)), None)
    return elsewhere(selection, replace(places, encoder=encoder and Path(encoder)))


def _cards(spec: FeatureSpec, selection: Selection) -> tuple[str, ...]:
    """Return the cards here that a front-end is computed on, as CUDA_VISIBLE_DEVICES names them."""
    folder, device = _folder(spec), selection.device
    if folder is None or selection.executor == "ray":  # which has cards of its own
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
