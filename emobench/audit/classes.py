"""Classes that a part lacks, and folds that weigh much more than others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..errors import count, named
from ..spec import Fold
from .findings import Finding
from .material import Material, by, numbered, quoted

_UNEVEN = 3.0
"""Clips of the largest test part to those of the smallest beyond which it is said."""


def findings(material: Material) -> Iterator[Finding]:
    """Yield classes of one clip, classes that a training or a test part lacks, uneven folds."""
    yield from _rare(material)
    yield from _lacking(material)
    yield from _uneven(material)


def _rare(material: Material) -> Iterator[Finding]:
    labels = by(material.clips, "label")
    single = sorted(label for label, held in labels.items() if len(held) == 1)
    if single:
        yield Finding(
            "single-clip",
            "soft",
            f"a single clip of {named(quoted(single))}: it is either trained on or tested, so its "
            "recall is 0 or not measured",
            "several clips of each class",
            "Drop the class, or record more of it.",
            evidence=tuple(labels[label][0].id for label in single),
        )


def _lacking(material: Material) -> Iterator[Finding]:
    untrained: dict[str, list[Fold]] = defaultdict(list)
    untested: dict[str, list[Fold]] = defaultdict(list)
    label = {clip.id: clip.facts["label"] for clip in material.clips}
    for fold in material.folds:
        trained, tested = ({label[clip] for clip in ids} for ids in (fold.training, fold.test))
        for name in tested - trained:
            untrained[name].append(fold)
        for name in trained - tested:
            untested[name].append(fold)
    for name, found in sorted(untrained.items()):
        yield Finding(
            "class-not-trained",
            "soft",
            f"'{name}' is tested but not in the training part, so its recall is 0",
            "every class in every training part",
            "Drop the class, or hold out larger groups.",
            numbered(found),
        )
    for name, found in sorted(untested.items()):
        yield Finding(
            "class-not-tested",
            "soft",
            f"no clip of '{name}' is tested",
            "every class in every test part",
            "UAR is the mean over the others.",
            numbered(found),
        )


def _uneven(material: Material) -> Iterator[Finding]:
    sizes = sorted((len(fold.test), fold.index) for fold in material.folds)
    if sizes and sizes[-1][0] > _UNEVEN * sizes[0][0]:
        (fewest, small), (most, large) = sizes[0], sizes[-1]
        yield Finding(
            "uneven-folds",
            "soft",
            f"fold {small} tests {count(fewest, 'clip')} and fold {large} {most:,}",
            f"test parts within a factor of {_UNEVEN:g}",
            "In the mean over folds a clip of the small one weighs more: read the pooled UAR too.",
        )
