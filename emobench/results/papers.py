"""Which paper a model is from: a table is drawn for each, and its columns follow the paper.

A model that none of the papers has stands in the table of the first, beside the baseline.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

BASELINE = "svm-is09"
"""Model that stands beside those of every paper, where it was run."""

_OPTIONS = re.compile("[:+]")


@dataclass(frozen=True)
class Paper:
    """A paper with models of ours.

    Attributes:
        name: of its own protocol, and what its published results are filed under
        title: for people
        models: in the order of its tables
        families: how the names of its models begin
    """

    name: str
    title: str
    models: tuple[str, ...]
    families: tuple[str, ...]


def _named(family: str, *variants: str) -> tuple[str, ...]:
    return tuple(f"{family}-{variant}" for variant in variants)


PAPERS = (
    Paper(
        "keesing2020",
        "Keesing, Watson and Witbrock (ALTA 2020)",
        (
            *_named("aldeneh2017", "logmel40", "logmel240", "spec240"),
            *("latif2019", "zhang2019", "zhao2019"),
            *_named("zhao2019", "logmel40", "logmel240", "spec240"),
            BASELINE,
        ),
        ("aldeneh2017", "latif2019", "zhang2019", "zhao2019", BASELINE),
    ),
    Paper(
        "wang2020",
        "Wang et al. (ICASSP 2020)",
        (
            *_named("wang2020", "base1", "base2", "base3", "base4", "base5", "base6"),
            *_named("wang2020", "dslstm", "dual"),
        ),
        ("wang2020",),
    ),
    Paper(
        "mirsamadi2017",
        "Mirsamadi, Barsoum and Zhang (ICASSP 2017)",
        (
            *_named("mirsamadi2017-dnn", "mean", "mmm", "full"),
            *_named("mirsamadi2017-svm", "mean", "mmm", "full"),
            *_named("mirsamadi2017", "frame-fft", "final-fft", "mean-fft", "attention-fft"),
            *_named("mirsamadi2017", "frame-lld", "final-lld", "mean-lld", "attention-lld"),
        ),
        ("mirsamadi2017",),
    ),
    Paper(
        "krishna2019",
        "Krishna and Reddy (AVSP 2019)",
        _named(
            *("krishna2019", "acoustic", "speech", "word"),
            *("combined-speech", "combined-word"),
        ),
        ("krishna2019",),
    ),
    Paper(
        "yoon2018",
        "Yoon, Byun and Jung (SLT 2018), and classifiers of librosa's features",
        (
            *_named("yoon2018", "are", "tre", "mdre", "mdrea"),
            *_named("librosa", "svm", "mlp", "lstm"),
        ),
        ("yoon2018", "librosa"),
    ),
)


def model_of(column: str) -> str:
    """Return the registered model of a column: its name without options and files.

    Examples:
        >>> model_of("yoon2018-tre:units=100+vectors:1a2b3c4d")
        'yoon2018-tre'
    """
    return _OPTIONS.split(column, maxsplit=1)[0]


@cache
def of(column: str) -> Paper:
    """Return the paper of a column; the first one's table takes models of no paper.

    Examples:
        >>> of("librosa-svm").name, of("mine").name
        ('yoon2018', 'keesing2020')
    """
    model = model_of(column)
    for paper in PAPERS:
        if any(model == family or model.startswith(f"{family}-") for family in paper.families):
            return paper
    return PAPERS[0]


def of_protocol(protocol: str) -> Paper:
    """Return the paper whose protocol this is, or the first for a protocol of no paper.

    Examples:
        >>> of_protocol("wang2020-random5").name, of_protocol("losgo").name
        ('wang2020', 'keesing2020')
    """
    for paper in PAPERS:
        if protocol == paper.name or protocol.startswith(f"{paper.name}-"):
            return paper
    return PAPERS[0]


def position(column: str) -> tuple[int, float, str]:
    """Return a sorting key of columns: papers in their order, and models in their paper's."""
    paper, model = of(column), model_of(column)
    within = paper.models.index(model) if model in paper.models else math.inf
    return (PAPERS.index(paper), within, column)
