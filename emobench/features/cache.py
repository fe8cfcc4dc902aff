"""Features on disk: one packed folder for a front-end and a list of clips.

`values.npy` holds the rows of all clips one after the other and is memory-mapped; `offsets.npy`
tells where each clip begins; `moments.npy` holds what scaling needs; `about.json` names the clips,
those that were refused, and a checksum of the other files. A folder is complete from the moment
it has its name: it is written under another one and renamed.

The key of a folder covers the front-end, its version, what the sound went through and, for each
clip, its id, segment and decoded sound, in the order of the table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import versions
from ..errors import FeatureError
from ..scaling import Moments
from ..sounds import UNDECODED
from ..sounds import names as sound_names
from ..spec import FeatureSpec, fingerprint
from ..storage import Purpose, discard, remove_leftovers, storing
from . import packing, registry
from .extraction import Clip, extract_all

if TYPE_CHECKING:
    import pandas as pd

    from ..conditions import Condition

LOG = logging.getLogger(__name__)

_KEPT = Purpose("features", FeatureError, "name another folder with --cache")
_LISTED = 10
"""Refused clips that a message names."""


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """The features of a list of clips, mapped from disk; pickled as the path of its folder.

    Attributes:
        folder: where the files are
        ids: of the clips, in the order of the table that they were extracted for
        values: float32 of shape `(rows of all clips, columns)`
        offsets: first row of each clip and the end of the last, of shape `(clips + 1,)`
        moments: of each clip
        bad: reason for each clip that was left out, by id
    """

    folder: Path
    ids: tuple[str, ...]
    values: np.ndarray
    offsets: np.ndarray
    moments: Moments
    bad: Mapping[str, str]

    @classmethod
    def open(cls, folder: Path) -> FeatureSet:
        """Map a folder of the cache.

        Raises:
            FeatureError: if the folder is not there or damaged
        """
        try:
            packed = packing.open_packed(Path(folder))
        except packing.DamageError as damage:
            raise FeatureError(f"{folder}: {damage}. Run again to extract it anew.") from None
        moments = Moments(*packed.moments)
        about = packed.about
        return cls(
            Path(folder), tuple(about["ids"]), packed.values, packed.offsets, moments, about["bad"]
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureSet.open, (self.folder,)

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.ids)

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each clip, of shape `(clips,)`."""
        return np.diff(self.offsets)

    def clip(self, position: int) -> np.ndarray:
        """Return the values of a clip, float32 of shape `(rows, columns)`, read-only."""
        return self.values[self.offsets[position] : self.offsets[position + 1]]


def load(
    table: pd.DataFrame,
    spec: FeatureSpec,
    *,
    cache: Path,
    jobs: int = 1,
    skip_bad: bool = False,
    condition: Condition | None = None,
    sounds: Mapping[str, str | None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureSet:
    """Return the features of the clips of a table, extracting them if they are not cached.

    Args:
        table: utterances, indexed by id, with `path`, `start` and `end`
        spec: front-end with all its parameters, from `features.spec`
        cache: folder of all cached features
        jobs: worker processes
        skip_bad: leave out clips that cannot be used instead of raising
        condition: what the sound goes through first
        sounds: name of the sound of each clip by id, as `identify` returned it; None to ask again
        progress: called with how many clips are done and how many there are

    Returns:
        features in the order of the table

    Raises:
        FeatureError: if clips cannot be used and `skip_bad` is false, if none is left, if the
            cache folder cannot be written, or if a file changes meanwhile
    """
    source = cached_as(spec)
    clips = _clips(table)
    if not clips:
        raise FeatureError(f"{spec}: expected at least one clip, found an empty table.")
    known = identify(table, cache) if sounds is None else sounds
    folder = _folder(clips, source, known, Path(cache), condition)
    with storing(cache, _KEPT):
        found = _reuse(folder, clips)
        if found is None:
            remove_leftovers(folder.parent)
            _extract(folder, source, clips, known, condition, jobs=jobs, progress=progress)
            found = FeatureSet.open(folder)
    _report_refused(spec, found, skip_bad)
    return found


def is_cached(
    table: pd.DataFrame,
    spec: FeatureSpec,
    *,
    cache: Path,
    sounds: Mapping[str, str | None],
    condition: Condition | None = None,
) -> bool:
    """Tell whether nothing is to be extracted for the clips of a table; arguments as in `load`."""
    return _folder(_clips(table), cached_as(spec), sounds, Path(cache), condition).is_dir()


def identify(
    table: pd.DataFrame, cache: Path, progress: Callable[[int, int], None] | None = None
) -> dict[str, str | None]:
    """Return the name of what is decoded of each clip of a table, by id; see `sounds`.

    Args:
        table: utterances, indexed by id, with `path`, `start` and `end`
        cache: folder of all cached features
        progress: called with how many clips were decoded and how many are to be
    """
    clips = _clips(table)
    segments = [(clip.path, clip.start, clip.end, clip.channel) for clip in clips]
    found = sound_names(segments, cache, progress or (lambda done, total: None))
    return {clip.id: name for clip, name in zip(clips, found, strict=True)}


def _folder(
    clips: list[Clip],
    source: FeatureSpec,
    sounds: Mapping[str, str | None],
    cache: Path,
    condition: Condition | None,
) -> Path:
    """Return where the features of clips are, or will be."""
    identities = [[clip.id, sounds[clip.id], clip.start, clip.end] for clip in clips]
    named = registry.get(source.name).named(source)
    content = [packing.FORMAT, named, identities]
    if resampled := versions.raised(["resampling"]):
        content.append(resampled)
    if condition is not None:
        content.append({**condition.identity, **condition.tools})
    return cache / _folder_name(named, condition) / fingerprint(content)[:24]


def cached_as(spec: FeatureSpec) -> FeatureSpec:
    """Return the front-end whose values are cached for this one."""
    front_end = registry.get(spec.name)
    name = front_end.source
    if name is None:
        return front_end.cached_spec(spec)
    shared = {key: value for key, value in spec.params if key in registry.get(name).defaults}
    return registry.spec(name, **shared)


def _folder_name(spec: FeatureSpec, condition: Condition | None) -> str:
    params = "".join(f"-{key}={value}" for key, value in spec.params)
    through = f"-{condition.name.replace(':', '-')}" if condition else ""
    return f"{spec.name}{params}{through}-v{spec.version}"


def _clips(table: pd.DataFrame) -> list[Clip]:
    import pandas as pd

    channels = table["audio_channel"] if "audio_channel" in table else [None] * len(table)
    rows = zip(table.index, table["path"], table["start"], table["end"], channels, strict=True)
    return [
        Clip(
            str(name),
            Path(path),
            *(None if pd.isna(at) else float(at) for at in (start, end)),
            channel="mean" if pd.isna(channel) else channel,
        )
        for name, path, start, end, channel in rows
    ]


def _reuse(folder: Path, clips: list[Clip]) -> FeatureSet | None:
    """Return a folder of the cache if it is there and sound; a damaged one is moved away."""
    if not folder.exists():
        return None
    try:
        packed = packing.open_packed(folder)
        packing.verify(folder, packed)
        ids, bad = packed.about["ids"], packed.about["bad"]
        usable = [clip.id for clip in clips if clip.id not in bad]
        if ids != usable or len(ids) + len(bad) != len(clips):
            raise packing.DamageError("it holds other clips than it should")
    except packing.DamageError as damage:
        LOG.warning("%s: the cache cannot be used: %s. Extracting again.", folder, damage)
        discard(folder)
        return None
    return FeatureSet.open(folder)


def _extract(
    folder: Path,
    spec: FeatureSpec,
    clips: list[Clip],
    sounds: Mapping[str, str | None],
    condition: Condition | None,
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    registry.require(spec.name)
    columns = registry.get(spec.name).shape(dict(spec.params))[1]
    with (
        packing.Writer(folder, columns) as writer,
        closing(extract_all(spec, clips, jobs, condition)) as everything,
    ):
        for done, (clip, extracted) in enumerate(zip(clips, everything, strict=True), start=1):
            _insist(clip, sounds[clip.id], extracted.sound)
            if extracted.values is None or extracted.moments is None:
                writer.refuse(clip.id, extracted.reason)
            else:
                writer.add(clip.id, extracted.values, extracted.moments)
            if progress:
                progress(done, len(clips))
        writer.finish({"feature": str(spec), "version": spec.version})


def _insist(clip: Clip, expected: str | None, found: str | None) -> None:
    """Make sure that features are of the very sound that they are kept for."""
    decoded = None if expected is None or expected.startswith(UNDECODED) else expected
    if found != decoded:
        raise FeatureError(
            f"{clip.path}: expected the same sound as a moment ago, found another. "
            "Leave the corpus alone while it is read, and run again."
        )


def _report_refused(spec: FeatureSpec, found: FeatureSet, skip_bad: bool) -> None:
    if not found.bad or (skip_bad and found.ids):
        return
    lines = [f"  {name}: {reason}" for name, reason in list(found.bad.items())[:_LISTED]]
    if len(found.bad) > _LISTED:
        lines.append(f"  and {len(found.bad) - _LISTED} more")
    remedy = "Replace them, or leave them out with --skip-bad." if found.ids else "Replace them."
    raise FeatureError(
        f"{spec}: expected usable audio in every clip, found {len(found.bad)} of "
        f"{len(found.bad) + len(found.ids)} that cannot be used. {remedy}\n" + "\n".join(lines)
    )
