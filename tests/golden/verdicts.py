"""Whether an answer may stand, and what is to be done where it may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .entries import Entry, differences

Verdict = Literal["same", "new", "raised", "lowered", "moved"]

_WHERE = {
    "model": "`version` of its `ModelSpec` in emobench/models",
    "front-end": "`version` of its `FrontEnd` in emobench/features",
    "condition": "`VERSION` in emobench/conditions.py",
}


def judge(kept: Entry | None, found: Entry) -> Verdict:
    """Return how an answer stands to the one that is kept.

    Args:
        kept: from the file, or None if it is asked for the first time
        found: today's
    """
    if kept is None or set(kept.versions) != set(found.versions):
        return "new"
    if any(found.versions[name] < version for name, version in kept.versions.items()):
        return "lowered"
    if any(found.versions[name] > version for name, version in kept.versions.items()):
        return "raised"
    return "moved" if any(differences(kept.numbers, found.numbers)) else "same"


def explain(
    name: str,
    kept: Entry | None,
    found: Entry,
    made_with: Mapping[str, str] | None = None,
    here: Mapping[str, str] | None = None,
) -> str:
    """Return what is wrong with an answer and what to do, or "" if nothing is.

    Args:
        name: of what was asked
        kept: from the file, or None
        found: today's
        made_with: versions of the packages that gave the kept answers
        here: versions of the packages that compute here
    """
    verdict = judge(kept, found)
    if verdict == "same":
        return ""
    if verdict == "new":
        return f"{name}: its golden numbers are not kept yet. Run `make golden`."
    if verdict == "raised":
        older, now = _said(kept), _said(found)
        return f"{name}: kept for an older version ({older}; now {now}). Run `make golden`."
    if verdict == "lowered":
        return (
            f"{name}: its version went back ({_said(kept)} was kept, {_said(found)} found), and "
            "results of both would be mixed up. Versions only rise."
        )
    where = " or ".join(
        _WHERE.get(part, f'"{part}" in emobench/versions.py') for part in found.versions
    )
    changed = ", ".join(
        f"{package} {version} → {here[package]}"
        for package, version in sorted((made_with or {}).items())
        if here and package in here and here[package] != version
    )
    packages = f" Other packages compute here: {changed}." if changed else ""
    moved = "".join(f"\n  {text}" for text in differences(kept.numbers, found.numbers))
    return (
        f"{name}: its numbers moved and its version did not ({_said(found)}), so that old and new "
        f"results would be mixed up. Where that is meant, raise {where}, then run `make golden`; "
        f"where it is not, undo it.{packages}{moved}"
    )


def _said(entry: Entry) -> str:
    return ", ".join(f"{name} {version}" for name, version in entry.versions.items())
