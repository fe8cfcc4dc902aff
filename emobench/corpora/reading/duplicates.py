"""Several files with one id: copies of one recording, or recordings that were mixed up."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...storage import Memory
from ..entries.schema import Corpus
from .clips import Clip, Duplicate
from .memory import find_out

_VERSION = 1
_MOST_SHOWN = 3


def resolve(
    corpus: Corpus, clips: Sequence[Clip], folder: Path, cache: Path
) -> tuple[list[Clip], list[Duplicate], list[str]]:
    """Return one clip for each id, the copies of it, and what is wrong with the others.

    Args:
        corpus: whose clips they are
        clips: sorted by path
        folder: of the corpus
        cache: folder of caches; what files hold is remembered there

    Returns:
        the first clip of each id, further files that hold the same, and a sentence about files
        that hold something else
    """
    first: dict[str, Clip] = {}
    further: list[tuple[Clip, Clip]] = []
    for clip in clips:
        used = first.setdefault(clip.id, clip)
        if used is not clip:
            further.append((used, clip))
    if not further:
        return list(first.values()), [], []
    same = _alike(further, folder, cache)
    copies = [
        Duplicate(used.id, used.file.relative, clip.file.relative)
        for used, clip in further
        if _agree(used, clip) and clip.file.path in same
    ]
    agreeing = {(copy.id, copy.unused) for copy in copies}
    mixed = [pair for pair in further if (pair[1].id, pair[1].file.relative) not in agreeing]
    return list(first.values()), copies, [_message(corpus, mixed)] if mixed else []


def _agree(one: Clip, other: Clip) -> bool:
    """Tell whether two clips are the same part of their files, and are said to be the same."""
    said = (one.facts.get(name) == other.facts.get(name) for name in ("speaker", "emotion"))
    return (one.start, one.end) == (other.start, other.end) and all(said)


def _alike(pairs: Sequence[tuple[Clip, Clip]], folder: Path, cache: Path) -> set[str]:
    """Return the paths of the second clips whose files hold what those of the first ones do."""
    from ... import sounds  # loads NumPy, and few corpora have copies
    from . import contents

    files = {clip.file.path: clip.file for pair in pairs for clip in pair}
    memory = Memory("bytes", _VERSION, folder, cache)
    written, _ = find_out(list(files.values()), contents.digest, memory)

    def same(pair: tuple[Clip, Clip], known: Mapping[str, str | None]) -> bool:
        one, other = (known.get(clip.file.path) for clip in pair)
        return one is not None and one == other

    differing = [pair for pair in pairs if not same(pair, written)]
    paths = list(dict.fromkeys(clip.file.path for pair in differing for clip in pair))
    names = sounds.names([(Path(path), None, None) for path in paths], cache)
    decoded = dict(zip(paths, names, strict=True))
    return {pair[1].file.path for pair in pairs if same(pair, written) or same(pair, decoded)}


def _message(corpus: Corpus, mixed: Sequence[tuple[Clip, Clip]]) -> str:
    """Say which files claim one id, and how to tell them apart."""
    shown = "; ".join(
        f"'{used.id}' is {used.file.relative} and {clip.file.relative}"
        for used, clip in mixed[:_MOST_SHOWN]
    )
    more = f"; and {len(mixed) - _MOST_SHOWN:,} more" if len(mixed) > _MOST_SHOWN else ""
    files = "file" if len(mixed) == 1 else "files"
    return (
        f"{corpus.at('pattern')}: expected one recording for each id, found {len(mixed):,} {files} "
        f"with the id of another and different content: {shown}{more}. {_advice(corpus, mixed)}"
    )


def _advice(corpus: Corpus, mixed: Sequence[tuple[Clip, Clip]]) -> str:
    used, clip = mixed[0]
    if corpus.reader is not None:
        return "Remove the files that do not belong to the corpus."
    (one, first), (other, second) = (os.path.splitext(each.file.location) for each in (used, clip))
    if one.casefold() == other.casefold() and first != second:
        return f"Write `glob: '*{first}'` or `glob: '*{second}'`."
    if used.file.name.casefold() == clip.file.name.casefold():
        one, other = differing_folders(used.file.relative, clip.file.relative)
        if one == other:
            return "Their names differ in capitals alone: remove one of the two."
        extension = os.path.splitext(clip.file.name)[1]
        if one and other:
            choice = f"`glob: {one}/**/*{extension}` or `glob: {other}/**/*{extension}`"
        else:
            choice = f"`ignore: {one or other}/**`"
        return (
            f"If only one folder holds the corpus, write {choice}; if both do, write "
            "`match: path` with a group for the folder, or an `id:` that tells them apart."
        )
    return (
        "If names go on behind what `pattern` matches, let it match all of them up to `$`; or "
        'write an `id:` that tells them apart, such as `id: "{speaker}_{sentence}"`, or a '
        "`glob:` that finds only one of them."
    )


def differing_folders(one: str, other: str) -> tuple[str, str]:
    """Return the folders of two paths without what they have in common at the end.

    Examples:
        >>> differing_folders("Actor_01/a.wav", "copy/Actor_01/a.wav")
        ('', 'copy')
    """
    first, second = one.split("/")[:-1], other.split("/")[:-1]
    while first and second and first[-1] == second[-1]:
        del first[-1], second[-1]
    return "/".join(first), "/".join(second)
