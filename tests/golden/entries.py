"""One answer, how answers are compared, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "numbers.json"
PACKAGES = ("jax", "keras", "librosa", "numpy", "opensmile", "scikit-learn", "scipy", "tensorflow")

DIGITS = 5
TOLERANCE = 1e-3
"""Relative: the last bits of arithmetic differ between machines."""

LOOSER = {"trained outputs": 2e-2}
"""Adam makes whole steps of gradients that are nothing but rounding error."""

NOISE = 1e-6
"""Absolute: what is smaller is rounding error."""

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """What a part answers.

    Attributes:
        versions: of everything that the answer depends on, by name
        numbers: lists of numbers, which are compared with a tolerance, or texts and whole numbers,
            which are not
    """

    versions: Mapping[str, int]
    numbers: Numbers


def few(values: Any, most: int = 64) -> list[float]:
    """Return numbers rounded to some digits; of many, those at evenly spaced places."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    if len(flat) > most:
        flat = flat[np.linspace(0, len(flat) - 1, most).round().astype(int)]
    return [float(f"{value:.{DIGITS}g}") for value in flat]


def differences(kept: Numbers, found: Numbers) -> Iterator[str]:
    """Yield what differs between two answers, in words."""
    for key in sorted({*kept, *found}):
        one, two = kept.get(key), found.get(key)
        if not (isinstance(one, list) and isinstance(two, list) and len(one) == len(two)):
            if one != two:
                yield f"{key}: {_short(one)} was kept, {_short(two)} found"
            continue
        tolerance = LOOSER.get(key, TOLERANCE)
        size = max((abs(value) for value in one), default=0.0)
        far = [
            (index, before, after)
            for index, (before, after) in enumerate(zip(one, two, strict=True))
            if not abs(after - before) <= tolerance * max(abs(before), 0.1 * size) + NOISE
        ]
        if far:
            index, before, after = far[0]
            yield f"{key}: {len(far)} of {len(one)} numbers, such as {before} → {after} at {index}"


def read() -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the answers that are kept, and the versions of the packages that gave them."""
    if not FILE.exists():
        return {}, {}
    content = json.loads(FILE.read_text())
    entries = {
        name: Entry(value.pop("versions"), value) for name, value in content["entries"].items()
    }
    return entries, content["packages"]


def write(entries: Mapping[str, Entry], packages: Mapping[str, str]) -> None:
    """Keep answers, one a line."""
    lines = [
        f"  {json.dumps(name)}: {json.dumps({'versions': entry.versions, **entry.numbers})}"
        for name, entry in sorted(entries.items())
    ]
    text = f' "packages": {json.dumps(packages, sort_keys=True)},\n "entries": {{\n'
    FILE.write_text("{\n" + text + ",\n".join(lines) + "\n }\n}\n")


def packages() -> dict[str, str]:
    """Return the versions of the packages that compute here; not everybody has JAX."""
    found = {}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 80 else f"{text[:77]}..."
