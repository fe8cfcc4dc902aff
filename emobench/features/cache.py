"""Features on disk: one packed folder for a front-end and a list of clips.

`values.npy` holds the rows of all clips one after the other and is memory-mapped; `offsets.npy`
tells where each clip begins; `moments.npy` holds what scaling needs; `about.json` names the clips,
those that were refused, and a checksum of the other files. A folder is complete from the moment
it has its name: it is written under another one and renamed.

The key of a folder covers the front-end, its version, what the sound went through and, for each
clip, its id, segment, file name, file size and time of modification, in the order of the table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FeatureError
from ..scaling import Moments
from ..spec import FeatureSpec, fingerprint
from . import packing, registry
from .extraction import Clip, extract_all

if TYPE_CHECKING:
    import pandas as pd

    from ..conditions import Condition

LOG = logging.getLogger(__name__)

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
        progress: called with how many clips are done and how many there are

    Returns:
        features in the order of the table

    Raises:
        FeatureError: if clips cannot be used and `skip_bad` is false, if none is left, or if the
            cache folder cannot be written
    """
    source = _source(spec)
    clips = _clips(table)
    if not clips:
        raise FeatureError(f"{spec}: expected at least one clip, found an empty table.")
    content = [packing.FORMAT, source, [_identity(clip) for clip in clips]]
    if condition is not None:
        content.append({**condition.identity, **condition.tools})
    folder = Path(cache) / _folder_name(source, condition) / fingerprint(content)[:24]
    try:
        found = _reuse(folder, clips)
        if found is None:
            packing.remove_leftovers(folder.parent)
            _extract(folder, source, clips, condition, jobs=jobs, progress=progress)
            found = FeatureSet.open(folder)
    except OSError as error:
        raise FeatureError(
            f"{cache}: cannot keep features there ({error.strerror or error}). Free space or make "
            "the folder writable, or name another one with --cache; then run again."
        ) from error
    _report_refused(spec, found, skip_bad)
    return found


def _source(spec: FeatureSpec) -> FeatureSpec:
    """Return the front-end whose values are cached for this one."""
    front_end = registry.get(spec.name)
    name = front_end.source
    if name is None:
        return front_end.cached_spec(spec)
    shared = {key: value for key, value in spec.params if key in registry.get(name).defaults}
    return registry.spec(name, **shared)


def _folder_name(spec: FeatureSpec, condition: Condition | None) -> str:
    params = "".join(f"-{key}={value}" for key, value in spec.params)
    heard = f"-{condition.name.replace(':', '-')}" if condition else ""
    return f"{spec.name}{params}{heard}-v{spec.version}"


def _clips(table: pd.DataFrame) -> list[Clip]:
    import pandas as pd

    rows = zip(table.index, table["path"], table["start"], table["end"], strict=True)
    return [
        Clip(str(name), Path(path), *(None if pd.isna(at) else float(at) for at in (start, end)))
        for name, path, start, end in rows
    ]


def _identity(clip: Clip) -> list[Any]:
    """Return what must be unchanged for cached features of a clip to be its own."""
    try:
        with clip.path.open("rb"):
            facts = clip.path.stat()
            content: list[int | None] = [facts.st_size, facts.st_mtime_ns]
    except OSError:
        content = [None, None]  # once it can be read it is another clip
    return [clip.id, clip.path.name, *content, clip.start, clip.end]


def _reuse(folder: Path, clips: list[Clip]) -> FeatureSet | None:
    """Return a folder of the cache if it is there and sound; a damaged one is moved away."""
    if not folder.exists():
        return None
    try:
        packed = packing.open_packed(folder)
        packing.verify(folder, packed)
        if {*packed.about["ids"], *packed.about["bad"]} != {clip.id for clip in clips}:
            raise packing.DamageError("it holds other clips than it should")
    except packing.DamageError as damage:
        LOG.warning("%s: the cache cannot be used: %s. Extracting again.", folder, damage)
        packing.discard(folder)
        return None
    return FeatureSet.open(folder)


def _extract(
    folder: Path,
    spec: FeatureSpec,
    clips: list[Clip],
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
            if extracted.values is None or extracted.moments is None:
                writer.refuse(clip.id, extracted.reason)
            else:
                writer.add(clip.id, extracted.values, extracted.moments)
            if progress:
                progress(done, len(clips))
        writer.finish({"feature": str(spec), "version": spec.version})


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
