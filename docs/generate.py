"""Write the parts of the documentation that follow from the package, such as tables of keys.

Each stands in a page between `<!-- NAME:start -->` and `<!-- NAME:end -->`, so that pages read well
where they are not built, too. `make docs` writes them anew; a test tells when one is out of date.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from emobench import corpora, encoders, features, gate, models, papers, protocols
from emobench.corpora.entries import fields, items, schema
from emobench.corpora.entries.readers import READERS
from emobench.spec import Protocol

PAGES = Path(__file__).parent
sys.path.insert(0, str(PAGES))
import costs  # noqa: E402

DECISIONS = "../explanation/decisions.md"

_PART = re.compile(r"(<!-- ([\w-]+):start -->\n).*?(<!-- \2:end -->)", re.DOTALL)


def refreshed(text: str) -> str:
    """Return a page whose generated parts are those of the package as it is now.

    Args:
        text: the page

    Raises:
        KeyError: if it has a part of a name that is not generated
    """
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]().strip()}\n\n{part[3]}", text)


def pages() -> list[Path]:
    """Return the pages of the documentation."""
    return sorted(path for path in PAGES.rglob("*.md") if "_build" not in path.parts)


def keys(model: type[BaseModel]) -> str:
    """Return a table of what a mapping of the registry may hold.

    Args:
        model: its schema, whose fields have docstrings
    """
    meanings = field_docstrings(model)
    hints = get_type_hints(model, include_extras=True)
    rows = []
    for name, field in model.model_fields.items():
        default = "needed" if field.is_required() else _default(field.default)
        key = f"`{field.alias or name}`"
        rows.append((key, kind(hints[name]), default, meanings.get(name, "")))
    return table(("key", "value", "default", "meaning"), rows)


def field_docstrings(model: type) -> dict[str, str]:
    """Return what stands below each field of a class of ours, on one line."""
    found = {}
    for part in reversed([part for part in model.__mro__ if part.__module__ == model.__module__]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
        for field, below in zip(body.body, body.body[1:], strict=False):
            text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and text:
                found[field.target.id] = " ".join(below.value.value.split())
    return found


_KINDS: tuple[tuple[Any, str], ...] = (
    (fields.Text, "text"),
    (fields.Texts, "text or list of texts"),
    (fields.Cells, "text or list of texts"),
    (fields.Glob, "glob"),
    (fields.Globs, "glob or list of globs"),
    (fields.Address, "address"),
    (fields.Addresses, "address or list of addresses"),
    (fields.Doi, "DOI"),
    (fields.Expression, "regular expression"),
    (fields.Emotion, "emotion"),
    (fields.FoldRule, "`speaker`, `session` or `{groups: N}`"),
    (fields.Count, "whole number"),
    (items.SideTable, "table"),
    (items.Drop, "rule"),
    (items.Listing, "table"),
    (items.ValueMap, "translation"),
    (items.TextFiles, "glob or text files"),
    (items.Expect, "counts"),
    (bool, "`true` or `false`"),
    (int, "whole number"),
    (str, "text"),
    (Any, "anything"),
)


def kind(hint: Any) -> str:
    """Return what may be written for a value, in words.

    Args:
        hint: type of a field

    Raises:
        KeyError: if the type is not known here
    """
    for known, words in _KINDS:
        if hint == known:
            return words
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return kind(inner[0])
    if origin is Literal:
        *others, last = (f"`{word}`" for word in inner)
        return f"{', '.join(others)} or {last}"
    if origin in (Union, UnionType):
        (only,) = (each for each in inner if each is not NoneType)
        return kind(only)
    if origin is dict:
        return "mapping of mappings" if "mapping" in kind(inner[1]) else f"name: {kind(inner[1])}"
    if origin is tuple:
        return f"list of {kind(inner[0])}s"
    raise KeyError(f"{hint}: say in docs/generate.py how such a value is written")


def _default(value: Any) -> str:
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, tuple):
        value = ", ".join(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def emotions() -> str:
    """Return the canonical emotions."""
    return ", ".join(f"`{name}`" for name in fields.EMOTIONS)


def readers() -> str:
    """Return a table of the readers of label files."""
    rows = ((f"`{name}`", _listed(sorted(each.columns))) for name, each in READERS.items())
    return table(("reader", "columns that it fills in"), rows)


def corpus_list() -> str:
    """Return a table of the corpora that come with the package, variants included."""
    registry = corpora.load_registry()
    rows = []
    for name in registry.names():
        for each in map(registry.get, (name, *registry.variants(name))):
            counted = each.expect is not None and each.expect.emotions
            clips = f"{sum(each.expect.emotions.values()):,}" if counted else ""
            speakers = str(each.expect.speakers or "") if each.expect else ""
            access = "made on first use" if each.synthetic else each.access
            told = (f"`{each.name}`", each.title, each.language or "", clips)
            rows.append((*told, str(len(each.labels)), speakers, f"`{each.folds}`", access))
    names = ("name", "corpus", "language", "clips", "classes", "speakers", "folds", "access")
    return table(names, rows)


_SPLITS = {
    "": "as the corpus' entry says",
    "groups": "five groups of speakers, or sessions",
    "last-group": "the last of five groups of speakers, or sessions",
    "random": "five random parts of the clips, whoever speaks",
    "clips": "random parts of the clips, whoever speaks, as many as the corpus' entry makes folds",
}
_SELECTIONS = {
    "": "last, or best on development clips",
    "best-test-epoch": "best on the test clips",
}


def protocol_list() -> str:
    """Return what each protocol is, a section each."""
    return "\n\n".join(_protocol(protocols.get(name)) for name in protocols.names())


def _protocol(protocol: Protocol) -> str:
    title = protocol.title[0].upper() + protocol.title[1:]
    text = [f"## `{protocol.name}`", decided(title) + ("" if title[-1] in ".?!" else ".")]
    if protocol.caution:
        text.append(f"**Caution:** {protocol.caution}.")
    split = _SPLITS[protocol.split]
    if protocol.max_folds:
        split += f"; the first {protocol.max_folds} folds only"
    if protocol.development:
        split += f"; {protocol.development:.0%} of what is held out is kept for early stopping"
    if protocol.copies:
        split += f"; {protocol.copies:.0%} of it is trained on as well"
    repetitions = str(protocol.repetitions)
    for model, number in protocol.model_repetitions.items():
        repetitions += f" (`{model}`: {number})"
    rows = [
        ("held out", split),
        ("groups of speakers", f"{protocol.speaker_groups}"),
        ("hyper-parameters searched on", _TUNING[protocol.tuning]),
        ("epoch that is used", _SELECTIONS[protocol.selection]),
        ("class weights from", _WEIGHTS[protocol.weights]),
        ("standardised by", _NORMALISATIONS[protocol.normalisation]),
        ("batches", f"`{protocol.batching}`"),
        ("batch normalisation predicts with", _STATISTICS[protocol.statistics]),
        ("repetitions", repetitions),
        ("epochs", str(protocol.epochs or "the model's own")),
        ("score shown first", protocol.headline.upper()),
        ("part of the leaderboard", _part_of_the_table(protocol)),
    ]
    if protocol.draws_clips:
        del rows[1]
    return "\n\n".join([*text, table(("", ""), rows)])


def _part_of_the_table(protocol: Protocol) -> str:
    reasons = "; ".join(gate.leaks(protocol))
    if protocol.baseline:
        said = f": {reasons}" if reasons else ""
        return f"none, `emobench leakage` shows it beside `{protocol.baseline}`{said}"
    return f"as published, not comparable: {reasons}" if reasons else "main"


_TUNING = {
    "nested": "the training clips of each fold",
    "evaluation": "the folds that are reported",
    "none": "nothing",
}
_WEIGHTS = {
    "training": "the training clips of each fold",
    "corpus": "the whole corpus, test clips included",
    "none": "nowhere: all clips weigh the same",
}
_NORMALISATIONS = {
    "": "what each front-end says",
    "training": "the training clips of each fold",
    "corpus": "all clips, test clips included",
}
_STATISTICS = {
    "": "statistics measured on the training clips after training",
    "running": "running statistics",
}


def protocol_fields() -> str:
    """Return a table of what a protocol decides, from the docstring of its class."""
    return table(("field", "what it decides"), attributes(Protocol))


def attributes(described: type) -> list[tuple[str, str]]:
    """Return the attributes that a Google docstring lists, with what it says of them."""
    section = inspect.getdoc(described).partition("Attributes:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return [(f"`{name}`", " ".join(text.split())) for name, text in found]


def model_list() -> str:
    """Return what each model is fed with and what differs from its paper, paper by paper."""
    sections = []
    every = [models.get(name) for name in models.names()]
    named = {papers.get(each.paper or each.name): None for each in every}
    for paper in sorted(named, key=papers.position):
        own = [each for each in every if (each.paper or each.name) == paper.name]
        rows = [
            (
                f"`{each.name}`",
                _listed(str(features.spec(i.feature, **i.params)) for i in each.inputs.values()),
                decided("; ".join(each.deviations)),
            )
            for each in own
        ]
        header = ("model", "front-ends", "what differs from the paper")
        sections.append(f"## {paper.title}\n\n{table(header, rows)}")
    return "\n\n".join(sections)


def front_end_list() -> str:
    """Return a table of the front-ends."""
    rows = []
    for name in features.names():
        each = features.get(name)
        shortest = "" if each.text else f"{each.minimum / 16:g} ms"
        options = _listed(f"{key}={value}" for key, value in each.defaults.items())
        rows.append((f"`{name}`", each.title, options, each.scaling, shortest, each.requires or ""))
    header = ("front-end", "what it gives", "parameters", "scaling", "shortest clip", "needs")
    return table(header, rows)


def decided(text: str) -> str:
    """Return a text whose decisions link to the register."""
    return re.sub(r"D-(\d\d)", rf"[D-\1]({DECISIONS}#d-\1)", text)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


PARTS: dict[str, Callable[[], str]] = {
    "entry-keys": lambda: keys(schema.Entry),
    "table-keys": lambda: keys(items.SideTable),
    "text-keys": lambda: keys(items.TextFiles),
    "value-keys": lambda: keys(items.ValueMap),
    "drop-keys": lambda: keys(items.Drop),
    "listed-keys": lambda: keys(items.Listing),
    "expect-keys": lambda: keys(items.Expect),
    "card-keys": lambda: keys(encoders.Card),
    "emotions": emotions,
    "readers": readers,
    "corpora": corpus_list,
    "protocols": protocol_list,
    "protocol-fields": protocol_fields,
    "models": model_list,
    "front-ends": front_end_list,
    "costs": lambda: costs.described(table),
}
"""What is generated, by its name between the markers."""


def main() -> None:
    """Write every generated part anew."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := refreshed(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(f"{page.relative_to(PAGES)}: written anew")


if __name__ == "__main__":
    main()
