"""How a file is refused: one sentence with the reason, one with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from ..errors import AudioError


def refuse(path: Path, reason: str, remedy: str) -> NoReturn:
    """Raise the error that names a file and what is wrong with it."""
    raise AudioError(f"{path}: {reason}. {remedy}.")


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Refuse a file whatever its decoder raises: libraries have more errors than they tell of."""
    try:
        yield
    except AudioError:
        raise
    except MemoryError:
        refuse(path, "needs more memory than there is", "Cut it into shorter files")
    except Exception as error:
        told = getattr(error, "error_string", None) or getattr(error, "strerror", None) or error
        reason = str(told).strip().partition("\n")[0].strip(" .") or type(error).__name__
        refuse(path, f"is not audio that can be decoded ({reason})", "Copy it again")
