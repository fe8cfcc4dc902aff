"""Fuzzing: mutated files of every kind that is read must end in a result or in one clear message.

`test_fuzz.py` runs a little of it in every test run. `python tests/fuzzing.py --seconds 600` goes
on with a new seed, which it prints. What fails is made small and kept. A failure is an error that
is not ours, a wait of more than 30 s, a gigabyte of memory, a file outside of the folder, or a
number that is not the one that was stored; a crash of a library ends the child process that runs
the inputs, and is told by its parent.
"""

from __future__ import annotations

import argparse
import atexit
import faulthandler
import io
import itertools
import json
import logging
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from functools import cache, cached_property
from pathlib import Path
from unittest import mock

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import soundfile
import trees
from stored import FakeRegistry, Filled, current, experiment

from emobench import audio, corpora, features, leaderboard, store
from emobench.corpora.download import Limits, Patience, Source, Transfer, unpack
from emobench.corpora.proposal import propose
from emobench.corpora.registry import PACKAGED
from emobench.errors import EmobenchError
from emobench.features import word_vectors
from emobench.storage import memory

MOST_SECONDS = 30
MOST_KIB = 1_000_000
MOST_ADDRESSES = 8 << 30

ENTRY = r"""
mine:
  title: Mine
  pattern: ^(?P<speaker>[a-z])_(?P<emotion>ang|hap)_\d+\.wav$
  emotions: {ang: anger, hap: happiness}
"""
CLIPS = [f"{who}_{label}_{n}.wav" for who in "abc" for label in ("ang", "hap") for n in "12"]

JSON_WORDS = (b"[", b"]", b"{", b"}", b"null", b"1e999", b"NaN", b'"', b"\\ud800")

Call = Callable[[bytes, Path], None]


class Failure(BaseException):
    """An input that did what none may do; no `except Exception` hides it."""


@dataclass(frozen=True)
class Target:
    """Something that reads what others wrote.

    Attributes:
        given: whole inputs, or what makes them when they are needed
        call: reads an input; may use a folder, which is removed afterwards
        words: what text inputs of this kind are made of
    """

    given: tuple[bytes, ...] | Callable[[], tuple[bytes, ...]]
    call: Call
    words: tuple[bytes, ...] = ()

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        """Whole inputs."""
        return self.given() if callable(self.given) else self.given


# What is read -------------------------------------------------------------------------------------


def sounds() -> tuple[bytes, ...]:
    """Return a short sound in every container, of one and of two channels."""
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (1_600, 2))
    found = []
    for kind, subtype in (
        *(("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("WAVEX", "PCM_24")),
        *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
        *(("AIFF", "PCM_16"), ("AU", "PCM_16"), ("RF64", "PCM_16"), ("CAF", "PCM_16")),
    ):
        for part in (samples[:, 0], samples):
            content = io.BytesIO()
            soundfile.write(content, part, 16_000, format=kind, subtype=subtype)
            found.append(content.getvalue())
    return tuple(found)


def read_sound(content: bytes, folder: Path) -> None:
    path = folder / "clip.wav"
    path.write_bytes(content)
    for read in (audio.information, audio.read, audio.compare):
        with suppress(EmobenchError):
            read(path)


def read_registry(content: bytes, folder: Path) -> None:
    (folder / "mine.yaml").write_bytes(content)
    corpora.load_registry([folder / "mine.yaml"])


def registries() -> tuple[bytes, ...]:
    lines = PACKAGED.read_text(encoding="utf-8").split("\n\n")
    return tuple(f"{entry}\n".encode() for entry in lines if ":" in entry)


def reads_table(name: str) -> Call:
    def read(content: bytes, folder: Path) -> None:
        trees.plant(folder / "mine", CLIPS)
        (folder / "mine" / name).write_bytes(content)
        table = f"  tables: [{{file: {name}, key: {{stem: f}}, columns: {{sex: s, age: a}}}}]\n"
        (folder / "mine.yaml").write_text(ENTRY + table)
        corpus = corpora.load_registry([folder / "mine.yaml"]).get("mine")
        corpora.load(corpus, folder, folder / "cache")

    return read


ROWS = [(name[:-4], "fm"[n % 2], 20 + n) for n, name in enumerate(CLIPS)]
CSV = "f,s,a\n" + "".join(f"{name},{sex},{age}\n" for name, sex, age in ROWS)


def workbook() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in [("f", "s", "a"), *ROWS]:
        book.active.append(row)
    book.save(content)
    with zipfile.ZipFile(content) as packed, zipfile.ZipFile(made := io.BytesIO(), "w") as stored:
        for name in packed.namelist():  # not compressed, so that the XML itself is mutated
            stored.writestr(name, packed.read(name))
    return made.getvalue()


def parquets() -> tuple[bytes, ...]:
    """Return a table in the forms of Parquet and Arrow, plain and with columns of every kind."""
    plain = pd.DataFrame(ROWS, columns=list("fsa"))
    rich = plain.astype({"s": "category"}).assign(
        many=[list(range(n % 4)) for n in range(len(ROWS))],
        nested=[{"x": name, "y": {"z": n}} for n, name in enumerate(CLIPS)],
        when=pd.date_range("2020-01-01", periods=len(ROWS)),
        size=pd.array([None, 1] * (len(ROWS) // 2), dtype="Int64"),
        raw=[name.encode() for name in CLIPS],
    )
    found = []
    for table in (plain, rich):
        for compression in ("none", "snappy", "zstd"):
            table.to_parquet(content := io.BytesIO(), compression=compression)
            found.append(content.getvalue())
        for compression in ("uncompressed", "lz4", "zstd"):
            table.to_feather(content := io.BytesIO(), compression=compression)
            found.append(content.getvalue())
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, (columns := pa.Table.from_pandas(rich)).schema) as writer:
        writer.write_table(columns)
    return (*found, stream.getvalue())


def propose_entry(content: bytes, folder: Path) -> None:
    """Read the input as names of files and as a table beside them."""
    lines = content.decode("utf-8", errors="replace").splitlines()[:30]
    for line in lines:
        name = line.split(",")[0].replace("\0", "").strip("./")[:80]
        if name and ".." not in name.split("/"):
            with suppress(OSError):
                path = folder / "voices" / f"{name}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(trees.wav_bytes())
    (folder / "voices").mkdir(exist_ok=True)
    (folder / "voices" / "meta.csv").write_bytes(content)
    propose(folder / "voices", "voices")


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a/b.wav", "a/ü.wav", "c/"):
            archive.writestr(name, b"" if name.endswith("/") else b"x" * 300)
    return content.getvalue()


def tarred(form: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=form, format=tarfile.PAX_FORMAT) as archive:
        for name in ("a/b.wav", "a/ü" * 40 + ".wav"):
            member = tarfile.TarInfo(name)
            member.size = 300
            archive.addfile(member, io.BytesIO(b"x" * 300))
    return content.getvalue()


def unpack_archive(content: bytes, folder: Path) -> None:
    inside = folder / "inside"
    inside.mkdir()
    (inside / "archive").write_bytes(content)
    try:
        unpack(
            *(inside / "archive", inside / "out"),
            called="a.zip",
            progress=lambda *_: None,
            limits=Limits(members=1_000, least=10_000_000, most=10_000_000),
        )
    finally:
        if {path.name for path in folder.iterdir()} != {"inside"} or {
            path.name for path in inside.iterdir()
        } - {"archive", "out"}:
            raise Failure("a file outside of the folder")


BODY = b"x" * 3_000
ANSWERS = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 3000\r\nETag: "a"\r\n\r\n' + BODY,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-2999/3000\r\n\r\n" + BODY,
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/b\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
)


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """Answer every request with the same bytes; give the address."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                asked, _ = server.accept()
                with asked, suppress(OSError):
                    asked.settimeout(2)
                    asked.recv(65_536)
                    asked.sendall(content)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a.zip"
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def fetch(content: bytes, folder: Path) -> None:
    with answering(content) as address:
        transfer = Transfer(
            Source(address), folder / "part", progress=lambda *_: None, notice=lambda _: None
        )
        transfer.fetch(Patience(timeout=1.0, attempts=1, pause=0.0))


def recall(content: bytes, folder: Path) -> None:
    """Read a corpus part of whose remembered headers is overwritten by the input."""
    trees.plant(folder / "mine", CLIPS)
    (folder / "mine.yaml").write_text(ENTRY)
    corpus = corpora.load_registry([folder / "mine.yaml"]).get("mine")
    with mock.patch.object(memory, "_SETTLED_NS", -(10**12)):  # remembered at once
        before = corpora.load(corpus, folder, folder / "cache")["duration"]
        (kept,) = (folder / "cache" / "headers").iterdir()
        known = bytearray(kept.read_bytes())
        place = int.from_bytes(content[:2], "big") % len(known)
        known[place : place + len(content) - 2] = content[2:]
        kept.write_bytes(known)
        after = corpora.load(corpus, folder, folder / "cache")["duration"]
    if not before.equals(after):
        raise Failure(f"other durations: {after.tolist()}")


@cache
def results() -> tuple[Path, dict[str, object], pd.DataFrame]:
    """Return a folder of results of one experiment, what is shown of it, and its predictions."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-results-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Filled(folder).run(experiment())
    return folder, board(folder), store.read_results(folder)


def board(folder: Path) -> dict[str, object]:
    """Return the figures that a leaderboard shows of a folder of results."""
    told = {"current": current, "registry": FakeRegistry()}
    found = leaderboard.build(folder, protocol="keesing2020", **told)
    partial = leaderboard.build(folder, protocol="keesing2020", partial=True, **told)
    for form in ("table", "markdown", "csv", "json"):
        leaderboard.render([found, partial], form)
    return {model: cell.scores for row in found.rows for model, cell in row.cells.items()}


def stored_as(name: str) -> tuple[Callable[[], tuple[bytes, ...]], Call]:
    """Return what gives the content of a file of results, and reads another in its place."""

    def content() -> tuple[bytes, ...]:
        return tuple(file.read_bytes() for file in results()[0].rglob(name))

    def read_results(content: bytes, folder: Path) -> None:
        made, expected, whole = results()
        shutil.copytree(made, folder / "results")
        (file,) = (folder / "results").rglob(name)
        file.write_bytes(content)
        if not board(folder / "results").items() <= expected.items():
            raise Failure("other figures")
        rows = store.read_results(folder / "results")
        known = set(whole.itertuples(index=False))
        if len(rows) and not set(rows[whole.columns].itertuples(index=False)) <= known:
            raise Failure("other predictions")

    return content, read_results


@cache
def features_kept() -> tuple[Path, pd.DataFrame, features.FeatureSet]:
    """Return a cache with features of a few clips in two packs, their table, and the features."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-features-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    trees.plant(folder / "mine", CLIPS[:3], seconds=0.4)
    paths = [str(folder / "mine" / name) for name in CLIPS[:3]]
    columns = {"path": paths, "start": pd.NA, "end": pd.NA}
    table = pd.DataFrame(columns, index=pd.Index([name[:-4] for name in CLIPS[:3]], name="id"))
    spec = features.spec("logmel")
    features.load(table[:2], spec, cache=folder / "cache")
    return folder / "cache", table, features.load(table, spec, cache=folder / "cache")


def kept_files() -> list[Path]:
    return sorted(file for pack in features_kept()[2].packs for file in pack.folder.iterdir())


def kept_contents() -> tuple[bytes, ...]:
    return tuple(bytes([n]) + file.read_bytes() for n, file in enumerate(kept_files()))


def load_features(content: bytes, folder: Path) -> None:
    """Load features one of whose files is the input; its first byte tells which."""
    cached, table, expected = features_kept()
    shutil.copytree(cached, folder / "cache")
    files = kept_files()
    changed = files[content[0] % len(files)] if content else files[0]
    (folder / "cache" / changed.relative_to(cached)).write_bytes(content[1:])
    found = features.load(table, features.spec("logmel"), cache=folder / "cache")
    same = (found.ids, dict(found.bad)) == (expected.ids, dict(expected.bad)) and all(
        np.array_equal(one, other)
        for one, other in (
            *((found.clip(n), expected.clip(n)) for n in range(len(expected))),
            *zip(astuple(found.moments), astuple(expected.moments), strict=True),
        )
    )
    if not same:
        raise Failure("other features")


def read_vectors(content: bytes, folder: Path) -> None:
    (folder / "v.txt").write_bytes(content)
    word_vectors.read(folder / "v.txt", ["yes", "no"])


def targets() -> dict[str, Target]:
    """Return everything that is fuzzed, by name."""
    return {
        "sound": Target(sounds, read_sound),
        "registry": Target(
            registries(),
            read_registry,
            (
                *(
                    b"&a ",
                    b"*a",
                    b"[",
                    b"]",
                    b"{",
                    b"}",
                    b"? ",
                    b": ",
                    b"- ",
                    b"|",
                    b">",
                    b"!!map ",
                ),
                *(b"(?P<speaker>", b"{9}", b"(", b")", b"\\", b"variants", b"tables", b"expect"),
            ),
        ),
        "csv": Target((CSV.encode(), CSV.replace(",", ";").encode("utf-16")), reads_table("t.csv")),
        "json": Target(
            (json.dumps([dict(zip("fsa", row, strict=True)) for row in ROWS]).encode(),),
            reads_table("t.json"),
            JSON_WORDS,
        ),
        "parquet": Target(parquets, reads_table("t.parquet")),
        "workbook": Target((workbook(),), reads_table("t.xlsx"), (b"<c ", b'r="XFD9"', b"&x;")),
        "proposal": Target(
            (CSV.encode(), "\n".join(name[:-4] for name in CLIPS).encode()),
            propose_entry,
            (b"/", b"-", b"_", b"(", b")", b"01", b"anger", b"joy", b"speaker", b"\xff"),
        ),
        "archive": Target(
            (zipped(), tarred("w"), tarred("w:gz"), tarred("w:bz2"), tarred("w:xz")),
            unpack_archive,
            (b"../", b"/", b"\0", b"9999999999"),
        ),
        "http": Target(ANSWERS, fetch, (b"\r\n", b"-", b"chunked", b"Content-Length: ", b"9" * 30)),
        "memory": Target((b"\0\x70[9.0", b"\0\x01{"), recall, (b"null", b"[" * 9_999)),
        "experiment": Target(*stored_as("experiment.json"), JSON_WORDS),
        "record": Target(*stored_as("fold-01-repetition-1.json"), JSON_WORDS),
        "predictions": Target(*stored_as("fold-01-repetition-1.parquet")),
        "features": Target(
            kept_contents,
            load_features,
            (b"a_ang_1", b"a_ang_2", b"True", *JSON_WORDS),
        ),
        "vectors": Target((b"2 3\nyes 1 2 3\nno 4 5 6\n", b"yes 1 2\nno 3 4\n"), read_vectors),
    }


# Mutation -----------------------------------------------------------------------------------------

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(target: Target, chance: random.Random) -> bytes:
    """Return a seed after one to eight changes."""
    content = bytearray(chance.choice(target.seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        _change(content, target, chance)
    return bytes(content[:2_000_000])


def _change(content: bytearray, target: Target, chance: random.Random) -> None:
    where = chance.randrange(len(content) + 1)
    if chance.random() < 0.5:  # headers are at the beginning
        where = min(where, chance.randrange(200))
    length = chance.choice((1, 2, 4, 16, 256))
    way = chance.randrange(8 if target.words else 7)
    if way == 0 and where < len(content):
        content[where] ^= 1 << chance.randrange(8)
    elif way == 1:
        content[where : where + length] = chance.randbytes(length)
    elif way == 2:
        del content[where : where + length]
    elif way == 3:
        content[where:where] = content[where : where + length] * chance.choice((1, 2, 50))
    elif way == 4:
        del content[where:]
    elif way == 5:
        size, order = chance.choice((1, 2, 4, 8)), chance.choice(("little", "big"))
        number = chance.choice(_NUMBERS) & (256**size - 1)
        content[where : where + size] = number.to_bytes(size, order)
    elif way == 6:
        other = chance.choice(target.seeds)
        begin = chance.randrange(len(other) + 1)
        content[where : where + length] = other[begin : begin + length]
    elif target.words:
        content[where:where] = chance.choice(target.words) * chance.choice((1, 1, 3, 200))


# Running ------------------------------------------------------------------------------------------


def attempt(target: Target, content: bytes) -> str | None:
    """Give an input to a target; return what it did wrong, or None."""

    def too_long(*_: object) -> None:
        raise Failure(f"no end after {MOST_SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(MOST_SECONDS)
    try:
        target.call(content, folder)
    except EmobenchError:
        pass
    except (Exception, Failure):
        return traceback.format_exc()
    finally:
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return f"{grown:,} KiB of memory" if grown > MOST_KIB else None


def small(target: Target, content: bytes) -> bytes:
    """Return what is left of a failing input when all is cut away that it fails without."""
    size, deadline = len(content) // 2, time.monotonic() + 60
    while size and time.monotonic() < deadline:
        place = 0
        while place < len(content) and time.monotonic() < deadline:
            shorter = content[:place] + content[place + size :]
            if attempt(target, shorter):
                content = shorter
            else:
                place += size
        size //= 2
    return content


def inputs(seed: int, only: str) -> Iterator[tuple[str, Target, bytes]]:
    """Yield inputs without end, of one target after another."""
    chance, every = random.Random(seed), targets()
    every = {name: every[name] for name in only.split(",")} if only else every
    for name in itertools.cycle(every):
        yield name, every[name], mutated(every[name], chance)


def _child(seed: int, seconds: float, keep: Path, only: str) -> int:
    """Run inputs until one fails or the time is over; the one under way lies in a file."""
    faulthandler.enable()  # a library that crashes names the line that called it
    logging.disable()
    # Whatever wants more fails here, where it is told, and does not have the system kill us all.
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, most))
    until, done = time.monotonic() + seconds, 0
    current = keep / f"running-{seed}"
    for name, target, content in inputs(seed, only):
        if time.monotonic() > until:
            break
        current.write_bytes(content)
        wrong = attempt(target, content)
        if wrong:
            kept = keep / f"{name}-{seed}-{done}"
            kept.write_bytes(small(target, content))
            current.unlink()
            print(f"{name}: {wrong}\nkept as {kept}", flush=True)
            return 1
        done += 1
    current.unlink()
    print(f"{done:,} inputs, none failed", flush=True)
    return 0


def main() -> int:
    """Fuzz for a while; exit status 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--only", default="", help="targets, with commas between them")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    if given.child:
        return _child(given.seed, given.seconds, given.keep, given.only)
    until, seed, failed = time.monotonic() + given.seconds, given.seed, 0
    while (left := until - time.monotonic()) > 0:
        print(f"seed {seed}", flush=True)
        words = ("--child", "--seed", str(seed), "--seconds", str(left), "--keep", str(given.keep))
        words += ("--only", given.only)
        status = subprocess.call([sys.executable, __file__, *words])
        failed += status != 0
        if status not in (0, 1):
            kept = given.keep / f"running-{seed}"
            print(f"the process died ({status}); its input is kept as {kept}", flush=True)
        seed += 1
    if not any(given.keep.iterdir()):
        given.keep.rmdir()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
