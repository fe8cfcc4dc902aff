"""A Ray cluster on this machine as `ray start` makes it: it can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

MEMORY = 80 * 2**20
"""Least object store that Ray accepts, and far more than is used."""

_START = "from ray.scripts.scripts import main; main()"


class SmallRay:
    """Nodes with a CPU each.

    Args:
        folder: where Ray keeps its files; a short path, which its sockets need
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.environment = os.environ | {"RAY_AUTH_MODE": "disabled"}

    def start(self) -> None:
        """Start the head, at the same address each time."""
        port = self.address.split(":")[1]
        more = [f"--temp-dir={self._folder}", "--include-dashboard=false"]
        self._start("--head", f"--port={port}", *more)

    def join(self, *within: str) -> None:
        """Start another node.

        Args:
            within: command that is to run what starts it
        """
        self._start(f"--address={self.address}", within=within)

    def kill(self) -> None:
        """Kill all of it."""
        ended = []
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self._folder) in word for word in process.info["cmdline"] or []):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
                ended.append(process)
        psutil.wait_procs(ended, timeout=10)

    def _start(self, *options: str, within: tuple[str, ...] = ()) -> None:
        command = [*within, sys.executable, "-c", _START, "start", "--num-cpus=1", *options]
        command += [f"--object-store-memory={MEMORY}", "--min-worker-port=0", "--max-worker-port=0"]
        environment = self.environment | {"RAY_USAGE_STATS_ENABLED": "0"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
