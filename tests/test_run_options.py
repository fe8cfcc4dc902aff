"""The options of a run: written once, and found on the command line and in Python alike."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import emobench
from emobench import run_options
from emobench.cli import options
from emobench.cli.run import run as command
from emobench.errors import SpecError
from emobench.run_options import Selection
from emobench.runs import calling


@dataclass(frozen=True)
class More(Selection):
    """Options of a run, and one that was added."""

    loudness: int = run_options._option(3, "count", "How loud it may be.")


def test_an_option_that_is_added_is_on_the_command_line():
    seen = []

    @click.command()
    @options.of(More)
    def told(**asked):
        seen.append(More(**asked))

    names = ["--model", "svm-is09", "--corpus", "tess"]
    assert CliRunner().invoke(told, [*names, "--loudness", "7"]).exit_code == 0
    assert CliRunner().invoke(told, names).exit_code == 0
    assert [selection.loudness for selection in seen] == [7, 3]
    refused = CliRunner().invoke(told, [*names, "--loudness", "0"])
    assert "Invalid value for '--loudness'" in refused.output
    assert "How loud it may be." in CliRunner().invoke(told, ["--help"]).output


def test_an_option_that_is_added_is_a_keyword_in_python():
    @calling.with_options(More)
    def told(selection: Selection) -> int:
        """Return how loud it may be.

        Args:
            {options}
        """
        return selection.loudness

    assert (told(loudness=7), told("svm-is09", "tess")) == (7, 3)
    assert inspect.signature(told).parameters["loudness"].default == 3
    assert "\n    loudness: How loud it may be." in inspect.getdoc(told)
    with pytest.raises(SpecError, match=r"--loudness: expected a number of 1 or more, found 0\."):
        More(loudness=0).check()
    with pytest.raises(TypeError, match="unexpected keyword argument 'loudnes'"):
        told(loudnes=7)


def test_command_line_and_python_have_the_same_options():
    names = [name for name, _ in run_options.options()]
    assert list(inspect.signature(emobench.run).parameters) == names
    assert [item.name for item in command.params] == [*names, "dry_run", "measure", "as_json"]
    assert set(names) >= {"model", "corpus", "protocol", "data", "jobs", "sides", "vectors"}


def test_both_begin_from_the_same_values():
    """What the command line makes of no options is what Python makes of no keywords."""
    asked = {}

    @click.command()
    @options.of(Selection)
    def told(**given):
        asked.update(given)

    names = ["--model", "all", "--corpus", "all"]
    done = CliRunner().invoke(told, names, env=dict.fromkeys(["EMOBENCH_DATA", "EMOBENCH_CACHE"]))
    assert done.exit_code == 0
    assert Selection(**asked) == Selection(results=Path("results"))


def test_what_is_called_otherwise_on_the_command_line_is_so_in_messages():
    with pytest.raises(SpecError, match=r"--condition-on: expected one of test, .* found 'tests'"):
        Selection(sides="tests").check()


@pytest.mark.parametrize("name", ["jobs", "threads", "epochs", "repetitions", "workers_per_device"])
def test_nothing_is_done_less_than_once(name):
    flag = "--" + name.replace("_", "-")
    with pytest.raises(SpecError, match=f"{flag}: expected a number of 1 or more, found 0"):
        Selection(**{name: 0}).check()


def test_one_name_stands_for_a_sequence_of_one():
    one = Selection("svm-is09", "tess", condition="mp3:8k", folds=[0])
    assert one == Selection(["svm-is09"], ("tess",), condition=["mp3:8k"], folds=(0,))


@pytest.mark.parametrize("name", [name for name, _ in run_options.options()])
def test_every_option_is_explained(name):
    assert f"\n    {name}: " in inspect.getdoc(emobench.run)
    assert (
        run_options.flag(name, run_options.get(name))
        in CliRunner().invoke(command, ["--help"]).output
    )
