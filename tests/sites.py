"""What tests ask of pages: parsed strictly, with their tables as rows of words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


class Page:
    """One page from disk.

    Raises:
        html5lib.html5parser.ParseError: if it is not well-formed HTML
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        parser = html5lib.HTMLParser(strict=True)
        self.root: Element = parser.parse(self.text)

    def all(self, name: str, space: str = XHTML) -> list[Element]:
        """Return every element of a name."""
        return list(self.root.iter(f"{space}{name}"))

    @property
    def ids(self) -> list[str]:
        """Return every id, in order."""
        return [one.get("id") for one in self.root.iter() if one.get("id")]

    def words(self, element: Element | None = None) -> str:
        """Return what a reader sees, with single blanks."""
        return said(self.root.find(f"{XHTML}body") if element is None else element)

    def table(self, name: str) -> list[list[str]]:
        """Return the rows of the table whose caption holds some words."""
        for table in self.all("table"):
            caption = table.find(f"{XHTML}caption")
            if caption is not None and name in said(caption):
                return [[said(cell) for cell in row] for row in table.iter(f"{XHTML}tr")]
        raise AssertionError(f"{self.path}: no table '{name}'")


def said(element: Element) -> str:
    """Return the text of an element with single blanks."""
    return re.sub(r"\s+", " ", "".join(_pieces(element))).strip()


def _pieces(element: Element) -> Iterator[str]:
    if element.tag in (f"{XHTML}script", f"{XHTML}style", f"{SVG}title"):
        yield element.tail or ""
        return
    yield element.text or ""
    for child in element:
        yield from _pieces(child)
    if element.tag in (f"{XHTML}td", f"{XHTML}th", f"{XHTML}small", f"{XHTML}p"):
        yield " "
    yield element.tail or ""
