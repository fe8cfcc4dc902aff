"""The command line: parses words, calls the package, prints. Nothing is computed here.

Every command imports what it needs when it is called, so that `emobench --help` answers at once.
"""

from __future__ import annotations

import io
import sys

import click

from .. import __version__
from ..errors import EmobenchError, SpecError, printable
from .attention import attention
from .audit import audit
from .bitrates import bitrates
from .compare import compare
from .corpora import check, corpora, utterances
from .download import download
from .encoders import encoders
from .export import export
from .features import features
from .leaderboard import leaderboard
from .leakage import cheating, leakage
from .ledger import ledger
from .merge import merge
from .models import models
from .plot import plot
from .predict import predict
from .report import report
from .run import run
from .splits import folds, protocols


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="emobench")
def cli() -> None:
    """Benchmark speech emotion recognition models, speaker-independently."""


for command in (
    run,
    leaderboard,
    merge,
    ledger,
    compare,
    audit,
    plot,
    report,
    bitrates,
    leakage,
    corpora,
    check,
    download,
    utterances,
    models,
    encoders,
    protocols,
    folds,
    features,
    attention,
    export,
    predict,
):
    cli.add_command(command)
cli.add_command(cheating, "cheating")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what a user can mend is told in a line or two, without a traceback.

    Exit status: 0 all done, 1 something failed or differs, 2 bad usage, 130 interrupted, 128 and
    the number of another signal that ended a run.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # consoles that know few signs
    try:
        status = cli.main(args=arguments, prog_name="emobench", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except EmobenchError as error:
        click.echo(printable(f"Error: {error}"), err=True)
        sys.exit(2 if isinstance(error, SpecError) else 1)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)
