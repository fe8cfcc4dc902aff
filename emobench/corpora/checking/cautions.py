"""What a corpus cannot teach, said before hours are spent on it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...errors import CorpusError
from ...spec import Fold, Protocol
from ..entries.schema import Corpus
from ..opening import open_corpus
from ..reading import contents
from ..reading.clips import Clip, Reading, named

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
    files = {clip.file.path: clip.file for clip in reading.clips}
    alike = contents.compare_bytes(list(files.values())).alike
    return list(cautions(reading, alike, _split(reading, protocol, cache)))


def of_check(
    reading: Reading, protocol: Protocol, alike: Iterable[Sequence[str]], cache: Path | None
) -> list[str]:
    """Return what `foresee` does, of clips that were read; that they cannot be split too."""
    if not reading.clips:
        return []
    try:
        made = _split(reading, protocol, cache)
    except CorpusError as error:
        return [*cautions(reading, alike), f"It cannot be run: {error}"]
    return list(cautions(reading, alike, made))


def cautions(
    reading: Reading, alike: Iterable[Sequence[str]] = (), made: Sequence[Fold] = ()
) -> Iterator[str]:
    """Yield a sentence for each thing that a corpus cannot teach.

    Args:
        reading: its clips
        alike: paths of files that hold the same, in groups
        made: folds
    """
    clips = reading.clips
    yield from _rare(clips)
    yield from _one_label(clips)
    yield from _uneven_folds(clips, made)
    yield from _few_groups(clips)
    yield from _two_sexes(clips)
    yield from _contradictions(reading, alike)
    yield from _telling_texts(clips)


def _split(reading: Reading, protocol: Protocol, cache: Path | None) -> list[Fold]:
    """Return the folds of a protocol; where single groups are held out, without pandas.

    Raises:
        CorpusError: if the clips cannot be split
    """
    rule = reading.corpus.folds
    groups = _by(reading.clips, "group")
    labels = {name: {clip.facts["label"] for clip in clips} for name, clips in groups.items()}
    rest = [set().union(*(labels[other] for other in labels if other != name)) for name in labels]
    simple = rule in ("speaker", "session") and not protocol.split and protocol.max_folds is None
    if not simple or len(groups) < 2 or any(len(trained) < 2 for trained in rest):
        from ... import folds
        from ..table import tabulate

        return folds.make(tabulate(reading, cache), rule, protocol)
    every = [clip.id for clip in reading.clips]
    held_out = {name: {clip.id for clip in groups[name]} for name in sorted(groups)}
    return [
        Fold(
            index,
            (name,),
            training=tuple(clip for clip in every if clip not in out),
            test=tuple(clip for clip in every if clip in out),
            development=(),
        )
        for index, (name, out) in enumerate(held_out.items())
    ]


def _by(clips: Iterable[Clip], column: str) -> dict[str, list[Clip]]:
    """Return clips by what a column says of them."""
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.facts.get(column) is not None:
            found[clip.facts[column]].append(clip)
    return found


def _rare(clips: Sequence[Clip]) -> Iterator[str]:
    single = sorted(label for label, held in _by(clips, "label").items() if len(held) == 1)
    if single:
        yield (
            f"a single clip of {_listed(single)}: it is either trained on or tested, so its recall "
            "is 0 or not measured. Drop the class, or record more of it."
        )


def _one_label(clips: Sequence[Clip]) -> Iterator[str]:
    speakers = _by(clips, "speaker")
    single = {
        speaker: len(held)
        for speaker, held in sorted(speakers.items())
        if len(held) > 1 and len({clip.facts["label"] for clip in held}) == 1
    }
    if single and sum(single.values()) >= _FEW_SHARE * len(clips):
        yield (
            f"{len(single):,} of {len(speakers):,} speakers have clips of one label only "
            f"({_listed(single)}): standardising by speaker removes what tells "
            "their label. See whether these are persons; prefer models that standardise by the "
            "training fold."
        )


def _uneven_folds(clips: Sequence[Clip], made: Sequence[Fold]) -> Iterator[str]:
    untrained: dict[str, list[Fold]] = defaultdict(list)
    untested: dict[str, list[Fold]] = defaultdict(list)
    label = {clip.id: clip.facts["label"] for clip in clips}
    for fold in made:
        trained, tested = ({label[clip] for clip in ids} for ids in (fold.training, fold.test))
        for name in tested - trained:
            untrained[name].append(fold)
        for name in trained - tested:
            untested[name].append(fold)
    for name, found in sorted(untrained.items()):
        yield (
            f"{_folds(found)}: '{name}' is tested but not in the training part, so its recall is "
            "0. Drop the class, or hold out larger groups."
        )
    for name, found in sorted(untested.items()):
        yield f"{_folds(found)}: no clip of '{name}' is tested; UAR is the mean over the others."


def _few_groups(clips: Sequence[Clip]) -> Iterator[str]:
    if len(_by(clips, "group")) == 2:
        yield (
            "two groups to hold out: each fold trains on one, so that tuning and development split "
            "its clips (within-speaker), and differences between folds say little."
        )


def _two_sexes(clips: Sequence[Clip]) -> Iterator[str]:
    for speaker, held in _by(clips, "speaker").items():
        counts = Counter(clip.facts["sex"] for clip in held if clip.facts.get("sex"))
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


def _telling_texts(clips: Sequence[Clip]) -> Iterator[str]:
    """Yield a sentence if transcripts name their own label more often than others'."""
    names: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        facts = clip.facts
        names[facts["label"]] |= {facts["label"].casefold(), facts["raw_emotion"].casefold()}
        names[facts["label"]].update(_PLAIN_NAMES.get(facts["emotion"], ()))
    known = [clip for clip in clips if clip.facts.get("transcript")]
    own, others, example = 0, 0, ""
    for clip in known:
        words = set(re.findall(r"[^\W\d_]+", clip.facts["transcript"].casefold()))
        if words & names[clip.facts["label"]]:
            own += 1
            example = example or clip.facts["transcript"]
        others += sum(bool(words & names[other]) for other in names if other != clip.facts["label"])
    if own > 1 and own * (len(names) - 1) > 2 * others:
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
