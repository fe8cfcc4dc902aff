"""Names of files inside archives: which are safe to write."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PureWindowsPath

from ...errors import CorpusError


def safe_parts(name: str, archive: str) -> tuple[str, ...]:
    r"""Return folders and file name of a member, all below the folder that it is unpacked into.

    A backslash separates folders too: some archives are written so.

    Args:
        name: as the archive spells it
        archive: what the archive is called in a message

    Returns:
        nothing for the folder itself

    Raises:
        CorpusError: if the name leads anywhere else

    Examples:
        >>> safe_parts("./Joie\\Fort/04-J-2-1.wav", "CaFE.zip")
        ('Joie', 'Fort', '04-J-2-1.wav')
    """
    plain = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = tuple(part for part in plain.split("/") if part not in ("", "."))
    if PureWindowsPath(plain).anchor or ".." in parts or re.search(r"[\x00-\x1f\x7f]", plain):
        raise CorpusError(
            f"{archive}: expected names below the corpus folder, found a member named {name!r}. "
            "Nothing was unpacked: the archive is damaged or means harm."
        )
    return parts
