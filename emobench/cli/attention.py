"""`emobench attention`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .stored import write

if TYPE_CHECKING:
    import pandas as pd

    from ..analysis.attention import Attended


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
@click.option("--repetition", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Picture of CLIP to draw, or table of all clips (CSV) to write.",
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
    """Draw what a network attends to in test clip CLIP, or tell it of all clips.

    With CLIP, its waveform is drawn over the weight of each frame, as by the network that was
    tested on it. Without, the mean weight of silent, unvoiced and voiced frames is printed,
    relative to even attention. Both are read from results: run the model first.
    """
    from .. import corpora, models, protocols, runs
    from ..analysis import attention as attended

    places = runs.find_places(data=data, results=results, cache=cache, datasets=datasets)
    registry = corpora.load_registry(places.datasets)
    known = registry.get(corpus)
    stored = attended.find(
        places.results,
        corpus=known.name,
        model=models.get(model).name,
        protocol=protocols.get(protocol).name,
        current=lambda experiment: runs.current_fingerprint(experiment, registry),
    )
    table = corpora.load(known, places.data, places.cache)
    if clip is not None:
        _draw(attended.of_clip(stored, clip, repetition), table, model, out)
        return
    shares = attended.by_voicing(stored, attended.descriptors_of(table, places.cache, jobs))
    if out is not None:
        write(out, shares.to_csv(float_format="%.5f"), "--out")
    _summarise(shares)


def _draw(shown: Attended, table: pd.DataFrame, model: str, out: Path | None) -> None:
    from .. import audio, plots

    row = table.loc[shown.clip]
    segment = [None if missing else float(at) for at, missing in _ends(row)]
    file = out or Path(f"{shown.clip.replace('/', '_')}.png")
    samples = audio.read(Path(row["path"]), *segment, channel=row.get("audio_channel") or "mean")
    plots.attention(shown, samples, audio.SAMPLE_RATE, model, file)
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
