"""What a corpus cannot teach, said before hours are spent on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import folds as splitting
from ..errors import CorpusError
from ..spec import Fold, Protocol
from . import contents
from .clips import Reading, named
from .opening import open_corpus
from .schema import Corpus
from .table import tabulate

if TYPE_CHECKING:
    import pandas as pd

_FEW_SHARE = 0.1
"""Of the clips: less than this in speakers of one label is what a large corpus has anyway."""

_PLAIN_NAMES = {
    "anger": ("angry",),
    "happiness": ("happy",),
    "sadness": ("sad",),
    "fear": ("afraid", "fearful"),
    "surprise": ("surprised",),
    "disgust": ("disgusted",),
}


def foresee(
    corpus: Corpus, protocol: Protocol, data: Path | None = None, cache: Path | None = None
) -> list[str]:
    """Return a sentence for each thing that a corpus cannot teach under a protocol.

    Args:
        corpus: from the registry
        protocol: how it would be split
        data: folder that holds the corpora; None means `EMOBENCH_DATA`
        cache: folder of caches

    Raises:
        CorpusError: if the corpus is not there, cannot be read or cannot be split
    """
    reading = open_corpus(corpus, data, cache)
    reading.insist()
    table = tabulate(reading, cache)
    files = {clip.file.path: clip.file for clip in reading.clips}
    alike = contents.compare_bytes(list(files.values())).alike
    return list(cautions(reading, table, alike, splitting.make(table, corpus.folds, protocol)))


def of_check(
    reading: Reading, protocol: Protocol, alike: Iterable[Sequence[str]], cache: Path | None
) -> list[str]:
    """Return what `foresee` does, of clips that were read; that they cannot be split too."""
    if not reading.clips:
        return []
    try:
        table = tabulate(reading, cache)
    except CorpusError:  # what is wrong with files is told already
        return []
    try:
        made = splitting.make(table, reading.corpus.folds, protocol)
    except CorpusError as error:
        return [*cautions(reading, table, alike), f"It cannot be run: {error}"]
    return list(cautions(reading, table, alike, made))


def cautions(
    reading: Reading,
    table: pd.DataFrame,
    alike: Iterable[Sequence[str]] = (),
    made: Sequence[Fold] = (),
) -> Iterator[str]:
    """Yield a sentence for each thing that a corpus cannot teach.

    Args:
        reading: its clips
        table: the same as utterance table
        alike: paths of files that hold the same, in groups
        made: folds
    """
    yield from _rare(table)
    yield from _one_label(table)
    if made:
        yield from _uneven_folds(table, made)
    yield from _few_groups(table)
    yield from _two_sexes(table)
    yield from _contradictions(reading, alike)
    yield from _telling_texts(table)


def _rare(table: pd.DataFrame) -> Iterator[str]:
    counts = table["label"].value_counts()
    single = sorted(str(label) for label in counts.index[counts == 1])
    if single:
        yield (
            f"a single clip of {_listed(single)}: it is either trained on or tested, so its recall "
            "is 0 or not measured. Drop the class, or record more of it."
        )


def _one_label(table: pd.DataFrame) -> Iterator[str]:
    by_speaker = table.groupby("speaker")["label"].agg(["nunique", "size"])
    single = by_speaker[(by_speaker["nunique"] == 1) & (by_speaker["size"] > 1)]
    if len(single) and single["size"].sum() >= _FEW_SHARE * len(table):
        yield (
            f"{len(single):,} of {len(by_speaker):,} speakers have clips of one label only "
            f"({_listed(map(str, single.index))}): standardising by speaker removes what tells "
            "their label. See whether these are persons; prefer models that standardise by the "
            "training fold."
        )


def _uneven_folds(table: pd.DataFrame, made: Sequence[Fold]) -> Iterator[str]:
    untrained: dict[str, list[Fold]] = defaultdict(list)
    untested: dict[str, list[Fold]] = defaultdict(list)
    labels = table["label"]
    for fold in made:
        trained, tested = (set(labels.loc[list(ids)]) for ids in (fold.training, fold.test))
        for label in tested - trained:
            untrained[str(label)].append(fold)
        for label in trained - tested:
            untested[str(label)].append(fold)
    for label, found in sorted(untrained.items()):
        yield (
            f"{_folds(found)}: '{label}' is tested but not in the training part, so its recall is "
            "0. Drop the class, or hold out larger groups."
        )
    for label, found in sorted(untested.items()):
        yield f"{_folds(found)}: no clip of '{label}' is tested; UAR is the mean over the others."


def _few_groups(table: pd.DataFrame) -> Iterator[str]:
    groups = table["group"].nunique()
    if groups == 2:
        yield (
            "two groups to hold out: each fold trains on one, so that tuning and development split "
            "its clips (within-speaker), and differences between folds say little."
        )


def _two_sexes(table: pd.DataFrame) -> Iterator[str]:
    known = table[table["sex"].notna()]
    for speaker, sexes in known.groupby("speaker")["sex"]:
        counts = Counter(map(str, sexes))
        if len(counts) > 1:
            told = " and ".join(f"{count:,} {sex}" for sex, count in counts.most_common())
            yield (
                f"speaker '{speaker}' has {told} clips: two people may share the name, or a label "
                "is wrong."
            )


def _contradictions(reading: Reading, alike: Iterable[Sequence[str]]) -> Iterator[str]:
    by_path = defaultdict(list)
    for clip in reading.clips:
        by_path[clip.file.path].append(clip)
    for column in ("label", "speaker"):
        shown = []
        for group in alike:
            clips = [clip for path in group for clip in by_path[path]]
            if len({clip.facts[column] for clip in clips}) > 1:
                names = dict.fromkeys(clip.file.relative for clip in clips)
                shown.append(" = ".join(names))
        if shown:
            yield (
                f"the same sound under several {column}s, {len(shown):,} times: {named(shown)}. "
                "One of them is wrong, and held-out clips may have been trained on: drop it."
            )


def _telling_texts(table: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence if transcripts name their own label more often than others'."""
    known = table[table["transcript"].notna()]
    texts = known["transcript"].astype(str).str.casefold().str.findall(r"[^\W\d_]+").map(set)
    if not len(known):
        return
    named_by = {
        label: {str(label).casefold(), *_PLAIN_NAMES.get(str(emotion), ())}
        | {str(raw).casefold() for raw in rows["raw_emotion"]}
        for (label, emotion), rows in known.groupby(["label", "emotion"])
    }
    own, others = 0, 0
    example = ""
    for label, words, text in zip(known["label"], texts, known["transcript"], strict=True):
        if words & named_by[label]:
            own += 1
            example = example or str(text)
        others += sum(bool(words & named_by[other]) for other in named_by if other != label)
    if own > 1 and own * (len(named_by) - 1) > 2 * others:
        yield (
            f"{own:,} of {len(known):,} transcripts name their own label, such as '{example}': a "
            "model that reads learns the label from its name."
        )


def _folds(found: Sequence[Fold]) -> str:
    numbers = ", ".join(str(fold.index) for fold in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    who = f" (without {', '.join(found[0].held_out)})" if len(found) == 1 else ""
    return f"fold{'s' if len(found) > 1 else ''} {numbers}{more}{who}"


def _listed(names: Iterable[str]) -> str:
    return named([f"'{name}'" for name in names])
