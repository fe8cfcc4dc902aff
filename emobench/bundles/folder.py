"""A bundle on disk: which files it has, and that they are those that were written."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BundleError
from ..spec import fingerprint
from ..storage import Purpose, is_empty, storing, unfinished
from ..storage import write as write_whole
from ..store.json_files import from_json, to_json
from .contents import FORMAT, Contents, EncoderError

ABOUT = "bundle.json"
CARD = "README.md"
NETWORK = "model.keras"
MACHINE = "model.npz"
ONNX = "model.onnx"

_AGAIN = "Copy the bundle again, or export it anew."
_NAME = "sha256"
"""Key of `bundle.json` under which the fingerprint of all the rest of it stands."""

_PURPOSE = Purpose("a bundle", BundleError, "name another folder with --out")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A bundle that was read and found whole.

    Attributes:
        folder: where it lies
        name: digest of all that it holds, in hexadecimal
        contents: what it says of itself
        made_by: version of emobench that wrote it
    """

    folder: Path
    name: str
    contents: Contents
    made_by: str

    @property
    def short_name(self) -> str:
        """Model and the first digits of the digest: what answers are signed with."""
        return f"{self.contents.model} {self.name[:8]}"


def write(
    folder: Path, contents: Contents, card: str, version: str, save: Callable[[Path], None]
) -> None:
    """Write a bundle; the folder has its name once everything is in it.

    Args:
        folder: must not be there yet, or be empty
        contents: what the bundle says of itself
        card: text of the model card
        version: of emobench
        save: writes the weights into the folder that it is given

    Raises:
        BundleError: if the folder is in use or cannot be written
    """
    insist_on_room(folder)
    with storing(folder, _PURPOSE), unfinished(folder) as temporary:
        save(temporary)
        (temporary / CARD).write_text(card, encoding="utf-8", newline="\n")
        seal(temporary, {"emobench": version, **contents.to_json()})
        temporary.rename(folder)


def insist_on_room(folder: Path) -> None:
    """Check that a bundle may be written to a folder.

    Raises:
        BundleError: if something is there
    """
    if folder.is_dir() and is_empty(folder):
        return
    if os.path.lexists(folder):
        what = "a bundle" if (folder / ABOUT).exists() else "something"
        raise BundleError(
            f"{folder}: expected a folder that is not there yet, found {what}. "
            "Name another one with --out, or remove it."
        )


def seal(folder: Path, values: Mapping[str, Any]) -> None:
    """Write `bundle.json` with the digest of every other file, and of what it says itself.

    Args:
        folder: with all other files
        values: what it says
    """
    others = sorted(path.name for path in folder.iterdir() if path.name != ABOUT)
    files = {name: _digest(folder / name) for name in others}
    written = to_json({**values, "format": FORMAT, "files": files})
    content = json.loads(written)  # as it will be read
    content[_NAME] = fingerprint(content)
    write_whole((folder / ABOUT, to_json(content)))


def add(folder: Path, file: Path) -> None:
    """Move a file into a bundle, which is sealed again.

    Raises:
        BundleError: if the bundle cannot be read
    """
    values = _read(folder)
    file.replace(folder / file.name)
    seal(folder, {key: value for key, value in values.items() if key != _NAME})


def open_bundle(folder: Path, encoder: Path | None = None) -> Opened:
    """Read what a bundle says of itself, and compare its files with that.

    A card that was edited is no obstacle; it is told of in a warning.

    Args:
        folder: of the bundle
        encoder: folder of the frozen encoder that the model is fed from, where there is one

    Raises:
        BundleError: if something is missing, damaged, changed, or of a version that cannot be used
    """
    values = _read(folder)
    try:
        contents = Contents.from_json(values, encoder)
        digests = {str(name): str(digest) for name, digest in values["files"].items()}
    except EncoderError as error:
        raise BundleError(f"{folder}: {error}") from None
    except BundleError as error:
        raise BundleError(
            f"{folder / ABOUT}: {error}. Export the model anew with this version of emobench, or "
            f"use the version that made the bundle ({values.get('emobench', 'unknown')})."
        ) from None
    except (KeyError, AttributeError):
        raise BundleError(f"{folder / ABOUT}: does not list its files. {_AGAIN}") from None
    for name, digest in digests.items():
        _compare(folder, name, digest)
    weights = NETWORK if contents.spec.kind == "network" else MACHINE
    if weights not in digests:
        raise BundleError(f"{folder / ABOUT}: expected to list {weights}, found none. {_AGAIN}")
    return Opened(folder, values[_NAME], contents, str(values.get("emobench", "unknown")))


def _read(folder: Path) -> dict[str, Any]:
    """Return the values of `bundle.json`, as they were written."""
    about = folder / ABOUT
    if not folder.is_dir():
        found, advice = "nothing", "`emobench export` makes one."
        if folder.exists():
            found, advice = "a file", "Name the folder that `emobench export` wrote."
        raise BundleError(f"{folder}: expected the folder of a bundle, found {found}. {advice}")
    try:
        values = from_json(about)
    except FileNotFoundError:
        raise BundleError(
            f"{folder}: expected a bundle with {ABOUT}, found none. Name the folder that "
            "`emobench export` wrote."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{about}: is damaged ({error}). {_AGAIN}") from None
    if values.get("format") != FORMAT:
        raise BundleError(
            f"{about}: expected a bundle of format {FORMAT}, found format "
            f"{json.dumps(values.get('format'))}, written by emobench "
            f"{values.get('emobench', 'of an unknown version')}. Use that version."
        )
    stated = values.get(_NAME)
    if stated != fingerprint({key: value for key, value in values.items() if key != _NAME}):
        raise BundleError(f"{about}: was changed after it was written. {_AGAIN}")
    return values


def _compare(folder: Path, name: str, digest: str) -> None:
    path = folder / name
    if Path(name).name != name:
        raise BundleError(f"{folder / ABOUT}: names a file outside the bundle: '{name}'. {_AGAIN}")
    try:
        found = _digest(path)
    except OSError as error:
        if name == CARD:
            _log.warning("%s: the model card is missing", folder)
            return
        found = "no file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise BundleError(
            f"{path}: expected a file of the bundle, found {found}. {_AGAIN}"
        ) from None
    if found == digest:
        return
    if name == CARD:
        _log.warning("%s: the model card was changed after the bundle was written", path)
        return
    raise BundleError(
        f"{path}: expected the file that was written (SHA-256 {digest[:12]}…), found another "
        f"({found[:12]}…): it is cut short or was changed. {_AGAIN}"
    )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
