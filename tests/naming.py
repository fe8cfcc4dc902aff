"""Invented corpora whose names follow a grammar, and whether an entry reads them rightly.

An entry is right if its speakers part the files as the people who spoke do.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path

import trees
import yaml

from emobench.corpora import load_registry
from emobench.corpora.opening import read
from emobench.corpora.proposal import Proposal, propose
from emobench.errors import EmobenchError

WORDS = {"angry": "anger", "happy": "happiness", "sad": "sadness"}


@dataclass(frozen=True)
class Grammar:
    """How files are called.

    Attributes:
        truth: speaker by path
        others: further files
        ready: whether it can be known who speaks
    """

    truth: dict[str, str]
    others: dict[str, str] = field(default_factory=dict)
    ready: bool = True


def grid(form: str, speakers, labels=WORDS, numbers=(1, 2, 3), **others) -> dict[str, str]:
    """Return paths made of speaker, label and number, with the speaker of each."""
    found = {}
    columns = [speakers, labels, numbers, *others.values()]
    for count, (who, label, number, *rest) in enumerate(itertools.product(*columns)):
        names = dict(zip(others, rest, strict=True))
        path = form.format(who=who, label=label, number=number, count=count + 101, **names)
        found[path] = who
    return found


def plant(folder: Path, grammar: Grammar) -> Path:
    trees.plant(folder, grammar.truth)
    for name, text in grammar.others.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def is_right(folder: Path, text: str, truth: dict[str, str]) -> bool:
    """Tell whether an entry parts the files as the speakers do."""
    file = folder.parent / "entry.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        reading = read(load_registry([file]).get("corpus"), folder)
        reading.raise_problems()
    except EmobenchError:
        return False
    found = {clip.file.relative: clip.facts["speaker"] for clip in reading.clips}
    pairs = (
        {(found[path], who) for path, who in truth.items()} if found.keys() == truth.keys() else ()
    )
    return len(pairs) == len(set(truth.values())) == len(set(found.values()))


def alternatives(proposal: Proposal) -> list[str]:
    """Return the text of the entry with each of the other patterns that it offers."""
    comments = " ".join(line[1:].strip() for line in proposal.text.splitlines() if line[:1] == "#")
    entry = yaml.safe_load(proposal.text)["corpus"]
    found = []
    for more, pattern in re.findall(r"Then (extra: .*?)?pattern: (\S.*?\$)(?= - |$)", comments):
        keys = yaml.safe_load(f"{{{more}}}")
        found.append(yaml.safe_dump({"corpus": {**entry, **keys, "pattern": pattern}}))
    return found


def check(folder: Path, grammar: Grammar) -> Proposal:
    """Assert that an entry is right, or not "Ready" with what is right among what it offers."""
    plant(folder, grammar)
    proposal = propose(folder)
    assert proposal.ready is grammar.ready, proposal.text
    if proposal.ready:
        assert is_right(folder, proposal.text, grammar.truth), proposal.text
    else:
        offered = [proposal.text, *alternatives(proposal)]
        assert any(is_right(folder, text, grammar.truth) for text in offered), proposal.text
        assert proposal.verdict.startswith("Not ready: ")
    return proposal
