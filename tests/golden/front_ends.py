"""Answers of the front-ends, with every choice of parameters that a model makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from emobench import features, models
from emobench.audio import SAMPLE_RATE
from emobench.spec import FeatureSpec

from .entries import Entry, few

TEXTS = ("so that is the way it is", "the way is long", "", "is that so")
COLUMNS = 32


def measures() -> Iterator[tuple[str, Any]]:
    """Yield the name of each front-end and what measures it."""
    wanted = {str(spec): spec for spec in map(features.spec, features.names())}
    for name in models.names():
        for used in models.get(name).inputs.values():
            spec = features.spec(used.feature, **used.params)
            wanted.setdefault(str(spec), spec)
    for name, spec in sorted(wanted.items()):
        if features.get(spec.name).folder:  # its numbers are those of what a folder holds
            continue
        yield f"front-end {name}", lambda spec=spec: Entry({"front-end": spec.version}, _of(spec))


@cache
def voice(seconds: float = 1.3, seed: int = 0) -> np.ndarray:
    """Return a buzz of gliding pitch with pauses and noise, exact in 16 bits."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 160 + 50 * np.sin(2 * np.pi * 0.7 * time + seed)
    phase = np.cumsum(2 * np.pi * pitch / SAMPLE_RATE)
    voiced = sum(np.sin(number * phase) / number**1.2 for number in range(1, 20))
    loud = np.where(np.sin(9 * time + 1) > -0.5, 0.15, 0.01)
    samples = loud * voiced + 0.003 * random.standard_normal(len(time))
    return (np.round(samples * 32_768) / 32_768).astype(np.float32)


def _of(spec: FeatureSpec) -> dict[str, Any]:
    front_end, params = features.get(spec.name), dict(spec.params)
    settings = {
        "settings": str((front_end.scaling, front_end.pad_multiple, front_end.bucket_multiple)),
        "longest": front_end.longest,
    }
    if front_end.text:
        fitted = front_end.fit(TEXTS[:3], params)
        made = [front_end.transform(text, params, fitted.state) for text in TEXTS]
        return {**settings, "values": few(np.stack(made)[:, :10], 40), **_fitted(fitted)}
    cached = features.extract if not front_end.fit else _cached
    clips = [voice(), voice(1.9, 1)]
    values = [cached(spec.name, clip, SAMPLE_RATE, **params) for clip in clips]
    found = {**settings, **_summary("values", values[0])}
    moments = features.registry.compute(spec, clips[0], SAMPLE_RATE)[1]
    found["moments"] = few([moments.count, moments.mean, moments.m2], 48)
    if front_end.fit:
        fitted = front_end.fit(values, params)
        seen = front_end.transform(values[0][: front_end.longest], params, fitted.state)
        found |= {**_summary("seen", seen), **_fitted(fitted)}
    return found


def _cached(name: str, samples: np.ndarray, rate: int, **params: Any) -> np.ndarray:
    return features.registry.compute(features.spec(name, **params), samples, rate)[0]


def _fitted(fitted: features.Fitted) -> dict[str, Any]:
    return {"fitted": str((fitted.shape, sorted(fitted.config.items())))}


def _summary(name: str, values: np.ndarray) -> Mapping[str, Any]:
    """Return the shape, values at some places, and mean and deviation of some columns."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    columns = flat[:, np.linspace(0, flat.shape[1] - 1, COLUMNS).round().astype(int)]
    columns = columns if flat.shape[1] > COLUMNS else flat
    found = {f"{name}, shape": str(values.shape), name: few(flat, 24)}
    if len(flat) > 1:
        found[f"{name}, mean"] = few(np.nanmean(columns, axis=0))
        found[f"{name}, deviation"] = few(np.nanstd(columns, axis=0))
    else:
        found[name] = few(flat)
    return found
