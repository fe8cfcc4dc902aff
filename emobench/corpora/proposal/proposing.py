"""The whole way from a folder to an entry that was tried on it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import CorpusError, EmobenchError, SpecError, count, named
from ...storage import output, overwrite, storing
from ..entries import yaml_source
from ..entries.fields import EMOTIONS
from ..entries.table_kinds import ARROW, REFUSED
from ..opening import read
from ..reading.audio_files import AUDIO, VIDEO, AudioFile, found_instead, scan
from ..reading.clips import Reading
from ..registry import DRAFT, load_registry, normalised
from . import drafting, from_audformat
from .draft import Draft, Recordings

_MOST_IGNORED = 10


@dataclass(frozen=True)
class Proposal:
    """An entry for a folder.

    Attributes:
        name: of the corpus
        text: YAML with comments
        ready: whether the corpus was read by it without a problem, and holds several speakers
        loads: whether the registry takes it as it is
        clips: that were read by it
        verdict: what came of that, in a sentence
    """

    name: str
    text: str
    ready: bool
    loads: bool
    clips: int
    verdict: str


def propose(folder: Path, name: str | None = None, *, audformat: bool = False) -> Proposal:
    """Look at a folder of audio and propose an entry for it.

    Args:
        folder: of the corpus
        name: of the corpus; default from the folder's
        audformat: whether it is a database in audformat, which says what its labels are

    Raises:
        CorpusError: if there is no audio, or no database where one is said to be
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise CorpusError(f"{folder}: expected a folder of audio, found {found}. Correct it.")
    files, notes = _files(folder)
    own = folder.resolve().name
    name = name or re.sub(r"[^a-z0-9]+", "-", own.casefold()).strip("-") or "my-corpus"
    proposed = (from_audformat if audformat else drafting).draft(Recordings(files, folder, name))
    reading, problem = _tried(proposed, folder)
    if reading is not None and 0 < len(reading.unmatched) <= _MOST_IGNORED:
        proposed = _ignoring(proposed, reading.unmatched)
        reading, problem = _tried(proposed, folder)
    verdict = _verdict(proposed, reading, problem)
    if reading is not None:
        proposed = _counted(proposed, reading)
    text = replace(proposed, unsure=(*notes, *proposed.unsure)).written(verdict)
    clips = 0 if reading is None else len(reading.clips)
    return Proposal(name, text, verdict.startswith("Ready"), reading is not None, clips, verdict)


def add_to(file: Path, proposal: Proposal) -> None:
    """Add an entry at the end of a registry file, which is made if it is not there.

    Raises:
        SpecError: if the file is no registry, has an entry of that name, or cannot be written
    """
    there = yaml_source.read(file) if file.exists() else []
    for entry in there:
        if normalised(entry.name) == normalised(proposal.name):
            raise SpecError(
                f"{entry.at()}: expected no entry of the name '{proposal.name}', found one. Remove "
                "it, or choose another --name."
            )
    if there and not proposal.loads:
        raise SpecError(
            f"{file}: expected an entry that can stand among others, found one that is not "
            f"complete. {proposal.verdict} Leave out --out to see it."
        )
    with storing(file, output("--out")):
        before = file.read_text(encoding="utf-8").rstrip("\n") if file.exists() else ""
        text = f"{before}\n\n" if before else ""
        overwrite(file, (text + proposal.text).encode())


def _files(folder: Path) -> tuple[list[AudioFile], list[str]]:
    """Return the audio files, of one kind where the same names occur in several."""
    sound, moving = ([f"*.{kind}" for kind in kinds] for kinds in (AUDIO, VIDEO))
    files = scan(folder, sound) or scan(folder, moving)
    if not files:
        holders = scan(folder, [f"*.{ending}" for ending in (*REFUSED, *ARROW)])
        names = named([file.relative for file in holders])
        held = f"only {names}. If the sound is in there, write each clip to a file of its own."
        none = held if holders else "none. Name the folder that holds them."
        found = found_instead(folder) or none
        raise CorpusError(
            f"{folder}: expected audio files such as *.wav at any depth, found {found}"
        )
    kinds = Counter(file.name.rpartition(".")[2] for file in files)
    most, often = kinds.most_common(1)[0]
    twice = len(files) - len({file.stem for file in files})
    if len(kinds) < 2 or twice < 0.4 * often:
        return files, []
    others = ", ".join(f".{kind}" for kind in kinds if kind != most)
    note = f"The same recordings seem to be there as {others} too; only .{most} is read."
    return [file for file in files if file.name.endswith(f".{most}")], [note]


def _tried(proposed: Draft, folder: Path) -> tuple[Reading | None, str]:
    """Load a draft as a user would, and read the folder by it; say why that is not possible."""
    if proposed.lacking:
        missing = "something is missing that names and tables do not tell; see below."
        return None, (len(proposed.lacking) == 1 and proposed.doubt) or missing
    try:
        corpus = load_registry(draft=proposed.written("")).get(proposed.name)
        return read(corpus, folder), ""
    except EmobenchError as error:
        known = _in_the_way(proposed.name) or _in_the_way(folder.resolve().name)
        return None, known or str(error).replace(f"{DRAFT}, ", "")


def _in_the_way(name: str) -> str | None:
    """Return what is to be said of a name that the registry knows."""
    try:
        other = load_registry().get(name)
    except EmobenchError:
        return None
    return (
        f"The registry knows '{other.name}' ({other.title}). See whether `emobench check "
        f"{other.name}` reads this folder; if it is another corpus, rename the folder or choose "
        "another --name."
    )


def _ignoring(proposed: Draft, strangers: Sequence[str]) -> Draft:
    """Return a draft that passes over files that are put together otherwise than the rest."""
    names = [re.sub(r"[*?\\]", "?", name) for name in strangers]
    note = (
        f"{', '.join(strangers)}: named otherwise than the rest, so listed under `ignore`. Widen "
        "`pattern` instead if these are clips."
    )
    keys = {**proposed.keys, "ignore": names}
    return replace(proposed, keys=keys, unsure=(*proposed.unsure, note))


def _counted(proposed: Draft, reading: Reading) -> Draft:
    """Return a draft with what was read by it: groups of many speakers, counts and other notes."""
    speakers = len({clip.facts["speaker"] for clip in reading.clips})
    keys = dict(proposed.keys) | ({"folds": {"groups": 6}} if speakers > 12 else {})
    if reading.clips and not (reading.problems or proposed.todo):
        counts = Counter(clip.facts["emotion"] for clip in reading.clips)
        found = {name: counts[name] for name in EMOTIONS if counts[name]}
        keys["expect"] = found if proposed.doubt else {**found, "speakers": speakers}
    notes = []
    if reading.duplicates:
        of = f"{len(reading.duplicates):,} of {reading.files:,} files"
        notes.append(f"{of} bear the name of another and are taken for copies of it.")
    if other := _in_the_way(proposed.name):
        notes.append(f"{other} This entry would take its place.")
    return replace(proposed, keys=keys, unsure=(*notes, *proposed.unsure))


def _verdict(proposed: Draft, reading: Reading | None, problem: str) -> str:
    """Return a sentence that says no more than was found."""
    if reading is None:
        return f"Not ready: {problem}"
    speakers = len({clip.facts["speaker"] for clip in reading.clips})
    labels = len({clip.facts["label"] for clip in reading.clips})
    if proposed.todo:
        first, *others = proposed.todo
        one, several = f"the label '{first}' of", f"{len(proposed.todo)} labels of"
        of = f"{several if others else one} {count(sum(proposed.todo.values()), 'clip')}"
        problem = f"say what {of} mean{'' if others else 's'}."
    elif reading.problems:
        problem = reading.problems[0].partition(": ")[2]
    elif proposed.doubt:
        problem = proposed.doubt
    elif speakers < 2 or labels < 2:
        problem = (
            f"expected several speakers and several emotions, found {speakers} and {labels}; "
            "nobody can be held out."
        )
    else:
        return (
            f"Ready: {len(reading.clips):,} clips of {speakers} speakers and {labels} emotions "
            "were read by this entry. See whether these are the speakers and the emotions."
        )
    return f"Not ready: {problem}"
