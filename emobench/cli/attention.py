"""`emobench attention`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .stored import write

if TYPE_CHECKING:
    import pandas as pd

    from ..store import StoredExperiment


which_repetition = click.option(
    "--repetition",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Repetition whose networks are looked at.",
)


@click.command()
@click.argument("clip", required=False)
@click.option("--model", required=True, metavar="NAME", help="A network that attends over time.")
@click.option("--corpus", required=True, metavar="NAME", help="Corpus that holds the clip.")
@options.protocol
@options.data
@options.results
@options.cache
@options.datasets
@options.jobs
@which_repetition
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Table of all clips (CSV) to write, or picture of CLIP.",
)
def attention(
    clip: str | None,
    model: str,
    corpus: str,
    protocol: str,
    data: Path | None,
    results: Path,
    cache: Path | None,
    datasets: tuple[Path, ...],
    jobs: int,
    repetition: int,
    out: Path | None,
) -> None:
    """Show how much attention a network gives to silent, unvoiced and voiced frames of test clips.

    The mean weight of each kind of frame is printed, relative to even attention. With CLIP, that
    clip is drawn, as `emobench plot attention` does. Both are read from results: run the model
    first.
    """
    asked = Asked(model, corpus, protocol, data, results, cache, datasets)
    if clip is not None:
        draw(asked, clip, repetition, out or Path(f"{clip.replace('/', '_')}.png"))
        return
    from ..analysis import attention as attended

    stored, table, kept = asked.find()
    shares = attended.by_voicing(stored, attended.descriptors_of(table, kept, jobs))
    if out is not None:
        write(out, shares.to_csv(float_format="%.5f"), "--out")
    _summarise(shares)


@dataclass(frozen=True)
class Asked:
    """Whose attention is asked for, as written, and where it is to be found."""

    model: str
    corpus: str
    protocol: str
    data: Path | None
    results: Path
    cache: Path | None
    datasets: tuple[Path, ...]

    def find(self) -> tuple[StoredExperiment, pd.DataFrame, Path]:
        """Return the stored result, the utterance table and the folder of features."""
        from .. import corpora, models, protocols, runs
        from ..analysis import attention as attended

        places = runs.find_places(
            data=self.data, results=self.results, cache=self.cache, datasets=self.datasets
        )
        registry = corpora.load_registry(places.datasets)
        known = registry.get(self.corpus)
        stored = attended.find(
            places.results,
            corpus=known.name,
            model=models.get(self.model).name,
            protocol=protocols.get(self.protocol).name,
            current=lambda experiment: runs.current_fingerprint(experiment, registry),
        )
        return stored, corpora.load(known, places.data, places.cache), places.cache


def draw(asked: Asked, clip: str, repetition: int, file: Path) -> None:
    """Draw what a network attended to in a clip when it was tested on it, and say so."""
    from .. import audio, pictures
    from ..analysis import attention as attended

    stored, table, _ = asked.find()
    shown = attended.of_clip(stored, clip, repetition)
    row = table.loc[shown.clip]
    segment = [None if missing else float(at) for at, missing in _ends(row)]
    samples = audio.read(Path(row["path"]), *segment, channel=row.get("audio_channel") or "mean")
    title = f"{shown.clip}: {shown.label}, predicted {shown.predicted} ({asked.model})"
    drawn = pictures.attention(shown, samples, audio.SAMPLE_RATE, title)
    pictures.save(pictures.framed(drawn), file)
    click.echo(
        f"{shown.clip}: {shown.label}, predicted {shown.predicted} "
        f"(fold {shown.job.fold}, repetition {shown.job.repetition}); drawn in {file}"
    )


def _ends(row: pd.Series) -> list[tuple[float, bool]]:
    """Return where a clip begins and ends in its file, and whether either is the file's own."""
    return [(row[name], row[name] != row[name]) for name in ("start", "end")]


def _summarise(shares: pd.DataFrame) -> None:
    """Print the mean over the speakers' means, and how many speakers agree with the claim."""
    kinds = ["silent", "unvoiced", "voiced"]
    speakers = shares.groupby("speaker")[kinds].mean()
    click.echo(f"{len(shares)} clips of {len(speakers)} speakers; 1.00 is even attention")
    for kind in kinds:
        values = speakers[kind]
        spread = f" (sd over speakers {values.std():.2f})" if len(values) > 1 else ""
        click.echo(f"  {kind:<9}{values.mean():.2f}{spread}")
    agreeing = int((speakers["voiced"] > speakers["silent"]).sum())
    click.echo(f"voiced frames get more than silent ones in {agreeing} of {len(speakers)} speakers")
