"""From names on a command line to a bundle: a model is trained once more, and kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .. import corpora, executors
from ..bundles.folder import insist_on_room
from ..bundles.onnx import insist_on_converter
from ..bundles.order import Order
from ..corpora import Corpus, Registry
from ..corpora.entries import across
from ..environment import of_worker
from ..errors import BundleError, SpecError, count
from ..executors import Devices, Local, Work
from ..features.workers import Processes
from ..run_options import Selection
from ..spec import Job, ModelSpec, Places
from ..storage import unfinished
from .calling import find_places
from .placing import encoding
from .planning import Plan, plan
from .preparing import prepare
from .running import UNOBSERVED, Observer

_CONVERT = "from emobench.bundles.onnx import main; main()"


@dataclass(frozen=True)
class Export:
    """What bundle is wanted of a selection of one model.

    Attributes:
        out: folder that it is written to
        fold: whose model it is; None trains on all speakers
        repetition: which one, from 1: another has another random seed
        unverified: write a fold's bundle though it predicts something else than is on file
        onnx: convert the network too
    """

    out: Path
    fold: int | None = None
    repetition: int = 1
    unverified: bool = False
    onnx: bool = False


def export(selection: Selection, wanted: Export, observer: Observer = UNOBSERVED) -> dict[str, Any]:
    """Train a model and write its bundle.

    Args:
        selection: one model and what it is trained on, several corpora being taken together, and
            how; of its folds, repetitions and conditions nothing is read
        wanted: what bundle
        observer: who is told of what happens

    Returns:
        `bundle`, its folder; `fold`, whose model it is, or None; `verified`, how a fold's
        predictions compare with those on file; and `alone`, how they compare with those of the
        bundle, where neighbours change a prediction

    Raises:
        EmobenchError: if a name is wrong, training fails, or the bundle cannot be written or is not
            what is on file
    """
    insist_on_room(wanted.out)
    places = find_places(**selection.places)
    with _as_one_corpus(selection.corpus, places) as (corpus, seen):
        planned = plan(_narrowed(selection, corpus, wanted), seen)
        entry, model = _only_pair(planned)
        if entry.sides and wanted.fold is None:
            wanted = replace(wanted, fold=0)  # the only one: all of one side are trained on
        _insist_on_sense(wanted, planned, model)
        devices = _devices(planned, model, observer.notice)
        progress, processes = observer.extracting(entry.name), selection.jobs
        cards = tuple(card.address for card in encoding(planned, seen, observer.notice))
        crew = Processes(processes, cards)
        step, data = prepare(entry, model, planned, seen, crew=crew, progress=progress)
        if data.left_out:
            left_out = count(len(data.left_out), "clip")
            observer.notice(f"{entry.name}: left out {left_out} without usable audio")
        job = Job(wanted.fold, wanted.repetition)
        order = Order(wanted.out.absolute(), wanted.unverified)
        threads = selection.threads
        work = Work(step.experiment, job, seen, threads, tuning_jobs=processes, order=order)
        made = _made(work, devices, observer)
    if wanted.onnx:
        _convert(order.folder, places.encoder, threads)
    return made


@contextmanager
def _as_one_corpus(names: Sequence[str], places: Places) -> Iterator[tuple[str, Places]]:
    """Yield the name of a corpus, made of others where several are named, and where it is known."""
    chosen = _chosen(names, corpora.load_registry(places.datasets))
    if len(chosen) == 1:
        yield chosen[0], places
        return
    name = "+".join(chosen).replace(":", ".")
    with unfinished(places.cache / "pool") as folder:
        file = folder / "datasets.yaml"
        entry = {"title": " and ".join(chosen), "pool": chosen}
        file.write_text(yaml.safe_dump({name: entry}, allow_unicode=True), encoding="utf-8")
        yield name, replace(places, datasets=(*places.datasets, file))


def _chosen(names: Sequence[str], registry: Registry) -> list[str]:
    """Return the corpora that are taken together: one as it is, several as what they are made of.

    Raises:
        SpecError: if a name is wrong, or one of several is two sides
    """
    known = [_known(name, registry) for name in names]
    if len(known) == 1 and (known[0].sides or known[0].name in registry.corpora):
        return [known[0].name]
    for corpus in known:
        if corpus.sides:
            raise SpecError(
                f"--corpus: expected corpora that are trained on together, found {corpus.name}, "
                "which is trained on one side and tested on the other. Export it by itself."
            )
    across.together(known)  # which refuses what is there twice
    return [part.name for corpus in known for part in across.parts_of(corpus)]


def _known(name: str, registry: Registry) -> Corpus:
    """Return a corpus, a pool, `a+b` or `a-to-b`."""
    try:
        return registry.get(name)
    except SpecError:
        return registry.side(name)


def _narrowed(selection: Selection, corpus: str, wanted: Export) -> Selection:
    """Return a selection of the one experiment, and of the fold whose model is wanted."""
    folds = () if wanted.fold is None else (wanted.fold,)
    return replace(
        selection, corpus=(corpus,), condition=("none",), folds=folds, repetitions=wanted.repetition
    )


def _only_pair(planned: Plan) -> tuple[Corpus, ModelSpec]:
    """Return the corpus and the model of a plan that has one of each."""
    pairs = [(corpus, model) for corpus, models in planned.pairs for model in models]
    if len(pairs) != 1:
        found = ", ".join(model.name for _, model in pairs) or "none"
        raise SpecError(f"export: expected one model, found {found}. Export one after another.")
    return pairs[0]


def _insist_on_sense(wanted: Export, planned: Plan, model: ModelSpec) -> None:
    """Refuse what cannot be trained or converted, before anything is extracted for it."""
    if wanted.fold is None and planned.protocol.selection:
        raise SpecError(
            f"--protocol {planned.protocol.name}: expected a protocol that tells by itself when "
            "training ends, found one that takes the best epoch on test clips, of which there are "
            "none where all are trained on. Choose another, or a --fold."
        )
    if wanted.repetition > 1 and model.deterministic:
        raise SpecError(
            f"--repetition: expected 1, as every repetition of {model.name} is the same, found "
            f"{wanted.repetition}."
        )
    if wanted.onnx and model.kind != "network":
        raise SpecError(
            f"--onnx: expected a network, found {model.name}, whose bundle holds plain arrays "
            "(model.npz). Leave --onnx out."
        )
    if wanted.onnx:
        insist_on_converter()


def _devices(planned: Plan, model: ModelSpec, notice: Callable[[str], None]) -> Devices:
    if model.kind != "network":
        return Devices()
    found = executors.find(executors.parse(planned.selection.device), planned.selection.backend)
    if found.note:
        notice(found.note)
    return found


def _made(work: Work, devices: Devices, observer: Observer) -> dict[str, Any]:
    """Let a worker make the bundle; return what is to be said of it."""
    with closing(Local(1, devices).run([work], observer.stopping)) as events:
        for event in events:
            observer.listener(event)
            if event.kind == "done":
                return event.record
            if event.kind in ("failed", "fatal"):
                raise BundleError(event.message)
    raise BundleError(f"{work.experiment.title}: expected a bundle, found that nothing was made.")


def _convert(folder: Path, encoder: Path | None, threads: int) -> None:
    """Convert the network of a bundle, in a process that computes with TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CONVERT, str(folder), *([str(encoder)] if encoder else [])],
        env=of_worker("tensorflow", threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().split("\n")[-1]
        raise BundleError(
            f"{folder}: the bundle is written, but its network could not be converted to ONNX: "
            f"{said}"
        )
