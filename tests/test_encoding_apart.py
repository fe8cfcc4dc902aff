"""Frozen encoders are computed in processes of their own: what those see, and when they run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import soundfile
from conftest import perform_here
from exports import export_to
from in_processes import die, foreign, look, noting

import emobench
from emobench import corpora, encoders, environment, executors, features
from emobench.cli import main
from emobench.costs import front_ends
from emobench.encoders import onnx_model
from emobench.errors import FeatureError, SpecError
from emobench.executors import Card, Devices
from emobench.features import extraction
from emobench.features.workers import Processes
from emobench.runs import Observer, Selection, execute, placing, plan
from emobench.runs.estimating import estimate
from emobench.runs.extraction import extract_ahead, parse

pytest.importorskip("onnx", reason="needs onnx, which makes the encoders of these tests")
pytest.importorskip("onnxruntime", reason="needs onnxruntime, which computes with them")

from onnx_encoders import LAYERS, WIDTH, write_encoder

TWO = (Card(0, "3", "A", 1000), Card(1, "5", "B", 1000))


@pytest.fixture
def folder(tmp_path):
    return write_encoder(tmp_path / "encoder")


@pytest.fixture
def table(tiny_places):
    registry = corpora.load_registry(tiny_places.datasets)
    return corpora.load(registry.get("tiny"), tiny_places.data, tiny_places.cache).sort_index()


# What a process sees ------------------------------------------------------------------------------


def looks(tasks: int, jobs: int, cards: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """What processes see that compute a network; nothing is left of them."""
    crew = Processes(jobs, cards)
    found = list(crew.in_order(look, range(tasks), "looking", network=True))
    assert [task for task, _, _ in found] == list(range(tasks))
    own = {process for _, process, _ in found}
    assert os.getpid() not in own
    assert not any(map(psutil.pid_exists, own))
    assert len(own) <= (len(cards) or jobs)
    return [seen for _, _, seen in found]


def test_on_the_cpu_no_card_is_seen(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    (seen,) = looks(1, 1)
    assert seen["CUDA_VISIBLE_DEVICES"] == "-1"
    assert (seen["OMP_NUM_THREADS"], seen["TF_NUM_INTRAOP_THREADS"]) == ("1", "1")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_each_process_sees_a_card_of_its_own_and_takes_no_memory_ahead(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = looks(6, 1, ("3", "5"))
    assert [seen["CUDA_VISIBLE_DEVICES"] for seen in found] == ["3", "5"] * 3
    assert {seen["XLA_PYTHON_CLIENT_PREALLOCATE"] for seen in found} == {"false"}


@pytest.mark.parametrize(
    ("card", "base", "expected"),
    [
        (None, {}, {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}),
        ("1", {}, {"CUDA_VISIBLE_DEVICES": "1", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}),
        ("1", {"KERAS_BACKEND": "jax"}, {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}),
        (
            "1",
            {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_PREALLOCATE": "true"},
            {"XLA_PYTHON_CLIENT_PREALLOCATE": "true"},
        ),
        (None, {"KERAS_BACKEND": "jax"}, {"JAX_PLATFORMS": "cpu"}),
    ],
)
def test_the_environment_of_an_encoder(card, base, expected):
    found = environment.of_encoder(card, base)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("visible", "shown"),
    [(None, True), ("0", True), ("GPU-1a,2", True), ("-1", False), ("", False), (" ", False)],
)
def test_whether_any_card_is_shown(visible, shown):
    base = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert environment.shows_cards(base) is shown


@pytest.mark.parametrize(("visible", "on_card"), [("0", True), ("-1", False)])
def test_onnxruntime_computes_on_a_card_that_is_shown(folder, monkeypatch, visible, on_card):
    import onnxruntime

    asked = []
    session = onnxruntime.InferenceSession

    def opened(content, options, providers):
        asked.extend(providers)
        return session(content, options, providers=["CPUExecutionProvider"])

    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    encoders.Encoder(folder)
    sparing = ("CUDAExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"})
    assert asked == [*([sparing] if on_card else []), "CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("library", "computes"),
    [
        ("libonnxruntime_providers_cuda.so", "onnxruntime"),
        ("onnxruntime_providers_cuda.dll", "onnxruntime"),
        ("libonnxruntime_providers_shared.so", None),
    ],
)
def test_whether_onnxruntime_is_built_for_cards(folder, tmp_path, monkeypatch, library, computes):
    (tmp_path / "package" / "capi").mkdir(parents=True)
    (tmp_path / "package" / "capi" / library).touch()
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path / "package")])
    monkeypatch.setattr(onnx_model.importlib.util, "find_spec", lambda name: found)
    assert encoders.accelerator(folder) == computes


# Values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crew", [Processes(1), Processes(2), Processes(1, ("0", "1"))])
def test_values_are_the_same_bits_as_computed_here(folder, tmp_path, table, crew):
    found = features.load(table, parse(f"encoder:{folder}"), cache=tmp_path / "cache", crew=crew)
    for position, path in enumerate(table["path"]):
        samples, rate = soundfile.read(path, dtype="float32")
        expected = features.extract("encoder", samples, rate, encoder=str(folder))
        np.testing.assert_array_equal(found.clip(position), expected)


def test_a_process_that_is_killed_is_explained(folder, tmp_path, table, monkeypatch):
    monkeypatch.setattr(extraction, "_extract_task", die)
    spec, cache = parse(f"encoder:{folder}"), tmp_path / "cache"
    with pytest.raises(FeatureError, match=r"encoder.*was killed.*Free memory, and run again\.$"):
        features.load(table, spec, cache=cache)
    assert list(cache.rglob("about.json")) == []


# A run --------------------------------------------------------------------------------------------

_RUN = """
import sys
import emobench
done = emobench.run(
    model=("encoder-svm",), corpus=("tiny",), protocol="losgo", folds=(0,), jobs=1,
    datasets=(sys.argv[1],),
    **dict(zip(("data", "cache", "results", "encoder"), sys.argv[2:])),
)
print(done.done, sorted({"onnxruntime", "keras", "tensorflow", "jax"} & set(sys.modules)))
"""


def test_a_run_with_one_job_loads_nothing_that_computes(folder, tiny_places, tmp_path):
    places = (tiny_places.data, tmp_path / "cache", tiny_places.results, folder)
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, (tiny_places.datasets[0], *places))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "1 []"


@pytest.fixture
def cards(monkeypatch):
    """A machine with two cards, which an encoder can use; return what was asked for."""
    asked = []

    def find(wanted, backend, **more):
        asked.append((wanted, backend))
        return Devices(() if wanted.kind == "cpu" else TWO)

    placing._look.cache_clear()
    monkeypatch.setattr(encoders, "accelerator", lambda folder: "onnxruntime")
    monkeypatch.setattr(executors, "find", find)
    yield asked
    placing._look.cache_clear()


SECOND = """\
low:
  title: The same, but for the order of their names
  glob: '*.wav'
  pattern: '^(?P<speaker>s\\d)_(?P<emotion>[a-z]+)_(?P<repetition>\\d)\\.wav$'
  emotions: {anger: anger, sadness: sadness, neutral: neutral}
  folds: speaker
"""


@pytest.fixture
def two_corpora(tiny_places, tmp_path):
    """The corpus `tiny` and another of other sounds."""
    for path in sorted((tiny_places.data / "tiny").glob("*.wav")):
        samples, rate = soundfile.read(path)
        (tmp_path / "data" / "low").mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "data" / "low" / path.name, samples / 2, rate)
    (tmp_path / "data" / "tiny").symlink_to(tiny_places.data / "tiny")
    (tmp_path / "second.yaml").write_text(SECOND)
    return replace(
        tiny_places,
        data=tmp_path / "data",
        cache=tmp_path / "cache",
        datasets=(*tiny_places.datasets, tmp_path / "second.yaml"),
    )


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_cards_are_used_before_anything_is_trained(
    two_corpora, folder, tmp_path, monkeypatch, cards, device
):
    places, events, notices = replace(two_corpora, encoder=folder), [], []
    notes = tmp_path / "notes"
    monkeypatch.setattr(extraction, "_extract_task", partial(noting, notes))
    perform_here(monkeypatch, lambda work: executors.Outcome({}))
    selection = Selection(("encoder-svm",), ("tiny", "low"), "losgo", folds=(0,), device=device)
    observer = Observer(
        listener=lambda event: events.append(event.kind),
        feature_progress=lambda corpus, what, *far: events.append((corpus, what.split("(")[0])),
        notice=notices.append,
    )
    summary = execute(plan(selection, places), places, observer)
    assert (summary.done, summary.failures) == (2, {})
    seen = set(notes.read_text().split("\n")) - {""}
    if device == "cpu":
        assert seen == {"encoder -1"}
        assert notices == []
        return
    assert seen == {"encoder 3", "encoder 5"}
    assert notices == ["tiny-random is computed on gpu:0 A, gpu:1 B, before anything trains"]
    assert {("tiny", "encoder"), ("low", "encoder")} <= set(events[: events.index("started")])
    assert "encoder" not in {event[1] for event in events[events.index("started") :]}
    assert [(wanted.kind, backend) for wanted, backend in cards] == [("auto", "onnxruntime")]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"device": "gpu:1"}, "gpu"),
        ({"device": "gpu:1", "executor": "slurm"}, "auto"),
        ({"device": "cpu", "executor": "slurm"}, "cpu"),
    ],
)
def test_cards_of_this_machine_follow_what_is_asked_for(tiny_places, folder, cards, more, kind):
    places = replace(tiny_places, encoder=folder)
    planned = plan(Selection(("encoder-svm",), ("tiny",), "smoke", **more), places)
    found = placing.encoding(planned, places, lambda text: None)
    assert found == (() if kind == "cpu" else TWO)
    assert [wanted.kind for wanted, _ in cards] == [kind]


def test_nobody_looks_for_cards_that_nothing_can_use(tiny_places, folder, cards, monkeypatch):
    monkeypatch.setattr(encoders, "accelerator", lambda folder: None)
    assert placing.cards_for(folder, "gpu") == ()
    other = plan(Selection(("svm-is09",), ("tiny",), "smoke"), tiny_places)
    assert placing.encoding(other, tiny_places, lambda text: None) == ()
    assert cards == []


@pytest.mark.parametrize(("device", "seen"), [("gpu:0,gpu:1", {"3", "5"}), ("cpu", {"-1"})])
def test_features_are_extracted_on_the_cards_asked_for(
    two_corpora, folder, tmp_path, monkeypatch, cards, device, seen
):
    notes = tmp_path / "notes"
    monkeypatch.setattr(extraction, "_extract_task", partial(noting, notes))
    datasets = [word for file in two_corpora.datasets for word in ("--datasets", str(file))]
    words = ["features", f"encoder:{folder}", "--corpus", "tiny,low", "--device", device, *datasets]
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--data", str(two_corpora.data), "--cache", str(two_corpora.cache)])
    assert set(notes.read_text().split("\n")) - {""} == {f"encoder {card}" for card in seen}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("logmel", "--device gpu: expected encoder:FOLDER among the front-ends, found logmel"),
        ("encoder", "--device gpu: expected a library that .* on a graphics card, found none"),
    ],
)
def test_a_card_that_would_not_be_used_is_refused(
    two_corpora, folder, monkeypatch, cards, name, message
):
    monkeypatch.setattr(encoders, "accelerator", lambda folder: None)
    asked = [f"encoder:{folder}" if name == "encoder" else name]
    with pytest.raises(SpecError, match=message):
        list(extract_ahead(asked, ["tiny"], two_corpora, device="gpu"))
    assert cards == []


# A dry run ----------------------------------------------------------------------------------------


def test_an_encoder_is_tried_elsewhere(folder):
    found = front_ends.of(parse(f"encoder:{folder}"))
    assert list(found.rows) == [1] * len(found.lengths)
    assert (found.columns, found.moments) == (LAYERS * 2 * WIDTH, 0)
    assert found.seconds > 0


@pytest.mark.parametrize("name", ["encoder", "logmel"])
def test_what_raises_anything_is_of_unknown_length(tmp_path, monkeypatch, name):
    front_ends.probe.cache_clear()
    monkeypatch.setattr(front_ends, "_try", foreign)
    encoder = write_encoder(tmp_path / "encoder", seed=5)
    assert front_ends.of(parse(f"encoder:{encoder}" if name == "encoder" else name)) is None
    front_ends.probe.cache_clear()


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_how_long_a_card_takes_is_not_known(tiny_places, folder, tmp_path, cards, device):
    places = replace(tiny_places, encoder=folder, cache=tmp_path / "cache")
    selection = Selection(("encoder-svm",), ("tiny",), "smoke", device=device)
    (found,) = estimate(plan(selection, places), places).features
    assert (found.seconds is None) == (device == "auto")
    assert found.disk.value > 0


# An encoder that nothing is fed from --------------------------------------------------------------


def test_a_run_refuses_an_encoder_that_no_model_takes(tiny_places, folder, capsys):
    places = replace(tiny_places, encoder=folder)
    with pytest.raises(SpecError, match=r"--encoder .*: expected a model .*encoder-svm.*found svm"):
        plan(Selection(("svm-is09",), ("tiny",), "smoke"), places)
    assert plan(Selection(("svm-is09", "encoder-svm"), ("tiny",), "smoke"), places).pairs


def test_a_bundle_refuses_an_encoder_that_it_does_not_take(tiny_places, folder, tmp_path, capsys):
    export_to(tmp_path / "bundle", tiny_places, fold=0)
    with pytest.raises(SpecError, match=r"svm-is09 is not fed from one, found .*encoder\. Leave"):
        emobench.load_model(tmp_path / "bundle", encoder=folder)
    file = sorted((tiny_places.data / "tiny").glob("*.wav"))[0]
    with pytest.raises(SystemExit, match="2"):
        main(["predict", str(tmp_path / "bundle"), str(file), "--encoder", str(folder)])
    assert "expected no frozen encoder" in capsys.readouterr().err


def test_labelling_computes_on_the_cards_that_there_are(
    tiny_places, folder, tmp_path, monkeypatch, cards
):
    places = replace(tiny_places, encoder=folder)
    export_to(tmp_path / "bundle", places, "encoder-svm:layer=1", fold=0)
    for name in ("TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE"):
        monkeypatch.setenv(name, "as it is")  # so that it is put back
    asked, in_order = [], Processes.in_order

    def noted(self, *arguments, network):
        asked.append((self.cards, network))
        return in_order(self, *arguments, network=network)

    monkeypatch.setattr(Processes, "in_order", noted)
    words = [str(tmp_path / "bundle"), str(tiny_places.data / "tiny"), "--encoder", str(folder)]
    with pytest.raises(SystemExit, match="0"):
        main(["predict", *words, "--out", str(tmp_path / "labels.csv")])
    assert asked == [(("3", "5"), True)]
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 1 + 24
