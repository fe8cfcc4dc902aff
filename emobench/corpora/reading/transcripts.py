"""Text files beside the audio, each with what is said in the clip of the same name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

from ...errors import CorpusError
from ..entries.schema import Corpus
from .audio_files import AudioFile, scan
from .clips import Clip


def reader(corpus: Corpus, folder: Path) -> Callable[[Clip], str | None]:
    """Return what looks up the text of a clip, None where there is no file or it is empty.

    Blanks and line ends are told as one blank. A file that is not UTF-8 is taken for the
    encoding that the entry names: hardly a text in another encoding is lawful UTF-8.

    Raises:
        CorpusError: (when a clip is looked up) if its file can be read in neither
    """
    texts = corpus.texts
    if texts is None:
        return lambda _: None
    files: dict[str, AudioFile] = {}
    for file in scan(folder, [texts.file]):
        files.setdefault(file.stem, file)

    def look_up(clip: Clip) -> str | None:
        file = files.get(clip.file.stem)
        return None if file is None else _read(corpus, file, texts.encoding)

    return look_up


def _read(corpus: Corpus, file: AudioFile, encoding: str) -> str | None:
    try:
        content = Path(file.path).read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode(encoding)
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{file.path}: expected a text in UTF-8 or {encoding} ({corpus.at('texts')}), found: "
            f"{error}. Correct `encoding:`, or remove the file."
        ) from error
    return unicodedata.normalize("NFC", " ".join(text.split())) or None
