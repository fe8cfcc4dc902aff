"""Hyper-parameters of the models of Wang et al. (2020), and the inputs that follow from them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from ...spec import InputSpec

Shape = tuple[int | None, ...]

PAPER_RATE = 1e-4
AUTHORS_RATE = 1e-3
AUTHORS_HALVE_AFTER = (10, 20, 30)

_BANDS = {("paper", "fine"): 64, ("paper", "coarse"): 128} | {
    ("authors", "fine"): 128,
    ("authors", "coarse"): 256,
}
_FRAMES = {("paper", "fine"): 460, ("paper", "coarse"): 230} | {
    ("authors", "fine"): 230,
    ("authors", "coarse"): 120,
}
"""Frames of a clip of IEMOCAP's median length, as the authors fixed them."""


@dataclass(frozen=True)
class Config:
    """Hyper-parameters of every model of the paper, and of base 1, which has no more.

    Attributes:
        units: of each LSTM
        layers: LSTMs on top of each other
        learning_rate: of Adam; 1e-3 where the schedule is the authors', unless told
        halve_after: epochs after which the rate is halved; 10, 20 and 30 where the schedule is
            the authors', unless told
        batch_size: in clips
        epochs: of training
        preset: "paper" or "authors": what the paper says, or what the authors' released code and
            logged results have (D-01, D-05)
        schedule: whose learning rate is used, the preset's unless told
    """

    units: int = 200
    layers: int = 2
    learning_rate: float = PAPER_RATE
    halve_after: tuple[int, ...] = ()
    batch_size: int = 128
    epochs: int = 50
    preset: Literal["paper", "authors"] = "paper"
    schedule: Literal["preset", "paper", "authors"] = "preset"

    def settled(self, told: Collection[str]) -> Self:
        """Return this with what its schedule brings, but for what was told otherwise.

        Args:
            told: names of the fields that were given
        """
        schedule = self.preset if self.schedule == "preset" else self.schedule
        brought = {"learning_rate": AUTHORS_RATE, "halve_after": AUTHORS_HALVE_AFTER}
        if schedule != "authors":
            return self
        return replace(self, **{key: value for key, value in brought.items() if key not in told})


@dataclass(frozen=True)
class SpectrogramConfig(Config):
    """Hyper-parameters of a model with spectrograms.

    Attributes:
        filters: maps of the convolutions
        kernels: "4x4" without padding, or the "authors'": 4×2 (bands × frames) on the spectrogram
            that is fine in time and 2×4 on the other, padded by one along their longer side (D-02)
        time_fit: how clips get the same length: "interpolate" stretches them to the median,
            "truncate" cuts them or fills them up to it, "pad" fills them up to the longest
        frames: "fitted" takes the lengths from the training clips, "fixed" those of the preset's
            IEMOCAP: 460 and 230, of the authors 230 and 120
        statistics: what batch normalisation predicts with: "recomputed" on the training clips,
            "running" as collected while training, or what the "protocol" says
    """

    filters: tuple[int, ...] = (64, 16)
    kernels: Literal["4x4", "authors"] = "4x4"
    time_fit: Literal["interpolate", "truncate", "pad"] = "interpolate"
    frames: Literal["fitted", "fixed"] = "fitted"
    statistics: Literal["protocol", "recomputed", "running"] = "protocol"


@dataclass(frozen=True)
class Base4Config(SpectrogramConfig):
    """Hyper-parameters of base 4, and of base 5, which contains it.

    Attributes:
        base4_fusion: "logits" averages those of two networks, "concatenate" joins their pooled
            states before a single output layer, as the authors' code does (D-06)
    """

    base4_fusion: Literal["logits", "concatenate"] = "logits"


@dataclass(frozen=True)
class DualSequenceConfig(SpectrogramConfig):
    """Hyper-parameters of a model with dual-sequence LSTMs.

    Attributes:
        alignment: how the finer sequence is brought to the pace of the other: "pairs" averages two
            steps, "window3" three, as the authors' code does (D-09)
        bn_position: whether gates are normalised after ("post") or before ("pre") their sigmoid
            (D-08)
    """

    alignment: Literal["pairs", "window3"] = "pairs"
    bn_position: Literal["post", "pre"] = "post"


def inputs(config: Any, names: tuple[str, ...]) -> dict[str, InputSpec]:
    """Return the front-end of each input."""
    return {name: _input(config, name) for name in names}


def shapes(config: Any, names: tuple[str, ...]) -> dict[str, Shape]:
    """Return the shape of a clip of IEMOCAP's median length, by input name."""
    return {name: (None, 39) if name == "mfcc" else _spectrogram(config, name) for name in names}


def smallest(config: Any, names: tuple[str, ...]) -> dict[str, Shape]:
    """Return the shape of the smallest clip that leaves one step and one band, by input name."""
    # Two blocks leave one of 13, 2 of 17 and 4 of 25, of which the alignments make one.
    fine = {"pairs": 17, "window3": 25}[config.alignment] if hasattr(config, "alignment") else 13
    known: dict[str, Shape] = {"mfcc": (1, 39), "fine": (13, fine, 1), "coarse": (13, 13, 1)}
    return {name: known[name] for name in names}


def _input(config: Any, name: str) -> InputSpec:
    if name == "mfcc":
        return InputSpec("mfcc39")
    params = {"preset": config.preset, "resolution": name, "time_fit": config.time_fit}
    if config.frames == "fixed":
        params["frames"] = _FRAMES[config.preset, name]
    return InputSpec("dualmel", params)


def _spectrogram(config: Any, name: str) -> Shape:
    return _BANDS[config.preset, name], _FRAMES[config.preset, name], 1
