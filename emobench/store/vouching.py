"""How a record vouches for the files beside it: by the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEY = "sha256"
"""Key of a record under which digests stand by the name of what they are of."""


class Damage(Exception):
    """A file that cannot be used; the text says why."""


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def promised(record: Mapping[str, Any], name: str) -> str | None:
    """Return the digest that a record has of a file; None if it was made before there were any.

    Raises:
        Damage: if what stands there is no digest
    """
    digests = record.get(KEY, {})
    if not isinstance(digests, Mapping) or not isinstance(digests.get(name, ""), str):
        raise Damage(f"the SHA-256 of its {name} cannot be made out in it")
    return digests.get(name)


def read_bytes(path: Path, sha256: str | None, name: str) -> bytes:
    """Return what a file holds if that is what its record vouches for.

    Args:
        path: of the file
        sha256: of its bytes, or None to take them as they are
        name: of what it holds, for messages

    Raises:
        Damage: if it cannot be read, or was changed since
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Damage(f"there are no {name} beside the record") from None
    except OSError:
        raise Damage(f"the {name} cannot be read") from None
    if sha256 is not None and digest(content) != sha256:
        raise Damage(f"the {name} were changed after the record was made")
    return content
