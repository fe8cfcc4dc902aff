"""What a record tells of the machine and the code, and what no user's settings change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import perform_here

from emobench import backend
from emobench.executors.worker import perform
from emobench.runs import Selection, execute, plan
from emobench.training import provenance

SETTINGS = """
from emobench.backend import start_backend
start_backend()
import keras
print(keras.config.floatx(), keras.config.dtype_policy().name, keras.config.epsilon(),
      keras.config.image_data_format(), keras.config.max_epochs())
"""


def record(places) -> dict:
    (path, *_) = places.results.rglob("fold-*.json")
    return json.loads(path.read_text())


def test_a_record_names_everything_that_matters(tiny_places, monkeypatch):
    perform_here(monkeypatch, lambda work: perform(work, lambda epoch: None))
    selection = Selection(("svm-is09",), ("tiny",), "smoke")
    assert execute(plan(selection, tiny_places), tiny_places).failures == {}
    found = record(tiny_places)
    for package in ("librosa", "soundfile", "soxr", "av", "scipy", "pandas", "pyarrow"):
        assert found["versions"][package] == metadata.version(package)
    assert found["sample_rate"] == 16_000
    assert found["precision"] == "float64"  # what scikit-learn computes in
    assert found["git_dirty"] in (True, False, None)


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A source tree under git that provenance takes for its own."""
    root = tmp_path / "tree"
    (root / "emobench" / "training").mkdir(parents=True)
    (root / "emobench" / "training" / "provenance.py").write_text("")
    (root / "results").mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(root)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(provenance, "__file__", root / "emobench" / "training" / "provenance.py")
    return root


def test_a_tree_that_differs_from_its_commit_is_dirty(tree):
    dirty = provenance.git_dirty.__wrapped__
    assert dirty() is False
    (tree / "results" / "new.json").write_text("{}")  # every run writes there
    assert dirty() is False
    (tree / "emobench" / "training" / "new.py").write_text("")
    assert dirty() is True
    (tree / "emobench" / "training" / "new.py").unlink()
    assert dirty() is False
    (tree / "emobench" / "training" / "provenance.py").write_text("changed")
    assert dirty() is True


def test_an_installed_package_has_no_tree(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", tmp_path / "a" / "b" / "provenance.py")
    assert provenance.git_dirty.__wrapped__() is None
    assert provenance.git_commit.__wrapped__() is None


@pytest.mark.parametrize(
    "settings",
    [
        {"floatx": "float64", "epsilon": 0.1, "image_data_format": "channels_first"},
        {"floatx": "float17"},
    ],
    ids=str,
)
def test_the_users_keras_settings_are_not_read(tmp_path, settings):
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "KERAS_MAX_EPOCHS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["float32", "float32", "1e-07", "channels_last", "None"]


def test_settings_of_a_running_keras_are_put_right():
    import keras

    keras.config.set_floatx("float16")
    keras.config.set_epsilon(0.1)
    backend.pin()
    assert keras.config.floatx() == keras.config.dtype_policy().name == "float32"
    assert keras.config.epsilon() == 1e-7


def jax_with(setting: str | None) -> SimpleNamespace:
    return SimpleNamespace(config=SimpleNamespace(jax_default_matmul_precision=setting))


def tensorflow_with(cut: bool) -> SimpleNamespace:
    experimental = SimpleNamespace(tensor_float_32_execution_enabled=lambda: cut)
    return SimpleNamespace(config=SimpleNamespace(experimental=experimental))


@pytest.mark.parametrize(
    ("name", "loaded", "cut"),
    [
        ("jax", jax_with(None), True),
        ("jax", jax_with("tensorfloat32"), True),
        ("jax", jax_with("highest"), False),
        ("jax", jax_with("float32"), False),
        ("tensorflow", tensorflow_with(True), True),
        ("tensorflow", tensorflow_with(False), False),
    ],
)
def test_the_precision_on_a_card(monkeypatch, name, loaded, cut):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: name)
    monkeypatch.setitem(sys.modules, name, loaded)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    assert backend.precision(True) == ("float32, products in tf32" if cut else "float32")
    assert backend.precision(False) == "float32"
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    assert backend.precision(True) == "float32"


def test_the_precision_of_this_process_can_be_asked_for():
    import keras

    keras.ops.zeros(1)
    assert backend.precision(False) == "float32"
    assert backend.precision(True).startswith("float32")
