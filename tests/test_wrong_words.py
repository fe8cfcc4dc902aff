"""Mistakes on a command line and in a script that nothing else makes: one sentence each."""

from __future__ import annotations

import math
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from emobench import corpora, models, scaling
from emobench.analysis.intervals import mean_interval
from emobench.bundles.model import _arrays
from emobench.bundles.tables import clips_of
from emobench.bundles.tables import read as read_table
from emobench.cli import cli
from emobench.corpora.entries import yaml_source
from emobench.errors import CorpusError, SpecError
from emobench.executors import submissions
from emobench.pictures import files
from emobench.runs import between, choosing
from emobench.scaling import Moments
from emobench.spec import Fold, InputSpec, ModelSpec, Places


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--json"], "--json: expected --dry-run beside it. Add it, or leave it out"),
        (["run", "--measure"], "--measure: expected --dry-run beside it"),
        (["compare", "svm-is09"], "expected two models and one --corpus, found 1 and 0"),
        (
            ["compare", "svm-is09", "latif2019", "--corpus", "emo-db,ravdess"],
            "expected two models and one --corpus, found 2 and 2",
        ),
        (["compare", "--all", "--csv", "--json"], "expected --csv with --all and without --json"),
        (
            ["compare", "svm-is09", "latif2019", "--corpus", "emo-db", "--csv"],
            "expected --csv with --all",
        ),
        (["features", "--older-than", "-1", "--prune"], "is not in the range x>=0"),
        (["run", "--folds", "one"], "expected whole numbers with commas between them"),
        (["leaderboard", "--format", "pdf"], "'pdf' is not one of 'table', 'markdown'"),
        (["ledger", "--format", "text"], "'text' is not one of 'table', 'markdown', 'csv', 'json'"),
        (["leakage", "--format", "csv"], "'csv' is not one of 'table', 'markdown', 'json'"),
        (["plot", "speed", "--corpus", "emo-db"], "Missing option '--out'"),
    ],
)
def test_options_that_make_no_sense_are_told(words, message):
    model = ["--model", "svm-is09", "--corpus", "demo"] if words[0] == "run" else []
    done = CliRunner().invoke(cli, [*words[:1], *model, *words[1:]])
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


@pytest.mark.parametrize("suffix", ["", ".jpeg", ".SVGZ"])
def test_a_figure_is_of_three_kinds(tmp_path, suffix):
    with pytest.raises(SpecError, match=rf"ends in \.svg, \.pdf, \.png, found '{suffix}'"):
        files.check(tmp_path / f"figure{suffix}")
    files.check(tmp_path / "figure.SVG")


@pytest.mark.parametrize(
    ("table", "speaker", "message"),
    [
        (pd.DataFrame({"sound": ["a"]}), None, "expected a column 'path', found sound"),
        (pd.DataFrame(), None, "expected a column 'path', found none"),
        (pd.DataFrame({"path": ["a"]}), "who", "expected a column 'who', found path"),
    ],
)
def test_a_table_without_the_column_is_told(table, speaker, message):
    with pytest.raises(SpecError, match=f"clips.csv: {message}"):
        clips_of(table, "clips.csv", speaker=speaker)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"path\n\xff\n", "expected a table in UTF-8 with a column path, found: 'utf-8'"),
        ("a.csv", b"", "found: No columns to parse from file. Save it as CSV"),
        ("a.json", b"{", "expected a table in UTF-8"),
        ("a.parquet", b"PAR1", "expected a table in UTF-8"),
        ("a.xlsx", b"PK", "expected a table in UTF-8"),
        ("a.csv", None, "found: No such file or directory. Save it"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError, match=message):
        read_table(tmp_path / name)


def test_arrays_are_of_one_kind_and_have_a_rate():
    sound = np.zeros(9, np.float32)
    assert [clip.name for clip in _arrays([sound, sound], 8_000)] == ["0", "1"]
    with pytest.raises(SpecError, match="expected arrays throughout, found another kind at 1"):
        _arrays([sound, "a.wav", sound], 8_000)
    for rate in (None, 0, -1, math.nan):
        with pytest.raises(SpecError, match="sample_rate: expected that of the arrays in Hz, fou"):
            _arrays([sound], rate)


NETWORK = ModelSpec(
    name="my-network",
    citation="",
    paper="",
    config=SimpleNamespace(),
    inputs={"one": InputSpec("is09"), "two": InputSpec("logmel")},
    build=lambda *given: None,
)


@pytest.mark.parametrize(
    ("shapes", "smallest"),
    [
        (None, None),
        ({"one": (1, 384)}, {"one": (1, 1)}),
        ({"one": (1, 384), "two": (9, 40)}, {"one": (1, 1)}),
        ({"one": (1, 384), "three": (9, 40)}, {"one": (1, 1), "three": (1, 1)}),
    ],
)
def test_a_network_names_the_shapes_of_its_inputs(shapes, smallest):
    message = r"my-network': expected shapes and smallest shapes of \['one', 'two'\], found"
    with pytest.raises(ValueError, match=message):
        models.register(NETWORK, shapes=shapes, smallest=smallest)
    assert "my-network" not in models.names()


def test_a_model_has_a_name_of_its_own():
    with pytest.raises(ValueError, match="'latif2019': expected a new name, found one that is re"):
        models.register(replace(NETWORK, name="latif2019"))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({}, "expected shapes of the inputs waveform, found none. Name every input once"),
        ({"sound": (80_000, 1)}, "expected shapes of the inputs waveform, found sound"),
        ({"waveform": (80_000,)}, r"expected input 'waveform' of shape .* or more, found \(80000,"),
        ({"waveform": (10, 1)}, r"expected .* or more, found \(10, 1\)\. Pad the clip"),
    ],
)
def test_shapes_that_a_network_cannot_take_are_told(shapes, message):
    with pytest.raises(SpecError, match=rf"model 'latif2019': {message}"):
        models._check_shapes(models._entry("latif2019"), models.get("latif2019").config, shapes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("latif2018", "--model: expected the name of a model, found 'latif2018'. Did you mean 'l"),
        ("latif2019:size=3", "expected one of the options .*, found 'size'"),
        ("latif2019:units=many", "expected units as a whole number, found 'many'. The paper's va"),
        ("latif2019:statistics=none", "expected statistics as one of protocol, recomputed, runn"),
        ("latif2019:units", "found 'units'"),
    ],
)
def test_a_model_that_there_is_not_is_told(name, message):
    with pytest.raises(SpecError, match=message):
        models.get(name)


def test_a_scaling_that_there_is_not_is_told():
    moments = Moments.stack([Moments.of(np.ones((2, 3)))] * 2)
    with pytest.raises(ValueError, match=r"scaling: expected one of .*, found 'loud'"):
        scaling.fit("loud", moments, speakers=["a", "b"], training=np.arange(2))


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [
        ([], 0.95, "expected those of two speakers or more, found 0"),
        ([0.5], 0.95, "expected those of two speakers or more, found 1"),
        ([[0.5, 0.6]], 0.95, "expected those of two speakers or more"),
        ([0.5, math.nan], 0.95, "expected finite numbers, found"),
        ([0.5, math.inf], 0.95, "expected finite numbers, found"),
        ([0.5, 0.6], 95, "level: expected a share between 0 and 1 such as 0.95, found 95"),
        ([0.5, 0.6], 0.0, "level: expected a share between 0 and 1"),
    ],
)
def test_no_interval_of_nonsense(values, level, message):
    with pytest.raises(ValueError, match=message):
        mean_interval(values, level)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"mine:\n  title: caf\xe9\n", "line 2: expected UTF-8 text, found other bytes. Save the"),
        (b"\xff", "line 1: expected UTF-8 text"),
        (b"- a\n- b\n", "line 1: expected `name:` and the keys of a corpus below it, found a lis"),
        (b"word\n", "found 'word'. `emobench corpora add` proposes an entry"),
        (b"a:\n  b: 1\n  b: 2\n", r"line 3: a: expected each key once, found 'b' again \(first"),
        (b"a:\n  ? [1]\n  : 2\n", "line 2: a: expected a word as key, found a list"),
        (b"a: {b: [1}\n", "expected YAML, found"),
        (b"a: b: c\n", "Put a text that holds ': ' into quotes"),
        (b"a:\n\tb: 1\n", "indent with blanks, not tabs"),
        (b"a: 1\n---\nb: 2\n", "another document .---.. Leave out the line, or make two files"),
        (b"a: b\x07\n", r"line 1: expected YAML, found: a control character \(0x07\). Remove it"),
        (b'a:\n  p: "\\d"\n', "Write regular expressions without quotes or in single quotes"),
    ],
)
def test_a_registry_that_is_none_is_told(tmp_path, content, message):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(SpecError, match=message) as told:
        yaml_source.read(file)
    assert str(file) in str(told.value)


def test_a_registry_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SpecError, match=r"expected a registry file, found: No such file.*--datas"):
        yaml_source.read(tmp_path / "none.yaml")
    assert yaml_source.parse("", tmp_path) == yaml_source.parse("# nothing\n", tmp_path) == []


def test_a_variant_lies_over_its_entry(tmp_path):
    text = (
        "mine:\n  title: Mine\n  drop: [x]\n  folds: speaker\n"
        "  variants:\n    less:\n      title: Less\n      drop: null\n"
    )
    (entry,) = yaml_source.parse(text, tmp_path / "r.yaml")
    other = entry.overlaid("less")
    assert other.name == "mine:less"
    assert other.values == {"title": "Less", "folds": "speaker"}
    assert [other.at("title"), other.at("folds")] == [
        f"{tmp_path / 'r.yaml'}, line {line}: mine:less.{key}"
        for key, line in (("title", 7), ("folds", 4))
    ]


def test_nothing_chosen_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    registry = corpora.load_registry()
    places = Places(tmp_path, tmp_path)
    with pytest.raises(SpecError, match="--corpus: expected a name or 'all', found nothing"):
        choosing.select([], registry, places)
    with pytest.raises(CorpusError, match="--corpus all: found none of the registered corpora be"):
        choosing.select(["ALL "], registry, places)
    with pytest.raises(CorpusError, match=f"all: found none .* under {tmp_path}"):
        choosing.select(["all"], registry, replace(places, data=tmp_path))
    twice = choosing.select(["emodb", "demo", "Emo-DB"], registry, places)
    assert [corpus.name for corpus in twice] == ["emo-db", "demo"]


def test_why_corpora_are_left_out_of_all():
    registry = corpora.load_registry()
    chosen = [registry.get("emo-db")]
    assert choosing.not_on_disk(["emo-db"], registry, chosen) == {}
    reasons = choosing.not_on_disk(["All"], registry, chosen)
    assert reasons["demo"] == "synthetic; run it by name"
    assert reasons["ravdess"] == "not found on disk"
    assert set(registry.names()) - set(reasons) == {"emo-db"}


def test_a_sound_on_both_sides_is_refused():
    corpus = SimpleNamespace(name="a-to-b", sides=("a", "b"))
    sounds = {"a/1": "x", "a/2": "y", "a/3": None, "b/1": "y", "b/2": "z", "b/3": None}
    data = SimpleNamespace(sounds=sounds)
    fold = Fold(0, ("b",), training=("a/1", "a/2", "a/3"), test=("b/1", "b/2", "b/3"))
    message = "a-to-b: expected other recordings.*found 1 test clip whose sound is .*: a/2 = b/1"
    with pytest.raises(CorpusError, match=message):
        between.insist_on_other_sounds(corpus, data, [fold])
    between.insist_on_other_sounds(corpus, data, [replace(fold, test=("b/2", "b/3"))])
    between.insist_on_other_sounds(replace_sides(corpus), data, [fold])


def replace_sides(corpus: SimpleNamespace) -> SimpleNamespace:
    """Return a corpus by itself."""
    return SimpleNamespace(name=corpus.name, sides=None)


@pytest.mark.parametrize(
    ("done", "message"),
    [
        (subprocess.CompletedProcess([], 1, "", " slurm is down \n"), "^slurm is down$"),
        (subprocess.CompletedProcess([], 3, "", ""), "squeue: exit status 3"),
        (subprocess.TimeoutExpired([], 9), r"squeue: no answer within \d+ s"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_told(monkeypatch, done, message):
    def run(command, **options):
        assert command[0] == "squeue"
        if isinstance(done, Exception):
            raise done
        return done

    monkeypatch.setattr(submissions.subprocess, "run", run)
    with pytest.raises(OSError, match=message):
        submissions.queued("slurm")


def test_what_a_scheduler_says_of_jobs(monkeypatch):
    text = "7_1 R None\n7_2 PD Priority\n8 PD (Nodes are down)\n9\n\n10 CG None\n"
    done = subprocess.CompletedProcess([], 0, text, "")
    monkeypatch.setattr(submissions.subprocess, "run", lambda command, **options: done)
    assert submissions.queued("slurm") == {
        "7_1": "",
        "7_2": "Priority",
        "8": "(Nodes are down)",
        "10": "",
    }
