"""Asking a server for a file: what to follow, what to try again, and what to give up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import requests

from ... import __version__
from ...errors import CorpusError

_MOST_REDIRECTS = 10
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


class Interrupted(Exception):
    """A transfer did not end as it should, but might if it is tried again.

    Attributes:
        pause: seconds that the server asks to wait
    """

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@contextmanager
def open_address(
    session: requests.Session, address: str, headers: Mapping[str, str], timeout: float
) -> Iterator[requests.Response]:
    """Ask for a file and give its answer, of status 200, 206 or 416, before its content.

    Raises:
        CorpusError: if the server refuses, or sends us where we do not go
        Interrupted: if it does not answer, or says that it cannot now
    """
    response = _followed(session, address, headers, timeout)
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


def _followed(
    session: requests.Session, address: str, headers: Mapping[str, str], timeout: float
) -> requests.Response:
    """Return the answer at the end of all redirections."""
    agent = {"User-Agent": f"emobench/{__version__}", "Accept-Encoding": "identity"}
    here = address
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            response = session.get(
                here,
                headers={**agent, **headers},
                stream=True,
                allow_redirects=False,
                timeout=timeout,
            )
        except (requests.exceptions.SSLError, ValueError) as error:
            raise CorpusError(
                f"{here}: expected an address that can be reached safely, found: {_cause(error)}. "
                "See the corpus' page for the right one."
            ) from error
        except requests.Timeout as error:
            raise Interrupted("the server did not answer") from error
        except requests.RequestException as error:
            raise Interrupted(f"no connection ({_cause(error)})") from error
        if not response.is_redirect:
            return response
        response.close()
        here = redirected(here, response.headers["Location"])
    raise CorpusError(
        f"{address}: expected a file, found more than {_MOST_REDIRECTS} redirections. See the "
        "corpus' page for its address."
    )


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
