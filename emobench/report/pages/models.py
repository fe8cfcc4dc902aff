"""Pages of models: the paper, what was changed, published against ours, curves and cost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ... import features, papers, pictures
from ...analysis import published
from ...analysis.learning_curves import learning_curves
from ...analysis.ledger import Line
from ...analysis.speed import Speed, speeds
from ...errors import EmobenchError, StoreError
from ...results.columns import Column
from ...spec import ModelSpec
from .. import addresses
from ..evidence import Cell, Evidence
from ..page import Page

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Cost:
    """What one result cost, from its records."""

    cell: Cell
    parameters: str
    seconds: float
    folds: int
    speed: Speed | None
    memory: int | None


def index(evidence: Evidence) -> Page:
    """Return the list of models, by paper."""
    by_paper: dict[papers.Paper, list[str]] = {}
    for name in evidence.models:
        by_paper.setdefault(Column(name).paper, []).append(name)
    tested = {
        name: sum(cell.result.column.model == name for cell in evidence.plain_cells())
        for name in evidence.models
    }
    content = {
        "papers": by_paper,
        "tested": tested,
        "specs": {name: evidence.model(name) for name in evidence.models},
        "model_address": addresses.model,
    }
    return Page("models.html", "models.html", "Models", content, section="models")


def pages(evidence: Evidence) -> Iterator[Page]:
    """Yield the page of each model, with its options."""
    for name in evidence.models:
        yield Page(
            addresses.model(name), "model.html", name, _content(evidence, name), section="models"
        )


def _content(evidence: Evidence, name: str) -> dict[str, Any]:
    spec = evidence.model(name)
    cells = [cell for cell in evidence.plain_cells() if cell.result.column.model == name]
    lines = [
        line
        for line in evidence.lines
        if published.registered(line.model).partition(":")[0] == name
    ]
    return {
        "name": name,
        "spec": spec,
        "paper": Column(name).paper,
        "inputs": _inputs(spec) if spec else [],
        "options": [(one.name, getattr(spec.config, one.name)) for one in fields(spec.config)]
        if spec
        else [],
        "cells": cells,
        "lines": lines,
        "line_cells": _line_cells(evidence, lines),
        "curves": list(_curves(cells)),
        "costs": [_cost(cell) for cell in cells],
        "cell_address": addresses.cell,
        "corpus_address": addresses.corpus,
    }


def _inputs(spec: ModelSpec) -> list[tuple[str, str, str, str]]:
    """Return name, front-end, what that is, and scaling of each input."""
    found = []
    for key, wanted in spec.inputs.items():
        try:
            front_end = features.get(wanted.feature)
            made = str(features.spec(wanted.feature, **wanted.params))
        except EmobenchError:
            found.append((key, wanted.feature, "a front-end that this version lacks", ""))
            continue
        scaling = "words" if front_end.text else wanted.scaling or front_end.scaling
        found.append((key, made, front_end.title, scaling))
    return found


def _line_cells(evidence: Evidence, lines: Sequence[Line]) -> dict[str, Cell]:
    """Return the cell of each result that stands in the ledger, by fingerprint."""
    wanted = {line.ours.fingerprint for line in lines if line.ours}
    return {
        cell.result.fingerprint: cell
        for cell in evidence.plain_cells()
        if cell.result.fingerprint in wanted
    }


def _curves(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Markup, bool]]:
    """Yield cells with a picture of their learning curves, and whether it has development."""
    drawn = {}
    for cell in cells:
        with contextlib.suppress(StoreError):  # estimators have none
            drawn[cell] = learning_curves(cell.result.stored)
    points = pictures.points_of(
        sum(1 + bool(one.development) for own in drawn.values() for one in own)
    )
    for number, (cell, own) in enumerate(drawn.items(), start=1):
        title = f"Learning curves of {cell.result.column.name} on {cell.row.title}"
        picture = pictures.svg(pictures.curves(own, title, points), number)
        yield cell, picture, any(one.development for one in own)


def _cost(cell: Cell) -> Cost:
    records = [record for record in cell.result.stored.records if record["fold"] is not None]
    sizes = sorted(
        {record["network_parameters"] for record in records if record.get("network_parameters")}
    )
    found = speeds([cell.result])
    return Cost(
        cell=cell,
        parameters=" to ".join(f"{size:,}" for size in dict.fromkeys([*sizes[:1], *sizes[-1:]])),
        seconds=sum(record.get("seconds") or 0 for record in cell.result.stored.records),
        folds=len(records),
        speed=found[0] if found else None,
        memory=max((record.get("peak_resident_mib") or 0 for record in records), default=0) or None,
    )
