"""Word vectors from text files as word2vec, GloVe and Speech2Vec are distributed.

A line is a word and its numbers, separated by blanks. word2vec's files begin with a line of two
numbers, the words and the size of a vector; GloVe's do not, and some of its words hold blanks, so
the last numbers of a line are the vector. Files are read line by line and only the vectors that
are asked for are kept, so that a file of gigabytes costs time and no memory.

Vectors are the user's own: nothing is distributed with this package. On the released Speech2Vec
vectors (Y.-A. Chung and J. Glass, "Speech2Vec: A sequence-to-sequence framework for learning word
embeddings from speech", Interspeech 2018) there is a doubt: a later study, arXiv:2209.10791, could
not reproduce them and argues that they were not made from speech. They come without a licence.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import FeatureError

_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_LONGEST_LINE = 10_000_000
_LONGEST_NUMBER = 15
_ADVICE = "Give a text file of word vectors, as word2vec or GloVe have them."
_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


@dataclass(frozen=True)
class WordVectors:
    """Vectors of the words that were asked for.

    Attributes:
        size: numbers in a vector
        words: words in the file
        vectors: float32 of shape `(size,)`, by word; those that the file lacks are absent
    """

    size: int
    words: int
    vectors: Mapping[str, np.ndarray]


def read(path: Path | str, wanted: Iterable[str]) -> WordVectors:
    r"""Return the vectors of some words.

    Args:
        path: text file in UTF-8, with or without a first line of its sizes; may end in `.gz`
        wanted: words to look for, exactly as the file writes them; where it has one twice, its
            first vector counts

    Raises:
        FeatureError: if the file cannot be read, is not such a text, a line has too few or too
            many numbers, a wanted vector is not finite, or the file is cut off

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "small.vec"
        >>> _ = file.write_text("2 3\nyes 1 2 3\nno 4 5 6\n")
        >>> read(file, ["no"]).vectors["no"].tolist()
        [4.0, 5.0, 6.0]
    """
    path = Path(path).expanduser()
    try:
        status = path.stat()
    except OSError as error:
        raise FeatureError(
            f"{path}: expected a file of word vectors, found: {error.strerror}. {_ADVICE}"
        ) from None
    return _read(path, (status.st_size, status.st_mtime_ns), frozenset(wanted))


@lru_cache(maxsize=16)  # repetitions of a fold ask for the same words again
def _read(path: Path, identity: tuple[int, int], wanted: frozenset[str]) -> WordVectors:
    """Read a file; `identity` makes one that was changed another one."""
    try:
        with _open(path) as file:
            return _Reader(path, wanted).read(file)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FeatureError(f"{path}: expected word vectors, found: {reason}. {_ADVICE}") from None


def _open(path: Path) -> gzip.GzipFile:
    """Open a file of bytes, unpacked if need be, or say what else it is."""
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    for signature, kind in _KINDS.items():
        if start.startswith(signature):
            remedy = "Convert it to UTF-8." if kind == "UTF-16" else "Unpack it."
            raise FeatureError(f"{path}: expected text in UTF-8, found {kind}. {remedy}")
    return path.open("rb")


class _Reader:
    """Goes through the lines of a file and keeps the wanted ones."""

    def __init__(self, path: Path, wanted: frozenset[str]) -> None:
        self._path = path
        self._wanted = {word.encode("utf-8"): word for word in wanted}
        self._number = 0

    def read(self, file: IO[bytes]) -> WordVectors:
        lines = self._lines(file)
        first = next(lines, None)
        if first is None:
            raise FeatureError(f"{self._path}: expected word vectors, found none. {_ADVICE}")
        announced, size = _header(first)
        if announced == -1:
            raise self._wrong("numbers of words and of their size", _shown(first))
        vectors: dict[str, np.ndarray] = {}
        words = 0
        if announced is None:
            size = self._first_size(first)
            words += self._keep(first, size, vectors)
        for line in lines:
            words += self._keep(line, size, vectors)
        if announced is not None and words < announced:
            raise FeatureError(
                f"{self._path}: expected {announced} words as its first line says, found {words}. "
                "The file is cut off: fetch it again."
            )
        return WordVectors(size, words, vectors)

    def _lines(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield the lines that hold something, without the blanks around them."""
        lines = iter(lambda: file.readline(_LONGEST_LINE + 1), b"")
        for self._number, line in enumerate(lines, start=1):
            if len(line) > _LONGEST_LINE:
                raise self._wrong(
                    "a word and its numbers", f"a line of more than {len(line) - 1:,} bytes"
                )
            if self._number <= 2 and _CONTROL.search(line):
                raise FeatureError(
                    f"{self._path}: expected text, found binary data, as in word2vec's .bin. "
                    "Convert it to text (gensim: KeyedVectors.load_word2vec_format(…, binary=True) "
                    "and save_word2vec_format)."
                )
            text = line.rstrip(b" \t\r\n").replace(b"\t", b" ")
            if self._number == 1:
                text = text.removeprefix(b"\xef\xbb\xbf")
            if text:
                yield text

    def _first_size(self, line: bytes) -> int:
        """Return the size of a vector, from the first line of a file that does not tell it."""
        size = line.count(b" ")
        if not size or not all(_NUMBER.fullmatch(part) for part in line.split(b" ")[1:]):
            raise self._wrong("a word and its numbers", _shown(line))
        return size

    def _keep(self, line: bytes, size: int, vectors: dict[str, np.ndarray]) -> int:
        """Check a line, keep its vector if it is wanted, and return 1 for the word in it."""
        blanks = line.count(b" ")
        word = line[: line.index(b" ")] if blanks == size else line.rsplit(b" ", size)[0]
        # Words may hold blanks, but not end in a number: that is a line with one number too many.
        too_many = blanks > size and _NUMBER.fullmatch(word[word.rfind(b" ") + 1 :])
        if blanks < size or not word or too_many:
            raise self._wrong(f"a word and {size} numbers", f"{blanks} after a word")
        try:
            text = word.decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"the byte 0x{word[error.start]:02x}"
            raise self._wrong("text in UTF-8", found, "Convert the file to UTF-8.") from None
        if word in self._wanted and text not in vectors:
            vectors[text] = self._vector(line.rsplit(b" ", size)[1:])
        return 1

    def _vector(self, numbers: list[bytes]) -> np.ndarray:
        try:
            with np.errstate(over="ignore"):
                vector = np.array(numbers, np.float32)
        except ValueError:
            wrong = next(text for text in numbers if not _NUMBER.fullmatch(text))
            raise self._wrong("a number", _shown(wrong)) from None
        infinite = np.flatnonzero(~np.isfinite(vector))
        if len(infinite):
            raise self._wrong("a finite number", _shown(numbers[infinite[0]]))
        return vector

    def _wrong(self, expected: str, found: str, advice: str = _ADVICE) -> FeatureError:
        return FeatureError(
            f"{self._path}, line {self._number}: expected {expected}, found {found}. {advice}"
        )


def _header(line: bytes) -> tuple[int | None, int]:
    """Return how many words a first line announces and of what size, or None and 0."""
    parts = line.split(b" ")
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        if max(map(len, parts)) > _LONGEST_NUMBER:
            return -1, 0
        if not int(parts[1]):
            return None, 0
        return int(parts[0]), int(parts[1])
    return None, 0


def _shown(text: bytes) -> str:
    """Return the beginning of what was found, fit for a message."""
    return repr(text[:40].decode("utf-8", "replace"))
