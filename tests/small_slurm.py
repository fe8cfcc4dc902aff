"""Brings up a Slurm cluster whose two nodes are daemons on this machine, in a folder of its own.

`python tests/small_slurm.py FOLDER` does so until Ctrl-C; nothing outside the folder is written,
and no right of root is needed. Debian and Ubuntu have what it takes:
`apt-get install munge slurmctld slurmd slurm-client`.
"""

from __future__ import annotations

import getpass
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

NODES = ("first", "second")
LACKING = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name)]
_PATIENCE_SECONDS = 60

_CONFIGURATION = """\
ClusterName=emobench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,sched_min_interval=1
SlurmdParameters=config_overrides
SlurmdTimeout=10
KillWait=2
ReturnToService=2
JobRequeue=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={nodes[0]} Port={ports[1]} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2
NodeName={nodes[1]} Port={ports[2]} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2
PartitionName=main Nodes=ALL Default=YES MaxTime=60 PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=60 PriorityTier=9 PreemptMode=OFF
"""


class Cluster:
    """A controller and two nodes of two CPUs each.

    A partition `urgent` takes the nodes from the jobs of `main`, which are then queued again; a job
    that was queued again starts after some seconds instead of minutes.

    Args:
        folder: for all that it writes; its path must be short, as it holds a socket
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.configuration = self.folder / "slurm.conf"
        self._processes: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        """Bring it up, and wait until both nodes are idle."""
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(128))
        self.configuration.write_text(
            _CONFIGURATION.format(
                host=platform.node().partition(".")[0],
                ports=_free_ports(3),
                user=getpass.getuser(),
                folder=self.folder,
                nodes=NODES,
            )
        )
        files = {"key-file": key.name, "socket": "munge.socket", "seed-file": "munge.seed"}
        files |= {"log-file": "munged.log", "pid-file": "munged.pid"}
        paths = [f"--{name}={self.folder / file}" for name, file in files.items()]
        self._run("munged", "--foreground", "--force", *paths)
        _wait((self.folder / "munge.socket").exists, "munged makes its socket")
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        _wait(lambda: self.told("sinfo", "-h", "-o", "%D %t", "-p", "main") == "2 idle", "sinfo")

    def start_controller(self) -> None:
        """Start the controller, which knows again what it knew."""
        self._run("slurmctld", "-D", "-f", str(self.configuration))

    def stop_controller(self) -> None:
        """End the controller; jobs go on."""
        self._end("slurmctld")

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._run(node, "-D", "-f", str(self.configuration), "-N", node, program="slurmd")

    def kill_node(self, node: str) -> None:
        """Kill the daemon of a node, and all that runs there, as if its plug were pulled."""
        daemon = self._processes.pop(node)
        daemon.kill()
        daemon.wait()
        for process in self._on(node):
            for one in (process, *process.parents()):
                if one == process or one.name().startswith("slurmstepd"):
                    with suppress(psutil.Error):
                        one.kill()

    def stop(self) -> None:
        """End everything."""
        for node in NODES:
            if node in self._processes:
                self.kill_node(node)
        for process in psutil.process_iter():  # steps that wait for the controller to hear of them
            with suppress(psutil.Error):
                seen = process.environ().get("SLURM_CONF")
                if process.name().startswith("slurmstepd") and seen == str(self.configuration):
                    process.kill()
        for name in reversed(list(self._processes)):
            self._end(name)

    def told(self, *command: str) -> str:
        """Return what one of Slurm's commands prints; "" where it fails."""
        environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _run(self, name: str, *arguments: str, program: str = "") -> None:
        with open(self.folder / f"{name}.out", "ab") as log:
            self._processes[name] = subprocess.Popen(
                [shutil.which(program or name), *arguments],
                env=os.environ | {"SLURM_CONF": str(self.configuration)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _on(self, node: str) -> Iterator[psutil.Process]:
        """Yield the processes of jobs on a node."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                seen = process.environ()
                of_ours = seen.get("SLURM_CONF") == str(self.configuration)
                if of_ours and seen.get("SLURMD_NODENAME") == node:
                    yield process


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Bring a cluster up, and end it."""
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait(reached, what: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not reached():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {_PATIENCE_SECONDS} s")
        time.sleep(0.05)


def main() -> None:
    """Keep a cluster up."""
    if len(sys.argv) != 2 or LACKING:
        sys.exit(f"{__doc__}\nNot installed: {', '.join(LACKING) or 'nothing'}")
    with cluster(Path(sys.argv[1])) as made, suppress(KeyboardInterrupt):
        print(f"export SLURM_CONF={made.configuration}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
