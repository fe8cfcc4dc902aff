"""Who may import whom, and what may be imported at all before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import emobench

PACKAGE = Path(emobench.__file__).parent
RANKS = {
    "errors": 0,
    "spec": 0,
    "metric_table": 0,
    "papers": 0,
    "gate": 1,
    "versions": 0,
    "storage": 1,
    "protocols": 1,
    "controls": 1,
    "run_options": 2,
    "audio": 1,
    "backend": 1,
    "environment": 1,
    "folds": 1,
    "scaling": 1,
    "weights": 1,
    "metrics": 1,
    "store": 2,
    "conditions": 2,
    "sounds": 2,
    "demo": 2,
    "corpora": 3,
    "encoders": 2,
    "features": 4,
    "sources": 1,
    "batching": 2,
    "batches": 3,
    "models": 4,
    "results": 5,
    "experiments": 5,
    "analysis": 6,
    "training": 6,
    "audit": 7,
    "leaderboard": 7,
    "pictures": 7,
    "bundles": 7,
    "executors": 8,
    "report": 9,
    "costs": 9,
    "runs": 10,
    "cli": 11,
}
FLOORS = {
    "corpora": {
        "entries": 0,
        "registry": 1,
        "paths": 2,
        "reading": 3,
        "readers": 4,
        "opening": 5,
        "table_columns": 6,
        "table": 7,
        "checking": 8,
        "download": 8,
        "exporting": 8,
        "proposal": 8,
    },
}
"""Floors inside a package, where it has several."""
HEAVY = {
    "av": {"audio"},
    "soundfile": {"audio", "conditions", "demo"},
    "lameenc": {"conditions"},
    "nltk": {"features"},
    "onnxruntime": {"bundles", "encoders"},
    "audformat": {"corpora"},
    "openpyxl": {"corpora"},
    "soxr": {"audio"},
    "librosa": {"features"},
    "opensmile": {"features"},
    "keras": {"backend", "bundles", "encoders", "models", "training"},
    "keras_hub": {"encoders"},
    "sklearn": {"folds", "metrics", "models"},
    "matplotlib": {"pictures"},
    "jinja2": {"report"},
    "markupsafe": {"pictures", "report"},
    "click": {"cli"},
    "rich": {"cli", "leaderboard"},
    "ray": {"executors"},
    "submitit": {"executors"},
    "tensorflow": {"bundles"},
    "tf2onnx": {"bundles"},
    "jax": {"training"},
    "torch": set(),
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def unit(path: Path) -> str:
    """Return the module or sub-package that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> list[tuple[int, str]]:
    """Return every module that a file imports, absolute, with the line."""
    found = []
    parts = ("emobench", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(parts[: -node.level]) if node.level else ""
            module = ".".join(filter(None, [package, node.module or ""]))
            if module == "emobench":
                found += [(node.lineno, f"emobench.{alias.name}") for alias in node.names]
            else:
                found.append((node.lineno, module))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    own = unit(path)
    if own in ("__init__", "__main__"):
        return
    wrong = []
    for line, module in imports(path):
        if not module.startswith("emobench."):
            continue
        other = module.split(".")[1]
        if other == own or other.startswith("__"):
            continue
        if RANKS[other] >= RANKS[own]:
            wrong.append(f"{path.name}:{line} imports {other}, which is not below {own}")
    assert wrong == []


@pytest.mark.parametrize("package", FLOORS)
def test_imports_inside_a_package_point_downwards(package):
    floors, folder = FLOORS[package], PACKAGE / package
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        own = path.relative_to(folder).with_suffix("").parts[0]
        if own == "__init__":
            continue
        for line, module in imports(path):
            parts = module.split(".")
            if parts[:2] != ["emobench", package] or parts[2:3] in ([], [own]):
                continue
            if floors[parts[2]] >= floors[own]:
                wrong.append(f"{path.name}:{line} imports {parts[2]}, which is not below {own}")
    assert wrong == []


def test_every_floor_exists():
    for package, floors in FLOORS.items():
        found = {path.stem for path in (PACKAGE / package).iterdir() if path.stem[0] != "_"}
        assert found == set(floors)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_their_layer(path):
    wrong = [
        f"{path.name}:{line} imports {module}"
        for line, module in imports(path)
        if module.split(".")[0] in HEAVY and unit(path) not in HEAVY[module.split(".")[0]]
    ]
    assert wrong == []


PRIVATE = ("keras.src", "keras._tf_keras", "tensorflow.python", "jax._src")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_packages_keep_to_themselves_is_not_used(path):
    text = path.read_text()
    assert [name for name in PRIVATE if name in text] == []


@pytest.mark.parametrize(
    "statement",
    [
        "import emobench",
        "from emobench.cli import cli",
        "from emobench.cli import main; main(['models'])",
        "from emobench.cli import main; main(['corpora'])",
        "from emobench.cli import main; main(['protocols'])",
    ],
)
def test_listing_loads_nothing_heavy(statement):
    code = (
        "import sys\n"
        f"try:\n    exec({statement!r})\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'librosa', 'opensmile', 'sklearn', "
        "'matplotlib', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


DISK = {"errno", "fcntl", "msvcrt", "tempfile", "fsync", "replace", "rename"}


def test_the_disk_is_written_in_one_place():
    """Locks, atomic writes and refusals of a disk are `storage`; others only use it."""
    allowed = {
        "emobench/features/packing.py": {"rename"},  # of a folder that `storage` made
        "emobench/report/evidence.py": {"tempfile"},  # for a folder that holds nothing
    }
    wrong = []
    for path in MODULES:
        if unit(path) == "storage":
            continue
        name = path.relative_to(PACKAGE.parent).as_posix()
        used = {module for _, module in imports(path)} & DISK
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used |= {node.attr} & DISK if node.value.id == "os" else set()
        wrong += [f"{name} uses {one}" for one in sorted(used - allowed.get(name, set()))]
    assert wrong == []


def test_no_benchmark_hides_a_module_of_python():
    """A script's folder comes first where modules are sought."""
    names = {path.stem for path in (PACKAGE.parent / "benchmarks").glob("*.py")}
    assert names
    assert names & sys.stdlib_module_names == set()


def test_every_rank_exists_or_is_planned():
    known = {unit(path) for path in MODULES} - {"__init__", "__main__"}
    assert known <= set(RANKS)
