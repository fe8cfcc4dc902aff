"""From names on a command line to a bundle: a model is trained once more, and kept."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .. import corpora, executors
from ..bundles.folder import insist_on_room
from ..bundles.onnx import insist_on_converter
from ..bundles.order import Order
from ..errors import BundleError, SpecError
from ..executors import Devices, Event, Work, run_locally
from ..executors.environment import of_worker
from ..spec import Backend, Job, ModelSpec, Places
from .planning import Plan, Selection, plan
from .running import FeatureProgress, prepare

_CONVERT = "from emobench.bundles.onnx import main; main()"


@dataclass(frozen=True)
class Export:
    """What bundle is wanted.

    Attributes:
        model: name, with options
        corpora: names; several are taken together
        out: folder that the bundle is written to
        protocol: how it is trained
        fold: whose network it is; None trains on all speakers
        repetition: which one, from 1: another has another random seed
        epochs: another number than usual
        backend: what trains it
        device: what it is trained on
        skip_bad: leave out clips that a front-end refuses
        unverified: write a fold's bundle though it predicts something else than is on file
        onnx: convert the network too
    """

    model: str
    corpora: Sequence[str]
    out: Path
    protocol: str = "losgo"
    fold: int | None = None
    repetition: int = 1
    epochs: int | None = None
    backend: Backend = "tensorflow"
    device: str = "auto"
    skip_bad: bool = False
    unverified: bool = False
    onnx: bool = False


def export(
    wanted: Export,
    places: Places,
    *,
    jobs: int = 1,
    threads: int = 1,
    listener: Callable[[Event], None] = lambda event: None,
    feature_progress: FeatureProgress = lambda corpus, what, done, total: None,
    notice: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train a model and write its bundle.

    Args:
        wanted: what bundle
        places: where to read
        jobs: processes that extract features and search an estimator's parameters
        threads: of a network's arithmetic
        listener: told of what happens to the training
        feature_progress: told how far the extraction is
        notice: told what a user should know

    Returns:
        `bundle`, its folder, and `verified`: how a fold's predictions compare with those on file

    Raises:
        EmobenchError: if a name is wrong, training fails, or the bundle cannot be written or is not
            what is on file
    """
    insist_on_room(wanted.out)
    with _as_one_corpus(wanted.corpora, places) as (corpus, seen):
        planned = plan(_selection(wanted, corpus), seen)
        [(entry, (model,))] = planned.pairs
        _insist_on_sense(wanted, planned, model)
        devices = _devices(planned, model, notice)
        step, data = prepare(
            entry,
            model,
            planned,
            seen,
            jobs=jobs,
            progress=lambda what, done, total: feature_progress(entry.name, what, done, total),
        )
        if data.left_out:
            notice(f"{entry.name}: left out {len(data.left_out)} clips without usable audio")
        job = Job(wanted.fold, wanted.repetition)
        order = Order(wanted.out.absolute(), wanted.unverified)
        work = Work(step.experiment, job, seen, threads, tuning_jobs=jobs, order=order)
        made = _made(work, devices, listener)
    if wanted.onnx:
        _convert(order.folder, threads)
    return made


@contextmanager
def _as_one_corpus(names: Sequence[str], places: Places) -> Iterator[tuple[str, Places]]:
    """Yield the name of a corpus, made of others where several are named, and where it is known."""
    registry = corpora.load_registry(places.datasets)
    chosen = list(dict.fromkeys(registry.get(name).name for name in names))
    if len(chosen) == 1:
        yield chosen[0], places
        return
    name = "+".join(chosen).replace(":", ".")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "datasets.yaml"
        entry = {"title": " and ".join(chosen), "pool": chosen}
        file.write_text(yaml.safe_dump({name: entry}, allow_unicode=True), encoding="utf-8")
        yield name, replace(places, datasets=(*places.datasets, file))


def _selection(wanted: Export, corpus: str) -> Selection:
    return Selection(
        models=(wanted.model,),
        corpora=(corpus,),
        protocol=wanted.protocol,
        backend=wanted.backend,
        epochs=wanted.epochs,
        folds=() if wanted.fold is None else (wanted.fold,),
        repetitions=wanted.repetition,
        skip_bad=wanted.skip_bad,
        device=wanted.device,
    )


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


def _made(work: Work, devices: Devices, listener: Callable[[Event], None]) -> dict[str, Any]:
    """Let a worker make the bundle; return what is to be said of it."""
    for event in run_locally([work], jobs=1, devices=devices):
        listener(event)
        if event.kind == "done":
            return event.record
        if event.kind in ("failed", "fatal"):
            raise BundleError(event.message)
    raise BundleError(f"{work.experiment.title}: expected a bundle, found that nothing was made.")


def _convert(folder: Path, threads: int) -> None:
    """Convert the network of a bundle, in a process that computes with TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CONVERT, str(folder)],
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
