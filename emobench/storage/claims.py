"""Who is at what, where several processes or machines work on one folder.

A claim is a file beside what it is about. It comes to be by a hard link, which succeeds for one
only, on network file systems as well; no lock is relied on. Its holder renews it, and it counts
until its process is gone or, on another machine, until it was not renewed for a while. All times
are those that the file system gives, so that clocks need not agree.

A claim saves work and guards nothing: two who hold one after all must do no harm.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import processes
from .ages import ABANDONED_SECONDS, time_in

SUFFIX = ".claim"
RENEWED_SECONDS = 20
STALE_SECONDS = 180
"""Network file systems may show times of other machines that are a minute old."""


@dataclass(frozen=True)
class _Found:
    """A claim on disk: which file it is, when it was renewed, and what it says."""

    inode: int
    renewed: float
    text: str

    @property
    def holder(self) -> dict[str, Any]:
        """Return who holds it; nothing if it does not say."""
        try:
            holder = json.loads(self.text)
        except ValueError:
            return {}
        return holder if isinstance(holder, dict) else {}


class Claims:
    """The claims that this process holds."""

    def __init__(self) -> None:
        self._held: dict[Path, str] = {}
        self._lock = threading.Lock()
        self._renewing = False

    def take(self, path: Path, party: str = "") -> bool:
        """Claim something, unless someone else is at it.

        Args:
            path: of the claim; its name ends in `SUFFIX`
            party: on whose behalf. Who hands out a thing to one process at a time names itself, and
                an older claim of the same party is that of a process that was lost

        Returns:
            whether it is this process' now

        Raises:
            OSError: if the folder cannot be written
        """
        with self._lock:
            if path in self._held:
                return True
        own = _beside(path)
        text = json.dumps({**_process(), "party": party, "token": secrets.token_hex(6)})
        own.write_text(text, encoding="utf-8")
        try:
            if not (_link(own, path) or (_give_way(path, own, party) and _link(own, path))):
                return False
        finally:
            own.unlink(missing_ok=True)
        with self._lock:
            self._held[path] = text
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, daemon=True).start()
        return True

    def release(self, path: Path) -> None:
        """Give something up, or be done with it; what others took over meanwhile stays theirs."""
        with self._lock:
            text = self._held.pop(path, None)
        if text is not None:
            _give_up(path, text)

    def release_all(self) -> None:
        """Give up all that this process has claimed."""
        with self._lock:
            held, self._held = self._held, {}
        for path, text in held.items():
            _give_up(path, text)

    def _renew(self) -> None:
        """Say again and again that this process is alive; the file system tells the time."""
        pause = threading.Event()
        while not pause.wait(RENEWED_SECONDS):
            with self._lock:
                held = list(self._held.items())
            for path, text in held:
                found = _read(path)
                if found is not None and found.text == text:
                    with contextlib.suppress(OSError):
                        os.utime(path)


def discard_void(folder: Path) -> None:
    """Remove the claims of a folder that count no more, and what was left while claims were made.

    No lock is needed: a claim that is renewed or taken over meanwhile stays.
    """
    claimed, aside = list(folder.glob(f"*{SUFFIX}")), list(folder.glob(f".*{SUFFIX}.*"))
    now = time_in(folder) if claimed or aside else None
    if now is None:
        return
    for path in claimed:
        found = _read(path)
        if found is not None and _is_void(found, now):
            with contextlib.suppress(OSError):
                _take_away(path, lambda there, found=found: there == found)
    for path in aside:
        found = _read(path)
        if found is not None and (
            now - found.renewed > ABANDONED_SECONDS or _is_alive_here(found.holder) is False
        ):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _give_up(path: Path, text: str) -> None:
    """Remove a claim, unless it was taken over: a process may have been suspended for long."""
    found = _read(path)
    if found is not None and found.text == text:
        with contextlib.suppress(OSError):
            _take_away(path, lambda there: there.text == text)


def _beside(path: Path) -> Path:
    """Return a name that nobody else uses, and that is not taken for what a killed writer left."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}")


def _link(own: Path, path: Path) -> bool:
    """Let a claim come to be, for one of all who try."""
    try:
        os.link(own, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        with contextlib.suppress(FileExistsError), open(path, "x") as stream:
            stream.write(own.read_text())
            return True
        return False
    return True


def _give_way(path: Path, own: Path, party: str) -> bool:
    """Remove a claim that counts no more; False if it does.

    It is renamed first: of several who do so at once, each sees by the inode what it took away.
    """
    found = _read(path)
    if found is None:
        return not path.exists()
    lost = bool(party) and found.holder.get("party") == party
    if not lost and not _is_void(found, own.stat().st_mtime):
        return False
    return _take_away(path, lambda there: there.inode == found.inode)


def _take_away(path: Path, is_meant: Callable[[_Found], bool]) -> bool:
    """Remove a claim if it still is the one that is meant; False if it was not.

    Who took away a newer one gives that back.
    """
    aside = _beside(path)
    try:
        os.rename(path, aside)
    except OSError:  # someone else was faster
        return True
    try:
        found = _read(aside)
        if found is None or is_meant(found):
            return True
        _link(aside, path)
        return False
    finally:
        aside.unlink(missing_ok=True)


def _is_void(found: _Found, now: float) -> bool:
    """Tell whether a claim counts no more."""
    alive = _is_alive_here(found.holder)
    return now - found.renewed > STALE_SECONDS if alive is None else not alive


def _read(path: Path) -> _Found | None:
    """Return a claim, or None if there is none any more. One that says nothing runs out by time."""
    try:
        with open(path, "rb") as stream:
            facts = os.fstat(stream.fileno())
            return _Found(facts.st_ino, facts.st_mtime, stream.read().decode("utf-8", "replace"))
    except OSError:
        return None


def _process() -> dict[str, Any]:
    """Return what tells this process from all others, on any machine."""
    number, started = processes.own()
    return {"machine": processes.machine(), "process": number, "started": started}


def _is_alive_here(holder: dict[str, Any]) -> bool | None:
    """Tell whether a process of this machine lives; None of others, which only time tells."""
    if holder.get("machine") != processes.machine():
        return None
    try:
        return processes.is_alive(int(holder["process"]), float(holder["started"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


CLAIMS = Claims()
"""Those of this process."""
