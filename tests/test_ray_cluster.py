"""Joining a Ray cluster, and losing its head."""

from __future__ import annotations

import re
import socket
import time

import pytest

ray = pytest.importorskip("ray", reason="needs the package ray (pip install emobench[ray])")

from ray._private.utils import check_version_info  # noqa: E402

from emobench.errors import EmobenchError, SpecError  # noqa: E402
from emobench.executors import ray_cluster  # noqa: E402
from emobench.executors.ray_cluster import Head, join  # noqa: E402


@pytest.mark.parametrize("address", [None, "auto"])
def test_an_address_of_the_environment_where_no_cluster_is(address, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    message = "RAY_ADDRESS 127.0.0.1:1: expected .* nothing answers there .* or unset RAY_ADDRESS"
    with pytest.raises(SpecError, match=message):
        join(address)


def test_both_versions_of_a_mismatch_are_told(monkeypatch):
    theirs = {"ray_version": "2.9.3", "python_version": "3.9.18"}
    monkeypatch.setattr(ray, "init", lambda **given: check_version_info(theirs, "box7"))
    with pytest.raises(SpecError) as told:
        join("auto")
    assert "\n" not in str(told.value)
    said = f"Ray: 2.9.3 Python: 3.9.18 .* Ray: {re.escape(ray.__version__)} Python: 3"
    assert re.search(said, str(told.value))
    assert "Install the same versions" in str(told.value)


LAST = """Traceback (most recent call last):
  File "ray/_private/node.py", line 996, in _init_gcs_client
    client = GcsClient(
             ^^^^^^^^^^
"""


def test_why_a_cluster_takes_no_part_of_this_process_is_told(monkeypatch):
    def refuse(**given: object) -> None:
        try:
            raise RuntimeError(f"Last: {LAST}box7 is no node")
        except RuntimeError as error:
            raise ConnectionError("Failed to connect to Ray cluster at x:1") from error

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(SpecError, match=r"at x:1: Last: box7 is no node .*RAY_AUTH_MODE=token"):
        join("auto")


class Port:
    """A port of this machine at which someone may listen."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.number = self.listener.getsockname()[1]
        self.cluster = "one"

    def close(self) -> None:
        self.listener.close()

    def open(self, cluster: str) -> None:
        self.cluster = cluster
        self.listener = socket.create_server(("127.0.0.1", self.number))


@pytest.fixture
def port():
    opened = Port()
    yield opened
    opened.close()


@pytest.fixture
def head(port, monkeypatch):
    monkeypatch.setattr(ray_cluster, "_PULSE_SECONDS", 0.01)
    monkeypatch.setattr(ray_cluster, "_AWAY_SECONDS", 0.5)
    watched = Head(f"127.0.0.1:{port.number}", lambda address: port.cluster)
    yield watched
    watched.close()


def pause(seconds: float, head: Head) -> None:
    """Insist on a head meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        head.insist()
        time.sleep(0.02)


def test_a_head_that_stays_away_ends_the_run(port, head):
    pause(0.1, head)
    port.close()
    with pytest.raises(EmobenchError, match=r"nothing has answered there .* same command again"):
        pause(5, head)


def test_a_head_that_is_started_anew_ends_the_run(port, head):
    port.close()
    pause(0.2, head)
    port.open("another")
    with pytest.raises(EmobenchError, match=r"it was started anew .* same command again"):
        pause(5, head)


def test_a_head_that_comes_back_is_waited_for(port, head):
    port.close()
    pause(0.2, head)
    assert head.is_away
    port.open("one")
    pause(0.7, head)  # longer than it may be away
    assert not head.is_away
