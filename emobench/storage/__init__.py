"""The disk: files and folders that appear whole or not at all, locks, refusals, memories, room.

Nothing here knows what is stored. Who stores something says so with a `Purpose`, and a user whose
disk is full, read-only or somebody else's is told what was to be stored and what to do.
"""

from __future__ import annotations

from .folders import discard, is_empty, leftovers, remove_leftovers, unfinished
from .locks import Use, locked, unused, using
from .memory import Memory, Stamp, stamp
from .refusals import Purpose, insist_on_room, output, reason, storing
from .scratch import ScratchFile, scratch_file
from .writing import LEFTOVERS, discard_leftovers, overwrite, settle, write, write_all, write_new

__all__ = [
    "LEFTOVERS",
    "Memory",
    "Purpose",
    "ScratchFile",
    "Stamp",
    "Use",
    "discard",
    "discard_leftovers",
    "insist_on_room",
    "is_empty",
    "leftovers",
    "locked",
    "output",
    "overwrite",
    "reason",
    "remove_leftovers",
    "scratch_file",
    "settle",
    "stamp",
    "storing",
    "unfinished",
    "unused",
    "using",
    "write",
    "write_all",
    "write_new",
]
