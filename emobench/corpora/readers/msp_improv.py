"""MSP-IMPROV: one label file for all clips.

C. Busso, S. Parthasarathy, A. Burmania, M. AbdelWahab, N. Sadoughi and E. Mower Provost,
"MSP-IMPROV: an acted corpus of dyadic interactions to study emotion perception", IEEE
Transactions on Affective Computing 8(1), 2017. The letter of the summary line is the consensus of
the raters; their own lines are not read, so raters who stand there twice do not matter.

The label file calls clips `UTD-IMPROV-….avi`, the audio is called `MSP-IMPROV-….wav`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..entries.schema import Corpus
from ..reading.audio_files import AudioFile, scan
from ..reading.clips import LabelledClips
from .label_files import Grammar, Label, Line, joined, lines_of, nothing_found

# The second spelling is that of some releases.
_LABELS = ("Evaluation.txt", "Evalution.txt")

_TURN = re.compile(
    r"(?:MSP|UTD)-(?P<name>IMPROV-S(?P<sentence>\d\d)(?P<target>[AHNS])"
    r"-(?P<speaker>(?P<sex>[FM])0(?P<session>[1-6]))-(?P<condition>[PRST])-[FM]{2}\d\d)"
)
_NUMBER = r"(\d+(?:\.\d+)?|nan)?"
_SUMMARY = re.compile(
    r"(?P<turn>\S+?)\s*\.\s*avi\s*;\s*(?P<emotion>[A-Z])\s*;"
    rf"\s*A\s*:\s*{_NUMBER}\s*;\s*V\s*:\s*{_NUMBER}\s*;\s*D\s*:\s*{_NUMBER}\s*;"
    rf"(?:\s*N\s*:\s*{_NUMBER}\s*;?)?",
    re.IGNORECASE,
)
_VALUES = ("activation", "valence", "dominance", "naturalness")
_GRAMMAR = Grammar(_TURN, "'UTD-IMPROV-….avi; letter; A:…; V:…; D:… ; N:…;'", prefix="MSP-")

_FIXED_TEXT = "RT"
"""Conditions in which the target sentence itself is said: read, or led up to by improvising."""


def read(corpus: Corpus, folder: Path, files: Sequence[AudioFile]) -> LabelledClips:
    """Return the clips of MSP-IMPROV that have both a recording and a label, and what is wrong.

    Raises:
        CorpusError: if the label file cannot be read
    """
    tables = scan(folder, _LABELS)
    if not tables:
        return LabelledClips(problems=(nothing_found(corpus, folder, " or ".join(_LABELS)),))
    return joined(corpus, files, _labels(tables), _GRAMMAR)


def _labels(files: Iterable[AudioFile]) -> Iterator[Label | Line]:
    """Yield labels, and summary lines that cannot be understood."""
    for line in (line for file in files for line in lines_of(file)):
        if "-IMPROV-" not in line.text.upper():  # a rater's own
            continue
        summary = _SUMMARY.fullmatch(line.text)
        name = _TURN.fullmatch(summary["turn"]) if summary else None
        if summary and name:
            yield Label(_GRAMMAR.clip(name), line, _facts(summary, name))
        else:
            yield line


def _facts(summary: re.Match[str], name: re.Match[str]) -> dict[str, str]:
    facts = {
        "emotion": summary["emotion"],
        "speaker": name["speaker"],
        "group": name["session"],
        "sex": name["sex"],
        "condition": name["condition"],
        "target": name["target"],
    }
    if name["condition"] in _FIXED_TEXT:
        facts["sentence"] = name["sentence"]
    values = zip(_VALUES, summary.groups()[-4:], strict=True)
    return facts | {column: text for column, text in values if text and text.lower() != "nan"}
