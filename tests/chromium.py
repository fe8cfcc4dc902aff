"""Drives a headless Chromium through its own protocol, over a pipe: needs nothing but Chromium.

`python tests/chromium.py PAGE PICTURE` writes a picture of what a page shows first.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PATH = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--disable-extensions", "--mute-audio"),
    *("--remote-debugging-pipe", "--font-render-hinting=none", "about:blank"),
)
_PATIENCE_SECONDS = 120


class Browser:
    """A Chromium with a profile of its own, ended with its children."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # Away from 3 and 4, which is where Chromium looks for the pipe.
        ends = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (to_read, to_write)]
        actions = [(os.POSIX_SPAWN_DUP2, ends[0], 3), (os.POSIX_SPAWN_DUP2, ends[1], 4)]
        with open(profile.parent / "chromium.log", "wb") as log:
            actions.append((os.POSIX_SPAWN_DUP2, log.fileno(), 2))
            arguments = [str(PATH), f"--user-data-dir={profile}", *_FLAGS]
            self._process = os.posix_spawn(
                str(PATH), arguments, os.environ, file_actions=actions, setsid=True
            )
        for end in (to_read, to_write, *ends):
            os.close(end)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        """End it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Ask for something and return the answer; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def receive(self) -> dict[str, Any]:
        """Return the next message."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            content = os.read(self._read, 1 << 20) if ready else b""
            assert content, "Chromium does not answer"
            self._buffer += content
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, path: Path | str, **settings: Any) -> Tab:
        """Return a tab with a page from disk, loaded, with the network off."""
        return Tab(self, path, **settings)


class Tab:
    """One page that was opened."""

    def __init__(
        self,
        browser: Browser,
        path: Path | str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        scripts: bool = True,
    ) -> None:
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.go(path)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the page for something."""
        return self._browser.call(method, self._session, **parameters)

    def go(self, path: Path | str) -> None:
        """Load a page, from a path or from an address, and wait for it."""
        url = path if isinstance(path, str) else path.resolve().as_uri()
        done = len(self._browser.events)
        answer = self.call("Page.navigate", url=url)
        assert not answer.get("errorText"), (url, answer)
        if "loaderId" in answer:
            self.wait_for("Page.loadEventFired", done)

    def wait_for(self, event: str, since: int) -> None:
        """Wait for an event after some that are known."""
        while not any(
            one.get("method") == event and one.get("sessionId") == self._session
            for one in self._browser.events[since:]
        ):
            self._browser.events.append(self._browser.receive())

    def evaluate(self, expression: str) -> Any:
        """Return what an expression gives in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key and let it go."""
        typed = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **(typed if kind == "keyDown" else {}),
            )

    def follow(self, selector: str) -> None:
        """Click an element that leads to another page, and wait for that."""
        done = len(self._browser.events)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait_for("Page.loadEventFired", done)

    def screenshot(self, *, whole: bool = True) -> bytes:
        """Return a PNG of the page, or of the part in the window."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])

    @property
    def complaints(self) -> list[str]:
        """Return errors and warnings of the console, and exceptions."""
        found = []
        for one in self._own():
            method, content = one["method"], one["params"]
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(content["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled":
                found.append(json.dumps(content["args"]))
            elif method == "Log.entryAdded":
                found.append(content["entry"]["text"])
        return found

    @property
    def requests(self) -> list[str]:
        """Return the address of everything that was asked for."""
        return [
            one["params"]["request"]["url"]
            for one in self._own()
            if one["method"] == "Network.requestWillBeSent"
        ]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return all that the browser said so far."""
        return self._browser.events

    def close(self) -> None:
        """Close the page."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def _own(self) -> list[dict[str, Any]]:
        return [one for one in self._browser.events if one.get("sessionId") == self._session]


def _picture(page: str, picture: str) -> None:
    """Write a PNG of the part of a page that is seen first; a view may follow its path."""
    path, hash_, view = page.partition("#")
    address = Path(path).resolve().as_uri() + hash_ + view
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(Path(folder) / "profile")
        try:
            tab = browser.open(address, height=980)
            Path(picture).write_bytes(tab.screenshot(whole=False))
        finally:
            browser.close()


if __name__ == "__main__":
    _picture(*sys.argv[1:])
