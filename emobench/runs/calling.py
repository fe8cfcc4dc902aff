"""A run as one call, and where it reads and writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from .. import corpora
from ..spec import Backend, Places
from .planning import Selection, plan
from .running import Summary, execute


def run(
    model: str | Sequence[str] = "all",
    corpus: str | Sequence[str] = "all",
    protocol: str = "losgo",
    *,
    data: str | Path | None = None,
    results: str | Path = "results",
    cache: str | Path | None = None,
    jobs: int = 1,
    threads: int = 1,
    backend: Backend = "tensorflow",
    device: str = "auto",
    workers_per_device: int = 1,
    together: int | Literal["auto", "off"] = "auto",
    epochs: int | None = None,
    folds: Sequence[int] = (),
    repetitions: int | None = None,
    skip_bad: bool = False,
    condition: str | Sequence[str] = "none",
    sides: Literal["test", "training", "both"] = "test",
    datasets: Sequence[str | Path] = (),
    transcripts: str | Path | None = None,
    vectors: str | Path | None = None,
) -> Summary:
    """Train and test models on corpora; what has a record already is not computed again.

    Args:
        model: name or names, or "all"
        corpus: name or names, or "all" for every corpus on disk
        protocol: name of a protocol
        data: folder that holds the corpora
        results: folder for records and predictions
        cache: folder for extracted features, and for programs compiled for cards
        jobs: worker processes on the CPU
        threads: threads of each network's arithmetic; changes the last bits of a result
        backend: what trains the networks
        device: what they are trained on: "auto" is a graphics card if the backend can use one,
            else "cpu"; "gpu" is every card, "gpu:0,gpu:1" are some
        workers_per_device: worker processes that divide a card's memory
        together: folds and repetitions that are trained at once on JAX: a number, "off", or "auto"
            for all that a card holds and one by one on a CPU
        epochs: overrides the number of epochs of every network
        folds: indexes of the folds to run; empty for all
        repetitions: how many repetitions to run
        skip_bad: leave out clips that a front-end refuses
        condition: what the sound goes through, such as "mp3:64k", or several, one after another
        sides: which clips go through it
        datasets: registry files to use beside or instead of the packaged one
        transcripts: CSV file (id, text) that takes the place of the corpora's transcripts
        vectors: text file of word vectors that embeddings begin from

    Returns:
        what was done, and what failed

    Raises:
        EmobenchError: if a name is wrong, or nothing can be read or written
    """
    selection = Selection(
        models=(model,) if isinstance(model, str) else tuple(model),
        corpora=(corpus,) if isinstance(corpus, str) else tuple(corpus),
        protocol=protocol,
        backend=backend,
        epochs=epochs,
        folds=tuple(folds),
        repetitions=repetitions,
        skip_bad=skip_bad,
        conditions=(condition,) if isinstance(condition, str) else tuple(condition),
        sides=sides,
        device=device,
        workers_per_device=workers_per_device,
        together=together,
    )
    places = find_places(
        data=data,
        results=results,
        cache=cache,
        datasets=datasets,
        transcripts=transcripts,
        vectors=vectors,
    )
    return execute(plan(selection, places), places, jobs=jobs, threads=threads)


def find_places(
    *,
    data: str | Path | None = None,
    results: str | Path = "results",
    cache: str | Path | None = None,
    datasets: Sequence[str | Path] = (),
    transcripts: str | Path | None = None,
    vectors: str | Path | None = None,
) -> Places:
    """Return absolute folders; what is not given comes from the environment or the platform."""
    root = corpora.data_root(Path(data) if data else None)
    return Places(
        results=Path(results).expanduser().absolute(),
        cache=corpora.cache_root(Path(cache) if cache else None).absolute(),
        data=root.absolute() if root else None,
        datasets=tuple(_absolute(file) for file in datasets),
        transcripts=_absolute(transcripts) if transcripts else None,
        vectors=_absolute(vectors) if vectors else None,
    )


def _absolute(file: str | Path) -> Path:
    return Path(file).expanduser().absolute()
