"""`emobench predict`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from ..audio import Channel
    from ..bundles.answers import Told, Writing
    from ..bundles.model import Model
    from ..bundles.wanted import Key, Wanted


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; one that is there already is gone on with. [default: standard output]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json"]),
    help="CSV, or an object of JSON a line. [default: as --out ends, else csv]",
)
@click.option(
    "--audformat",
    type=options.FOLDER,
    help="Folder to write them to as a database in audformat, in place of printing them.",
)
@click.option(
    "--speaker-column", metavar="NAME", help="Column of the tables that tells who speaks."
)
@click.option("--speaker-from-folder", is_flag=True, help="Each folder holds one speaker's files.")
@click.option(
    "--root",
    type=options.FOLDER,
    help="Folder that relative paths of tables begin in. [default: that of the table]",
)
@click.option(
    "--channel",
    type=click.Choice(["left", "right", "mean"]),
    help="Which channel of files with several. [default: their mean, if they are alike]",
)
@click.option(
    "--encoder", type=options.FOLDER, help="Folder of the frozen encoder, where there is one."
)
@options.jobs
def predict(
    bundle: Path,
    paths: tuple[str, ...],
    out: Path | None,
    form: str | None,
    audformat: Path | None,
    speaker_column: str | None,
    speaker_from_folder: bool,
    root: Path | None,
    channel: Channel | None,
    encoder: Path | None,
    jobs: int,
) -> int:
    """Label recordings with the trained model in BUNDLE.

    PATH is an audio file, a folder (all audio below it), a glob in quotation marks, or a table
    (CSV, JSON, xlsx, Parquet) with a column path and, where they are known, start and end (in
    seconds), transcript, and who speaks. Files that cannot be used are named and left out; the exit
    status is then 1.
    """
    from ..bundles import database, load_model
    from ..bundles.answers import Writing

    model = load_model(bundle, encoder=encoder)
    clips = _clips(model, paths, speaker_column, speaker_from_folder, root)
    if audformat is not None:
        database.insist_on_room(audformat, clips)
    kept = out if out is not None or audformat is None else audformat / database.KEPT
    if form is None:
        form = "json" if kept is not None and kept.suffix in (".json", ".jsonl") else "csv"
    writing = Writing(model.labels, model.name, form)
    known = writing.resume(kept) if kept is not None else set()
    _share_processors(jobs)
    how = {"channel": channel, "jobs": jobs, "cards": _cards(encoder)}
    bad = _answer(model, clips, known, writing, kept, how)
    if audformat is not None:
        _write_database(audformat, model, clips, writing.read(kept))
        if out is None:
            kept.unlink()
    return 1 if bad else 0


def _clips(
    model: Model,
    paths: tuple[str, ...],
    speaker_column: str | None,
    speaker_from_folder: bool,
    root: Path | None,
) -> list[Wanted]:
    """Return the clips that the words on the command line name, each once."""
    from ..bundles import tables, wanted
    from ..errors import SpecError

    if speaker_column and speaker_from_folder:
        raise SpecError("expected --speaker-column or --speaker-from-folder, found both.")
    found: list[Wanted] = []
    listed = False
    for name in wanted.expand(paths):
        if Path(name).suffix.lower() in tables.READERS:
            found += tables.read(Path(name), speaker=speaker_column, root=root)
            listed = True
        else:
            found.append(wanted.Wanted(name=name, path=Path(name)))
    if speaker_column and not listed:
        raise SpecError("--speaker-column: expected a table among the paths, found none.")
    return wanted.distinct(wanted.spoken_by_folder(found) if speaker_from_folder else found)


def _answer(
    model: Model,
    clips: list[Wanted],
    known: set,
    writing: Writing,
    out: Path | None,
    how: dict[str, Any],
) -> int:
    """Write the answers and name what cannot be used; return how many clips that were."""
    from ..bundles.answers import AnswerFile
    from .counting import Counting

    kept = sum(clip.key in known for clip in clips)
    done, bad = kept, 0
    if out is None:
        click.echo(writing.head, nl=False)
    with Counting() as shown, AnswerFile(out, writing) if out else nullcontext() as file:
        answers = model.answers(
            clips, known=known, notice=lambda text: shown.line(f"caution: {text}"), **how
        )
        for answer in answers:
            done += 1
            shown(model.name, done, len(clips))
            if answer.probabilities is None:
                bad += 1
                shown.line(f"left out: {answer.clip}: {answer.reason}")
            elif file is not None:
                file.add(answer)
            else:
                click.echo(writing.line(answer), nl=False)
        made = done - kept - bad
        before = f", {kept:,} were there already" if kept else ""
        shown.line(f"{made:,} of {len(clips):,} clips labelled{before}, {bad:,} left out")
    return bad


def _write_database(
    folder: Path, model: Model, clips: list[Wanted], answers: dict[Key, Told]
) -> None:
    """Write the answers as a database, if there are any."""
    from ..bundles import database
    from ..errors import count

    own = [clip for clip in clips if clip.key in answers]
    if own:
        header = database.write(folder, model.contents, model.name, own, answers)
        click.echo(f"{header}: what is predicted of {count(len(own), 'clip')}", err=True)
    else:
        click.echo(f"{folder}: no database, as no clip was labelled", err=True)


def _cards(encoder: Path | None) -> list[str]:
    """Return the cards that an encoder is computed on, and leave it room beside the network."""
    import os

    if encoder is None:
        return []
    from ..runs.placing import cards_for

    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    return [card.address for card in cards_for(encoder)]


def _share_processors(jobs: int) -> None:
    """Let a network compute with as many threads as there are jobs; it is read when it starts."""
    import os

    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(jobs))
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
