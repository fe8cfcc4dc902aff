"""Names of files inside archives: which are safe to write, and what odd spellings mean."""

from __future__ import annotations

import re
import unicodedata

from ...errors import CorpusError

_DOS = "cp437"


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
    absolute = plain.startswith("/") or re.match(r"[A-Za-z]:", plain)
    if absolute or ".." in parts or re.search(r"[\x00-\x1f\x7f]", plain):
        raise CorpusError(
            f"{archive}: expected names below the corpus folder, found a member named {name!r}. "
            "Nothing was unpacked: the archive is damaged or means harm."
        )
    return parts


def zip_name(name: str, is_utf8: bool) -> str:
    """Return the name of a member of a zip archive, as Python's zipfile decoded it.

    Where an archive does not say that a name is UTF-8, the format means a DOS code page, and
    zipfile reads it so; many programs write UTF-8 nevertheless.

    Examples:
        >>> zip_name("Colère", is_utf8=False)
        'Colère'
        >>> zip_name("Col├¿re", is_utf8=False)
        'Colère'
    """
    if is_utf8 or name.isascii():
        return name
    try:
        return name.encode(_DOS).decode("utf-8")
    except UnicodeError:
        return name


def tar_name(name: str) -> str:
    """Return the name of a member of a tar archive, as Python's tarfile decoded it.

    Bytes that are no UTF-8 come from systems that wrote Latin-1.

    Examples:
        >>> tar_name("Col" + chr(0xDCE8) + "re")
        'Colère'
    """
    raw = name.encode("utf-8", errors="surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
