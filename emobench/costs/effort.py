"""How much there is to compute in a fold: the same on every machine, whatever is stored.

It is counted in seconds of a core, roughly: of a network for the rows (frames) that it learns from
and the steps that it takes, epoch by epoch, in every training that a search comes to; of an
estimator for pairs of clips and fits. How much longer or shorter a model really takes is told by
records or by a trial. Where neither does, the rough figure is good for nothing but to compare jobs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import features, folds
from ..experiments import searches
from ..spec import Fold, ModelSpec, Protocol

if TYPE_CHECKING:
    import pandas as pd

ROWS_A_SECOND = 100
"""Of sound: most front-ends give a row every 10 ms, and where they do not, they cost as if."""

_MOST_ROWS = 500
"""Of inputs of one length: five seconds of sound, cut into whatever."""

_SINGLE_ROW = 0.05
"""What a clip counts for of which there is one row: it passes a few dense layers."""

# Rough, as measured on one core, in seconds.
_OF_JOB = 0.5
_OF_TRAINING = 0.1
_OF_STEP = 0.01
_OF_ROW = 7e-5
_OF_PAIR = 1e-7

_TIMES_PATIENCE = 5
"""How often a training that stops early waits its patience: 4 to 7 times, as seen with ARE."""


def of_fold(
    model: ModelSpec, protocol: Protocol, table: pd.DataFrame, fold: Fold, epochs: int | None
) -> float:
    """Return the effort of training on a fold, a search inside it included.

    Args:
        model: what is trained
        protocol: how
        table: utterances, indexed by id, with `duration` and `speaker`
        fold: which
        epochs: asked for; None for the usual number
    """
    training = table.loc[list(fold.training)]
    inner = _inner_folds(training) if protocol.tuning == "nested" else 0
    trained = fits(model, cells(model, protocol), inner)
    return effort(
        model,
        len(training),
        rows(model, mean_duration(training, table)),
        trained,
        usual_epochs(model, protocol, epochs),
    )


def of_search(
    model: ModelSpec,
    protocol: Protocol,
    table: pd.DataFrame,
    every: Iterable[Fold],
    epochs: int | None,
) -> float:
    """Return the effort of a search on the folds that are reported; arguments as in `of_fold`."""
    return cells(model, protocol) * sum(
        effort(
            model,
            len(fold.training),
            rows(model, mean_duration(table, table)),
            1,
            usual_epochs(model, protocol, epochs),
        )
        for fold in every
    )


def effort(model: ModelSpec, clips: int, length: float, trained: float, epochs: int) -> float:
    """Return an effort from what makes it.

    Args:
        model: what is trained
        clips: that it is trained on
        length: rows of a clip, on average
        trained: trainings on all these clips that the fold comes to
        epochs: of each
    """
    if model.kind == "network":
        return trained * (_OF_TRAINING + epochs * of_epoch(model, clips, length))
    return _OF_PAIR * clips**2 * trained


def of_epoch(model: ModelSpec, clips: int, length: float) -> float:
    """Return the effort of a network's epoch; arguments as in `effort`."""
    steps = math.ceil(clips / getattr(model.config, "batch_size", 1))
    return _OF_STEP * steps + _OF_ROW * clips * length


def usual_seconds(amount: float) -> float:
    """Return roughly how long a job of an effort takes on one core, whichever model it is of."""
    return _OF_JOB + amount


def usual_epochs(model: ModelSpec, protocol: Protocol, asked: int | None = None) -> int:
    """Return about how many epochs a training takes; `asked` is None where nobody asked."""
    most = asked or protocol.epochs or getattr(model.config, "epochs", 1)
    return expected_epochs(model, most, protocol.selection)


def expected_epochs(model: ModelSpec, most: int, selection: str) -> int:
    """Return about how many epochs a training takes that may stop early.

    Args:
        model: what is trained
        most: epochs, after which it ends in any case
        selection: what chooses among all epochs, where not development clips do; see `Protocol`
    """
    early = model.development
    if early is None or selection:
        return most
    return min(most, math.ceil(_TIMES_PATIENCE * early.patience / early.checks_per_epoch))


def cells(model: ModelSpec, protocol: Protocol) -> int:
    """Return how many cells of a grid are tried; 0 where nothing is searched."""
    return cells_of(model) if searches(model, protocol) else 0


def cells_of(model: ModelSpec) -> int:
    """Return how many cells the grid of a model has."""
    if model.kind == "network":
        return math.prod(map(len, model.grid.values()))
    return math.prod(len(value) for value in vars(model.config).values() if _is_several(value))


def fits(model: ModelSpec, tried: int, inner: int) -> float:
    """Return the trainings on all of a fold's clips that its search and itself come to.

    Args:
        model: what is trained
        tried: cells of the grid
        inner: folds that each is tried on, whose training parts are smaller
    """
    if not inner:
        return 1.0
    part = (inner - 1) / inner
    return 1 + tried * inner * (part if model.kind == "network" else part**2)


def rows(model: ModelSpec, duration: float) -> float:
    """Return the rows of a clip in a model's longest input.

    Args:
        model: whose
        duration: of the clip, in seconds
    """
    found = [_SINGLE_ROW]
    for wanted in model.inputs.values():
        front_end = features.get(wanted.feature)
        params = {**front_end.defaults, **wanted.params}
        # A card is read to know columns: what a frozen encoder gives is one row a clip.
        fixed = 1 if front_end.folder else front_end.shape(params)[0]
        if fixed is not None:
            found.append(min(fixed, _MOST_ROWS) if fixed > 1 else _SINGLE_ROW)
        else:
            found.append(min(ROWS_A_SECOND * duration, front_end.longest or math.inf))
    return max(found)


def mean_duration(clips: pd.DataFrame, every: pd.DataFrame) -> float:
    """Return how long clips last on average, in seconds; unknown ones as all others do."""
    usual = every["duration"].mean()
    found = clips["duration"].fillna(usual).mean()
    return 0.0 if math.isnan(found) else float(found)


def _inner_folds(training: pd.DataFrame) -> int:
    """Return into how many folds a search splits training clips; see `folds.inner_splits`."""
    speakers = training["speaker"].nunique()
    if speakers <= 1:
        return folds.N_WITHIN
    return speakers if speakers <= folds.MOST_LEFT_OUT_SINGLY else folds.N_GROUPS


def _is_several(value: object) -> bool:
    return isinstance(value, tuple)
