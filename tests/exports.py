"""Bundles for tests, of the places that a test reads and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emobench.run_options import Selection
from emobench.runs import Export, export
from emobench.spec import Places


def export_to(
    out: Path,
    places: Places,
    model: str = "svm-is09",
    corpus: str | tuple[str, ...] = "tiny",
    *,
    protocol: str = "smoke",
    epochs: int | None = None,
    **wanted: Any,
) -> dict[str, Any]:
    """Train a model and write its bundle; return what is said of it."""
    selection = Selection(
        model,
        corpus,
        protocol,
        data=places.data,
        results=places.results,
        cache=places.cache,
        datasets=places.datasets,
        transcripts=places.transcripts,
        encoder=places.encoder,
        epochs=epochs,
    )
    return export(selection, Export(out, **wanted))
