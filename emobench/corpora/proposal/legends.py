"""What notes beside the audio say of codes: `05 = angry`, `W: Wut (anger)`, `| 3 | sadness |`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ..reading.audio_files import scan
from .vocabulary import Meaning, emotion_of, meaning

_GLOBS = ("*.txt", "*.md", "*.rst", "*.html", "*.csv", "*.tsv", "*.json", "*.yaml", "readme*")
_MOST_FILES, _MOST_BYTES = 20, 100_000
_MOST_CODES, _LONGEST_CODE = 16, 4
_MOST_LISTS, _MOST_WAYS = 8, 2
_TAG = re.compile(r"<[^<>]*>")
Texts = Sequence[tuple[str, str]]
"""Names and contents of texts that may explain codes."""

_SIGN = re.compile(r"[^\w\s]|\t")

RAVDESS = (
    "the order of RAVDESS' names",
    "01=neutral, 02=calm, 03=happy, 04=sad, 05=angry, 06=fearful, 07=disgust, 08=surprised",
)
"""What names such as 03-01-06-01-02-01-12, which many corpora borrow, do not say themselves."""


def texts_below(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield names and contents of the texts below a folder, those that lie highest first."""
    files = [file for file in scan(folder, _GLOBS) if 0 < file.size <= _MOST_BYTES]
    files.sort(key=lambda file: file.relative.count("/"))
    for file in files[:_MOST_FILES]:
        yield file.relative, Path(file.path).read_bytes().decode("utf-8", errors="replace")


def understood(labels: Mapping[str, int], told: Texts) -> Meaning:
    """Return what labels mean as words, or by one of some texts that explains them better."""
    return max(meaning(labels), _explained(told, labels), key=lambda read: read.score)


def _explained(told: Texts, codes: Collection[str]) -> Meaning:
    """Return what most of some codes mean by a text that explains them; nothing if none does.

    Codes that a text explains in two ways, each as well as the other, are left unknown. What
    stands in names or tables as `05` may be called `5`.
    """
    if not 2 <= len(codes) <= _MOST_CODES or max(map(len, codes)) > _LONGEST_CODE:
        return Meaning()
    wanted = {_bare(code) for code in codes}
    found = [(name, legend) for name, text in told for legend in _legends(text, wanted)]
    most = max((len(legend) for _, legend in found), default=0)
    if most < max(2, 0.6 * len(wanted)):
        return Meaning()
    best = [(name, legend) for name, legend in found if len(legend) == most]
    words, emotions, doubtful = {}, {}, {}
    for code in codes:
        said = [(name, each[_bare(code)]) for name, each in best if _bare(code) in each]
        ways = {emotion_of(word) for _, word in said}
        if len(ways) == 1:
            words[code], emotions[code] = said[0][1], ways.pop()
        elif ways:
            doubtful[code] = ", ".join(f"{name}: {word}" for name, word in said)
    kinds = len({emotion_of(word) for word in best[0][1].values()})
    known = (len(emotions) + len(doubtful)) / len(codes)
    return Meaning(
        emotions,
        tuple(code for code in codes if code not in emotions),
        doubtful=doubtful,
        score=0.9 * known + 0.05 * min(6, kinds) if kinds > 1 else 0.0,
        words=words,
        source=best[0][0],
    )


def _legends(text: str, wanted: Collection[str]) -> list[dict[str, str]]:
    """Return the words by code that a text lists; a code that comes again begins another list.

    Codes stand before their words or behind them, whichever explains more.
    """
    before, behind = (list(_pairs(text, wanted, step)) for step in (1, -1))
    lists: list[dict[str, str]] = [{}]
    for code, word in max(before, behind, key=len):
        if code in lists[-1]:
            lists.append({})
        lists[-1][code] = word
    ways = Counter(code for code, _ in {pair for legend in lists for pair in legend.items()})
    # Where codes come again and again, or a word comes again in a list, recordings are listed.
    if len(lists) > _MOST_LISTS or max(ways.values(), default=0) > _MOST_WAYS:
        return []
    return [legend for legend in lists if len(set(legend.values())) == len(legend)]


def _pairs(text: str, wanted: Collection[str], step: int) -> Iterator[tuple[str, str]]:
    """Yield codes and the words for emotions beside them, with at most one word in between.

    With a step of 1 words stand behind their codes, with -1 before them. Prose explains nothing
    without a sign in between.
    """
    for line in _TAG.sub("\t", text).splitlines():
        tokens = list(re.finditer(r"[^\W_]+", line))[::step]
        for at, token in enumerate(tokens):
            if (code := _bare(token[0])) not in wanted:
                continue
            for other in tokens[at + 1 : at + 3]:
                first, second = (token, other)[::step]
                if _bare(other[0]) in wanted or other[0].isdecimal():
                    break
                if emotion_of(other[0]):
                    gap = line[first.end() : second.start()]
                    if _SIGN.search(gap) or not line[: first.start()].strip():
                        yield code, other[0]
                    break


def _bare(code: str) -> str:
    """Return a code without zeros before it."""
    return code.lstrip("0") or "0" if code.isdecimal() else code
