"""What stored predictions show by themselves, whatever is on disk of the corpus."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..errors import count, named
from ..results.result import Result
from ..spec import Protocol
from .findings import Finding
from .material import quoted


def findings(result: Result, protocol: Protocol) -> Iterator[Finding]:
    """Yield what is wrong with the predictions and records of a result.

    Args:
        result: with all columns of its predictions
        protocol: that it was computed under
    """
    yield from _fewer_clips(result)
    table = result.predictions
    if table.empty:
        return
    yield from _not_the_likeliest(result, table)
    yield from _in_two_folds(result, table, protocol)
    yield from _tuned_elsewhere(result, protocol)
    yield from _in_several_precisions(result)


def _fewer_clips(result: Result) -> Iterator[Finding]:
    clips, complete = result.clips, result.expected
    if clips is not None and complete is not None and clips < complete:
        yield Finding(
            "fewer-clips",
            "hard",
            f"it is of {clips:,} of {count(complete, 'clip')}",
            "a complete copy of the corpus",
            f"It can't be set beside others. `emobench check {result.corpus}` says what is "
            "missing; complete the copy and run it again.",
            result.name,
        )


def _not_the_likeliest(result: Result, table: pd.DataFrame) -> Iterator[Finding]:
    """Yield predictions that do not follow from the probabilities beside them."""
    chances = table[[name for name in table if str(name).startswith("p_")]]
    columns = chances.columns.get_indexer("p_" + table["predicted"].astype(str))
    known = np.flatnonzero(columns >= 0)
    right = np.zeros(len(table), bool)
    right[known] = chances.to_numpy()[known, columns[known]] >= chances.max(axis=1).iloc[known]
    wrong = table["id"][~right]
    if len(wrong):
        yield Finding(
            "prediction-not-likeliest",
            "hard",
            f"{count(len(wrong), 'prediction')} of a class that is not the likeliest "
            f"({named(quoted(wrong.astype(str)))})",
            "of each clip the class with the highest probability",
            "The predictions were changed: remove the result and run it again.",
            result.name,
            tuple(wrong.astype(str)),
        )


def _in_two_folds(result: Result, table: pd.DataFrame, protocol: Protocol) -> Iterator[Finding]:
    """Yield speakers and groups that several folds test: each fold trained on the rest of them."""
    if protocol.draws_clips:
        return
    for column in (name for name in ("group", "speaker") if name in table):
        folds = table.groupby(column)["fold"].nunique()
        split = sorted(map(str, folds.index[folds > 1]))
        if split:
            yield Finding(
                f"{column}-on-both-sides",
                "hard",
                f"{count(len(split), column)} tested in several folds, so that each of them was "
                f"trained on the others' clips ({named(quoted(split))})",
                f"every {column} held out by one fold",
                "Correct who is held out (`group` and `folds` of the entry), and run it again.",
                result.name,
                tuple(split),
            )
            return


def _tuned_elsewhere(result: Result, protocol: Protocol) -> Iterator[Finding]:
    """Yield records that say that test clips were tuned on where the protocol says otherwise."""
    places = {
        str(record["tuned_on"]): f"fold {record['fold']}"
        for record in result.stored.records
        if record.get("tuned_on")
    }
    evaluation = [where for place, where in places.items() if "evaluation" in place]
    if evaluation and protocol.tuning != "evaluation":
        yield Finding(
            "test-clips-tune",
            "hard",
            "its records say that hyper-parameters were chosen on the evaluation folds",
            "tuning inside the training part, as the protocol says",
            "Remove the result and run it again.",
            result.name,
        )
    within = [place for place in places if "within-speaker" in place]
    if within:
        yield Finding(
            "tuned-within-speaker",
            "soft",
            "hyper-parameters were chosen on clips of speakers that were trained on",
            "tuning with speakers held out",
            "Training held one group; other values might do better on new speakers.",
            result.name,
        )


def _in_several_precisions(result: Result) -> Iterator[Finding]:
    """Yield that some of a result's folds were multiplied in less than others."""
    folds = [record for record in result.stored.records if record["fold"] is not None]
    told = sorted({str(record["precision"]) for record in folds if record.get("precision")})
    if len(told) > 1:
        yield Finding(
            "mixed-precision",
            "soft",
            f"its folds were computed in {' and in '.join(quoted(told))}",
            "all folds in one precision",
            "Give the run on another device a results folder of its own.",
            result.name,
        )
