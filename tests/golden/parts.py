"""Answers of the parts that every experiment shares."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from emobench import audio, conditions, folds, models, protocols, scaling, weights
from emobench.scaling import Moments
from emobench.sources import Source
from emobench.spec import fingerprint, plain
from emobench.versions import VERSIONS

from .entries import Entry, few

LABELS = ("anger", "fear", "neutral", "sadness")


def measures() -> Iterator[tuple[str, Any]]:
    """Yield the name of each part and what measures it."""
    for name, measure in _MEASURES.items():
        yield (
            f"part {name}",
            lambda name=name, measure=measure: Entry({name: VERSIONS[name]}, measure()),
        )
    for condition in conditions.expand("mp3:64k,mp3:8k,mp3:256k"):
        yield f"condition {condition}", lambda condition=condition: _condition(condition)


def table(speakers: int) -> pd.DataFrame:
    """Return clips of speakers who speak more the later they come."""
    rows = [
        (f"s{speaker:02d}-{number:02d}", f"s{speaker:02d}", LABELS[(number + speaker // 3) % 4])
        for speaker in range(speakers)
        for number in range(8 + speaker)
    ]
    frame = pd.DataFrame(rows, columns=["id", "speaker", "label"]).set_index("id")
    return frame.assign(group=frame["speaker"], emotion=frame["label"])


def _folds() -> dict[str, Any]:
    found = {}
    for speakers, rule in ((4, "speaker"), (14, "groups: 6")):
        clips = table(speakers)
        for name in protocols.names():
            made = folds.make(clips, rule, protocols.get(name))
            told = [plain(fold) for fold in made]
            for fold in told:
                if not fold["copies"]:
                    del fold["copies"]
            found[f"{name}, {rule}"] = fingerprint(told)[:16]
    for speakers, rule in ((2, "speaker"), (4, "speaker"), (14, "groups: 6")):
        clips = table(speakers)
        inner, kind = folds.inner_splits(folds.make(clips, rule, protocols.get("losgo"))[0], clips)
        parts = [[part.tolist() for part in split] for split in inner]
        found[f"inner, {speakers} speakers"] = fingerprint([parts, kind])[:16]
    return found


def _development() -> dict[str, Any]:
    found = {}
    for speakers, rule in ((2, "speaker"), (14, "groups: 6")):
        clips = table(speakers)
        fold = folds.make(clips, rule, protocols.get("losgo"))[0]
        for seed in (0, 1):
            kept = folds.development(fold, clips, 0.2, seed)
            found[f"{rule}, seed {seed}"] = fingerprint(plain(kept))[:16]
    return found


def _inner_speakers() -> dict[str, Any]:
    clips = table(8)
    clips["group"] = [f"Ses{int(speaker[1:]) // 2}" for speaker in clips["speaker"]]
    fold = folds.make(clips, "session", protocols.get("losgo"))[1]
    inner, kind = folds.inner_splits(fold, clips)
    parts = [[part.tolist() for part in split] for split in inner]
    return {
        "inner folds": fingerprint([parts, kind])[:16],
        "development": fingerprint(plain(folds.development(fold, clips, 0.2, 1)))[:16],
    }


def _network_tuning() -> dict[str, Any]:
    """Which cell a network is given by a search on the folds that are reported."""
    from emobench.training import tuning

    return {"record": str(tuning.on_evaluation_folds({"x": 2}, [{"x": 2, "score": 0.5}]))}


def _inner_scaling() -> dict[str, Any]:
    """How clips are scaled that are left out while a fold of one speaker, or of two, is tuned."""
    return _scaled(training=np.array([0, 2]), known=np.array([0, 1, 2, 3]))


def _scaling() -> dict[str, Any]:
    return _scaled(training=np.array([0, 2, 3, 4, 5]))


def _scaled(**options: Any) -> dict[str, Any]:
    random = np.random.default_rng(5)
    clips = [random.normal([0, 5, -2, 0, 7], [1, 10, 0.1, 1, 0], (9, 5)) for _ in range(8)]
    for clip in clips:
        clip[2, 3] = np.nan
        clip[:, 4] += 1e-15 * random.standard_normal(9)  # constant, but for rounding
    found = {}
    for wanted in ("speaker", "training", "training-neutral", "corpus", "none"):
        scaler = scaling.fit(
            wanted,
            Moments.stack([Moments.of(clip) for clip in clips]),
            speakers=list("aabbccdd"),
            neutral=np.arange(8) % 2 == 0,
            **options,
        )
        for clip in (0, 3, 7) if "known" in options else (0, 7):
            found[f"{wanted}, clip {clip}"] = few(scaler.apply(clip, clips[clip]), 20)
    return found


def _weights() -> dict[str, Any]:
    labels = [*"aaaaabbbccccccccd"]
    training = np.array([0, 1, 2, 3, 5, 8, 9, 10, 11, 16])
    return {
        kind: few(weights.for_fold(labels, training, kind))
        for kind in ("training", "corpus", "none")
    }


def _batching() -> dict[str, Any]:
    """Which clips share a batch, how far each is padded and what it weighs, over three epochs."""
    from emobench.batches import Batches

    random = np.random.default_rng(3)
    lengths = random.integers(5, 60, 45)
    source = Source(lambda clip: np.full((lengths[clip], 1), clip + 1, np.float32), lengths, 4, 16)
    found = {}
    for batching in ("padded-length", "sorted"):
        batches = Batches(
            {"x": source},
            np.arange(3, 45),
            targets=np.eye(4, dtype=np.float32)[np.arange(42) % 4],
            weights=np.linspace(0.5, 1.5, 42, dtype=np.float32),
            batch_size=8,
            batching=batching,
            seed=11,
        )
        seen: list[Any] = []
        for epoch in range(3):
            batches.begin(epoch)
            for index in range(len(batches)):
                inputs, targets, weight = batches[index]
                clips = inputs["x"][:, 0, 0].astype(int).tolist()
                seen.append([inputs["x"].shape[1], clips, targets.argmax(1).tolist(), few(weight)])
        found[f"{batching}, first batches"] = str([batch[:2] for batch in seen[:2]])
        found[f"{batching}, all"] = fingerprint(seen)[:16]
    return found


def _clips() -> tuple[np.ndarray, list[str], list[tuple[np.ndarray, np.ndarray]]]:
    """Return features, labels and splits of a small, noisy problem."""
    random = np.random.default_rng(2)
    truth = np.arange(48) % 4
    features = random.standard_normal((48, 12)) + 0.7 * np.eye(12)[truth]
    parts = np.arange(48) // 4 % 3
    splits = [(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in range(3)]
    return features, [LABELS[label] for label in truth], splits


def _tuning() -> dict[str, Any]:
    from emobench.training import tuning

    features, labels, splits = _clips()
    found: dict[str, Any] = {}
    for name in ("svm-is09", "librosa-svm"):
        spec = models.get(name)
        tuned = spec.build(spec.config).tune(features, labels[:36] + labels[:12], splits)
        found[name] = few([cell["score"] for cell in tuned.scores])
        found[f"{name}, best"] = str(sorted(tuned.parameters.items()))
    ids = pd.Index([f"clip{number}" for number in range(8)])
    data = SimpleNamespace(labels=LABELS, targets=np.arange(8) % 4, positions=ids.get_indexer)
    right = {1: (0, 1, 2, 3), 2: (0, 1, 2, 0), 3: (0, 0, 0, 0), 4: (0, 1, 2, 3)}
    inner = [SimpleNamespace(test=ids[:4]), SimpleNamespace(test=ids[4:])]
    searched = tuning.search(
        {"x": (3, 2, 1, 4)}, inner, "", data, lambda fold, cell: np.eye(4)[list(right[cell["x"]])]
    )
    found["network"] = few([cell["score"] for cell in searched.scores])
    found["network, best"] = str(searched.parameters)
    return found


def _estimator() -> dict[str, Any]:
    features, labels, splits = _clips()
    training, test = splits[0]
    balance = np.linspace(0.5, 2, len(training))
    found = {}
    for name in ("svm-is09", "librosa-svm"):
        spec = models.get(name)
        fitted = spec.build(spec.config).fit(
            features[training],
            [labels[clip] for clip in training],
            balance,
            {"C": 2.0, "gamma": 0.05},
        )
        found[name] = few(fitted.predict(features[test]))
    return found


def _resampling() -> dict[str, Any]:
    found = {}
    for rate in (8_000, 22_050, 44_100, 48_000):
        time = np.arange(rate // 4) / rate
        sweep = np.sin(2 * np.pi * (300 + 9_000 * time) * time).astype(np.float32)
        samples = audio.resample(sweep, rate)
        found[str(rate)] = few([len(samples), *samples[100:-100:251]])
    return found


def _condition(condition: conditions.Condition) -> Entry:
    from .front_ends import voice

    samples, stream = condition.apply(voice())
    return Entry(
        {"condition": conditions.VERSION},
        {"samples": few([*samples[2_000:12_000:400], samples.std()]), "stream": str(stream)},
    )


_MEASURES = {
    "folds": _folds,
    "development": _development,
    "resampling": _resampling,
    "scaling": _scaling,
    "weights": _weights,
    "batching": _batching,
    "tuning": _tuning,
    "network tuning": _network_tuning,
    "inner scaling": _inner_scaling,
    "inner speakers": _inner_speakers,
    "estimator": _estimator,
}
