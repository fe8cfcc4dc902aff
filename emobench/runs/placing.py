"""Where the jobs of a plan run."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from .. import encoders, executors
from ..errors import SpecError
from ..executors import Card, Devices, Executor, Local
from ..experiments import takes_encoder
from ..run_options import Selection
from ..spec import Places
from .planning import Plan


def choose(planned: Plan, places: Places, notice: Callable[[str], None]) -> Executor:
    """Return where a plan's jobs run; what is not there is said before anything is extracted.

    Args:
        planned: what is run, and where it should
        places: where jobs read and write
        notice: told what networks are trained on

    Raises:
        SpecError: if a device, a package or a cluster is asked for that is not there
    """
    networks = any(spec.kind == "network" for _, specs in planned.pairs for spec in specs)
    if planned.selection.executor != "local":
        return elsewhere(planned.selection, places, networks=networks)
    return Local(planned.selection.jobs, _devices(planned, notice) if networks else Devices())


def elsewhere(selection: Selection, places: Places, *, networks: bool = False) -> Executor:
    """Return an executor of several machines.

    Args:
        selection: which
        places: where it reads and writes
        networks: whether networks are to be trained

    Raises:
        SpecError: if a device, a package or a cluster is asked for that is not there
    """
    if selection.executor == "ray":
        _insist_on_package("ray", "ray")
        from ..executors.ray import connect

        return connect(
            selection.address,
            places,
            jobs=selection.jobs,
            threads=selection.threads,
            networks=networks,
            wanted=executors.parse(selection.device),
            workers_per_card=selection.workers_per_device,
        )
    _insist_on_package("submitit", "slurm")
    from ..executors.slurm import Slurm
    from ..executors.slurm_options import parse

    return Slurm(
        parse(selection.slurm),
        places,
        processes=selection.jobs,
        threads=selection.threads,
        wanted=executors.parse(selection.device) if networks else None,
        backend=selection.backend,
        workers_per_card=selection.workers_per_device,
    )


def processors() -> int:
    """Return how many processors this process may use."""
    from joblib import cpu_count

    return cpu_count()


def _devices(planned: Plan, notice: Callable[[str], None]) -> Devices:
    """Return what this machine has to train networks on."""
    found = devices(planned.selection)
    if found.note:
        notice(found.note)
    return found


def devices(selection: Selection) -> Devices:
    """Return what this machine has to train networks on; it is looked for once.

    Args:
        selection: where networks are to be trained

    Raises:
        SpecError: if a device is asked for that is not there
    """
    return _look(
        selection.device, selection.backend, selection.workers_per_device, _visible_cards()
    )


def encoding(planned: Plan, places: Places, notice: Callable[[str], None]) -> tuple[Card, ...]:
    """Return the cards that the frozen encoder of a plan is computed on; none for the CPU.

    Ray computes it on its own. Under Slurm it may still be computed here, on what this machine has
    unless that is not wanted.

    Args:
        planned: what is run, and where it should
        places: where the encoder is
        notice: told which cards

    Raises:
        SpecError: if a device is asked for that is not there
    """
    if places.encoder is None or not any(
        takes_encoder(model) for _, models in planned.pairs for model in models
    ):
        return ()
    selection = planned.selection
    if selection.executor == "ray":
        return ()
    elsewhere = selection.executor == "slurm" and selection.device != "cpu"
    device = "auto" if elsewhere else selection.device
    found = cards_for(places.encoder, device, workers_per_device=selection.workers_per_device)
    if found:
        name = encoders.read_card(places.encoder).name
        notice(f"{name} is computed on {', '.join(map(str, found))}, before anything trains")
    return found


def cards_for(
    encoder: Path, device: str = "auto", *, workers_per_device: int = 1
) -> tuple[Card, ...]:
    """Return the cards that a frozen encoder is computed on; none for the CPU.

    Args:
        encoder: its folder
        device: the word after --device
        workers_per_device: as in `devices`, whose answer is used again where it is the same

    Raises:
        SpecError: if a device is asked for that is not there, or the encoder's card is wrong
    """
    backend = encoders.accelerator(encoder)
    if backend is None:
        return ()
    return _look(device, backend, workers_per_device, _visible_cards()).cards


def _visible_cards() -> str | None:
    return os.environ.get("CUDA_VISIBLE_DEVICES")


@lru_cache(maxsize=4)
def _look(device: str, backend: str, workers: int, visible: str | None) -> Devices:
    return executors.find(executors.parse(device), backend, workers_per_card=workers)


def _insist_on_package(package: str, executor: str) -> None:
    """Refuse an executor whose package is not installed."""
    if importlib.util.find_spec(package) is None:
        raise SpecError(
            f"--executor {executor}: expected the package {package}, found that it is not "
            f"installed. Run `pip install 'emobench[{executor}]'`."
        )
