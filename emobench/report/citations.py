"""What to cite, as BibTeX: emobench, the papers of its models, and those of its corpora.

Citations are kept as one line for people. What follows their usual form is taken apart; what does
not goes into a note as it is, rather than be guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from .. import __version__

if TYPE_CHECKING:
    from ..corpora import Corpus

_SPECIAL = re.compile(r"[&%$#_{}]")
_INITIALS = r"(?:[A-Z]\.[ -]?)+ ?[^,\d]+"
_MODEL = re.compile(
    rf"(?P<authors>{_INITIALS}(?:, {_INITIALS})*), (?P<title>[A-Z][^,]+), (?P<rest>.+)"
)
_CORPUS = re.compile(r'(?P<authors>[^"]+), "(?P<title>[^"]+)",? ?(?P<rest>.*)')
_IDENTIFIER = re.compile(r",? ?(?P<kind>doi|arXiv):(?P<value>\S+)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def entries(corpora: Iterable[Corpus], models: Iterable[str]) -> Iterator[str]:
    """Yield BibTeX entries: emobench's, then those of models, then those of corpora.

    Args:
        corpora: as the registry has them
        models: citations of models, in one line each; repeated ones count once
    """
    yield _entry(
        "misc",
        "emobench",
        {
            "title": "{emobench}: a benchmark of speech emotion recognition",
            "note": f"Version {__version__}",
        },
    )
    keys: set[str] = set()
    for citation in dict.fromkeys(models):
        yield _parsed(citation, _MODEL, {}, keys)
    for corpus in corpora:
        known = {"title": corpus.title, "year": str(corpus.year or ""), "doi": corpus.doi or ""}
        yield _parsed(corpus.citation or corpus.title, _CORPUS, known, keys)


def _parsed(citation: str, form: re.Pattern[str], known: Mapping[str, str], keys: set[str]) -> str:
    found = _IDENTIFIER.search(citation)
    plain = _IDENTIFIER.sub("", citation)
    year = _YEAR.search(plain)
    facts = {"year": year[0] if year else "", **known}
    if found:
        facts["doi" if found["kind"] == "doi" else "eprint"] = found["value"]
        facts |= {} if found["kind"] == "doi" else {"archiveprefix": "arXiv"}
    parts = form.fullmatch(plain)
    if parts:
        facts |= {"author": _authors(parts["authors"]), "title": _escaped(parts["title"])}
        facts["howpublished"] = _escaped(parts["rest"])
    else:
        facts |= {"title": _escaped(known.get("title", "")), "note": _escaped(plain)}
    return _entry("misc", _key(citation, facts, keys), facts)


def _authors(text: str) -> str:
    names = re.split(r", | and ", text.replace(" et al.", " and others"))
    return " and ".join(map(_escaped, names))


def _key(citation: str, facts: Mapping[str, str], keys: set[str]) -> str:
    """Return a key that no other entry has: the first surname and the year."""
    first = re.split(r", | and ", citation)[0]
    surname = re.sub(r"[^A-Za-z]", "", first.split(" ")[-1]).lower() or "anonymous"
    plain = f"{surname}{facts.get('year', '')}"
    key = next(
        name for name in (plain, *(f"{plain}{chr(98 + n)}" for n in range(25))) if name not in keys
    )
    keys.add(key)
    return key


def _entry(kind: str, key: str, facts: Mapping[str, str]) -> str:
    order = ("author", "title", "howpublished", "year", "doi", "eprint", "archiveprefix", "note")
    lines = [f"  {name} = {{{facts[name]}}}," for name in order if facts.get(name)]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda sign: f"\\{sign[0]}", text)
