"""Writes the golden numbers of what is new or whose version was raised: `make golden`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping

from emobench.backend import start_backend

from . import measures
from .entries import Entry, packages, read, write
from .verdicts import explain, judge


def renew(
    kept: Mapping[str, Entry],
    asked: Iterable[tuple[str, Callable[[], Entry]]],
    made_with: Mapping[str, str],
    *,
    other_packages: bool = False,
    say: Callable[[str], None] = print,
) -> tuple[dict[str, Entry], list[str]]:
    """Return what is to be kept from now on, and why some of it is not today's.

    Args:
        kept: answers from the file
        asked: names of everything that is asked today, and what answers
        made_with: versions of the packages that gave the kept answers
        other_packages: take numbers that moved although no version was raised, if other packages
            compute here than gave what is kept
        say: told of everything that is renewed
    """
    entries, refused, here = {}, [], packages()
    excused = other_packages and dict(made_with) != here
    for name, measure in asked:
        old, found = kept.get(name), measure()
        verdict = judge(old, found)
        if verdict in ("new", "raised") or (verdict == "moved" and excused):
            say(f"{name}: {'other packages' if verdict == 'moved' else verdict}")
            entries[name] = found
        else:
            entries[name] = old
            refused += [explain(name, old, found, made_with, here)] if verdict != "same" else []
    return entries, refused


def main() -> int:
    """Renew the file; say what was refused, and then exit with 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument(
        "--other-packages",
        action="store_true",
        help="also take numbers that moved because other versions of packages are installed",
    )
    arguments = parser.parse_args()
    start_backend()
    kept, made_with = read()
    entries, refused = renew(kept, measures(), made_with, other_packages=arguments.other_packages)
    for reason in refused:
        print(f"refused: {reason}", file=sys.stderr)
    renewed = entries != kept
    for gone in sorted(set(kept) - set(entries)):
        print(f"{gone}: gone")
    if renewed:
        write(entries, packages() if not refused else made_with or packages())
    return bool(refused)


if __name__ == "__main__":
    sys.exit(main())
