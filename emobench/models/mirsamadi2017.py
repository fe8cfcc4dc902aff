"""Dense and recurrent networks that learn frame-level features and how to pool them over time.

S. Mirsamadi, E. Barsoum and C. Zhang, "Automatic speech emotion recognition using recurrent
neural networks with local attention", ICASSP 2017, doi:10.1109/ICASSP.2017.7952552.

The networks read magnitude spectra (`fft`: two dense layers learn the descriptors) or 32 low-level
descriptors (`lld`, D-33), standardised with the neutral training utterances. Padded frames enter
neither states nor pooling. The support vector machine reads functionals of the descriptors.

Differences from the paper: optimiser, rate, batch and epochs are ours, as it gives none (D-32); a
clip's frame-wise prediction is the mean of its frames' posteriors. What is meant by "full"
functionals is the footnote of its Table 2 (D-31; the running text's set is `hsf=text`). Figure
1(f)'s deeper attention is `attention=deep`: one hidden layer before the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ..spec import InputSpec, ModelSpec, OutputSpec
from . import register
from .support_vector_machine import COSTS, GAMMAS, SupportVectorMachine

if TYPE_CHECKING:
    import keras

CITATION = (
    "S. Mirsamadi, E. Barsoum and C. Zhang, Automatic speech emotion recognition using recurrent "
    "neural networks with local attention, ICASSP 2017, doi:10.1109/ICASSP.2017.7952552"
)

STATISTICS = {
    "mean": ("mean",),
    "mmm": ("mean", "min", "max"),
    "full": ("mean", "std", "min", "max", "range", "skewness", "kurtosis"),
}
"""What the dense networks pool with, by the name of the set."""

Shapes = Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Config:
    """Hyper-parameters of the dense networks.

    Attributes:
        units: of each dense layer
        dropout: after every layer
        learning_rate: of Adam; not in the paper, like batch and epochs
        batch_size: in clips
        epochs: of training
    """

    units: tuple[int, ...] = (512, 512)
    dropout: float = 0.5
    learning_rate: float = 1e-3
    batch_size: int = 128
    epochs: int = 50


@dataclass(frozen=True)
class RecurrentConfig:
    """Hyper-parameters of the recurrent networks.

    Attributes:
        units: of each dense layer below the LSTM
        lstm_units: in each direction
        dropout: after every layer
        learning_rate: of Adam; not in the paper, like batch and epochs
        batch_size: in clips
        epochs: of training
    """

    units: tuple[int, ...] = ()
    lstm_units: int = 128
    dropout: float = 0.5
    learning_rate: float = 1e-3
    batch_size: int = 128
    epochs: int = 50


@dataclass(frozen=True)
class AttentionConfig(RecurrentConfig):
    """Hyper-parameters of the recurrent networks with attention.

    Attributes:
        attention: "shallow" weighs a state by its product with a vector, "deep" by that of a
            hidden layer's
        attention_units: of that hidden layer
    """

    attention: Literal["shallow", "deep"] = "shallow"
    attention_units: int = 128


@dataclass(frozen=True)
class MachineConfig:
    """What the support vector machine reads, and the grid that is searched.

    Attributes:
        hsf: set of functionals: "mean", "mmm" (with extremes), "full" (seven) or "text" (eleven)
        C: costs, ascending
        gamma: widths of the kernel, ascending
    """

    hsf: Literal["mean", "mmm", "full", "text"] = "full"
    C: tuple[float, ...] = COSTS
    gamma: tuple[float, ...] = GAMMAS


def build_dense(
    config: Config, shapes: Shapes, n_classes: int, *, statistics: tuple[str, ...]
) -> keras.Model:
    """Build dense layers over each frame, pooled by statistics over the frames.

    Args:
        config: hyper-parameters
        shapes: shape of the input without the batch axis, `(frames, columns)`
        n_classes: number of emotions
        statistics: what is pooled, of those that `StatisticsPooling` knows

    Returns:
        model from frames to probabilities of shape `(batch, n_classes)`
    """
    import keras
    from keras import layers

    from .layers import StatisticsPooling

    frames, mask = _frames(shapes)
    x = _dense(config, frames)
    x = StatisticsPooling(statistics)(x, mask=mask)
    logits = layers.Dense(n_classes)(x)
    outputs = layers.Softmax()(logits)
    return keras.Model({frames.name: frames}, outputs, name="mirsamadi2017-dnn")


def build_recurrent(
    config: RecurrentConfig,
    shapes: Shapes,
    n_classes: int,
    *,
    pooling: Literal["frame", "final", "mean", "attention"],
) -> keras.Model:
    """Build a bidirectional LSTM over the frames, pooled over time.

    Args:
        config: hyper-parameters
        shapes: shape of the input without the batch axis, `(frames, columns)`
        n_classes: number of emotions
        pooling: "frame" classifies every frame, "final" takes each direction's last output,
            "mean" and "attention" pool all outputs

    Returns:
        model from frames to probabilities of shape `(batch, n_classes)`; for "frame" to these as
        `probabilities` and to the frames' mean log-probabilities as `frames`
    """
    import keras
    from keras import layers

    from .layers import LSTM, Bidirectional, FrameDropout

    frames, mask = _frames(shapes)
    x = _dense(config, frames)
    lstm = LSTM(config.lstm_units, return_sequences=pooling != "final")
    x = Bidirectional(lstm)(x, mask=mask)
    x = (layers.Dropout if pooling == "final" else FrameDropout)(config.dropout)(x)
    if pooling == "frame":
        outputs = _each_frame(x, mask, n_classes)
    else:
        if pooling != "final":
            x = _pooling(config, pooling)(x, mask=mask)
        logits = layers.Dense(n_classes)(x)
        outputs = layers.Softmax()(logits)
    return keras.Model({frames.name: frames}, outputs, name=f"mirsamadi2017-{pooling}")


def _frames(shapes: Shapes) -> tuple[Any, Any]:
    """Return the single input and its mask of shape `(batch, frames)`."""
    import keras

    from .layers import PaddingMask

    ((name, shape),) = shapes.items()
    frames = keras.Input(shape, name=name)
    return frames, PaddingMask(name="padding")(frames)


def _dense(config: Config | RecurrentConfig, frames: Any) -> Any:
    from keras import layers

    from .layers import FrameDropout

    x = frames
    for units in config.units:
        x = layers.Dense(units, activation="relu")(x)
        x = FrameDropout(config.dropout)(x)
    return x


def _pooling(config: Any, pooling: str) -> Any:
    """Return the pooling layer; attention begins as the mean, with `u` of zeros."""
    from .layers import AttentionPooling, DeepAttentionPooling, StatisticsPooling

    if pooling == "mean":
        return StatisticsPooling()
    if config.attention == "deep":
        return DeepAttentionPooling(config.attention_units, initializer="zeros", name="attention")
    return AttentionPooling("zeros", name="attention")


def _each_frame(states: Any, mask: Any, n_classes: int) -> dict[str, Any]:
    """Return what the frames say on average, as logarithms to train and as posteriors to read."""
    from keras import layers

    from .layers import StatisticsPooling

    logits = layers.Dense(n_classes)(states)
    return {
        output: StatisticsPooling(name=output)(layers.Activation(how)(logits), mask=mask)
        for output, how in (("frames", "log_softmax"), ("probabilities", "softmax"))
    }


def _register(name: str, kind: Literal["lld", "fft"], **kwargs: Any) -> None:
    feature, columns = {"lld": ("lld32", 32), "fft": ("fft257", 257)}[kind]
    what = {"lld": "descriptors", "fft": "spectra"}[kind]
    register(
        ModelSpec(
            name=f"mirsamadi2017-{name}",
            citation=CITATION,
            paper="mirsamadi2017",
            inputs={what: InputSpec(feature)},
            masked=True,
            **kwargs,
        ),
        shapes={what: (None, columns)},
        smallest={what: (1, columns)},
    )


_OURS = "D-32: Adam at 1e-3, batches of 128 and 50 epochs; the paper gives none of these"
_POSTERIORS = "a clip's probabilities are the mean of its frames'; the paper does not say"
_DEEPER = "attention=deep is one hidden layer of 128 tanh units; the paper only draws it"

_OUTPUTS = {
    "frames": OutputSpec("mean_log_likelihood"),
    "probabilities": OutputSpec(None),
}

# In the order of the paper's table, which is that of our columns.
for _set, _statistics in STATISTICS.items():
    _full = ("D-31: seven statistics, as in the footnote of Table 2",) if _set == "full" else ()
    _register(
        f"dnn-{_set}",
        "fft",
        config=Config(),
        build=partial(build_dense, statistics=_statistics),
        deviations=(*_full, _OURS),
    )


def _functionals(config: MachineConfig) -> dict[str, InputSpec]:
    return {"functionals": InputSpec("hsf32", {"set": config.hsf})}


for _set in STATISTICS:
    _machine = MachineConfig(hsf=_set)
    _full = ("D-31: seven functionals; the running text's eleven are hsf=text",)
    register(
        ModelSpec(
            name=f"mirsamadi2017-svm-{_set}",
            citation=CITATION,
            paper="mirsamadi2017",
            config=_machine,
            inputs=_functionals(_machine),
            build=SupportVectorMachine,
            kind="estimator",
            deviations=(
                *(_full if _set == "full" else ()),
                "D-32: C and gamma searched on the training folds; the paper gives neither",
            ),
            deterministic=True,
        ),
        inputs=_functionals,
    )

for _kind in ("fft", "lld"):
    _units = (512, 512) if _kind == "fft" else ()
    _below = ("D-33: no dense layers below the LSTM",) if _kind == "lld" else ()
    for _pool in ("frame", "final", "mean", "attention"):
        _config = AttentionConfig if _pool == "attention" else RecurrentConfig
        _said = {"frame": (_POSTERIORS,), "attention": (_DEEPER,)}.get(_pool, ())
        _more = {"frame": {"outputs": _OUTPUTS}, "attention": {"attends": "attention"}}
        _register(
            f"{_pool}-{_kind}",
            _kind,
            config=_config(units=_units),
            build=partial(build_recurrent, pooling=_pool),
            deviations=(_OURS, *_below, *_said),
            **_more.get(_pool, {}),
        )
