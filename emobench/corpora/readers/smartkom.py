"""SmartKom: turns of long recordings, each with the user state that covers most of it.

F. Schiel, S. Steininger and U. Türk, "The SmartKom multimodal corpus at BAS", LREC 2002. A `.par`
file (BAS Partitur) says of one speaker of a session which words there are (ORT), where turns
begin and how long they last (TRN), and which user states a judge saw and heard (USH), all in
samples at 16 kHz. The system's own side, `SMA`, is passed over, and so are sessions of which a
tier is missing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..entries.schema import Corpus
from ..reading.audio_files import AudioFile, readable, scan
from ..reading.clips import Clip, LabelledClips
from .label_files import Line, lines_of, malformed, nothing_found

_TICKS = 16_000
"""Units of time per second in the label files, at whatever rate the sound is recorded."""

_LABELS = "*.par"
_SYSTEM = "SMA"
_NAME = re.compile(r"(?P<session>.+)_(?P<speaker>[A-Z]{3})")
_TIER = re.compile(r"(?P<tier>ORT|TRN|USH)\s*:")
_WORD = re.compile(r"ORT\s*:\s*(?P<index>\d{1,12})\s+(?P<word>\S.*)")
_SPAN = r"(?P<start>\d{1,12})\s+(?P<length>\d{1,12})"
_TURN = re.compile(rf"TRN\s*:\s*{_SPAN}\s+(?P<words>[-\d,;]+)(?:\s.*)?")
_STATE = re.compile(rf"USH\s*:\s*{_SPAN}\s+(?P<state>\S+)(?:\s.*)?")
_EXPECTED = (
    "'ORT: index word', 'TRN: start duration word,index,list turn' or 'USH: start duration state'"
)
_MOST_SHOWN = 5
_UNFINISHED = "session without turns (TRN) or user states (USH)"

_LETTERS = str.maketrans("ÄÖÜäöüß", "AOUaous")
_CODED = {f'"{plain}': sign for plain, sign in zip("AOUaous", "ÄÖÜäöüß", strict=True)}


@dataclass(frozen=True)
class _Span:
    """A turn or a user state.

    Attributes:
        start: its first tick
        end: the tick after its last
        text: indices of its words, or the state
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Tiers:
    """What a label file holds, in its order."""

    words: dict[int, str] = field(default_factory=dict)
    turns: list[_Span] = field(default_factory=list)
    states: list[_Span] = field(default_factory=list)


def read(corpus: Corpus, folder: Path, files: Sequence[AudioFile]) -> LabelledClips:
    """Return the turns of SmartKom's users, and what is wrong.

    Raises:
        CorpusError: if a label file cannot be read
    """
    labelled = scan(folder, [_LABELS])
    if not labelled:
        return LabelledClips(problems=(nothing_found(corpus, folder, _LABELS),))
    recordings = _by_session(files)
    clips: list[Clip] = []
    bad: list[Line] = []
    gaps: list[str] = []
    problems: list[str] = []
    complete: dict[str, bool] = {}
    for file in labelled:
        name = _NAME.fullmatch(file.stem)
        if name is None:
            problems.append(_misnamed(file))
            continue
        complete.setdefault(name["session"], False)
        tiers = _Tiers() if name["speaker"] == _SYSTEM else _tiers(file, bad)
        if tiers.turns and tiers.states:
            complete[name["session"]] = True
            sound = _beside(file, recordings.get(name["session"], []))
            if sound is None:
                gaps.append(_silent(file, name["session"]))
            else:
                clips += _clips(name, tiers, sound)
    unfinished = list(complete.values()).count(False)
    dropped = {_UNFINISHED: unfinished} if unfinished else {}
    if len(gaps) > _MOST_SHOWN:
        gaps[_MOST_SHOWN:] = [f"… and {len(gaps) - _MOST_SHOWN:,} more such sessions."]
    return LabelledClips(
        tuple(clips), dropped, gaps=tuple(gaps), problems=(*malformed(bad, _EXPECTED), *problems)
    )


def _by_session(files: Iterable[AudioFile]) -> Mapping[str, list[AudioFile]]:
    """Return recordings by the session that they would be of: one letter follows its name."""
    found = defaultdict(list)
    for file in files:
        found[file.stem[:-1]].append(file)
    return found


def _beside(label: AudioFile, recordings: Sequence[AudioFile]) -> AudioFile | None:
    """Return the first recording in the folder of a label file, or else the first anywhere."""
    folder = label.relative.rpartition("/")[0]
    near = [file for file in recordings if file.relative.rpartition("/")[0] == folder]
    return next(iter([*near, *recordings]), None)


def _tiers(file: AudioFile, bad: list[Line]) -> _Tiers:
    """Return what a label file holds; note lines of these tiers that say something else."""
    tiers = _Tiers()
    for line in lines_of(file):
        tier = _TIER.match(line.text)
        if tier is None:
            continue
        match = {"ORT": _WORD, "TRN": _TURN, "USH": _STATE}[tier["tier"]].fullmatch(line.text)
        if match is None:
            bad.append(line)
        elif tier["tier"] == "ORT":
            tiers.words[int(match["index"])] = match["word"]
        elif tier["tier"] == "TRN":
            tiers.turns.append(_span(match, match["words"]))
        else:
            tiers.states.append(_span(match, _plain(match["state"])))
    return tiers


def _span(match: re.Match[str], text: str) -> _Span:
    start = int(match["start"])
    return _Span(start, start + int(match["length"]) + 1, text)


def _plain(state: str) -> str:
    """Return a user state without umlauts, which are coded as `"U` in most files."""
    return state.replace('"', "").translate(_LETTERS)


def _clips(name: re.Match[str], tiers: _Tiers, sound: AudioFile) -> Iterator[Clip]:
    states = sorted(tiers.states, key=lambda state: state.start)
    for number, turn in enumerate(tiers.turns):
        facts = {
            "emotion": _state(turn, states),
            "speaker": name["speaker"],
            "session": name["session"],
        }
        if said := _said(turn, tiers.words):
            facts["transcript"] = said
        yield Clip(f"{name[0]}_{number:03d}", sound, facts, turn.start / _TICKS, turn.end / _TICKS)


def _state(turn: _Span, states: Sequence[_Span]) -> str:
    """Return the user state that covers most of a turn, the earliest of equals.

    A turn that none covers gets the next one, or the last: so does the code behind the published
    counts.
    """
    covered: dict[str, int] = defaultdict(int)
    for state in states:
        shared = min(turn.end, state.end) - max(turn.start, state.start)
        if shared > 0:
            covered[state.text] += shared
    if covered:
        return max(covered, key=lambda text: covered[text])
    later = (state.text for state in states if state.start >= turn.end)
    return next(later, states[-1].text)


def _said(turn: _Span, words: Mapping[int, str]) -> str:
    """Return the words of a turn without marks of noises and breaks, which stand in brackets."""
    indices = (int(index) for index in re.findall(r"\d{1,12}", turn.text))
    spoken = [words[index] for index in indices if index in words]
    text = " ".join(word for word in spoken if "<" not in word and ">" not in word)
    for code, sign in _CODED.items():
        text = text.replace(code, sign)
    return text


def _misnamed(file: AudioFile) -> str:
    return (
        f"{readable(file.path)}: expected a name such as w001_pk_AAA.par (session and speaker), "
        f"found '{file.name}'. Give it the name that it has in the archive, or move it away."
    )


def _silent(file: AudioFile, session: str) -> str:
    return (
        f"{readable(file.path)}: expected the recording {session}?.wav (any letter) beside it, "
        "found none. Unpack the sound of the session there."
    )
