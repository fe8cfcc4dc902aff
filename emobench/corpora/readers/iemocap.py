"""IEMOCAP: a label file for each dialogue, a recording for each turn.

C. Busso et al., "IEMOCAP: interactive emotional dyadic motion capture database", Language
Resources and Evaluation 42(4), 2008. The labels are those of the summary line, on which the
outside evaluators agreed; who said what is not read.

The letter after the session (`Ses01F`) names the actor who wore the markers in the dialogue. Who
speaks in a turn is told by the letter before its number. `dialogue_actor` holds the former, which
some code takes for the speaker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..entries.schema import Corpus
from ..reading.audio_files import AudioFile, scan
from ..reading.clips import LabelledClips
from .label_files import Grammar, Label, Line, joined, lines_of, nothing_found

_LABELS = "EmoEvaluation/*.txt"
_TRANSCRIPTS = "transcriptions/*.txt"

_DIALOGUE = r"Ses0(?P<session>[1-5])(?P<actor>[FM])_(?P<scene>impro\d\d[ab]?|script\d\d_\d+b?)"
_TURN = re.compile(rf"(?P<name>{_DIALOGUE}_(?P<sex>[FM])\d{{3}})")
_DIALOGUE_NAME = re.compile(_DIALOGUE)
_NUMBER = r"(\d+(?:\.\d+)?|NaN)?"
_SUMMARY = re.compile(
    r"\[\s*\d+\.\d+\s*-\s*\d+\.\d+\s*\]\s+(?P<turn>\S+)\s+(?P<emotion>[a-z]{3})\s+"
    rf"\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\]"
)
_EVALUATOR = re.compile(r"[AC]-\w+\s*:")
_SPOKEN = re.compile(r"(?P<turn>\S+)\s*\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s*:\s*(?P<text>.+)")
_GRAMMAR = Grammar(_TURN, "'[start - end] turn emotion [valence, activation, dominance]'")


def read(corpus: Corpus, folder: Path, files: Sequence[AudioFile]) -> LabelledClips:
    """Return the turns of IEMOCAP that have both a recording and a label, and what is wrong.

    Raises:
        CorpusError: if a label file cannot be read
    """
    evaluated = _dialogues(folder, _LABELS)
    if not evaluated:
        return LabelledClips(problems=(nothing_found(corpus, folder, _LABELS),))
    said = dict(_transcripts(_dialogues(folder, _TRANSCRIPTS)))
    # Whole dialogues lie beside the turns, in another folder.
    turns = [file for file in files if not _DIALOGUE_NAME.fullmatch(file.stem)]
    return joined(corpus, turns, _labels(evaluated, said), _GRAMMAR)


def _dialogues(folder: Path, glob: str) -> list[AudioFile]:
    """Return the files of one kind that are called like a dialogue."""
    return [file for file in scan(folder, [glob]) if _DIALOGUE_NAME.fullmatch(file.stem)]


def _labels(files: Iterable[AudioFile], said: Mapping[str, str]) -> Iterator[Label | Line]:
    """Yield labels, and summary lines that cannot be understood."""
    for line in (line for file in files for line in lines_of(file)):
        summary = _SUMMARY.fullmatch(line.text)
        name = _TURN.fullmatch(summary["turn"]) if summary else None
        if summary and name:
            yield Label(name[0], line, _facts(summary, name, said))
        elif _EVALUATOR.match(line.text):
            continue
        elif line.text.startswith("[") or _TURN.search(line.text):
            yield line


def _facts(summary: re.Match[str], name: re.Match[str], said: Mapping[str, str]) -> dict[str, str]:
    facts = {
        "emotion": summary["emotion"],
        "speaker": f"Ses0{name['session']}{name['sex']}",
        "group": name["session"],
        "sex": name["sex"],
        "dialogue_actor": f"0{name['session']}{name['actor']}",
        "scene": name["scene"],
        "style": "improvised" if name["scene"].startswith("impro") else "scripted",
    }
    values = zip(("valence", "activation", "dominance"), summary.groups()[-3:], strict=True)
    facts |= {column: value for column, value in values if value not in (None, "NaN")}
    return facts | ({"transcript": said[name[0]]} if name[0] in said else {})


def _transcripts(files: Iterable[AudioFile]) -> Iterator[tuple[str, str]]:
    """Yield turns and what is said; those named `XX`, which nobody recorded, are passed over."""
    for line in (line for file in files for line in lines_of(file)):
        spoken = _SPOKEN.fullmatch(line.text)
        if spoken and _TURN.fullmatch(spoken["turn"]):
            yield spoken["turn"], spoken["text"]
