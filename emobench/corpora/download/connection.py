"""Asking a server for a file: what to follow, what to try again, and what to give up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from ... import __version__
from ...errors import CorpusError

_MOST_REDIRECTS = 10
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


class Interrupted(Exception):
    """A transfer did not end as it should, but might if it is tried again.

    Attributes:
        pause: seconds that the server asks to wait
        in_vain: whether what arrived meanwhile is too little to go on like this
    """

    def __init__(self, reason: str, pause: float | None = None, in_vain: bool = False) -> None:
        super().__init__(reason)
        self.pause = pause
        self.in_vain = in_vain


@contextmanager
def open_address(
    session: requests.Session, address: str, headers: Mapping[str, str], timeout: float
) -> Iterator[requests.Response]:
    """Ask for a file and give its answer, of status 200, 206 or 416, before its content.

    Raises:
        CorpusError: if the server refuses, or sends us where we do not go
        Interrupted: if it does not answer, or says that it cannot now
    """
    response = _answer(session, address, headers, timeout)
    try:
        status = response.status_code
        said = f"{status} {response.reason}".strip()
        if status in _PASSING:
            raise Interrupted(f"the server answered {said}", _asked_pause(response))
        if status not in (200, 206, 416):
            raise CorpusError(
                f"{address}: expected a file, found that the server answers '{said}'. It may have "
                "moved or ask for a log-in: see the corpus' page."
            )
        yield response
    finally:
        response.close()


class Guarded(requests.Session):
    """Follows redirections as `redirected` allows, and asks for files as they are stored."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = _MOST_REDIRECTS
        self.headers["User-Agent"] = f"emobench/{__version__}"
        self.headers["Accept-Encoding"] = "identity"

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where a redirection leads; None if the answer is none."""
        location = super().get_redirect_target(resp)
        return None if location is None else redirected(resp.url, location)


def _answer(
    session: requests.Session, address: str, headers: Mapping[str, str], timeout: float
) -> requests.Response:
    """Return the answer at the end of all redirections."""
    try:
        return session.get(address, headers=headers, stream=True, timeout=timeout)
    except requests.TooManyRedirects as error:
        raise CorpusError(
            f"{address}: expected a file, found more than {_MOST_REDIRECTS} redirections. See the "
            "corpus' page for its address."
        ) from error
    except (requests.exceptions.SSLError, ValueError) as error:
        raise CorpusError(
            f"{address}: expected an address that can be reached safely, found: {_cause(error)}. "
            "See the corpus' page for the right one."
        ) from error
    except requests.Timeout as error:
        raise Interrupted("the server did not answer") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Interrupted(f"no connection ({_cause(error)})") from error


def redirected(here: str, location: str) -> str:
    """Return where a redirection leads.

    Raises:
        CorpusError: if that is no web address, or less protected than this one

    Examples:
        >>> redirected("https://x.org/a/b.zip", "../c.zip")
        'https://x.org/c.zip'
    """
    there = urljoin(here, location)
    allowed = ("https",) if urlsplit(here).scheme == "https" else ("https", "http")
    if urlsplit(there).scheme not in allowed:
        raise CorpusError(
            f"{here}: expected to be sent on to an address that begins with "
            f"{' or '.join(f'{scheme}://' for scheme in allowed)}, found '{there}'. It is not "
            "followed; see the corpus' page."
        )
    return there


def _asked_pause(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _cause(error: BaseException) -> str:
    """Return the innermost reason: libraries wrap it several times."""
    reason = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    inner = getattr(reason, "reason", reason)
    text = str(inner if isinstance(inner, BaseException) else error)
    return text.rpartition(">: ")[2] or type(error).__name__
