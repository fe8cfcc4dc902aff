"""What `experiment.json` must say for the records beside it to be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..spec import fingerprint
from .json_files import to_json
from .vouching import KEY, Damage, digest, promised

_NEEDED = {
    "protocol": str,
    "corpus": str,
    "model": str,
    "backend": str,
    "configuration": dict,
    "clips": str,
    "fingerprint": str,
    "configuration_fingerprint": str,
    "n_folds": int,
    "repetitions": int,
}
_NAME = "experiment"
_MOST = 1000
"""Folds and repetitions beyond this are no cross-validation but nonsense that takes for ever."""


def place(protocol: str, corpus: str, model: str) -> tuple[str, str, str]:
    """Return the folders that an experiment is filed under; `a:b` becomes `a+b`."""
    return protocol, corpus.replace(":", "+"), model.replace(":", "+")


def vouched(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of an experiment with the SHA-256 of all that it says."""
    told = {key: value for key, value in content.items() if key != KEY}
    return {**told, KEY: {_NAME: digest(to_json(told))}}


def describe(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Return the description of an experiment, which was read from its folder, if it makes sense.

    Args:
        folder: where it lies
        content: of its `experiment.json`

    Raises:
        Damage: if something is missing or not what it can be, if the configuration is not the one
            that the fingerprints are of, or if it is the description of another folder
    """
    wrong = [key for key, kind in _NEEDED.items() if not isinstance(content.get(key), kind)]
    wrong += [key for key in ("n_folds", "repetitions") if not _is_count(content.get(key), 1)]
    wrong += [] if content.get("n_clips") is None or _is_count(content["n_clips"]) else ["n_clips"]
    wrong += [] if _are_labels(content.get("labels", [])) else ["labels"]
    if wrong:
        raise Damage(f"{', '.join(dict.fromkeys(wrong))} cannot be made out in it")
    if not content["fingerprint"].startswith(folder.name):
        raise Damage(
            f"expected the fingerprint {folder.name}…, as the folder is named, "
            f"found {content['fingerprint'][:8]}…"
        )
    if not _agrees(content):
        raise Damage("its configuration is not the one that its fingerprints are of")
    named = place(content["protocol"], content["corpus"], content["model"])
    if named != folder.parts[-4:-1]:
        raise Damage(
            f"expected the experiment of the folder {'/'.join(folder.parts[-4:-1])}, found that "
            f"of {'/'.join(named)}"
        )
    if not _is_whole(content):
        raise Damage("it was changed after it was written")
    return content


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Tell whether all that is said is as it was written, so far as that is vouched for."""
    sha256 = promised(content, _NAME)
    try:
        return sha256 is None or sha256 == vouched(content)[KEY][_NAME]
    except (RecursionError, UnicodeEncodeError):  # nested too deeply, or half of a surrogate pair
        return False


def _agrees(content: Mapping[str, Any]) -> bool:
    """Tell whether the fingerprints follow from the configuration and the clips."""
    configured = content["configuration"]
    whole = {"configuration": configured, "clips": content["clips"]}
    try:
        found = fingerprint(configured), fingerprint(whole)
    except RecursionError:
        return False
    agree = found == (content["configuration_fingerprint"], content["fingerprint"])
    return agree and configured.get("backend", content["backend"]) == content["backend"]


def _is_count(value: Any, least: int = 0) -> bool:
    most = _MOST if least else None
    proper = isinstance(value, int) and not isinstance(value, bool) and value >= least
    return proper and (most is None or value <= most)


def _are_labels(value: Any) -> bool:
    texts = isinstance(value, list) and all(isinstance(label, str) for label in value)
    return texts and len(set(value)) == len(value)
