"""The papers whose models, protocols and published results are here.

A model and a protocol name their paper themselves; a table is drawn for each paper.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A paper with models of ours.

    Attributes:
        name: as models and protocols name it, and what its published results are filed under
        title: for people
    """

    name: str
    title: str


FIRST = Paper("keesing2020", "Keesing, Watson and Witbrock (ALTA 2020)")
"""The paper of the baseline, whose table comes first where a protocol is of no paper."""

PAPERS = (
    FIRST,
    Paper("wang2020", "Wang et al. (ICASSP 2020)"),
    Paper("mirsamadi2017", "Mirsamadi, Barsoum and Zhang (ICASSP 2017)"),
    Paper("krishna2019", "Krishna and Reddy (AVSP 2019)"),
    Paper(
        "yoon2018",
        "Yoon, Byun and Jung (SLT 2018), and classifiers of librosa's features",
    ),
    Paper("encoder", "Classifiers of frozen encoders"),
)


def get(name: str) -> Paper:
    """Return a paper by name; one that is not listed here has its name for a title.

    Examples:
        >>> get("wang2020").title, get("mine2024").title
        ('Wang et al. (ICASSP 2020)', 'mine2024')
    """
    return next((paper for paper in PAPERS if paper.name == name), Paper(name, name))


def position(paper: Paper) -> tuple[int, str]:
    """Return a sorting key: papers in the order of their list, then the others by name."""
    return (PAPERS.index(paper), "") if paper in PAPERS else (len(PAPERS), paper.name)
