"""Asking a server for a file: what is followed, how long it is waited for, what is given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from typing import Any

import requests
import urllib3

from ... import __version__
from ...errors import CorpusError

_MOST_REDIRECTS = 10
_CHUNK = 1 << 16


class Interrupted(Exception):
    """A transfer did not end as it should, but might if it is tried again.

    Attributes:
        retry_after: when the server wants to be asked again, in its words
    """

    def __init__(self, reason: str, retry_after: str | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@contextmanager
def asked(
    address: str, headers: Mapping[str, str], timeout: float
) -> Iterator[Callable[[float], Any]]:
    """Ask for a file; give what waits for the parts of the answer, so many seconds for each.

    The first part is the response without its content, the next ones are pieces of the content as
    it was sent, and the last one is empty. A server that sends a byte now and then can keep a
    reader of headers or sizes busy for as long as it likes, whatever the timeout of the socket: so
    a thread reads, and whoever waits for it goes on when he has waited long enough.

    Args:
        address: of the file
        headers: of the request
        timeout: longest silence of the socket, in seconds

    Raises:
        CorpusError: if the server sends us where we do not go, or in a circle
        Interrupted: if it does not answer, or not as it should
    """
    parts: Queue[Any] = Queue(maxsize=4)
    left = threading.Event()

    def tell(part: object) -> None:
        while not left.is_set():
            with suppress(Full):
                return parts.put(part, timeout=1)

    def listen() -> None:
        try:
            with (
                session_for(address) as session,
                session.get(address, headers=headers, stream=True, timeout=timeout) as response,
            ):
                tell(response)
                # As it was sent, and as it comes: nobody waits for a whole piece.
                while piece := response.raw.read1(_CHUNK, decode_content=False):
                    tell(piece)
            tell(b"")
        except Exception as error:  # for what is no HTTP, libraries fail in ways of their own
            tell(_understood(address, error))

    def wait(seconds: float) -> Any:
        try:
            part = parts.get(timeout=seconds)
        except Empty:
            raise Interrupted(f"the server sent nothing of use for {seconds:.3g} s") from None
        if isinstance(part, Exception):
            raise part
        return part

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield wait
    finally:
        left.set()


def session_for(address: str) -> requests.Session:
    """Return what asks for files as they are stored; no redirection leads it out of HTTPS."""
    session = requests.Session()
    session.max_redirects = _MOST_REDIRECTS
    session.headers.update({"User-Agent": f"emobench/{__version__}", "Accept-Encoding": "identity"})
    if address.lower().startswith("https:"):
        del session.adapters["http://"]
    return session


def _understood(address: str, error: Exception) -> Exception:
    """Return what an error means: something to try again, or the end."""
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:  # libraries wrap it several times
        cause = inner
    if isinstance(error, requests.TooManyRedirects):
        found = f"expected a file, found more than {_MOST_REDIRECTS} redirections"
    elif isinstance(error, requests.exceptions.InvalidSchema):
        found = f"expected to be sent on to another web address as safe as this, found: {error}"
    elif isinstance(error, requests.exceptions.SSLError | requests.exceptions.InvalidURL):
        found = f"expected an address that can be reached safely, found: {cause}"
    elif isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return Interrupted("the server fell silent")
    else:
        return Interrupted(f"the connection failed ({str(cause) or type(cause).__name__})")
    return CorpusError(f"{address}: {found}. See the corpus' page for the right address.")
