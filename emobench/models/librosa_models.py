"""A support vector machine, a perceptron and an LSTM on librosa's MFCC, chroma and mel energies.

The classical half of the study that also runs the networks of S. Yoon, S. Byun and K. Jung,
"Multimodal speech emotion recognition using audio and text", SLT 2018, under MP3 compression. It
names the three families of features and these classifiers; sizes of the features, costs of the
machine, penalties of the perceptron and units of the LSTM are those of the public code
x4nth055/emotion-recognition-using-speech, with whose defaults the study's settings agree.

Differences from the study: "hidden layers: 300" is one hidden layer of 300 units (D-27); Adam at a
constant rate stands for scikit-learn's "adaptive" schedule, which acts with plain gradient descent
only; perceptron and LSTM stop early on training speakers that are kept for it, as 1000 epochs of
the LSTM are too many. The study does not say whether the LSTM reads frames or a clip's means:
frames by default, the means as `sequence=utterance`. Its SVM is linear with a gamma of 0.001,
which a linear kernel does not have; `kernel=rbf` has it (D-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..spec import Development, InputSpec, ModelSpec
from . import register
from .support_vector_machine import SupportVectorMachine

if TYPE_CHECKING:
    import keras

COLUMNS = 180

CITATION = (
    "Classifiers of librosa's MFCC, chroma and mel energies, beside the networks of S. Yoon, "
    "S. Byun and K. Jung, Multimodal speech emotion recognition using audio and text, SLT 2018"
)

Shapes = Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class MachineConfig:
    """The support vector machine and the grid that is searched.

    Attributes:
        kernel: "linear", or "rbf" (Gaussian)
        C: costs, ascending
        gamma: widths of the Gaussian kernel
    """

    kernel: Literal["linear", "rbf"] = "linear"
    C: tuple[float, ...] = (0.0005, 0.001, 0.002, 0.01, 0.1, 1.0, 10.0)
    gamma: tuple[float, ...] = (0.001,)


@dataclass(frozen=True)
class PerceptronConfig:
    """Hyper-parameters of the perceptron.

    Attributes:
        units: of the hidden layer
        l2: factor of the squared weights in the loss; searched on the training folds
        learning_rate: of Adam
        batch_size: in clips
        epochs: most epochs of training
    """

    units: int = 300
    l2: float = 1e-3
    learning_rate: float = 1e-3
    batch_size: int = 1024
    epochs: int = 50


@dataclass(frozen=True)
class RecurrentConfig:
    """Hyper-parameters of the LSTM.

    Attributes:
        sequence: "frames" reads every 32 ms, "utterance" the clip's means as a single step
        units: of each of the two layers
        dropout: after each of them
        learning_rate: of Adam
        batch_size: in clips
        epochs: most epochs of training
    """

    sequence: Literal["frames", "utterance"] = "frames"
    units: int = 128
    dropout: float = 0.5
    learning_rate: float = 1e-3
    batch_size: int = 64
    epochs: int = 1000


def build_machine(config: MachineConfig) -> SupportVectorMachine:
    """Build the support vector machine."""
    return SupportVectorMachine(config, config.kernel)


def build_perceptron(config: PerceptronConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the perceptron.

    Args:
        config: hyper-parameters
        shapes: shape of `means` without the batch axis, `(1, columns)`
        n_classes: number of emotions

    Returns:
        model from a clip's means to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    means = keras.Input(shapes["means"], name="means")
    penalty = keras.regularizers.L2(config.l2)
    x = layers.Flatten()(means)
    x = layers.Dense(config.units, activation="relu", kernel_regularizer=penalty)(x)
    logits = layers.Dense(n_classes, kernel_regularizer=penalty)(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({"means": means}, outputs, name="librosa-mlp")


def build_recurrent(config: RecurrentConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build two LSTMs, of which the last output of the second is classified.

    Args:
        config: hyper-parameters
        shapes: shape of `features` without the batch axis, `(steps, columns)`
        n_classes: number of emotions

    Returns:
        model from the steps to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    from .layers import LSTM, LastStep, PaddingMask

    features = keras.Input(shapes["features"], name="features")
    mask = PaddingMask()(features)
    # Padding comes last and no output depends on later steps: only the choice of the last needs
    # the mask, and the loops over time are faster without.
    x = LSTM(config.units, return_sequences=True)(features)
    x = layers.Dropout(config.dropout)(x)
    x = LSTM(config.units, return_sequences=True)(x)
    x = LastStep()(x, mask=mask)
    x = layers.Dropout(config.dropout)(x)
    logits = layers.Dense(n_classes)(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({"features": features}, outputs, name="librosa-lstm")


def _sequence(config: RecurrentConfig) -> dict[str, InputSpec]:
    frames = config.sequence == "frames"
    return {"features": InputSpec("librosa180-frames" if frames else "librosa180")}


def _sequence_shapes(config: RecurrentConfig) -> Shapes:
    return {"features": (None if config.sequence == "frames" else 1, COLUMNS)}


register(
    ModelSpec(
        name="librosa-svm",
        citation=CITATION,
        paper="yoon2018",
        config=MachineConfig(),
        inputs={"means": InputSpec("librosa180")},
        build=build_machine,
        kind="estimator",
        deviations=(
            "D-26: linear; gamma = 0.001 acts with kernel=rbf only",
            "C searched on the training folds among the public code's; the study gives none",
        ),
        deterministic=True,
    )
)

register(
    ModelSpec(
        name="librosa-mlp",
        citation=CITATION,
        paper="yoon2018",
        config=PerceptronConfig(),
        inputs={"means": InputSpec("librosa180")},
        build=build_perceptron,
        deviations=(
            "D-27: one hidden layer of 300 units",
            "Adam at a constant rate instead of scikit-learn's adaptive one",
            "stops on a tenth of the training speakers, with patience of 10 epochs",
            "l2 searched on the training folds among the public code's alphas",
        ),
        development=Development(share=0.1, patience=10),
        grid={"l2": (1e-3, 5e-3, 1e-2)},
    ),
    shapes={"means": (1, COLUMNS)},
    smallest={"means": (1, COLUMNS)},
)

register(
    ModelSpec(
        name="librosa-lstm",
        citation=CITATION,
        paper="yoon2018",
        config=RecurrentConfig(),
        inputs=_sequence(RecurrentConfig()),
        build=build_recurrent,
        deviations=(
            "128 units a layer, as in the public code; the study gives none",
            "a step every 32 ms; the study does not say (sequence=utterance: one step)",
            "stops on a tenth of the training speakers, with patience of 20 epochs",
        ),
        masked=True,
        development=Development(share=0.1, patience=20),
    ),
    inputs=_sequence,
    shapes=_sequence_shapes,
    smallest={"features": (1, COLUMNS)},
)
