"""The registry: what an entry may say, what it must not, and how corpora are looked up."""

from __future__ import annotations

import copy
import functools
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench import corpora
from emobench.corpora.entries.fields import EMOTIONS, split_emotion
from emobench.corpora.registry import PACKAGED
from emobench.errors import SpecError
from emobench.spec import fingerprint

GOOD = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>\w+)_(?P<emotion>[a-z]+)_(?P<sentence>\d+)\.wav$
  emotions: {ang: anger, hap: happiness}
  folds: speaker
  expect: {anger: 2, happiness: 3, speakers: 4}
"""


@pytest.fixture
def registry():
    return corpora.load_registry([PACKAGED])


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(dedent(text), encoding="utf-8")
    return file


def load(tmp_path: Path, text: str = GOOD) -> corpora.Corpus:
    return corpora.load_registry([write(tmp_path, text)]).get("mine")


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


MISTAKES = {
    # name: (text, line, entry and key, what the message says)
    "unknown key": (changed("title:", "titel:"), 3, "mine.titel", "found 'titel'. Did you mean 't"),
    "no title": (changed("  title: Mine\n", ""), 2, "mine", "expected the key 'title'"),
    "empty title": (changed("title: Mine", "title: ''"), 3, "mine.title", "expected a text"),
    "no value": (changed("title: Mine", "title:"), 3, "mine.title", "a text, found nothing"),
    "list for a text": (changed("title: Mine", "title: [a]"), 3, "mine.title", "found a list"),
    "broken expression": (
        changed(r"(?P<speaker>\w+)", r"(?P<speaker>\w+"),
        4,
        "mine.pattern",
        "expected a regular expression.*unterminated",
    ),
    "group twice": (
        changed("(?P<sentence>", "(?P<speaker>"),
        4,
        "mine.pattern",
        "redefinition of group name 'speaker'",
    ),
    "unknown group": (
        changed("(?P<sentence>", "(?P<sentense>"),
        4,
        "mine.pattern",
        "found 'sentense'. Did you mean 'sentence'",
    ),
    "session instead of group": (
        changed("(?P<sentence>", "(?P<session>"),
        4,
        "mine.pattern",
        "found 'session'. Call it 'group'",
    ),
    "no speaker": (
        changed("(?P<speaker>", "(?:"),
        4,
        "mine.pattern",
        "something that yields 'speaker', found nothing",
    ),
    "no emotion": (
        changed("(?P<emotion>", "(?:"),
        4,
        "mine.pattern",
        "something that yields 'emotion', found nothing",
    ),
    "no pattern": (
        re.sub(r"  pattern.*\n", "", GOOD),
        2,
        "mine",
        "expected the key 'pattern' .* found none",
    ),
    "label not canonical": (
        changed("ang: anger", "ang: angry"),
        5,
        "mine.emotions.ang",
        "found 'angry'. Did you mean 'anger'",
    ),
    "label after arrow": (
        changed("ang: anger", "ang: rage -> furious"),
        5,
        "mine.emotions.ang",
        "expected one of anger, .* found 'rage -> furious'",
    ),
    "emotions as list": (
        changed("{ang: anger, hap: happiness}", "[anger]"),
        5,
        "mine.emotions",
        "expected a mapping {name: value}, found a list",
    ),
    "fold rule": (changed("folds: speaker", "folds: speakers"), 6, "mine.folds", "mean 'speaker'"),
    "one group": (changed("folds: speaker", "folds: {groups: 1}"), 6, "mine.folds", "N of 2"),
    "groups without number": (
        changed("folds: speaker", "folds: {groups: many}"),
        6,
        "mine.folds",
        "expected speaker, session or",
    ),
    "session without group": (
        changed("folds: speaker", "folds: session"),
        6,
        "mine.folds",
        "column 'group'",
    ),
    "colon in a plain text": (
        changed("folds: speaker", "folds: groups: 6"),
        6,
        "mine.folds",
        "mapping values are not allowed.*{key: value}",
    ),
    "key of expect": (
        changed("{anger: 2", "{angry: 2"),
        7,
        "mine.expect.angry",
        "found 'angry'. Did you mean 'anger'",
    ),
    "expected number": (
        changed("speakers: 4", "speakers: four"),
        7,
        "mine.expect.speakers",
        "expected a whole number, found 'four'",
    ),
    "negative count": (
        changed("speakers: 4", "speakers: -4"),
        7,
        "mine.expect.speakers",
        "greater than or equal to 0, found '-4'",
    ),
    "expected emotion that no code gives": (
        changed("{anger: 2", "{fear: 2"),
        7,
        "mine.expect.fear",
        r"`emotions:` can give \(anger, happiness\), found 'fear'",
    ),
    "duplicate key": (GOOD + "  title: Again\n", 8, "mine", "'title' again .first on line 3"),
    "duplicate code": (
        changed("hap: happiness", "ang: happiness"),
        5,
        "mine.emotions",
        "found 'ang' again",
    ),
    "duplicate entry": (GOOD + GOOD, 9, "", "found 'mine' again .first on line 2"),
    "year": (GOOD + "  year: soon\n", 8, "mine.year", "expected a whole number, found 'soon'"),
    "year too late": (GOOD + "  year: 20188\n", 8, "mine.year", "less than or equal to 2100"),
    "doi": (GOOD + "  doi: https://doi.org/10.1/x\n", 8, "mine.doi", "Leave out 'doi:' and"),
    "address": (GOOD + "  urls: [www.x.org]\n", 8, "mine.urls.0", "begins with https"),
    "access": (GOOD + "  access: opne\n", 8, "mine.access", "found 'opne'. Did you mean 'open'"),
    "glob outside": (GOOD + "  glob: ../*.wav\n", 8, "mine.glob.0", "below the corpus folder"),
    "match": (GOOD + "  match: folder\n", 8, "mine.match", "expected one of name, path"),
    "id without braces": (GOOD + "  id: clip\n", 8, "mine.id", "a template such as"),
    "id of something unknown": (
        GOOD + "  id: '{speakr}'\n",
        8,
        "mine.id",
        "found '{speakr}'. Did you mean 'speaker'",
    ),
    "id with an open brace": (GOOD + "  id: '{speaker'\n", 8, "mine.id", "Python: expected '}'"),
    "default of no column": (
        GOOD + "  defaults: {gender: female}\n",
        8,
        "mine.defaults.gender",
        "found 'gender'. Did you mean 'sex'",
    ),
    "value map of no column": (
        GOOD + "  values:\n    speker: {map: {a: b}}\n",
        9,
        "mine.values.speker",
        "Did you mean 'speaker'",
    ),
    "value map from nowhere": (
        GOOD + "  values: {sex: {from: actor, map: {a: female}}}\n",
        8,
        "mine.values.sex.from",
        "found 'actor'. Did you mean 'speaker'",
    ),
    "value map without map key": (
        GOOD + "  values: {sex: {mapp: {a: female}}}\n",
        8,
        "mine.values.sex.mapp",
        "Did you mean 'map'",
    ),
    "emotions among values": (
        GOOD + "  values: {emotion: {map: {a: anger}}}\n",
        8,
        "mine.values.emotion",
        "Use `emotions:`",
    ),
    "drop without reason": (
        GOOD + "  drop:\n    - where: {speaker: a}\n",
        9,
        "mine.drop.0",
        "the key 'reason'",
    ),
    "drop by no column": (
        GOOD + "  drop: [{where: {speker: a}, reason: x}]\n",
        8,
        "mine.drop.0.where.speker",
        "Did you mean 'speaker'",
    ),
    "drop nothing": (
        GOOD + "  drop: [{where: {}, reason: x}]\n",
        8,
        "mine.drop.0.where",
        "at least one",
    ),
    "drop by neither": (
        GOOD + "  drop: [{reason: x}]\n",
        8,
        "mine.drop.0",
        "expected the key 'where' or 'listed', found neither",
    ),
    "drop what a text lists": (
        GOOD + "  drop: [{listed: {file: a.doc, column: f}, reason: x}]\n",
        8,
        "mine.drop.0.listed.file",
        r"expected a \.csv.* file, found 'a\.doc'",
    ),
    "drop what is listed somehow": (
        GOOD + "  drop: [{listed: {file: a.csv, colum: f}, reason: x}]\n",
        8,
        "mine.drop.0.listed.colum",
        "Did you mean 'column'",
    ),
    "drop is no list": (GOOD + "  drop: x\n", 8, "mine.drop", r"expected a list \[a, b\]"),
    "extra that is a column": (GOOD + "  extra: [sex]\n", 8, "mine.extra.0", "column already"),
    "unknown reader": (GOOD + "  reader: smartkom5\n", 8, "mine.reader", "found 'smartkom5'"),
    "unknown generator": (
        GOOD + "  generator: dmo\n",
        8,
        "mine.generator",
        "found 'dmo'. Did you mean 'demo'",
    ),
    "table without key": (
        GOOD + "  tables: [{file: a.csv, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0",
        "the key 'key'",
    ),
    "table of another kind": (
        GOOD + "  tables: [{file: a.pdf, key: {speaker: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.file",
        "found 'a.pdf'",
    ),
    "table column": (
        GOOD + "  tables: [{file: a.csv, key: {speaker: S}, columns: {sx: Sex}}]\n",
        8,
        "mine.tables.0.columns.sx",
        "Did you mean 'sex'",
    ),
    "table key": (
        GOOD + "  tables: [{file: a.csv, key: {file: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.key.file",
        "found 'file'",
    ),
    "table encoding": (
        GOOD
        + "  tables: [{file: a.csv, key: {id: S}, columns: {sex: Sex}, encoding: latin-one}]\n",
        8,
        "mine.tables.0.encoding",
        "Did you mean 'latin-1'",
    ),
    "sheet of a text": (
        GOOD + "  tables: [{file: a.csv, sheet: x, key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.sheet",
        r"expected a workbook .* found sheets of 'a.csv'\. Remove",
    ),
    "separator of a workbook": (
        GOOD + "  tables: [{file: a.xlsx, separator: ;, key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.separator",
        "Remove `separator:`",
    ),
    "separator of two signs": (
        GOOD + "  tables: [{file: a.csv, separator: ;;, key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.separator",
        "a single character, found ';;'",
    ),
    "key of a table": (
        GOOD + "  tables: [{file: a.csv, key: {id: S}, colums: {sex: Sex}}]\n",
        8,
        "mine.tables.0",
        "Did you mean 'columns'",
    ),
    "names for a file of records": (
        GOOD + "  tables: [{file: a.json, header: [S, Sex], key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.header",
        "a text or a workbook, found names for the columns of 'a.json', which has its own. Remove",
    ),
    "a name of two columns": (
        GOOD + "  tables: [{file: a.csv, header: [S, S], key: {id: S}, columns: {sex: S}}]\n",
        8,
        "mine.tables.0.header",
        "a name for each column, found 'S' 2 times. Rename one",
    ),
    "lines to skip": (
        GOOD + "  tables: [{file: a.csv, skip: two, key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.skip",
        "a whole number, found 'two'",
    ),
    "table outside the corpus": (
        GOOD + "  tables: [{file: ../a.csv, key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.file",
        "below the corpus folder, found '../a.csv'",
    ),
    "table from nowhere": (
        GOOD + "  tables: [{file: a.csv, source: x.org, key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.source",
        "begins with https",
    ),
    "spellings as a list": (
        GOOD + "  tables: [{file: a.csv, spelt: [a], key: {id: S}, columns: {sex: Sex}}]\n",
        8,
        "mine.tables.0.spelt",
        "a mapping {name: value}, found a list",
    ),
    "texts without a file": (
        GOOD + "  texts: {encoding: latin-1}\n",
        8,
        "mine.texts",
        "the key 'file'",
    ),
    "key of texts": (
        GOOD + "  texts: {file: '*.txt', encodng: latin-1}\n",
        8,
        "mine.texts.encodng",
        "one of the keys file, encoding, found 'encodng'",
    ),
    "encoding of texts": (
        GOOD + "  texts: {file: '*.txt', encoding: cp-1252x}\n",
        8,
        "mine.texts.encoding",
        "an encoding that Python knows, found 'cp-1252x'",
    ),
    "texts as a list": (GOOD + "  texts: ['*.txt']\n", 8, "mine.texts", "mapping {key: value}"),
    "constant texts": (GOOD + "  constant_texts: no way\n", 8, "mine.constant_texts", "true or f"),
    "similar": (
        GOOD + "  values: {speaker: {similar: rather}}\n",
        8,
        "mine.values.speaker.similar",
        "true or false, found 'rather'",
    ),
    "drop by no text": (
        GOOD + "  drop: [{where: {speaker: []}, reason: x}]\n",
        8,
        "mine.drop.0.where.speaker",
        "at least one of them",
    ),
    "drop by nothing": (
        GOOD + "  drop: [{where: {speaker: }, reason: x}]\n",
        8,
        "mine.drop.0.where.speaker",
        "found nothing",
    ),
    "pool that has files": (GOOD + "  pool: [tess, savee]\n", 4, "mine.pattern", "only what desc"),
    "pool as a mapping": (
        "\nmine:\n  title: x\n  pool: {tess: 1}\n",
        4,
        "mine.pool",
        r"a list \[a, b\], found \{tess: 1\}",
    ),
    "pool of what is not there": (
        "\nmine:\n  title: x\n  pool:\n  - tess\n  - ravdes\n",
        6,
        "mine.pool.1",
        "found 'ravdes'. Did you mean 'ravdess'",
    ),
    "train on": (GOOD + "  train_on: label\n", 8, "mine.train_on", "one of emotion, raw_emotion"),
    "transcripts as a text": (GOOD + "  transcripts: x\n", 8, "mine.transcripts", "a mapping"),
    "transcripts without sentences": (
        changed("(?P<sentence>", "(?:") + "  transcripts: {1: x}\n",
        8,
        "mine.transcripts",
        "a column 'sentence'",
    ),
    "variants as a list": (GOOD + "  variants: [loud]\n", 8, "mine.variants", "a mapping"),
    "no glob": (GOOD + "  glob: []\n", 8, "mine.glob", "such as '\\*.wav', found none"),
    "reader and expression": (GOOD + "  reader: iemocap\n", 4, "mine.pattern", "beside `reader`"),
    "sex that is none": (GOOD + "  defaults: {sex: x}\n", 8, "mine.defaults.sex", "female or male"),
    "sex that is another": (
        GOOD + "  values: {sex: {map: {1: femal}}}\n",
        8,
        "mine.values.sex.map.1",
        "found 'femal'. Did you mean 'female'",
    ),
    "sex of the others": (
        GOOD + "  values: {sex: {otherwise: unknown}}\n",
        8,
        "mine.values.sex.otherwise",
        "Leave it out where it is unknown",
    ),
    "merging": (
        GOOD.replace("mine:", "yours: &y") + "mine:\n  <<: *y\n",
        9,
        "mine.<<",
        "make it a variant",
    ),
    "two documents": (GOOD + "---\n", 8, "mine", r"found: another document \(---\)"),
    "truth value": (GOOD + "  synthetic: perhaps\n", 8, "mine.synthetic", "true or false"),
    "variant with unknown key": (
        GOOD + "  variants:\n    loud:\n      emotion: {a: anger}\n",
        10,
        "mine:loud.emotion",
        "Did you mean 'emotions'",
    ),
    "variant with a wrong label": (
        GOOD + "  variants:\n    loud:\n      emotions: {a: angre}\n",
        10,
        "mine:loud.emotions.a",
        "Did you mean 'anger'",
    ),
    "variant that no longer fits": (
        GOOD + "  variants:\n    loud:\n      emotions: {a: anger}\n",
        7,
        "mine:loud.expect.happiness",
        "Correct one of the two",
    ),
    "variant's name": (
        GOOD + "  variants: {Too Loud: {title: x}}\n",
        8,
        "mine.variants.Too Loud",
        "Rename the variant",
    ),
    "variant of variants": (
        GOOD + "  variants: {loud: {aliases: [x]}}\n",
        8,
        "mine.variants.loud.aliases",
        "Leave it out",
    ),
    "alias of another": (
        GOOD + "  aliases: [EmoDB]\n",
        8,
        "mine.aliases.0",
        "found 'EmoDB', which means emo-db .*datasets.yaml",
    ),
    "alias that is not a text": (GOOD + "  aliases: {a: b}\n", 8, "mine.aliases", "a list"),
    "name of an entry": (changed("mine:", "My Corpus:"), 2, "", "found 'My Corpus'"),
    "name that means all": (changed("mine:", "all:"), 2, "", "found 'all'"),
    "entry without keys": ("\nmine:\n", 2, "mine", "expected keys such as title"),
    "entry that is a text": ("\nmine: yes\n", 2, "mine", "found 'yes'"),
    "file that is a list": ("\n- mine\n", 2, "", "expected `name:`.*found a list"),
    "tab": (changed("  title: Mine", "\ttitle: Mine"), 3, "mine.title", "expected YAML.*tabs"),
    "bracket left open": (
        changed("hap: happiness}", "hap: happiness"),
        6,
        "mine.folds",
        "expected YAML, found: .*expected ',' or '}'",
    ),
    "control character": (
        changed("folds: speaker", "folds: speaker\x01"),
        6,
        "",
        r"a control character \(0x01\)\. Remove it",
    ),
    "braces with a format": (
        GOOD + "  defaults: {age: '{sentence:>3}'}\n",
        8,
        "mine.defaults.age",
        "Remove what follows",
    ),
    "key that is a list": (changed("title:", "[a]:"), 3, "mine", "a word as key, found a list"),
    "anchor in itself": (
        GOOD + "  extra: &a [*a]\n",
        8,
        "mine",
        "expected at most 20 levels|expected YAML",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_told_with_file_line_entry_and_key(tmp_path, mistake):
    text, line, place, message = MISTAKES[mistake]
    with pytest.raises(SpecError) as caught:
        load(tmp_path, text)
    told = str(caught.value)
    assert re.search(rf"mine\.yaml, line {line}: {re.escape(place)}", told), told
    assert re.search(message, told, re.DOTALL), told
    assert "expected" in told
    assert "found" in told
    assert not re.search(r"pydantic|Traceback|input_value|\.\.$|  ", told), told


def test_a_mistake_makes_one_line(tmp_path):
    text = changed("ang: anger", "ang: angry").replace("folds: speaker", "folds: x")
    with pytest.raises(SpecError) as caught:
        load(tmp_path, text)
    assert len(str(caught.value).splitlines()) == 2


def test_missing_file_and_other_encoding(tmp_path):
    with pytest.raises(SpecError, match=r"none\.yaml: expected a registry file.*--datasets"):
        corpora.load_registry([tmp_path / "none.yaml"])
    file = tmp_path / "latin.yaml"
    file.write_bytes("\n\nmine:\n  title: Dégoût\n".encode("latin-1"))
    with pytest.raises(SpecError, match=r"latin\.yaml, line 4: expected UTF-8"):
        corpora.load_registry([file])


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_a_file_without_entries_is_told(tmp_path, text):
    with pytest.raises(SpecError, match=r"mine\.yaml: expected entries of corpora, found none"):
        corpora.load_registry([write(tmp_path, text)])


_ANY = st.recursive(
    st.text(max_size=8) | st.none(),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(_ANY, st.sampled_from([*corpora.Corpus.model_fields, "nmae"]))
def test_any_value_of_any_key_is_read_or_told(tmp_path_factory, value, key):
    file = tmp_path_factory.mktemp("any") / "mine.yaml"
    entry = {"title": "Mine", "pattern": r"(?P<speaker>a)(?P<emotion>b)", key: value}
    file.write_text(json.dumps({"mine": entry}), encoding="utf-8")
    told = ""
    try:
        corpora.load_registry([file])
    except SpecError as error:
        told = str(error)
    assert not told or re.match(rf"{re.escape(str(file))}, line \d+: ", told)


RICH = {
    "title": "Mine",
    "language": "German",
    "year": "2020",
    "citation": "A and B, 2020",
    "doi": "10.1234/x",
    "licence": "MIT",
    "access": "open",
    "homepage": "https://x.org",
    "urls": ["https://x.org/a.zip"],
    "size": "1 GB",
    "aliases": ["my own"],
    "glob": ["*.wav", "*.flac"],
    "match": "name",
    "pattern": r"^(?P<speaker>\w+)_(?P<emotion>[a-z]+)_(?P<sentence>\d+)_(?P<room>\w+)\.wav$",
    "id": "{speaker}_{sentence}",
    "extra": ["room"],
    "emotions": {"a": "anger", "b": "boredom -> other"},
    "values": {
        "sex": {"from": "speaker", "map": {"x": "female"}, "otherwise": "male"},
        "speaker": {"similar": "true"},
    },
    "defaults": {"intensity": "{sentence} in {room}"},
    "transcripts": {"1": "one"},
    "texts": {"file": "*.txt", "encoding": "latin-1"},
    "constant_texts": "true",
    "tables": [
        {"file": "a.csv", "key": {"speaker": "S"}, "columns": {"age": "A"}, "skip": "1"},
        {"file": "b.xlsx", "sheet": ["c", "d"], "key": {"stem": "F"}, "columns": {"group": "G"}},
    ],
    "drop": [{"where": {"room": ["k", "*z"], "stem": "q"}, "reason": "noise"}],
    "ignore": ["x*"],
    "folds": {"groups": "6"},
    "channel": "left",
    "train_on": "emotion",
    "expect": {"anger": "2", "other": "3", "speakers": "4"},
    "variants": {"loud": {"title": "Loud", "drop": None}},
}
_JUNK = st.sampled_from(
    [
        *("", " ", "x", "-1", "0", "1e9", "no", "~", "{", "{x", "(?P<", "*", "../x", "a -> b", "é"),
        *("speaker", "emotion", "anger", "{speaker}", "{0}", "{a.b}", "{a!r:>{b}}", "\\", "a" * 99),
        *(None, [], {}, ["x"], [None], {"x": "y"}, {"": ""}, [["x"]], {"x": {"y": {"z": []}}}),
    ]
)


def _places(value: object, place: tuple = ()) -> list[tuple]:
    """Return where something stands in an entry."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inside in items:
        found.append((*place, key))
        if isinstance(inside, (dict, list)):
            found += _places(inside, (*place, key))
    return found


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_change_of_an_entry_is_read_or_told(tmp_path_factory, data):
    entry = copy.deepcopy(RICH)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(_places(entry)))
        parent = functools.reduce(lambda value, key: value[key], way, entry)
        change = data.draw(st.sampled_from(["replace", "remove", "rename", "repeat", "spoil"]))
        if change == "remove":
            del parent[last]
        elif change == "rename" and isinstance(parent, dict):
            parent[f"{last}{data.draw(st.sampled_from(['s', 'x', ' ', '.']))}"] = parent.pop(last)
        elif change == "repeat" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[last]))
        elif change == "spoil" and isinstance(parent[last], str):
            at = data.draw(st.integers(0, len(parent[last])))
            sign = data.draw(st.sampled_from("({[)}]*?\\|<>:/.,'\"#&!%@ \t"))
            parent[last] = parent[last][:at] + sign + parent[last][at:]
        else:
            parent[last] = copy.deepcopy(data.draw(_JUNK))
    file = tmp_path_factory.getbasetemp() / "changed.yaml"
    text = yaml.safe_dump({"mine": entry}, sort_keys=False, allow_unicode=True, width=80)
    file.write_text(text, encoding="utf-8")
    try:
        corpus = corpora.load_registry([file]).get("mine")
        assert json.dumps(corpus.semantic())
        assert set(corpus.labels) <= {*EMOTIONS, *(raw for raw, _ in corpus.meanings.values())}
    except SpecError as error:
        lines = str(error).splitlines()
        assert 1 <= len(lines) <= 6
        for line in lines if len(lines) < 6 else lines[:-1]:
            told = re.match(
                rf"{re.escape(str(file))}, line (\d+): mine\b.*: expected .+, found ", line
            )
            assert told, line
            assert 1 <= int(told[1]) <= len(text.splitlines())
            assert line.endswith((".", "?", "$")), line


def test_the_entry_that_is_changed_is_right(tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"mine": RICH}), encoding="utf-8")
    assert corpora.load_registry([tmp_path / "mine.yaml"]).get("mine").variants
    described = {"name", "reader", "generator", "synthetic", "pool", "pool_labels"}
    assert set(corpora.Corpus.model_fields) - described == set(RICH)


def test_at_least_forty_mistakes_are_tried():
    assert len(MISTAKES) >= 40
    assert len({(text, place) for text, _, place, _ in MISTAKES.values()}) == len(MISTAKES)


def test_scalars_are_texts(tmp_path):
    text = GOOD + "  transcripts: {01: no, 08: 1e3, null: on}\n  size: 012\n"
    corpus = load(tmp_path, text)
    assert corpus.transcripts == {"01": "no", "08": "1e3", "null": "on"}
    assert corpus.size == "012"


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("speaker", "speaker"),
        ("{groups: 6}", "groups:6"),
        ("groups:6", "groups:6"),
        ("'groups: 10'", "groups:10"),
    ],
)
def test_fold_rules(tmp_path, written, rule):
    assert load(tmp_path, changed("folds: speaker", f"folds: {written}")).folds == rule


def test_error_of_the_data_names_the_line(tmp_path):
    corpus = load(tmp_path)
    assert corpus.at("emotions").endswith("mine.yaml, line 5: mine.emotions")
    assert corpus.at("drop", 3).endswith("mine.yaml, line 2: mine.drop.3")


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("EMO-DB", "emo-db"),
        ("emo_db", "emo-db"),
        (" Emo DB ", "emo-db"),
        ("Berlin", "emo-db"),
        ("JL-corpus", "jl"),
        ("eNTERFACE'05", "enterface05"),
        ("eNTERFACE’05", "enterface05"),
        ("Crema D", "crema-d"),
        ("RAVDESS:Song", "ravdess:song"),
        ("demo:CONTROL", "demo:control"),
    ],
)
def test_look_up(registry, spelling, name):
    assert registry.get(spelling).name == name


def test_unknown_names(registry):
    with pytest.raises(SpecError, match=r"found 'emodv'. Did you mean 'emo-db'"):
        registry.get("emodv")
    with pytest.raises(SpecError, match=r"variants \(song, speech\+song\), found 'sing'.*'song'"):
        registry.get("ravdess:sing")
    with pytest.raises(SpecError, match=r"variants \(none\), found 'x'"):
        registry.get("tess:x")


def test_further_file_adds_and_overrides(tmp_path, registry):
    file = write(tmp_path, GOOD + GOOD.replace("mine:", "tess:").replace("Mine", "My TESS"))
    more = corpora.load_registry([file])
    assert more.names() == [*registry.names(), "mine"]
    assert more.get("tess").title == "My TESS"


def test_working_directory_comes_before_the_package(tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)
    assert corpora.load_registry().names() == registry.names()
    write(tmp_path, GOOD).rename("datasets.yaml")
    assert corpora.load_registry().names() == ["mine"]


def test_labels_are_in_canonical_order_and_raw_ones_follow_them(tmp_path):
    emotions = "{b: rage -> anger, a: joy -> happiness, c: fury -> anger, d: fear}"
    text = changed("{ang: anger, hap: happiness}", emotions)
    assert load(tmp_path, text).labels == ("anger", "happiness", "fear")
    raw = load(tmp_path, text + "  train_on: raw_emotion\n")
    assert raw.labels == ("rage", "fury", "joy", "fear")


@given(st.sampled_from(EMOTIONS), st.text("abc é-/", min_size=1).map(str.strip).filter(bool))
def test_arrow(emotion, word):
    assert split_emotion(f"{word}  -> {emotion} ") == (word, emotion)
    assert split_emotion(emotion) == (None, emotion)


def test_semantic_holds_what_changes_results_and_nothing_else(tmp_path):
    before = load(tmp_path).semantic()
    words = (
        "  licence: none\n  urls: [https://x.org/y]\n  aliases: [my own]\n  year: 2020\n"
        "  variants: {loud: {title: Loud}}\n  homepage: https://x.org\n  synthetic: true\n"
        "  texts: '*.txt'\n  constant_texts: true\n"
    )
    described = changed("title: Mine", "title: Other").replace("anger: 2", "anger: 3") + words
    assert load(tmp_path, described).semantic() == before
    for text in (
        changed("ang: anger", "ang: fear").replace("{anger: 2", "{fear: 2"),
        changed("folds: speaker", "folds: {groups: 6}"),
        GOOD + "  drop: [{where: {speaker: a}, reason: x}]\n",
        GOOD + "  train_on: raw_emotion\n",
    ):
        assert fingerprint(load(tmp_path, text).semantic()) != fingerprint(before)
    listed = GOOD + "  drop: [{listed: {file: a.csv, column: f}, reason: x}]\n"
    assert load(tmp_path, listed).semantic() == before, (
        "which clips there are, they tell themselves"
    )
    one = GOOD + "  drop: [{where: {speaker: a}, reason: x}]\n"
    assert load(tmp_path, one).semantic() == load(tmp_path, one.replace("x}]", "y}]")).semantic()
    assert "glob" not in before, "a key at its default would change fingerprints when it is added"


def test_variant_replaces_keys_and_empty_removes_them(tmp_path):
    text = GOOD + (
        "  defaults: {sex: female}\n  variants:\n    loud:\n      title: Loud\n"
        "      defaults:\n      folds: {groups: 2}\n    same:\n"
    )
    registry = corpora.load_registry([write(tmp_path, text)])
    loud = registry.get("mine:loud")
    assert (loud.title, loud.defaults, loud.folds) == ("Loud", {}, "groups:2")
    assert loud.base == "mine"
    assert loud.emotions == registry.get("mine").emotions
    assert registry.variants("mine") == ["mine:loud", "mine:same"]
    assert registry.get("mine:same").semantic() == {
        **registry.get("mine").semantic(),
        "name": "mine:same",
    }


def test_corpus_can_be_sent_to_a_worker(registry):
    corpus = pickle.loads(pickle.dumps(registry.get("ravdess:song")))
    assert corpus.semantic() == registry.get("ravdess:song").semantic()
    assert corpus.at("drop") == registry.get("ravdess:song").at("drop")


def test_listing_loads_nothing_heavy():
    code = (
        "import sys; from emobench import corpora; corpora.load_registry().names();"
        "print([name for name in ('pandas', 'numpy', 'soundfile', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
