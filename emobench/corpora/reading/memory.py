"""What was found out about the files of a corpus, many at once, and remembered on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ...errors import AudioError
from ...storage import Memory
from .audio_files import AudioFile
from .parallel import each

_FEW = 64

Progress = Callable[[int, int], None]


def find_out(
    files: Sequence[AudioFile],
    find: Callable[[AudioFile], Any],
    memory: Memory,
    *,
    threads: int = 8,
    details: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what is known of files, finding out what is not remembered.

    Args:
        files: of a corpus
        find: returns what JSON can hold, or raises `AudioError` with the reason
        memory: of the folder of the corpus
        threads: that find things out at the same time
        details: what else must be unchanged, by path
        progress: called with the number of files looked at so far and in all

    Returns:
        what is known, and why a file cannot be used, by path
    """
    questions = {file.path: (details or {}).get(file.path, "") for file in files}
    remembered = {
        file.path: memory.recall(file.path, file.stamp, questions[file.path]) for file in files
    }
    known = {path: answer for path, answer in remembered.items() if answer is not None}
    missing = [file for file in files if file.path not in known]
    bad: dict[str, str] = {}

    def found_of(file: AudioFile) -> tuple[Any, str | None]:
        try:
            return find(file), None
        except AudioError as error:
            return None, str(error)
        except OSError as error:  # it went away meanwhile, or its disk is failing
            return None, f"{file.path}: cannot be read ({error.strerror}). Try again."

    threaded = len(missing) >= _FEW
    one_by_one = nullcontext((file, found_of(file)) for file in missing)
    with each(found_of, missing, threads) if threaded else one_by_one as pairs:
        for done, (file, (answer, reason)) in enumerate(pairs, 1):
            if reason is None:
                known[file.path] = answer
                memory.note(file.path, file.stamp, answer, questions[file.path])
            else:
                bad[file.path] = reason
            if progress is not None:
                progress(done, len(missing))
    memory.save()
    return known, bad
