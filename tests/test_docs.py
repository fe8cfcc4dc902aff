"""The documentation is always true: its generated parts, its commands and its examples."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import yaml

import emobench
from emobench import models
from emobench.cli import cli
from emobench.corpora import load_registry
from emobench.corpora.entries import fields, items, schema

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGE = Path(emobench.__file__).parent
BLOCK = re.compile(r"^```\{?(\S*?)\}?(?: [^\n]*)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def load(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


generate = load("emobench_docs_generate", DOCS / "generate.py")
costs = generate.costs
PAGES = [str(page.relative_to(DOCS)) for page in generate.pages()]


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall((DOCS / page).read_text()) if kind == language]


@pytest.mark.parametrize("page", PAGES)
def test_generated_parts_are_those_of_the_package(page):
    text = (DOCS / page).read_text()
    assert generate.refreshed(text) == text, "run `make docs` and commit what it writes"


def test_every_generated_part_stands_in_a_page():
    text = "".join((DOCS / page).read_text() for page in PAGES)
    assert set(re.findall(r"<!-- ([\w-]+):start -->", text)) == set(generate.PARTS)


def keys_of(text: str) -> dict[str, str]:
    """Return the meaning of each key that the tables of a page explain, the last of equals."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| [^|]* \| ([^|]*) \|$", text, re.MULTILINE)
    return {key: meaning.strip() for key, meaning in rows}


def test_every_key_of_the_packaged_registry_is_explained():
    explained = keys_of((DOCS / "reference" / "registry.md").read_text())
    root = yaml.load((ROOT / "datasets.yaml").read_text(), Loader=yaml.BaseLoader)
    used = set()
    for entry in root.values():
        for keys in (entry, *(changes or {} for changes in entry.get("variants", {}).values())):
            used |= set(keys)
            for name in ("tables", "drop"):
                used |= {key for item in keys.get(name) or () for key in item}
            used |= {key for item in (keys.get("values") or {}).values() for key in item}
            used |= set(keys.get("expect") or {})
    assert len(used) > 40
    assert used <= set(explained)


@pytest.mark.parametrize(
    "model",
    [schema.Entry, items.SideTable, items.TextFiles, items.ValueMap, items.Drop, items.Listing],
)
def test_every_key_of_the_schema_says_what_it_means(model):
    text = (DOCS / "reference" / "registry.md").read_text()
    explained = keys_of(text)
    for name, field in model.model_fields.items():
        assert len(explained[field.alias or name]) > 15
    assert set(generate.field_docstrings(model)) == set(model.model_fields)


def test_every_column_is_explained():
    text = (DOCS / "reference" / "registry.md").read_text()
    columns = text.partition("## Columns")[2].partition("\n## ")[0]
    named = {
        name
        for cell in re.findall(r"^\| (`[^|]*) \|", columns, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert named == {"id", *fields.TABLE_COLUMNS}


def test_every_key_of_the_committed_records_is_explained():
    text = (DOCS / "reference" / "records.md").read_text()
    explained = {
        name
        for cell in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    records = [json.loads(path.read_text()) for path in (ROOT / "results").glob("*/*/*/*/*.json")]
    assert len(records) > 50
    assert {key for record in records for key in record} <= explained


def test_a_value_of_an_unknown_kind_is_not_passed_over():
    with pytest.raises(KeyError, match=r"say in docs/generate\.py how such a value is written"):
        generate.kind(complex)


def test_the_register_holds_every_decision_that_is_named():
    text = (DOCS / "explanation" / "decisions.md").read_text()
    registered = re.findall(r"^### (D-\d\d)$", text, re.MULTILINE)
    assert sorted(registered) == [f"D-{number:02}" for number in range(1, 36)]
    sources = [*PACKAGE.rglob("*.py"), ROOT / "README.md", *DOCS.rglob("*.md")]
    named = {name for path in sources for name in re.findall(r"\bD-\d\d\b", path.read_text())}
    assert "D-35" in named
    assert named <= set(registered)


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for kind in ("sh", "console"):
            for block in blocks(page, kind):
                for line in block.replace("\\\n", " ").splitlines():
                    command = line.removeprefix("$ ").strip()
                    if command.startswith("emobench "):
                        found.append((page, command))
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_are_ones_that_the_command_line_takes(page, line, tmp_path, monkeypatch):
    words = shlex.split(line)[1:]
    monkeypatch.chdir(tmp_path)
    for name in ("recognised.csv", "glove.840B.300d.txt"):  # files that must exist to be named
        Path(name).touch()
    command, context = cli, click.Context(cli, info_name="emobench")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.get_command(context, words.pop(0))
        assert command is not None, f"{page}: {line}"
    command.make_context("emobench", words)


def test_the_entry_of_the_tutorial_is_that_of_the_readme():
    readme = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    assert blocks("tutorial/own-corpus.md", "yaml") == readme
    assert blocks("reference/registry.md", "yaml")[0] == readme[0]


def test_the_entry_of_the_tutorial_is_a_corpus(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(blocks("tutorial/own-corpus.md", "yaml")[0])
    corpus = load_registry([file]).get("my-voices")
    assert corpus.labels == ("anger", "happiness", "neutral")


@pytest.mark.parametrize("block", blocks("reference/registry.md", "yaml")[1:-1])
def test_keys_of_the_reference_are_ones_that_an_entry_may_have(block, tmp_path):
    head = "a:\n  title: a\n  pattern: ^(?P<speaker>\\d)(?P<emotion>.)(?P<intensity>.)\n"
    file = tmp_path / "mine.yaml"
    file.write_text(head + "".join(f"  {line}\n" for line in block.splitlines()))
    assert load_registry([file]).get("a").title == "a"


@pytest.fixture
def tutorial_model(tmp_path):
    text = blocks("tutorial/own-model.md", "code-block")[0]
    file = tmp_path / "tutorial.py"
    file.write_text(text.partition("\n\n")[2])
    models.names()
    yield load("emobench.models.tutorial", file)
    del models._entries["tutorial-gru"], sys.modules["emobench.models.tutorial"]


def test_the_model_of_the_tutorial_is_one(tutorial_model):
    assert "tutorial-gru" in models.names()
    network = models.build("tutorial-gru", 5, units=4)
    clip = np.random.default_rng(0).normal(size=(1, 70, 40)).astype(np.float32)
    padded = np.pad(clip, ((0, 0), (0, 58), (0, 0)))
    alone, beside = (np.asarray(network({"spectrogram": values})) for values in (clip, padded))
    assert alone.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(alone, beside, atol=1e-6)  # it calls itself masked


def test_the_site_is_built_without_a_warning_and_asks_nobody(tmp_path):
    pytest.importorskip("sphinx", reason="needs the extra `docs`; `make docs` installs it")
    subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet"),
            *("-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "html")),
        ],
        check=True,
    )
    made = sorted((tmp_path / "html").rglob("*.html"))
    assert {str(page.relative_to(tmp_path / "html")) for page in made} >= {
        page.replace(".md", ".html") for page in PAGES
    }
    fetched = re.compile(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//[^"]*"')
    styled = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//")
    for page in made:
        assert fetched.findall(page.read_text()) == []
    for sheet in (tmp_path / "html").rglob("*.css"):
        assert styled.findall(sheet.read_text()) == []


def test_costs_are_carried_over_by_clips():
    by_name = {size.corpus.name: size for size in costs.sizes()}
    assert {name: by_name[name].folds for name in ("emo-db", "crema-d", "iemocap", "tess")} == {
        "emo-db": 10,
        "crema-d": 6,
        "iemocap": 5,
        "tess": 2,
    }
    own, other = costs.folds_of([by_name["emo-db"]]), costs.folds_of([by_name["crema-d"]])
    assert (own.network, own.estimator, own.jobs) == (10, 10, 10)
    ratio = (7441 * 5 / 6) / (535 * 9 / 10)  # clips that one fold trains on
    assert other.network == pytest.approx(6 * ratio)
    assert other.estimator == pytest.approx(6 * ratio**2)
