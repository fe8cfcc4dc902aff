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
import platform
import secrets
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SUFFIX = ".claim"
RENEWED_SECONDS = 20
STALE_SECONDS = 180
"""Network file systems may show times of other machines that are a minute old."""

_CLOCK_SECONDS = 5


@dataclass(frozen=True)
class _Found:
    """A claim on disk: which file it is, when it was renewed, and what it says."""

    inode: int
    renewed: float
    holder: dict[str, Any]


class Claims:
    """The claims that this process holds."""

    def __init__(self) -> None:
        self._held: set[Path] = set()
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
        own.write_text(json.dumps({**_process(), "party": party}))
        try:
            if not (_link(own, path) or (_give_way(path, own, party) and _link(own, path))):
                return False
        finally:
            own.unlink(missing_ok=True)
        with self._lock:
            self._held.add(path)
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, daemon=True).start()
        return True

    def release(self, path: Path) -> None:
        """Give something up, or be done with it."""
        with self._lock:
            if path not in self._held:
                return
            self._held.discard(path)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    def release_all(self) -> None:
        """Give up all that this process has claimed."""
        with self._lock:
            held, self._held = self._held, set()
        for path in held:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _renew(self) -> None:
        """Say again and again that this process is alive; the file system tells the time."""
        pause = threading.Event()
        while not pause.wait(RENEWED_SECONDS):
            with self._lock:
                held = list(self._held)
            for path in held:
                with contextlib.suppress(OSError):
                    os.utime(path)


def discard_dead(folder: Path) -> None:
    """Remove the claims of this machine whose processes are gone; others run out by themselves."""
    for path in (*folder.glob(f"*{SUFFIX}"), *folder.glob(f".*{SUFFIX}.*")):
        found = _read(path)
        if found is not None and _is_here(found.holder) and not _is_alive(found.holder):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


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

    It is renamed first: of several who do so at once, each sees by the inode what it took away. Who
    took a newer one gives that back.
    """
    found = _read(path)
    if found is None:
        return not path.exists()
    if not _is_void(found, own.stat().st_mtime, party):
        return False
    aside = _beside(path)
    try:
        os.rename(path, aside)
    except OSError:  # someone else was faster
        return True
    try:
        if aside.stat().st_ino == found.inode:
            return True
        _link(aside, path)
        return False
    finally:
        aside.unlink(missing_ok=True)


def _is_void(found: _Found, now: float, party: str) -> bool:
    """Tell whether a claim counts no more."""
    if party and found.holder.get("party") == party:
        return True
    if _is_here(found.holder):
        return not _is_alive(found.holder)
    return now - found.renewed > STALE_SECONDS


def _read(path: Path) -> _Found | None:
    """Return a claim, or None if there is none any more. One that says nothing runs out by time."""
    try:
        with open(path, encoding="utf-8") as stream:
            facts = os.fstat(stream.fileno())
            holder = json.load(stream)
    except OSError:
        return None
    except ValueError:
        holder = {}
    holder = holder if isinstance(holder, dict) else {}
    return _Found(facts.st_ino, facts.st_mtime, holder)


@cache
def _process() -> dict[str, Any]:
    """Return what tells this process from all others, on any machine."""
    import psutil

    own = psutil.Process()
    return {"machine": _machine(), "process": own.pid, "started": own.create_time()}


@cache
def _machine() -> str:
    """Return what tells this machine, since it was started, from all others.

    Containers of one machine may share a name, and see different processes under one number.
    """
    parts = [platform.node()]
    for path in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with contextlib.suppress(OSError):
            file = Path(path)
            parts.append(os.readlink(file) if file.is_symlink() else file.read_text().strip())
    return " ".join(parts)


def _is_here(holder: dict[str, Any]) -> bool:
    return holder.get("machine") == _machine()


def _is_alive(holder: dict[str, Any]) -> bool:
    """Tell whether a process of this machine is the one that it was."""
    import psutil

    try:
        process = psutil.Process(holder["process"])
        # Systems compute the time from a clock that may be set.
        same = abs(process.create_time() - holder["started"]) < _CLOCK_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


CLAIMS = Claims()
"""Those of this process."""
