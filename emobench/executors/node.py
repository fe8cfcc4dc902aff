"""What another machine must have for jobs that were planned elsewhere."""

from __future__ import annotations

from pathlib import Path

from .. import __version__
from ..errors import EmobenchError, SpecError
from ..spec import Places
from ..store import Store
from .devices import Wanted, find
from .work import Work


class NodeError(EmobenchError):
    """A machine cannot do the jobs that it was handed."""


def insist_on_version(planned: str, node: str) -> None:
    """Refuse jobs that another version planned.

    Raises:
        NodeError: if it is not the version that is installed here
    """
    if planned != __version__:
        raise NodeError(
            f"{node}: expected emobench {planned}, as where the run was planned, found "
            f"{__version__}. Install the same version on every node."
        )


def insist_on_places(places: Places, node: str) -> None:
    """Refuse jobs whose folders and files are not here.

    Raises:
        NodeError: if one is not there
    """
    folders = {"folder of results": places.results, "feature cache": places.cache}
    folders |= {"folder of corpora": places.data} if places.data else {}
    folders |= {"folder of the encoder": places.encoder} if places.encoder else {}
    files = {f"registry file {number}": file for number, file in enumerate(places.datasets, 1)}
    files |= {"table of transcripts": places.transcripts} if places.transcripts else {}
    files |= {"file of word vectors": places.vectors} if places.vectors else {}
    wanted = [(what, path, path.is_dir()) for what, path in folders.items()]
    wanted += [(what, path, path.is_file()) for what, path in files.items()]
    for what, path, there in wanted:
        if not there:
            raise _missing(node, what, path)


def insist_on_experiment(work: Work, node: str) -> None:
    """Refuse a job whose experiment was not opened in the folder of results as seen from here.

    Raises:
        NodeError: if it is another folder of the same name
    """
    folder = Store(work.places.results).folder(work.experiment)
    if not folder.is_dir():
        raise _missing(node, f"experiment {work.experiment.title} among the results", folder)


def insist_on_card(backend: str, node: str) -> None:
    """Refuse networks for a card that their backend cannot use: they would train on the CPU.

    Raises:
        NodeError: if it uses none of the cards that this process may see
    """
    try:
        find(Wanted("gpu"), backend)
    except SpecError as error:
        raise NodeError(f"{node}: {error}") from error


def _missing(node: str, what: str, path: Path) -> NodeError:
    return NodeError(
        f"{node}: expected the {what} at {path}, found none. Every node must see the folders of "
        "the run under the same paths: mount them there, or leave the node out."
    )
