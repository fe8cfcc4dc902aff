"""What networks are trained on: the word after --device, and what this machine has for it.

Looking must not touch a card from the process that runs everything: it lives long, forks, and
would hold memory. Where no driver is installed nothing is asked; else a short process is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .. import environment
from ..errors import SpecError

OPTION = "--device"
GRAMMAR = "auto, cpu, gpu, or cards by number such as gpu:0 or gpu:0,gpu:1"

_DRIVER_FILES = ("/dev/nvidiactl", "/dev/dxg")
_PATIENCE_SECONDS = 300
_LOOK = "from emobench.training.devices import report; report(trying={})"
_WITHOUT_TENSORS = ("onnxruntime",)
"""Backends that cannot be tried without a model."""


@dataclass(frozen=True)
class Wanted:
    """What the user asks networks to be trained on.

    Attributes:
        kind: "auto" is a card where there is one
        numbers: of cards, as this process may see them; empty for every one
    """

    kind: Literal["auto", "cpu", "gpu"] = "auto"
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Card:
    """A graphics card.

    Attributes:
        number: as in `gpu:0`
        address: value of CUDA_VISIBLE_DEVICES that shows it alone
        name: as its driver says
        memory_mib: all of its memory
        bus: its address on the PCI bus, such as "0000:17:00.0"
    """

    number: int
    address: str
    name: str = ""
    memory_mib: int = 0
    bus: str = ""

    def __str__(self) -> str:
        """Return number and name, such as `gpu:0 NVIDIA H100`."""
        return f"gpu:{self.number} {self.name}".strip()


@dataclass(frozen=True)
class Devices:
    """What networks are trained on.

    Attributes:
        cards: none for the CPU
        workers_per_card: processes that divide each of them
        note: what the user should know, or ""
    """

    cards: tuple[Card, ...] = ()
    workers_per_card: int = 1
    note: str = ""


@dataclass(frozen=True)
class _Seen:
    """Cards that a backend can use, or why there are none and what helps."""

    cards: tuple[Card, ...] = ()
    why: str = ""
    remedy: str = ""
    idle: str = ""


def parse(text: str) -> Wanted:
    """Return what a word after --device asks for.

    Raises:
        SpecError: if it is none of those that there are

    Examples:
        >>> parse("gpu:0,gpu:2").numbers
        (0, 2)
    """
    parts = text.strip().lower().split(",")
    if parts in (["auto"], ["cpu"], ["gpu"]):
        return Wanted(parts[0])
    numbers = [part.removeprefix("gpu:") for part in parts]
    plain = all(number.isascii() and number.isdigit() for number in numbers)
    if not plain or any(part == number for part, number in zip(parts, numbers, strict=True)):
        raise SpecError(f"{OPTION}: expected {GRAMMAR}; found '{text}'.")
    if len(set(map(int, numbers))) < len(numbers):
        raise SpecError(f"{OPTION}: expected each card once, found '{text}'.")
    return Wanted("gpu", tuple(map(int, numbers)))


def find(
    wanted: Wanted,
    backend: str,
    *,
    workers_per_card: int = 1,
    base: Mapping[str, str] | None = None,
) -> Devices:
    """Look what there is of what is wanted.

    Args:
        wanted: what the user asks for
        backend: what trains the networks, or computes with one
        workers_per_card: processes that divide each card
        base: the caller's environment; by default this process'

    Raises:
        SpecError: if a card is asked for that is not there or that the backend cannot use
    """
    if wanted.kind == "cpu":
        return Devices()
    seen = _look(backend, dict(os.environ if base is None else base))
    if not seen.cards:
        if wanted.kind == "auto":
            note = f"networks train on the CPU: {seen.why}. {seen.remedy}." if seen.idle else ""
            return Devices(note=note)
        raise SpecError(
            f"{OPTION}: expected a graphics card that {backend} can use, found none: {seen.why}. "
            f"{seen.remedy}, or use --device cpu."
        )
    chosen = _chosen(wanted.numbers, seen.cards)
    names = ", ".join(f"{card} ({card.memory_mib} MiB)" for card in chosen)
    return Devices(chosen, workers_per_card, f"networks train on {names}")


def _chosen(numbers: Sequence[int], cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """Return the cards of these numbers, or all."""
    unknown = [number for number in numbers if number >= len(cards)]
    if unknown:
        raise SpecError(
            f"{OPTION}: expected {' or '.join(f'gpu:{card.number}' for card in cards)} "
            f"({', '.join(map(str, cards))}), found {', '.join(f'gpu:{one}' for one in unknown)}."
        )
    return tuple(cards[number] for number in numbers) or cards


def _look(backend: str, base: dict[str, str]) -> _Seen:
    """Find the cards that a backend can use."""
    visible = base.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and not _addresses(visible):
        return _Seen(
            why=f"CUDA_VISIBLE_DEVICES='{visible}' hides every card",
            remedy="Unset it, or name cards in it",
        )
    if not _driver_installed():
        return _Seen(
            why="there is no NVIDIA driver (looked for the command nvidia-smi and for "
            f"{' and '.join(_DRIVER_FILES)})",
            remedy="Install the driver, or run on a machine with a card",
        )
    answer, trouble = _ask(backend, environment.for_looking(backend, base))
    if trouble:
        return _Seen(why=f"{backend} fails: {trouble}", remedy="Mend that", idle="unknown")
    offered = ", ".join(name for name, *_ in answer["cards"])
    if not offered:
        hint = "" if visible is None else f" with CUDA_VISIBLE_DEVICES='{visible}'"
        return _Seen(
            why=f"the NVIDIA driver shows none{hint}",
            remedy="See what `nvidia-smi` says"
            + ("" if visible is None else ", or unset CUDA_VISIBLE_DEVICES"),
        )
    if not answer["seen"]:
        return _Seen(
            why=f"the driver offers {offered}, but {backend} does not use it",
            remedy="Run `pip install 'emobench[gpu]'`",
            idle=offered,
        )
    addresses = _addresses(visible) if visible is not None else map(str, range(10_000))
    described = zip(answer["cards"], addresses, strict=False)
    return _Seen(tuple(Card(i, at, *card) for i, (card, at) in enumerate(described)))


def _addresses(visible: str) -> list[str]:
    """Return what CUDA_VISIBLE_DEVICES names; CUDA stops reading at the first that is no card."""
    found = []
    for part in (part.strip() for part in visible.split(",")):
        if not part or part.startswith("-"):
            break
        found.append(part)
    return found


def _driver_installed() -> bool:
    """Tell whether there is any sign of an NVIDIA driver; costs nothing."""
    return bool(shutil.which("nvidia-smi")) or any(Path(path).exists() for path in _DRIVER_FILES)


def _ask(backend: str, environment: dict[str, str]) -> tuple[dict, str]:
    """Let a short process look; return what it saw, or what went wrong."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _LOOK.format(backend not in _WITHOUT_TENSORS)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, f"it does not answer within {_PATIENCE_SECONDS} s"
    lines = done.stdout.split("\n")
    if done.returncode:
        said = done.stderr.strip().split("\n")[-1]
        return {}, said or f"exit status {done.returncode}"
    return json.loads(next(line for line in reversed(lines) if line.strip())), ""
