"""Measure training steps of the recurrent networks, and of the dual-sequence LSTM against base 4.

    python benchmarks/recurrent.py [--model NAME ...] [--threads 1] [--seconds 8] [--clips N]
                                   [--clock wall|processor]

First the share of the machine's matrix-product rate, as `steps.py` has it, and which part of a step
its matrix products alone take, of the same shapes and in loops of the same length: the rest is
element-wise work. Then how many times as long a step of `wang2020-dslstm` takes as one of
`wang2020-base4`, which reads the same spectrograms through the same convolutions with two ordinary
LSTMs a layer: for the whole networks, and for their recurrent layers alone, whose sequences are
then as long as the dual-sequence LSTM's. Steps of both alternate, so that both see the same
machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from products import elapsed
from steps import parsed, prepare, report

RECURRENT = ("mirsamadi2017", "krishna2019", "yoon2018", "wang2020")
"""Papers whose networks are recurrent and small."""

WANTED = 1.6
"""What a dual-sequence LSTM may cost at most, in steps of base 4."""

UNITS, STEPS, WIDTHS = 200, 55, (208, 464)
"""Of the recurrent layers of the preset "paper": units, aligned steps, and columns."""


def recurrent_steps(clips: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return steps of two dual-sequence layers, and of two pairs of ordinary ones."""
    import keras
    import numpy as np

    from emobench.models.layers import DSLSTM, LSTMCell, ProjectedRNN

    def dual(x: Any, y: Any) -> Any:
        return DSLSTM(UNITS)(DSLSTM(UNITS)(x, y), y)

    def ordinary(x: Any, y: Any) -> Any:
        for _ in range(2):
            x, y = (ProjectedRNN(LSTMCell(UNITS), return_sequences=True)(each) for each in (x, y))
        return keras.layers.Concatenate()([x, y])

    random = np.random.default_rng(0)
    batch = [random.standard_normal((clips, STEPS, width), np.float32) for width in WIDTHS]
    steps = []
    for layers in (dual, ordinary):
        keras.utils.set_random_seed(0)
        inputs = [keras.Input((STEPS, width)) for width in WIDTHS]
        pooled = keras.layers.GlobalAveragePooling1D()(layers(*inputs))
        model = keras.Model(inputs, pooled)
        compiles = keras.backend.backend() != "tensorflow"
        model.compile(keras.optimizers.Adam(), "mean_squared_error", jit_compile=compiles)
        target = np.zeros((clips, *model.output_shape[1:]), np.float32)
        steps.append(lambda model=model, target=target: model.train_on_batch(batch, target))
    return steps[0], steps[1]


def ratio(
    first: Callable[[], Any], second: Callable[[], Any], rounds: int, clock: Callable[[], float]
) -> float:
    """Return how many times as long the fastest call of the one takes as that of the other."""
    fastest = [math.inf, math.inf]
    for call in (first, second):
        call()
    for _ in range(rounds):
        for place, call in enumerate((first, second)):
            fastest[place] = min(fastest[place], elapsed(call, clock))
    return fastest[0] / fastest[1]


def compare(arguments: argparse.Namespace) -> None:
    """Print the dual-sequence LSTM's times in those of ordinary ones."""
    networks = [prepare(f"wang2020-{name}", arguments.clips) for name in ("dslstm", "base4")]
    alone = recurrent_steps(networks[0].clips)
    for title, (first, second) in {
        "wang2020-dslstm / wang2020-base4": [work.step for work in networks],
        "their recurrent layers, 55 steps": alone,
    }.items():
        found = ratio(first, second, 5, arguments.clock)
        verdict = "" if found <= WANTED else f", above {WANTED}"
        print(f"{title}: {found:.2f}{verdict}", flush=True)


def main() -> None:
    """Print one line a network, and the two ratios."""
    arguments = parsed(__doc__.splitlines()[0])
    from emobench import models

    arguments.model = arguments.model or [
        name
        for name in models.names()
        if models.get(name).kind == "network" and name.split("-")[0] in RECURRENT
    ]
    report(arguments, bare=True)
    compare(arguments)


if __name__ == "__main__":
    main()
