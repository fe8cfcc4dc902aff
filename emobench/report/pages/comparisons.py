"""Pages that hold results against each other: speed, MP3, ranks, and what a leak is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ... import pictures
from ...analysis import bitrates
from ...analysis.speed import speeds
from ...leaderboard import Leaderboard
from ...leaderboard.price_tables import CAPTION, WARNING
from ...results.result import Result
from .. import addresses
from ..evidence import Cell, Evidence
from ..page import Page


def speed(evidence: Evidence) -> Page:
    """Return the page of UAR against clips a second."""
    groups = []
    for board in evidence.boards:
        for row in evidence.rows(board):
            found = speeds([*row.cells.values()])
            if found:
                title = f"UAR against speed on {row.title}, protocol {board.protocol}"
                picture = pictures.svg(
                    pictures.speed(found, row.chance / 100, title), len(groups) + 1
                )
                devices = list(dict.fromkeys(one.device for one in found))
                groups.append((board, row, found, devices, picture))
    content = {"groups": groups, "model_address": addresses.model}
    return Page("speed.html", "speed.html", "Speed", content, section="leaderboard")


def mp3(evidence: Evidence) -> Page:
    """Return the page of UAR against bitrate."""
    cells = {cell.result.fingerprint: cell for cell in evidence.cells}
    groups: dict[tuple[str, str, str], list[bitrates.Curve]] = {}
    for board in evidence.boards:
        for curve in bitrates.of_results(
            board.protocol, _results(evidence, board), evidence.lookup
        ):
            groups.setdefault((curve.protocol, curve.title, curve.sides), []).append(curve)
    drawn = []
    for number, (key, own) in enumerate(groups.items(), start=1):
        title = f"UAR against MP3 bitrate on {key[1]}, protocol {key[0]}"
        drawn.append((key, own, pictures.svg(pictures.bitrates(own, title), number)))
    content = {"groups": drawn, "cells": cells, "cell_address": addresses.cell}
    return Page("bitrates.html", "bitrates.html", "MP3", content, section="leaderboard")


def _results(evidence: Evidence, board: Leaderboard) -> list[Result]:
    return [cell.result for cell in evidence.cells if cell.board is board]


@dataclass(frozen=True)
class Price:
    """One model on one corpus, without and with what a protocol lets through."""

    clean: Cell
    leaking: Cell

    @property
    def points(self) -> float:
        """Return by how many points the second is higher."""
        return 100 * (self.leaking.result.scores["uar"] - self.clean.result.scores["uar"])


def prices(evidence: Evidence) -> Page:
    """Return the page of what leaks are worth."""
    found = sorted(
        _prices(evidence), key=lambda one: (one.leaking.board.protocol, one.clean.row.corpus)
    )
    content = {
        "prices": found,
        "lists": evidence.prices,
        "caption": CAPTION,
        "warning": WARNING,
        "cell_address": addresses.cell,
        "model_address": addresses.model,
        "corpus_address": addresses.corpus,
        "known": {*evidence.models},
        "corpora": {*evidence.corpora},
    }
    return Page("prices.html", "prices.html", "Price list", content, section="leaderboard")


def _prices(evidence: Evidence) -> Iterator[Price]:
    """Yield models with complete results under a protocol of either part."""
    cells = [cell for cell in evidence.plain_cells() if cell.result.complete]
    for clean in cells:
        for leaking in cells:
            alike = (clean.row.corpus, clean.result.column) == (
                leaking.row.corpus,
                leaking.result.column,
            )
            if alike and clean.board.ranked and leaking.board.leaks:
                yield Price(clean, leaking)
