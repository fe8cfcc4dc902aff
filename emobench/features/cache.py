"""Features on disk: what is there of clips is used, the rest is extracted.

What decides is what is heard in a clip, not its id, its file or its corpus: a pool, a variant and
a test on another corpus use what each corpus has already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FeatureError, UncachedError, count
from ..sounds import UNDECODED
from ..sounds import names as sound_names
from ..spec import FeatureSpec, fingerprint
from ..storage import Purpose, remove_leftovers, storing
from . import finding, packing, recipes, registry
from .extraction import Clip, Extracted, decode_clip, extract_all
from .feature_set import FeatureSet
from .finding import Found, look_up
from .workers import ALONE, Crew

if TYPE_CHECKING:
    import pandas as pd

    from ..conditions import Condition

_KEPT = Purpose("features", FeatureError, "name another folder with --cache")
_PATIENCE_SECONDS, _LOOK_SECONDS = 60.0, 2.0
_LISTED = 10
"""Refused clips that a message names."""


def load(
    table: pd.DataFrame,
    spec: FeatureSpec,
    *,
    cache: Path,
    crew: Crew | None = ALONE,
    skip_bad: bool = False,
    condition: Condition | None = None,
    sounds: Mapping[str, str | None] | None = None,
    corpus: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> FeatureSet:
    """Return the features of the clips of a table, extracting them if they are not cached.

    Args:
        table: utterances, indexed by id, with `path`, `start` and `end`
        spec: front-end with all its parameters, from `features.spec`
        cache: folder of all cached features
        crew: who extracts; None where nothing may be extracted
        skip_bad: leave out clips that cannot be used instead of raising
        condition: what the sound goes through first
        sounds: name of the sound of each clip by id, as `identify` returned it; None to ask again
        corpus: whose clips they are, for those who look at the cache
        progress: called with how many clips are extracted and how many are to be, once more while
            nothing is; what it raises ends the extraction

    Returns:
        features in the order of the table

    Raises:
        UncachedError: if features are not cached and there is no crew
        FeatureError: if clips cannot be used and `skip_bad` is false, if none is left, if the
            cache folder cannot be written, or if a file changes meanwhile
    """
    clips = _clips(table)
    if not clips:
        raise FeatureError(f"{spec}: expected at least one clip, found an empty table.")
    known = identify(table, cache) if sounds is None else sounds
    heard = {clip.id: _heard(clip, known[clip.id]) for clip in clips}
    source = recipes.source(spec)
    extraction = _Extraction(source, condition, known, crew, corpus, progress)
    shelf = Path(cache) / recipes.folder_name(extraction.recipe)
    with storing(cache, _KEPT):
        sought = {heard[clip.id]: clip for clip in clips if heard[clip.id] is not None}
        patience = 0.0 if crew else _PATIENCE_SECONDS
        found = _look_patiently(shelf, extraction.recipe, sought, patience)
        missing = {sound: clip for sound, clip in sought.items() if sound not in found}
        if missing:
            extraction.insist_on_crew(missing, sought, shelf)
            remove_leftovers(shelf)
            extraction.fill(found, shelf, missing)
    unheard = [clip for clip in clips if heard[clip.id] is None]
    result = _view(found, heard, extraction.refusals(unheard))
    _report_refused(spec, result, skip_bad)
    return result


def _look_patiently(
    shelf: Path, recipe: recipes.Recipe, sounds: Collection[str], patience: float
) -> Found:
    """Return what is cached of sounds.

    Args:
        shelf: folder of their packs
        recipe: what their values depend on
        sounds: names of sounds
        patience: how many seconds to wait for all of them: a file system that machines share may
            show late what another of them wrote
    """
    deadline = time.monotonic() + patience
    while True:
        found = look_up(shelf, recipe, set(sounds))
        if all(sound in found for sound in sounds) or time.monotonic() >= deadline:
            return found
        time.sleep(_LOOK_SECONDS)


def missing(
    table: pd.DataFrame,
    spec: FeatureSpec,
    *,
    cache: Path,
    sounds: Mapping[str, str | None],
    condition: Condition | None = None,
) -> list[str]:
    """Return the ids of the clips that would be extracted, of several alike one.

    Args:
        table: utterances, indexed by id, with `path`, `start` and `end`
        spec: front-end with all its parameters, from `features.spec`
        cache: folder of all cached features
        sounds: name of the sound of each clip by id, as `identify` returned it
        condition: what the sound goes through first
    """
    made = recipes.recipe(recipes.source(spec), condition)
    held = finding.held(Path(cache) / recipes.folder_name(made), made)
    heard = {_heard(clip, sounds[clip.id]): clip.id for clip in _clips(table)}
    return [name for sound, name in heard.items() if sound is not None and sound not in held]


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


def _heard(clip: Clip, sound: str | None) -> str | None:
    """Return all that becomes of a clip depends on; None for a file that cannot be opened."""
    if sound is None or not sound.startswith(UNDECODED):
        return sound
    return f"{sound} {clip.start}-{clip.end} {clip.channel}"


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


@dataclass(frozen=True)
class _Extraction:
    """How features are extracted.

    Attributes:
        spec: front-end whose values are cached
        condition: what the sound goes through first
        sounds: name of the sound of each clip by id
        crew: who extracts; None where nothing may be extracted
        corpus: whose clips they are
        progress: called with how many clips are extracted and how many are to be
    """

    spec: FeatureSpec
    condition: Condition | None
    sounds: Mapping[str, str | None]
    crew: Crew | None
    corpus: str
    progress: Callable[[int, int], None] | None

    @cached_property
    def recipe(self) -> recipes.Recipe:
        """What the values depend on beside the sound."""
        return recipes.recipe(self.spec, self.condition)

    def insist_on_crew(
        self, missing: Collection[str], sought: Collection[str], shelf: Path
    ) -> None:
        """Refuse to go on without features that nobody may extract."""
        if self.crew is None:
            raise UncachedError(
                f"{self.corpus}: expected {self.spec} of {count(len(sought), 'clip')} in the "
                f"cache, found that {len(missing)} are missing below {shelf}. It was emptied "
                "meanwhile, is another folder of the same name, or was filled with other libraries "
                "than are installed here. Let every machine have the same libraries and see the "
                "same cache (--cache), and give the same command again, which extracts first."
            )

    def fill(self, found: Found, shelf: Path, missing: Mapping[str, Clip]) -> None:
        """Extract what was not found, into a pack of its own.

        Args:
            found: takes in what is extracted
            shelf: folder of the pack
            missing: a clip for each sound
        """
        content = [packing.FORMAT, self.recipe, list(missing)]
        folder = shelf / fingerprint(content)[: finding.LENGTH]
        registry.require(self.spec.name)
        columns = registry.get(self.spec.name).shape(dict(self.spec.params))[1]
        with packing.Writer(folder, columns) as writer:
            self._write(writer, missing)
            writer.finish(self.recipe, self.corpus)
        try:
            found.add(packing.open_pack(folder), missing)
        except packing.DamageError as damage:
            raise FeatureError(f"{folder}: {damage}. Run again to extract it anew.") from None

    def _write(self, writer: packing.Writer, missing: Mapping[str, Clip]) -> None:
        clips = list(missing.values())
        done, progress = 0, self.progress or (lambda done, total: None)

        def waiting() -> None:
            progress(done, len(clips))

        extracted = extract_all(self.spec, clips, self.crew, self.condition, waiting)
        with closing(extracted) as everything:
            for (heard, clip), one in zip(missing.items(), everything, strict=True):
                _insist(clip, self.sounds[clip.id], one)
                if one.values is None or one.moments is None:
                    writer.refuse(heard, one.reason)
                else:
                    writer.add(heard, one.values, one.moments)
                done += 1
                progress(done, len(clips))

    def refusals(self, unheard: Sequence[Clip]) -> dict[str, str]:
        """Return why files that cannot be opened cannot be used, by id; nothing of it is kept."""
        refused = {}
        for clip in unheard:
            one = decode_clip(clip)
            _insist(clip, None, one)
            refused[clip.id] = one.reason
        return refused


def _view(found: Found, heard: Mapping[str, str | None], refused: Mapping[str, str]) -> FeatureSet:
    """Return the features of clips, in the order of their ids here.

    Args:
        found: what is known of sounds
        heard: sound of each clip by id
        refused: reason for each clip that cannot be opened, by id
    """
    bad = {}
    for name, sound in heard.items():
        if sound is None:
            bad[name] = refused[name]
        elif sound in found.bad:
            bad[name] = found.bad[sound]
    ids = tuple(name for name in heard if name not in bad)
    places = np.array([found.places[heard[name]] for name in ids], dtype=np.int64).reshape(-1, 2)
    return FeatureSet(ids, tuple(found.packs), places[:, 0], places[:, 1], bad)


def _insist(clip: Clip, expected: str | None, found: Extracted) -> None:
    """Make sure that features are of the very sound that they are kept for."""
    decoded = None if expected is None or expected.startswith(UNDECODED) else expected
    if found.sound != decoded:
        what = "another" if found.sound else f"this: {found.reason.removesuffix('.')}"
        raise FeatureError(
            f"{clip.path}: expected the same sound as a moment ago, found {what}. Leave the corpus "
            "alone while it is read, let every machine that extracts see it, and run again."
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
