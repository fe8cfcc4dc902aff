"""Benchmarks measure what they say: the CPU with every card hidden, or networks on a card."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from emobench import models
from emobench.training import together as trainer

FOLDER = Path(__file__).parent.parent / "benchmarks"

ON_CPU = {
    "steps": "steps.parsed('')",
    "recurrent": "recurrent.main()",
    "pipeline": "pass",
    "prediction": "pass",
    "memory": "pass",
}
"""Benchmarks that compute with Keras on the CPU, and what they do before they import it."""

SEEN = ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_BACKEND", "OPENBLAS_NUM_THREADS")

STAND_IN = f"""
import os, sys
print(*(os.environ.get(name) for name in {SEEN}), flush=True)
os._exit(0)
"""
"""In the place of Keras and NumPy: tells what they would see."""


@pytest.fixture
def script(monkeypatch):
    """Imports a benchmark as a script would import its neighbours."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (
            getattr(sys.modules[name], "__file__", None)
            and Path(sys.modules[name].__file__).parent == FOLDER
        ):
            del sys.modules[name]


@pytest.mark.parametrize("library", ["keras", "numpy"])
@pytest.mark.parametrize("name", ON_CPU)
def test_cards_are_hidden_and_threads_told_before_anything_looks(name, library, tmp_path):
    (tmp_path / f"{library}.py").write_text(STAND_IN)
    code = f"import sys; sys.argv = ['x']; import {name}; {ON_CPU[name]}; import {library}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={
            **{key: value for key, value in os.environ.items() if key not in SEEN},
            "KERAS_BACKEND": "jax",
            "CUDA_VISIBLE_DEVICES": "0",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(FOLDER)]),
        },
        check=False,
    )
    assert done.stdout, done.stderr
    *shown, threads = done.stdout.splitlines()[-1].split()
    assert shown == ["-1", "cpu", "jax"]
    assert threads == (str(os.cpu_count()) if name == "memory" else "1")


@pytest.mark.parametrize(
    ("installed", "said", "expected"),
    [
        ({"tensorflow", "jax"}, None, "tensorflow"),
        ({"tensorflow"}, None, "tensorflow"),
        ({"jax"}, None, "jax"),
        (set(), None, "tensorflow"),
        ({"tensorflow", "jax"}, "jax", "jax"),
    ],
)
def test_the_cpu_computes_with_what_is_installed(script, monkeypatch, installed, said, expected):
    on_cpu = script("on_cpu")
    base = {} if said is None else {"KERAS_BACKEND": said}
    monkeypatch.setattr(os, "environ", base)
    monkeypatch.setattr(on_cpu, "find_spec", lambda name: name if name in installed else None)
    assert on_cpu.start(3) == expected
    assert base["KERAS_BACKEND"] == expected
    assert base["OMP_NUM_THREADS"] == "3"


class Rate:
    """Stands for the matrix products."""

    def rate(self):
        return 1e9


def test_a_network_that_fails_is_told_of_and_the_next_one_measured(script, monkeypatch, capsys):
    together = script("together")

    def prepare(name, steps, clips):
        if name == "b":
            raise ValueError("no room\nfor it")
        return name

    monkeypatch.setattr(together, "prepare", prepare)
    monkeypatch.setattr(together, "measure", lambda subject, *_: print(f"{subject} measured"))
    told = argparse.Namespace(model=["a", "b", "c"], steps=1, clips=1)
    assert together.measure_all(told, Rate()) == ["b"]
    shown = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert shown == [["a", "measured"], ["b", "failed: ValueError: no room"], ["c", "measured"]]


def test_every_line_is_printed_when_it_is_known(script, monkeypatch, capsys):
    together = script("together")
    seen = []

    def at_once(subject, members, seconds):
        seen.append(capsys.readouterr().out)
        return together.Measured(min(members, 20), 8.0, 0.5)

    monkeypatch.setattr(together, "alone", lambda *_: together.Measured(1, 2.0, 0.5))
    monkeypatch.setattr(together, "at_once", at_once)
    monkeypatch.setattr(trainer, "obstacle", lambda spec, protocol: "")
    spec = models.get("zhao2019")
    subject = together.Subject(spec, None, None, 10, 1e8)
    told = argparse.Namespace(members=[10, 30, 90], seconds=1)
    together.measure(subject, told, Rate())
    seen.append(capsys.readouterr().out)
    fields = [line.split() for line in seen]
    assert fields[0] == ["zhao2019", "1", "2.0", "1.00", "0.2", "1.0", "20.0%", "0.5"]
    assert fields[1] == ["zhao2019", "10", "8.0", "4.00", "0.8", "1.0", "80.0%", "0.5"]
    assert fields[2] == [
        "zhao2019",
        "20",
        "8.0",
        "4.00",
        "0.8",
        "1.0",
        "80.0%",
        "0.5",
    ]  # memory holds no more
    assert len(seen) == 3


def test_what_is_not_trained_together_is_measured_alone(script, monkeypatch, capsys):
    together = script("together")
    monkeypatch.setattr(together, "alone", lambda *_: together.Measured(1, 2.0, 0.5))
    subject = together.Subject(models.get("yoon2018-are"), None, None, 10, 1e8)
    together.measure(subject, argparse.Namespace(members=[10], seconds=1), Rate())
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["yoon2018-are", "1"]
    assert second.split(maxsplit=1)[1].startswith("not trained together: ")


def test_together_takes_any_network_and_by_default_one_of_each_paper(script, monkeypatch, capsys):
    together = script("together")
    papers = {models.get(name).paper for name in together.NETWORKS}
    networks = [models.get(name) for name in models.names()]
    assert papers == {one.paper for one in networks if one.kind == "network"} - {"encoder"}
    monkeypatch.setattr(sys, "argv", ["together.py", "--cpu", "--model", "wang2020-dual"])
    assert together.parsed().model == ["wang2020-dual"]
    for name, said in (("svm-is09", "expected a network"), ("mine", "the name of a model")):
        monkeypatch.setattr(sys, "argv", ["together.py", "--model", name])
        with pytest.raises(SystemExit):
            together.parsed()
        assert said in capsys.readouterr().err


EXACT = ("wang2020-base1", "krishna2019-combined-word", "yoon2018-mdrea", "librosa-lstm")
"""Networks without poolings that have no kernel."""


@pytest.mark.parametrize("name", [*EXACT, "mirsamadi2017-dnn-full", "wang2020-dual"])
def test_the_bare_products_of_a_step_are_all_of_its_operations(script, name):
    bare, operations = script("bare_products"), script("operations")
    shapes = {key: (shape[0] or 50, *shape[1:]) for key, shape in models.shapes(name).items()}
    model = models.build(name, 7, shapes)
    products = bare.of_model(model, 3)
    told = sum(each.operations for each in products) / 3
    tolerance = 1e-9 if name in EXACT else 0.02
    assert told == pytest.approx(operations.step_operations(model), rel=tolerance)


def test_loops_of_bare_products_are_as_long_as_a_networks(script):
    bare = script("bare_products")
    shapes = {"audio": (20, 34), "tokens": (12,)}
    model = models.build("krishna2019-combined-word", 4, shapes)
    loops = [each for each in bare.of_model(model, 5) if each.steps > 1]
    # Both directions of an LSTM of 128 units on 34 and on 50 columns, in one product of 5 clips.
    assert [(each.steps, each.directions, each.rows) for each in loops] == [(20, 2, 5), (12, 2, 5)]
    assert [(each.columns, each.outputs) for each in loops] == [(34 + 128, 512), (50 + 128, 512)]


def test_bare_products_are_products(script):
    bare = script("bare_products")
    draw = np.random.default_rng(0)
    factors, kernel = draw.normal(size=(4, 2, 3, 5)), draw.normal(size=(2, 5, 6))
    taken = keras.ops.convert_to_numpy(
        bare._in_turn(4, factors.astype("float32"), kernel.astype("float32"))
    )
    np.testing.assert_allclose(taken, factors[-1] @ kernel, rtol=1e-4, atol=1e-5)
    products = [bare.Products(3, 5, 8, 4, 2, carried=2), bare.Products(3, 8, 2, backwards=False)]
    run = bare.run_of(products)
    assert run().shape == (1, 2 + 1 + 2 * 2 + 1)  # forward; carried, kernels and inputs; kernel
    assert np.isfinite(run()).all()
