"""Files of an experiment, written whole or not at all; who cannot write is told what to do."""

from __future__ import annotations

from pathlib import Path

from ..errors import StoreError
from ..storage import Purpose, discard_leftovers, storing, write, write_new
from ..storage.claims import discard_void

RESULTS = Purpose(
    "results",
    StoreError,
    "name another folder with --results",
    "Finished work is kept: run the same command again to go on.",
)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        StoreError: if that is not possible
    """
    with storing(folder, RESULTS):
        folder.mkdir(parents=True, exist_ok=True)


def tidy(folder: Path) -> None:
    """Remove what killed writers left in the folder of an experiment, and claims that are void.

    Nothing of a living writer on any machine goes, whether or not the folder can be locked.
    """
    discard_leftovers(folder)
    discard_void(folder)


def file_whole(*contents: tuple[Path, bytes]) -> None:
    """Write files of an experiment; the last one vouches for the others.

    Raises:
        StoreError: if the disk is full or the folder cannot be written
    """
    with storing(contents[-1][0], RESULTS, sum(len(content) for _, content in contents)):
        write(*contents)


def file_new(*contents: tuple[Path, bytes]) -> bool:
    """Write files of an experiment, unless the last one is there by then.

    Returns:
        whether they were written

    Raises:
        StoreError: if the disk is full or the folder cannot be written
    """
    with storing(contents[-1][0], RESULTS, sum(len(content) for _, content in contents)):
        return write_new(*contents)


def remove(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        StoreError: if the folder cannot be written
    """
    with storing(path, RESULTS):
        path.unlink(missing_ok=True)
