"""Classifiers on top of a frozen encoder, which `--encoder FOLDER` names.

A clip is mean and standard deviation over time of every layer. Three ways to use them: a linear
classifier of a sum of the layers whose weights it learns, as in S.-w. Yang et al., "SUPERB: Speech
processing Universal PERformance Benchmark", Interspeech 2021; a support vector machine on the one
layer that is best inside the training folds; and one on the mean of the layers, or on a layer that
is named. The encoder itself is never trained.

Which layer is best is decided by the training clips of a fold, never by those that are tested.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..spec import Development, InputSpec, ModelSpec
from . import register
from .support_vector_machine import GAMMAS, Fitted, Split, SupportVectorMachine, Tuning
from .support_vectors import SupportVectors

if TYPE_CHECKING:
    import keras

Shapes = Mapping[str, tuple[int | None, ...]]

LAYERS, COLUMNS = 13, 2 * 768
"""Of a network of the usual base size; an encoder's card tells its own."""

COSTS = tuple(2.0**power for power in range(-16, 1, 2))
"""Lower than those of hundreds of features: thousands are parted by almost any plane."""

CITATION = (
    "Yang et al., Interspeech 2021 (SUPERB: a linear classifier of a weighted sum of the layers of "
    "a frozen encoder)"
)


@dataclass(frozen=True)
class LinearConfig:
    """Hyper-parameters of the linear classifier.

    Attributes:
        l2: factor of the squared weights in the loss; searched on the training folds
        learning_rate: of Adam
        batch_size: in clips
        epochs: most epochs of training
    """

    l2: float = 1e-3
    learning_rate: float = 1e-3
    batch_size: int = 32
    epochs: int = 100


@dataclass(frozen=True)
class LayerConfig:
    """The grid of a linear machine on one layer, which is a hyper-parameter like C.

    Attributes:
        C: costs, ascending
        gamma: not read, as a linear kernel has none
    """

    C: tuple[float, ...] = COSTS
    gamma: tuple[float, ...] = ()


@dataclass(frozen=True)
class MachineConfig:
    """The machine on one row of values, and its grid.

    Attributes:
        layer: "mean" of all layers, or the number of one, from 0
        kernel: "rbf" (Gaussian), or "linear"
        C: costs, ascending
        gamma: widths of the Gaussian kernel, ascending
    """

    layer: str = "mean"
    kernel: Literal["rbf", "linear"] = "rbf"
    C: tuple[float, ...] = tuple(2.0**power for power in range(-6, 7, 2))
    gamma: tuple[float, ...] = GAMMAS


def build_linear(config: LinearConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the linear classifier.

    Args:
        config: hyper-parameters
        shapes: shape of `layers` without the batch axis, `(layers, columns)`
        n_classes: number of emotions

    Returns:
        model from a clip's layers to probabilities of shape `(batch, n_classes)`
    """
    import keras

    from .layers import RowMixture

    encoded = keras.Input(shapes["layers"], name="layers")
    x = RowMixture(name="mixture")(encoded)
    penalty = keras.regularizers.L2(config.l2)
    logits = keras.layers.Dense(n_classes, kernel_regularizer=penalty)(x)
    outputs = keras.layers.Softmax()(logits)
    return keras.Model({"layers": encoded}, outputs, name="encoder-linear")


@dataclass(frozen=True)
class FittedLayer:
    """A machine that was trained on one layer.

    Attributes:
        machine: the machine
        layer: its number, from 0
    """

    machine: Fitted
    layer: int

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the columns of `predict`."""
        return self.machine.classes

    @property
    def support_vectors(self) -> SupportVectors:
        """The machine as plain arrays, which know their layer."""
        return SupportVectors.of(self.machine.machine, self.layer)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return probabilities, of shape `(clips, classes)`, from all layers of the clips."""
        return self.machine.predict(_layers(features)[:, self.layer])


@dataclass(frozen=True)
class LayerMachine:
    """A linear support vector machine on the layer that scores best where it is tuned.

    Attributes:
        config: the grid
    """

    config: LayerConfig

    def tune(
        self,
        features: np.ndarray | Iterable[np.ndarray],
        labels: Sequence[str],
        splits: Sequence[Split],
        **how: Any,
    ) -> Tuning:
        """Search layer and C; of equal cells the lowest layer wins, then the lowest C.

        Args:
            features: standardised, of shape `(clips, layers, columns)`; for all splits, or one
                after another for each of them
            labels: of shape `(clips,)`
            splits: pairs of positions to train on and to score
            how: as `SupportVectorMachine.tune` takes it
        """
        if isinstance(features, np.ndarray):
            features = itertools.repeat(features, len(splits))
        reached: dict[tuple[int, float], list[float]] = defaultdict(list)
        for matrix, split in zip(features, splits, strict=True):
            layers = _layers(matrix)
            for layer in range(layers.shape[1]):
                for cell in self._machine.tune(layers[:, layer], labels, [split], **how).scores:
                    reached[layer, cell["C"]] += cell["splits"]
        scores = [
            {"layer": layer, "C": cost, "score": float(np.average(values)), "splits": values}
            for (layer, cost), values in reached.items()
        ]
        best = max(scores, key=lambda cell: cell["score"])
        return Tuning({key: best[key] for key in ("layer", "C")}, scores)

    def fit(
        self,
        features: np.ndarray,
        labels: Sequence[str],
        weights: np.ndarray,
        parameters: Mapping[str, float],
        seed: int = 0,
    ) -> FittedLayer:
        """Train on all the clips given.

        Args:
            features: standardised, of shape `(clips, layers, columns)`
            labels: of shape `(clips,)`; at least two classes
            weights: of shape `(clips,)`
            parameters: `C` and `layer`; the middle one where nothing was tuned
            seed: as `SupportVectorMachine.fit` takes it
        """
        layers = _layers(features)
        layer = int(parameters.get("layer", layers.shape[1] // 2))
        fitted = self._machine.fit(layers[:, layer], labels, weights, dict(parameters), seed)
        return FittedLayer(fitted, layer)

    @property
    def _machine(self) -> SupportVectorMachine:
        return SupportVectorMachine(self.config, "linear")


def build_machine(config: MachineConfig) -> SupportVectorMachine:
    """Build the machine on one row of values."""
    return SupportVectorMachine(config, config.kernel)


def _layers(features: np.ndarray) -> np.ndarray:
    """Return features of shape `(clips, layers, columns)`; an encoder may have but one layer."""
    return features if features.ndim == 3 else features[:, None]


def _one_row(config: MachineConfig) -> dict[str, InputSpec]:
    return {"layer": InputSpec("encoder", {"layer": config.layer})}


register(
    ModelSpec(
        name="encoder-linear",
        citation=CITATION,
        paper="encoder",
        config=LinearConfig(),
        inputs={"layers": InputSpec("encoder")},
        build=build_linear,
        deviations=(
            "mean and deviation over time of each layer; the paper takes the mean of a projection",
            "layers are standardised, by speaker as for the SVM on IS09",
            "stops on a tenth of the training speakers, with patience of 10 epochs",
        ),
        development=Development(share=0.1, patience=10),
        grid={"l2": (1e-4, 1e-3, 1e-2)},
    ),
    shapes={"layers": (LAYERS, COLUMNS)},
    smallest={"layers": (2, 2)},
)

register(
    ModelSpec(
        name="encoder-layer",
        citation="Linear SVM on the layer of a frozen encoder that is best on the training folds",
        paper="encoder",
        config=LayerConfig(),
        inputs={"layers": InputSpec("encoder")},
        build=LayerMachine,
        kind="estimator",
        deterministic=True,
    )
)

register(
    ModelSpec(
        name="encoder-svm",
        citation="SVM on the mean of the layers of a frozen encoder, or on one that is named",
        paper="encoder",
        config=MachineConfig(),
        inputs=_one_row(MachineConfig()),
        build=build_machine,
        kind="estimator",
        deterministic=True,
    ),
    inputs=_one_row,
)
