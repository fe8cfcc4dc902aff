"""Downloads from servers that misbehave, and archives that mean harm."""

from __future__ import annotations

import contextlib
import email.utils
import gzip
import hashlib
import io
import json
import os
import shutil
import struct
import tarfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import requests
from trees import wav_bytes

from emobench import corpora
from emobench.cli import main
from emobench.corpora import download as downloads
from emobench.corpora.download import Limits, Patience, Record, Source, Transfer, connection, unpack
from emobench.errors import CorpusError, SpecError

HASTE = Patience(timeout=0.4, attempts=3, pause=0.01)
CONTENT = np.random.default_rng(0).bytes(500_000)
OTHER = np.random.default_rng(1).bytes(500_000)


class Host(ThreadingHTTPServer):
    """A server that does once, for each request to a path, what it was told to do next."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.plans: dict[str, list[Callable[[Handler], None]]] = defaultdict(list)
        self.asked: list[tuple[str, str | None]] = []
        self.released = threading.Event()

    def handle_error(self, request, client_address):
        """Say nothing: connections are meant to break here."""

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        plan = self.server.plans[self.path]
        (plan.pop(0) if plan else well)(self)

    def log_message(self, *words):
        pass

    def head(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        tag = self.server.tags.get(self.path)
        if tag:
            self.send_header("ETag", tag)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    @property
    def content(self) -> bytes:
        return self.server.files[self.path]

    def asked_from(self) -> int:
        """Return the byte that is asked for, as If-Range allows."""
        span = self.headers.get("Range")
        wanted = self.headers.get("If-Range")
        if span is None or (wanted and wanted != self.server.tags.get(self.path)):
            return 0
        return int(span.removeprefix("bytes=").rstrip("-"))


def well(handler: Handler) -> None:
    begin, content = handler.asked_from(), handler.content
    if begin >= len(content) > 0:
        return handler.head(416, 0, Content_Range=f"bytes */{len(content)}")
    if begin:
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        handler.head(206, len(content) - begin, Content_Range=span)
    else:
        handler.head(200, len(content))
    return handler.wfile.write(content[begin:])


def breaks_off(after: int = 200_000) -> Callable[[Handler], None]:
    def behave(handler: Handler) -> None:
        begin = handler.asked_from()
        content = handler.content
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        headers = {"Content_Range": span} if begin else {}
        handler.head(206 if begin else 200, len(content) - begin, **headers)
        handler.wfile.write(content[begin : begin + after])
        handler.close_connection = True

    return behave


def stalls(handler: Handler) -> None:
    handler.head(200, len(handler.content))
    handler.wfile.write(handler.content[:200_000])
    handler.wfile.flush()
    handler.server.released.wait(10)


def never_answers(handler: Handler) -> None:
    handler.server.released.wait(10)


def ignores_range(handler: Handler) -> None:
    handler.head(200, len(handler.content))
    handler.wfile.write(handler.content)


def without_length(handler: Handler) -> None:
    handler.head(200, None)
    handler.wfile.write(handler.content)
    handler.close_connection = True


def chunks_that_break_off(handler: Handler) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.head(200, None, Transfer_Encoding="chunked")
    handler.wfile.write(b"30d40\r\n" + handler.content[:200_000] + b"\r\n")
    handler.close_connection = True


def lawless_chunks(size: bytes) -> Callable[[Handler], None]:
    def behave(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.head(200, None, Transfer_Encoding="chunked")
        handler.wfile.write(size + b"\r\n" + handler.content[:1_000] + b"\r\n")
        handler.close_connection = True

    return behave


def drips(handler: Handler) -> None:
    """Send a byte now and then, for as long as anybody listens."""
    handler.head(200, len(handler.content))
    with contextlib.suppress(OSError):
        while not handler.server.released.wait(0.1):
            handler.wfile.write(b"x")
            handler.wfile.flush()


def drips_before_the_content(text: bytes) -> Callable[[Handler], None]:
    """Begin an answer and then send a byte now and then, so that its head or a size never ends."""

    def behave(handler: Handler) -> None:
        handler.wfile.write(text)
        handler.close_connection = True
        with contextlib.suppress(OSError):
            while not handler.server.released.wait(0.1):
                handler.wfile.write(b"1")
                handler.wfile.flush()

    return behave


def never_ends(handler: Handler) -> None:
    handler.head(200, None)
    with contextlib.suppress(OSError):
        while not handler.server.released.is_set():
            handler.wfile.write(bytes(1 << 20))
    handler.close_connection = True


def claims(length: int) -> Callable[[Handler], None]:
    def behave(handler: Handler) -> None:
        handler.head(200, length)
        handler.wfile.write(handler.content)
        handler.close_connection = True

    return behave


def answers(status: int, **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.head(status, 0, **headers)


def wrong_part(handler: Handler) -> None:
    content = handler.content
    handler.head(206, 100, Content_Range=f"bytes 0-99/{len(content)}")
    handler.wfile.write(content[:100])


def other_part(handler: Handler) -> None:
    """Answer a request for the rest with the rest of another version, as some caches do."""
    begin = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
    handler.head(206, len(OTHER) - begin, Content_Range=f"bytes {begin}-{len(OTHER) - 1}/*")
    handler.wfile.write(OTHER[begin:])


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    server = Host()
    server.files["/a.zip"] = CONTENT
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetch(host, tmp_path):
    """Fetch `/a.zip` and return its content and what was told."""

    def run(facts: str = "", patience: Patience = HASTE) -> tuple[bytes, list[str]]:
        told: list[str] = []
        source = Source.of(host.at("/a.zip") + facts)
        steps: list[tuple[int, int | None]] = []
        transfer = Transfer(
            source,
            tmp_path / "part",
            progress=lambda *step: steps.append(step),
            notice=told.append,
        )
        digest = transfer.fetch(patience)
        content = (tmp_path / "part").read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()
        assert steps[-1][0] == len(content)
        return content, told

    return run


def ranges(host: Host) -> list[str | None]:
    return [span for _, span in host.asked]


def test_a_file_arrives(host, fetch):
    content, told = fetch(f"#md5={hashlib.md5(CONTENT).hexdigest()}&bytes=500000")
    assert content == CONTENT
    assert told == []
    assert ranges(host) == [None]


def test_a_broken_transfer_goes_on_where_its_server_can_tell_versions_apart(host, fetch):
    host.tags["/a.zip"] = '"v1"'
    host.plans["/a.zip"] = [breaks_off(), breaks_off()]
    assert fetch()[0] == CONTENT
    assert ranges(host) == [None, "bytes=200000-", "bytes=400000-"]


def test_without_a_version_only_a_checksum_lets_it_go_on(host, fetch):
    host.plans["/a.zip"] = [breaks_off()]
    assert fetch()[0] == CONTENT
    assert ranges(host) == [None, None]


def test_a_checksum_lets_it_go_on(host, fetch):
    host.plans["/a.zip"] = [breaks_off()]
    assert fetch(f"#sha256={hashlib.sha256(CONTENT).hexdigest()}")[0] == CONTENT
    assert ranges(host) == [None, "bytes=200000-"]


def test_what_a_killed_command_left_is_gone_on_from(host, fetch):
    host.tags["/a.zip"] = '"v1"'
    host.plans["/a.zip"] = [breaks_off(), *[answers(503)] * 3]
    with pytest.raises(CorpusError, match=r"expected 500,000 bytes, found 200,000 bytes and then"):
        fetch()
    assert fetch()[0] == CONTENT
    assert ranges(host)[-1] == "bytes=200000-"
    before = len(host.asked)
    with pytest.raises(IndexError):  # no step: nothing is fetched again
        fetch()
    assert len(host.asked) == before


def test_a_server_that_stalls_is_left_and_asked_again(host, fetch):
    host.tags["/a.zip"] = '"v1"'
    host.plans["/a.zip"] = [never_answers, stalls]
    begin = time.monotonic()
    content, told = fetch()
    assert content == CONTENT
    assert time.monotonic() - begin < 5
    assert "fell silent" in told[0]
    assert "fell silent" in told[1]


def test_a_server_that_ignores_ranges(host, fetch):
    host.tags["/a.zip"] = '"v1"'
    host.plans["/a.zip"] = [breaks_off(), ignores_range]
    assert fetch()[0] == CONTENT


def test_content_that_changes_between_attempts_is_not_mixed(host, fetch):
    host.tags["/a.zip"] = '"v1"'

    def change(handler: Handler) -> None:
        handler.server.tags["/a.zip"] = '"v2"'
        handler.server.files["/a.zip"] = OTHER
        well(handler)

    host.plans["/a.zip"] = [breaks_off(), change]
    assert fetch()[0] == OTHER


def test_a_cache_that_sends_the_rest_of_another_version(host, fetch):
    host.tags["/a.zip"] = '"v1"'

    def change(handler: Handler) -> None:
        handler.server.tags["/a.zip"] = '"v2"'
        handler.server.files["/a.zip"] = OTHER
        other_part(handler)

    host.plans["/a.zip"] = [breaks_off(), change]
    assert fetch()[0] == OTHER


def test_a_checksum_finds_parts_that_do_not_belong_together(host, fetch):
    host.plans["/a.zip"] = [breaks_off(), other_part]
    facts = f"#md5={hashlib.md5(CONTENT).hexdigest()}"
    with pytest.raises(CorpusError, match=r"found .*run the same command again.*was set aside"):
        fetch(facts)
    assert fetch(facts)[0] == CONTENT


def test_a_part_that_was_not_asked_for(host, fetch):
    host.tags["/a.zip"] = '"v1"'
    host.plans["/a.zip"] = [breaks_off(), wrong_part]
    assert fetch()[0] == CONTENT


def test_a_file_that_got_shorter(host, fetch):
    host.tags["/a.zip"] = '"v1"'

    def shrink(handler: Handler) -> None:
        handler.server.files["/a.zip"] = CONTENT[:1000]
        well(handler)

    host.plans["/a.zip"] = [breaks_off(), shrink]
    assert fetch()[0] == CONTENT[:1000]


@pytest.mark.parametrize("behaviour", [without_length, claims(400_000)])
def test_a_length_that_is_missing_or_too_small(host, fetch, behaviour):
    host.plans["/a.zip"] = [behaviour]
    content, _ = fetch()
    assert CONTENT.startswith(content)
    assert len(content) in (400_000, 500_000)


def test_a_length_that_is_too_large_is_a_lie(host, fetch):
    host.plans["/a.zip"] = [claims(600_000)] * 4
    with pytest.raises(CorpusError, match=r"expected 600,000 bytes, found 500,000 bytes and then"):
        fetch()


def test_chunks_that_break_off(host, fetch):
    host.plans["/a.zip"] = [chunks_that_break_off]
    assert fetch()[0] == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(host, fetch, status):
    host.plans["/a.zip"] = [answers(status, Retry_After="0"), answers(status)]
    content, told = fetch()
    assert content == CONTENT
    assert str(status) in told[0]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 204])
def test_a_refusal_is_told_at_once(host, fetch, status):
    host.plans["/a.zip"] = [answers(status)]
    with pytest.raises(CorpusError, match=rf"a.zip: expected a file, found.*{status}"):
        fetch()
    assert len(host.asked) == 1


def test_patience_ends(host, fetch):
    host.plans["/a.zip"] = [answers(503)] * 9
    with pytest.raises(CorpusError, match=r"503.*Run the same command again later"):
        fetch()
    assert len(host.asked) == HASTE.attempts


def test_numbers_of_thousands_of_digits(host, fetch):
    def endless_length(handler: Handler) -> None:
        handler.head(200, "9" * 6_000)
        handler.wfile.write(handler.content)
        handler.close_connection = True

    host.plans["/a.zip"] = [answers(503, Retry_After="9" * 6_000), endless_length]
    assert fetch()[0] == CONTENT


@pytest.mark.parametrize("size", [b"-5", b"", b"zz", b"1" * 99, b"-" + b"f" * 20])
def test_chunks_of_unlawful_sizes(host, fetch, size):
    host.plans["/a.zip"] = [lawless_chunks(size)] * 9
    with pytest.raises(CorpusError, match="Run the same command again later"):
        fetch()
    assert len(host.asked) <= 2 * HASTE.attempts


def test_a_server_that_drips_is_given_up(host, fetch):
    host.plans["/a.zip"] = [drips] * 9
    started = time.monotonic()
    with pytest.raises(CorpusError, match="sends too slowly"):
        fetch()
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /",
    ],
    ids=["status", "header", "chunk", "redirection"],
)
def test_a_server_whose_headers_never_end_is_given_up(host, fetch, text):
    host.plans["/a.zip"] = [drips_before_the_content(text)] * 9
    started = time.monotonic()
    message = (
        r"a\.zip: expected the whole file, found 0 bytes and then: the server sent nothing of use"
    )
    with pytest.raises(CorpusError, match=message):
        fetch()
    assert time.monotonic() - started < 10
    assert len(host.asked) == HASTE.attempts


def test_whoever_waits_for_a_server_may_be_asked_to_for_a_minute_at_most(host, fetch, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("emobench.corpora.download.transfer.time.sleep", pauses.append)
    tomorrow = email.utils.formatdate(time.time() + 86_400, usegmt=True)
    wishes = ["1", tomorrow, "9" * 30, "soon"]
    host.plans["/a.zip"] = [answers(503, Retry_After=wish) for wish in wishes]
    assert fetch(patience=replace(HASTE, attempts=6))[0] == CONTENT
    assert pauses[:3] == [1, 60, 60]
    assert pauses[3] < 1


def test_a_body_without_an_end_stops_before_the_disk_is_full(host, fetch, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=(1 << 28) + 5_000_000))
    host.plans["/a.zip"] = [never_ends] * 9
    with pytest.raises(CorpusError, match="more than 5,000,000 bytes were sent"):
        fetch()


def test_escapes_of_a_server_are_shown(host, place, say):
    def red(handler: Handler) -> None:
        handler.send_response(404, "\x1b[31mGone\x1b[0m")
        handler.end_headers()

    host.plans["/one.zip"] = [red] * 9
    host.plans["/two.zip"] = [red] * 9
    for path in list(host.files):
        host.plans[path] = [red] * 9
    status, text = say("download", "voices", "--data", place, "--accept-licence")
    assert status == 1
    assert "\x1b" not in text
    assert r"\x1b[31mGone" in text


def test_nobody_listens(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    source = Source("http://127.0.0.1:1/a.zip")
    transfer = Transfer(source, tmp_path / "part", progress=print, notice=print)
    with pytest.raises(CorpusError, match=r"the connection failed \(.*refused"):
        transfer.fetch(HASTE)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("#md5=" + "0" * 32, "expected MD5 0000.*found"),
        ("#sha256=" + "0" * 64, "expected SHA256 0000.*found"),
        ("#bytes=7", "expected 7 bytes, as the registry says, found 500,000"),
    ],
)
def test_another_file_than_published(host, fetch, tmp_path, facts, message):
    with pytest.raises(CorpusError, match=message):
        fetch(facts)
    assert not (tmp_path / "part").exists()
    if "bytes" not in facts:
        assert (tmp_path / "refused-a.zip").read_bytes() == CONTENT


def test_a_size_where_the_server_says_none(host, fetch):
    host.plans["/a.zip"] = [without_length] * 4
    with pytest.raises(CorpusError, match="more than 499,999 bytes were sent"):
        fetch("#bytes=499999")


def test_redirections_are_followed(host, fetch):
    host.files["/new.zip"] = OTHER
    host.plans["/a.zip"] = [answers(302, Location="/b"), answers(302, Location="/b")]
    host.plans["/b"] = [answers(301, Location=host.at("/new.zip"))]
    assert fetch()[0] == OTHER


def test_redirections_in_a_circle(host, fetch):
    host.plans["/a.zip"] = [answers(302, Location="/a.zip")] * 20
    with pytest.raises(CorpusError, match="more than 10 redirections"):
        fetch()


@pytest.mark.parametrize("there", ["file:///etc/passwd", "ftp://x.org/a.zip", "data:,x"])
def test_redirections_to_elsewhere_are_not_followed(host, fetch, there):
    host.plans["/a.zip"] = [answers(302, Location=there)]
    with pytest.raises(CorpusError, match=f"sent on to another web address.*'{there}'"):
        fetch()
    assert len(host.asked) == 1


def test_redirections_keep_the_protection():
    assert connection.session_for("http://x.org/a").get_adapter("https://y.org/b")
    protected = connection.session_for("HTTPS://x.org/a")
    assert protected.get_adapter("https://y.org/b")
    with pytest.raises(requests.exceptions.InvalidSchema):
        protected.get_adapter("http://x.org/b")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(host, fetch, tmp_path):
    (tmp_path / "part.part").symlink_to("/dev/full")
    with pytest.raises(CorpusError, match=r"part: expected room for the .*found a full disk"):
        fetch()


def test_a_disk_that_is_too_small(host, fetch, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CorpusError, match=r"expected 0.5 MB of free space .*found 0.0 MB"):
        fetch()


# Archives


def zipped(members: dict[str, bytes], **changes: object) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in changes.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return stream.getvalue()


def tarred(members: dict[str, bytes], form: str = "w:gz", **changes: object) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


GOOD = {"a/1.wav": b"one" * 1000, "a/b/2.wav": b"two", "3.wav": b""}


@pytest.fixture
def opened(tmp_path):
    """Unpack an archive and return what came out, by path."""

    def run(content: bytes, limits: Limits | None = None) -> dict[str, bytes]:
        (tmp_path / "archive").write_bytes(content)
        out = tmp_path / "outer" / "out"
        shutil.rmtree(out, ignore_errors=True)
        count = unpack(
            tmp_path / "archive",
            out,
            called="x.zip",
            progress=lambda done, total: None,
            limits=limits,
        )
        files = {
            path.relative_to(out).as_posix(): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file()
        }
        assert count == len(files)
        return files

    return run


@pytest.mark.parametrize(
    "content",
    [zipped(GOOD), *(tarred(GOOD, form) for form in ("w:", "w:gz", "w:bz2", "w:xz"))],
    ids=["zip", "tar", "gz", "bz2", "xz"],
)
def test_good_archives(opened, content):
    assert opened(content) == GOOD


def test_folders_and_dots(opened):
    assert opened(zipped({"./a/": b"", "./a/./1.wav": b"1"})) == {"a/1.wav": b"1"}


def test_folders_of_old_programs(opened):
    assert opened(zipped({"a\\": b"", "a\\2.wav": b"2"})) == {"a/2.wav": b"2"}


def test_nothing_but_bytes_is_taken_over(opened, tmp_path):
    opened(tarred({"run": b"x"}, mode=0o4777))
    assert (tmp_path / "outer" / "out" / "run").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/x", "C:\\x", "c:x", "..\\x", "\\x", "//host/x", "a/..", "a\x1b[2J.wav"],
)
def test_names_that_lead_elsewhere(opened, tmp_path, make, name):
    with pytest.raises(CorpusError, match="expected names below the corpus folder"):
        opened(make({"good.wav": b"", name: b"harm"}))
    outside = {path.name for path in tmp_path.iterdir()} | {
        path.name for path in (tmp_path / "outer").glob("*")
    }
    assert outside <= {"archive", "outer", "out"}


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_name_that_is_there_twice(opened, make):
    """As two that differ in capitals are, where the file system does not tell them apart."""
    with pytest.raises(CorpusError, match=r"found 'a/1\.wav' twice"):
        opened(make({"a/1.wav": b"1", "a/./1.wav": b"2"}))


def test_names_that_differ_in_capitals(opened, tmp_path):
    (tmp_path / "x").touch()
    if (tmp_path / "X").exists():
        with pytest.raises(CorpusError, match="twice"):
            opened(zipped({"a.wav": b"1", "A.wav": b"2"}))
    else:
        assert opened(zipped({"a.wav": b"1", "A.wav": b"2"})) == {"a.wav": b"1", "A.wav": b"2"}


def test_a_zip_is_looked_at_before_anything_is_written(opened, tmp_path):
    with pytest.raises(CorpusError):
        opened(zipped({"good.wav": b"", "../x": b"harm"}))
    assert not (tmp_path / "outer").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "y"])
def test_links_and_devices_in_a_tar(opened, kind, target):
    with pytest.raises(CorpusError, match="'x', which is a link or a device"):
        opened(tarred({"x": b""}, type=kind, linkname=target))


@pytest.mark.parametrize("kind", [0o120777, 0o020666, 0o010666])
def test_links_and_devices_in_a_zip(opened, kind):
    with pytest.raises(CorpusError, match="'x', which is a link or a device"):
        opened(zipped({"x": b"/etc/passwd"}, external_attr=kind << 16, create_system=3))


SMALL = Limits(members=5, ratio=10, least=10_000, most=1_000_000)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_bombs(opened, tmp_path, make):
    with pytest.raises(CorpusError, match="content of more than 0 MB"):
        opened(make({"zeros": bytes(500_000)}), SMALL)
    with pytest.raises(CorpusError, match="content of more than 0 MB"):
        opened(make({str(number): bytes(4_000) for number in range(4)}), SMALL)
    with pytest.raises(CorpusError, match="more than 5 members"):
        opened(make({str(number): b"" for number in range(6)}), SMALL)
    assert sum(path.stat().st_size for path in tmp_path.rglob("out/*")) < 20_000


def test_holes_of_a_tar_count_as_content(opened):
    """A sparse file of a few bytes may claim to be of any size."""
    member = tarfile.TarInfo("x.wav")
    member.type = tarfile.GNUTYPE_SPARSE
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o " % (1 << 32)  # the real size, of which nothing is stored
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    with pytest.raises(CorpusError, match="content of more than 67 MB"):
        opened(gzip.compress(bytes(head) + bytes(1024)))


def test_a_zip_that_lies_about_a_size(opened):
    content = zipped({"zeros": bytes(500_000)})
    lie = content.replace(struct.pack("<I", 500_000), struct.pack("<I", 100))
    assert lie != content
    with pytest.raises(CorpusError, match=r"expected an archive that is whole"):
        opened(lie, SMALL)


def test_zeros_that_unpack_a_thousandfold_are_refused_by_default(opened):
    with pytest.raises(CorpusError, match="content of more than 67 MB"):
        opened(tarred({"zeros": bytes(70_000_000)}))


def test_a_header_that_would_fill_the_memory(opened):
    member = tarfile.TarInfo("x")
    member.type = tarfile.XHDTYPE
    member.size = 1 << 33
    with pytest.raises(CorpusError, match=r"expected an archive that is whole|content of more"):
        opened(gzip.compress(member.tobuf() + bytes(5120)))


@pytest.mark.parametrize(
    "content",
    [
        zipped(GOOD)[:-30],
        zipped(GOOD)[:40] + b"?" + zipped(GOOD)[41:],
        tarred(GOOD)[:-40],
        tarred(GOOD, "w:")[:4096],
        tarred(GOOD, "w:")[:4608] + b"?" * 512 + tarred(GOOD, "w:")[5120:],
        tarred(GOOD, "w:bz2")[:-20],
        tarred(GOOD, "w:xz")[:-20],
    ],
    ids=["cut zip", "zip", "cut gz", "cut tar", "tar", "cut bz2", "cut xz"],
)
def test_damaged_archives(opened, content):
    with pytest.raises(CorpusError, match=r"expected an archive that is whole, found: .+"):
        opened(content)


def test_an_archive_with_a_password(opened):
    content = bytearray(zipped({"x": b"y"}))
    for sign in (b"PK\x03\x04", b"PK\x01\x02"):
        content[content.index(sign) + (6 if sign[2] == 3 else 8)] |= 1
    with pytest.raises(CorpusError, match="without a password"):
        opened(bytes(content))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"", "an empty file"),
        (CONTENT, "something else"),
    ],
)
def test_no_archive(opened, content, found):
    with pytest.raises(CorpusError, match=f"expected a zip or tar archive, found {found}"):
        opened(content)


def renamed_zip(name: bytes) -> bytes:
    """Return a zip whose one member has a name of these bytes, with nothing said of them."""
    return zipped({"x" * len(name): b"1"}).replace(b"x" * len(name), name)


@pytest.mark.parametrize("encoding", ["cp850", "cp437", "utf-8"])
def test_names_of_zips_in_code_pages(opened, encoding):
    name = "Colère/Dégoût-ç.wav"
    assert opened(renamed_zip(name.encode(encoding))) == {name: b"1"}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_names_of_tars_in_other_encodings(opened, encoding):
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", encoding=encoding, format=tarfile.GNU_FORMAT
    ) as archive:
        archive.addfile(tarfile.TarInfo("Colère/Dégoût.wav"))
    assert opened(stream.getvalue()) == {"Colère/Dégoût.wav": b""}


# From an entry to a folder


ENTRY = """\
voices:
  title: Voices
  licence: {licence}
  homepage: https://voices.example
  size: small
  urls: [{urls}]
  pattern: '^(?P<speaker>[ab])_(?P<emotion>anger|fear)_(?P<repetition>\\d)\\.wav$'
  emotions: {{anger: anger, fear: fear}}
  {expect}
"""
EXPECT = "expect: {anger: 4, fear: 4, speakers: 2}"
CLIPS = [
    f"{speaker}_{emotion}_{repetition}.wav"
    for speaker in "ab"
    for emotion in ("anger", "fear")
    for repetition in (1, 2)
]


@pytest.fixture
def place(host, tmp_path, monkeypatch):
    """A registry with the corpus `voices` of two archives, and a data folder to come."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EMOBENCH_DATA", raising=False)
    clips = {name: wav_bytes(0.05) for name in CLIPS}
    host.files["/one.zip"] = zipped({f"one/{name}": clips[name] for name in CLIPS[:5]})
    host.files["/two.tgz"] = tarred({name: clips[name] for name in CLIPS[5:]})
    write_entry(host)
    return tmp_path / "data"


def write_entry(host: Host, expect: str = EXPECT, licence: str = "CC0", paths=None) -> None:
    urls = ", ".join(map(host.at, ("/one.zip", "/two.tgz") if paths is None else paths))
    Path("datasets.yaml").write_text(ENTRY.format(urls=urls, expect=expect, licence=licence))


@pytest.fixture
def deliver(place):
    def run(name: str = "voices", accept: bool = True, **options: object):
        told: list[str] = []
        delivery = downloads.download(
            corpora.load_registry().get(name),
            place,
            accept=lambda corpus: accept,
            progress=lambda what, done, total: told.append(what),
            notice=told.append,
            patience=HASTE,
            **options,
        )
        return delivery, "\n".join(told)

    return run


def test_two_archives_make_a_corpus(host, place, deliver):
    delivery, told = deliver()
    assert delivery.files == 8
    assert "unpacking two.tgz" in told
    table = corpora.load(corpora.load_registry().get("voices"), place)
    assert sorted(table.index) == [name.removesuffix(".wav") for name in CLIPS]
    stored = json.loads((place / "voices" / "download.json").read_text())
    assert stored["licence"] == "CC0"
    fetched = stored["archives"][host.at("/one.zip")]
    assert fetched["sha256"] == hashlib.sha256(host.files["/one.zip"]).hexdigest()
    assert fetched["bytes"] == len(host.files["/one.zip"])
    assert fetched["compared"] == "nothing published"
    assert [path.name for path in place.iterdir()] == ["voices"]


@pytest.mark.parametrize("expect", [EXPECT, ""])
def test_what_is_complete_is_not_fetched_again(host, place, deliver, expect):
    write_entry(host, expect)
    deliver()
    asked = len(host.asked)
    assert deliver(accept=False)[0].files == 0
    assert len(host.asked) == asked
    (place / "voices" / "one" / CLIPS[0]).unlink()
    if expect:
        assert deliver(accept=False)[0].files == 8  # the licence was accepted before
        assert len(host.asked) > asked


def test_a_copy_that_was_unpacked_by_hand_is_complete(host, place, deliver):
    for name in CLIPS:
        path = place / "voices" / "deep" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes())
    assert deliver(accept=False)[0].files == 0
    assert host.asked == []


def test_half_a_copy_is_completed_and_other_files_stay(host, place, deliver):
    folder = place / "voices"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / CLIPS[0]).write_bytes(b"cut short")
    (folder / "notes.md").write_text("mine")
    assert deliver()[0].files == 8
    assert (folder / "one" / CLIPS[0]).read_bytes().startswith(b"RIFF")
    assert (folder / "notes.md").read_text() == "mine"


def test_a_failure_leaves_what_is_of_use(host, place, deliver):
    good = host.files["/two.tgz"]
    host.files["/two.tgz"] = good[:-40]
    with pytest.raises(CorpusError, match=r"two\.tgz: expected an archive that is whole"):
        deliver()
    assert not (place / "voices").exists()
    assert not list(place.rglob("*.wav"))
    host.files["/two.tgz"] = good
    asked = len(host.asked)
    assert deliver(accept=False)[0].files == 8
    assert [path for path, _ in host.asked[asked:]] == ["/two.tgz"]


def test_a_harmful_archive_leaves_nothing_but_itself(host, place, deliver):
    good = host.files["/one.zip"]
    harmful = host.files["/one.zip"] = zipped({"a_anger_1.wav": b"", "../../../x": b"harm"})
    aside = place / ".downloads" / "voices" / "refused-one.zip"
    with pytest.raises(CorpusError, match=f"means harm. What came was set aside as {aside}; the"):
        deliver()
    assert not (place / "voices").exists()
    assert aside.read_bytes() == harmful
    host.files["/one.zip"] = good
    assert deliver()[0].files == 8
    assert aside.read_bytes() == harmful
    assert [path for path in aside.parent.iterdir() if path != aside] == []
    assert not list(place.parent.rglob("x"))


def test_archives_may_hold_files_of_one_name(host, place, deliver):
    for path in ("/one.zip", "/two.zip"):
        host.files[path] = zipped({"README": path.encode(), **{name: b"" for name in CLIPS}})
    write_entry(host, "", paths=["/one.zip", "/two.zip"])
    deliver()
    assert (place / "voices" / "README").read_text() == "/two.zip"


def test_unpacking_fails_for_lack_of_space_and_keeps_the_archives(
    host, place, deliver, monkeypatch
):
    usage = shutil.disk_usage("/")

    def full_below(path: Path) -> object:
        return usage._replace(free=10) if "unfinished" in str(path) else usage

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", full_below)
        with pytest.raises(CorpusError, match=r"of free space for what is in .*one.zip, found 0.0"):
            deliver()
    asked = len(host.asked)
    assert deliver()[0].files == 8
    assert len(host.asked) == asked


def test_a_licence_is_asked_for_once_and_again_when_it_changes(host, place, deliver):
    with pytest.raises(CorpusError, match=r"licence is accepted \(CC0\), found that it is not"):
        deliver(accept=False)
    assert not any(place.iterdir())
    assert host.asked == []
    host.plans["/two.tgz"] = [answers(404)]
    with pytest.raises(CorpusError, match="404"):
        deliver()
    assert deliver(accept=False)[0].files == 8
    (place / "voices" / CLIPS[-1]).unlink()
    write_entry(host, licence="all rights reserved")
    with pytest.raises(CorpusError, match="all rights reserved"):
        deliver(accept=False)


def test_content_that_changed_since_is_told(host, place, deliver):
    deliver()
    (place / "voices" / CLIPS[-1]).unlink()
    host.files["/two.tgz"] = tarred({name: wav_bytes() for name in CLIPS[5:]})
    assert "is another file than on" in deliver()[1]


def test_two_commands_at_once_fetch_it_once(host, place):
    asked, waited_for = threading.Event(), threading.Event()
    told: list[str] = []

    def run(accept: Callable[[object], bool], notice: Callable[[str], None]) -> object:
        voices = corpora.load_registry().get("voices")
        return downloads.download(
            voices, place, accept=accept, progress=lambda *_: None, notice=notice, patience=HASTE
        )

    def accept_when_waited_for(_: object) -> bool:
        asked.set()
        return waited_for.wait(10)

    def hear(text: str) -> None:
        told.append(text)
        waited_for.set()

    first = threading.Thread(target=run, args=(accept_when_waited_for, told.append))
    first.start()
    assert asked.wait(10)
    second = run(lambda _: False, hear)
    first.join()
    assert second.files == 0
    assert told[0] == "voices: another command is downloading it; waiting for its end"
    assert [path for path, _ in host.asked] == ["/one.zip", "/two.tgz"]
    assert [path.name for path in place.iterdir()] == ["voices"]


def test_a_damaged_record_is_no_obstacle(host, place, deliver):
    deliver()
    for text in ("", "[]", "{", '{"archives": {"x": 1}}', '{"archives": {}, "more": 1}'):
        (place / "voices" / "download.json").write_text(text)
        assert Record.read(place / "voices") == Record()
        assert deliver()[0].files == 0


def test_a_variant_goes_into_the_folder_of_its_corpus(host, place, deliver):
    with Path("datasets.yaml").open("a") as file:
        file.write(
            f"  variants: {{first: {{urls: [{host.at('/one.zip')}], "
            "expect: {anger: 3, fear: 2, speakers: 2}}}\n"
        )
    assert deliver("voices:first")[0].folder == place / "voices"
    assert deliver("voices:first")[0].files == 0
    assert deliver()[0].files == 8


def test_the_same_folder_under_another_spelling(host, place, deliver):
    (place / "Voices").mkdir(parents=True)
    assert deliver()[0].folder == place / "Voices"


# On the command line


@pytest.fixture
def say(capfd):
    def run(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return int(stop.value.code or 0), " ".join((printed.out + printed.err).split())

    return run


def test_the_command(host, place, say):
    command = ("download", "voices", "--data", place, "--accept-licence")
    status, text = say(*command)
    assert status == 0, text
    assert "8 files unpacked into" in text
    assert "ok: 8 clips, as expected" in text
    status, text = say(*command[:-1])
    assert status == 0
    assert "nothing to do" in text


def test_without_a_terminal_the_licence_must_be_accepted_by_an_option(host, place, say):
    status, text = say("download", "voices", "--data", place)
    assert status == 2
    assert "pass --accept-licence" in text
    assert host.asked == []


@pytest.mark.parametrize(("answer", "status"), [(True, 0), (False, 1)])
def test_a_person_is_asked(host, place, say, monkeypatch, answer, status):
    asked = []
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *words, **rest: asked.append(words) or answer)
    assert say("download", "voices", "--data", place)[0] == status
    assert len(asked) == 1


def test_a_copy_that_is_not_whole_after_all(host, place, say):
    write_entry(host, expect="expect: {anger: 5, fear: 4, speakers: 2}")
    status, text = say("download", "voices", "--data", place, "--accept-licence")
    assert status == 1
    assert "not ok: 8 of 9 clips" in text


def test_where_to_go_instead(host, place, say, monkeypatch, tmp_path):
    Path("datasets.yaml").unlink()
    for name in ("crema-d", "demos", "portuguese", "tess"):
        corpus = corpora.load_registry().get(name)
        if corpus.urls and corpus.access == "open":
            continue
        status, text = say("download", name, "--data", place)
        assert status == 1
        assert corpus.homepage in text
        assert corpus.size in text
        assert f"Unpack it into {place / name}" in text
    status, text = say("download", "demo", "--data", place)
    assert status == 1
    assert "there is nothing to download" in text
    assert say("download", "emo-bd", "--data", place)[0] == 2
    status, text = say("download", "emo-db")
    assert status == 1
    assert "Pass --data DIR" in text
    assert not place.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(place, say):
    place.mkdir(mode=0o500)
    status, text = say("download", "voices", "--data", place, "--accept-licence")
    assert status == 1
    assert "expected a folder that can be written" in text


def test_a_data_folder_that_is_a_file(place, say):
    place.write_text("")
    status, text = say("download", "voices", "--data", place, "--accept-licence")
    assert status == 2
    assert f"'{place}' is a file" in text


@pytest.mark.parametrize("facts", ["#md5=12", "#sha1=00", "#top", "#bytes=0", "#bytes=x"])
def test_facts_that_cannot_be_compared(host, place, facts):
    write_entry(host, paths=["/one.zip" + facts])
    with pytest.raises(SpecError, match=r"datasets.yaml, line 6: voices.urls.0: expected behind"):
        corpora.load_registry()


def test_addresses_change_no_result(host, place):
    before = corpora.load_registry().get("voices").semantic()
    write_entry(host, paths=[f"/one.zip#md5={'0' * 32}"])
    assert corpora.load_registry().get("voices").semantic() == before


def test_speech_and_song_are_fetched_from_both_archives_with_checksums():
    known = corpora.load_registry()
    speech, song = (known.get(name).urls for name in ("ravdess", "ravdess:song"))
    assert known.get("ravdess:speech+song").urls == (*speech, *song)
    sources = [Source.of(url) for url in (*speech, *song)]
    assert [source.size for source in sources] == [208_468_073, 225_505_317]
    assert all(source.has_checksum for source in sources)
    assert [source.address[-4:] for source in sources] == [".zip", ".zip"]
