"""The Ray cluster that a run is part of: joining it, and noticing that its head is gone."""

from __future__ import annotations

import os
import socket
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Literal

import ray

from ..errors import EmobenchError, SpecError

_PATIENCE_SECONDS = 5
_LONGEST = 400
_PULSE_SECONDS = 1.0
_AWAY_SECONDS = 30.0
"""How long a head may be away; Ray itself ends this process, without a word of use, after 60."""


def insist_on_cluster(address: str | None) -> None:
    """Refuse another cluster than the one that this process is part of already.

    Raises:
        SpecError: if the address is another
    """
    own = ray.get_runtime_context().gcs_address
    if address not in (None, "auto", own):
        raise SpecError(
            f"--address {address}: expected the Ray cluster that this process is part of, {own}. "
            "Call ray.shutdown() first, or leave the address out."
        )


def join(address: str | None) -> None:
    """Connect to a cluster, or start one.

    Args:
        address: of the cluster; None for what Ray's environment says, or a new one

    Raises:
        SpecError: if no cluster is there, or it takes no part of this process
    """
    option, remedy = "--address", "leave --address out"
    named = os.environ.get("RAY_ADDRESS") if address in (None, "auto") else None
    if named:  # Ray heeds it rather than "auto"
        option, remedy = "RAY_ADDRESS", "unset RAY_ADDRESS"
    _insist_on_answer(named or address, option, remedy)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told of what is run
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SpecError(
            f"{option} {named or address or ''}: expected a Ray cluster, found: "
            f"{_in_one_line(error)} {_what_helps(error, remedy)}"
        ) from error


def described() -> str:
    """Return the nodes of the cluster in a few words."""
    alive = [node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]]
    return f"a cluster of {len(alive)} ({', '.join(sorted(set(alive))[:5])})"


class Head:
    """Watches the head of a cluster, in a thread of its own, for as long as a run lasts.

    Ray asks for its head again and again where it is gone, for a minute, and then ends the process;
    of one that was started anew, and knows no worker of the old one, it expects an answer for ever.
    Ray's own calls are of no use to find out: some of them hold everything up meanwhile.

    Args:
        address: of the head
        identity: tells which cluster answers at an address; "" where that cannot be told
    """

    def __init__(self, address: str, identity: Callable[[str], str]) -> None:
        self._address, self._identity = address, identity
        self._own = identity(address)
        self._away_since: float | None = None  # None while it is there
        self._trouble = ""
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="head", daemon=True).start()

    @property
    def is_away(self) -> bool:
        """Whether it does not answer just now, or is another."""
        return self._away_since is not None

    def insist(self) -> None:
        """Refuse to go on without it.

        Raises:
            EmobenchError: if it is gone for long, or was started anew
        """
        if self._trouble:
            raise EmobenchError(
                f"Ray cluster at {self._address}: expected its head to go on, found that "
                f"{self._trouble}, and run the same command again: what was filed is kept."
            )

    def close(self) -> None:
        """Watch it no longer."""
        self._over.set()

    def _watch(self) -> None:
        while not self._trouble and not self._over.wait(_PULSE_SECONDS):
            seen = self._look()
            if seen == "there":
                self._away_since = None
                continue
            self._away_since = self._away_since or time.monotonic()
            if seen == "other":
                self._trouble = (
                    "it was started anew and knows nothing of this run. See that the other nodes "
                    "have joined it"
                )
            elif time.monotonic() - self._away_since > _AWAY_SECONDS:
                self._trouble = (
                    f"nothing has answered there for {_AWAY_SECONDS:.0f} s. Start it with "
                    "`ray start --head`, and the other nodes as well"
                )

    def _look(self) -> Literal["there", "away", "other"]:
        if _unanswered(self._address):
            return "away"
        if self._away_since is None:
            return "there"
        found = self._identity(self._address)
        if self._own and not found:
            return "away"  # it is about to start
        return "there" if found and found == self._own else "other"


def head() -> Head:
    """Return the head of the cluster that this process is part of, watched."""
    return Head(ray.get_runtime_context().gcs_address, _identity)


def _identity(address: str) -> str:
    """Return what tells a cluster from one that is started later at the same address."""
    try:
        from ray._raylet import GcsClient  # nothing public tells it

        return GcsClient(address=address).cluster_id.hex()
    except Exception:  # it is about to start, or Ray has changed
        return ""


def _insist_on_answer(address: str | None, option: str, remedy: str) -> None:
    """Refuse an address at which nothing listens; Ray itself would try for minutes."""
    if address in (None, "auto") or (address == "local" and option == "RAY_ADDRESS"):
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not (colon and host and port.isdigit()):
        raise SpecError(f"{option}: expected HOST:PORT or auto, found '{address}'.")
    if error := _unanswered(address):
        raise SpecError(
            f"{option} {address}: expected a Ray cluster, found that nothing answers there "
            f"({error}). Start one with `ray start --head`, which prints its address, or "
            f"{remedy} to have one started for the run."
        )


def _unanswered(address: str) -> Exception | None:
    """Return why nothing answers at HOST:PORT; None if something does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as error:
        return error
    return None


def _in_one_line(error: BaseException) -> str:
    """Return what an error says, and why it was raised: Ray gives versions in further lines."""
    before, _, trace = str(error).partition("Traceback (most recent call last):")
    ends = [line for line in trace.split("\n") if not line.startswith(" ")]
    said = " ".join(" ".join([before, *ends]).split())
    if error.__cause__ is not None:
        said = f"{said.rstrip('.')}: {_in_one_line(error.__cause__)}"
    return textwrap.shorten(said, _LONGEST, placeholder=" …")


def _what_helps(error: BaseException, remedy: str) -> str:
    if "Version mismatch" in str(error):
        return "Install the same versions of Ray and of Python here as on the cluster's nodes."
    if os.environ.get("RAY_AUTH_MODE") is None and "Failed to connect" in str(error):
        return (
            "Give the command on a node of the cluster, with RAY_AUTH_MODE=token if it was started "
            f"with a token, or {remedy} to have one started for the run."
        )
    return f"Start one with `ray start --head`, or {remedy} to have one started for the run."
