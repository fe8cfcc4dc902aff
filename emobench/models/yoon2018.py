"""Recurrent encoders of sound, of text, and of both, the last with attention to the words.

S. Yoon, S. Byun and K. Jung, "Multimodal speech emotion recognition using audio and text", SLT
2018, arXiv:1810.04635, with what only its released code tells (github.com/david-yoon/
multimodal-speech-emotion): `are` is fed with audio (MFCCs and 35 prosodic statistics), `tre` with
text, `mdre` with both; in `mdrea` the state of the audio attends to the words.

Differences from the paper: the query of `mdrea` is the projected audio state in both places, as 235
numbers do not fit a state of 200 (D-23), and the layers of `mdre` before the last are linear, of
117 and 100 units (D-24), both as in the code; the development set is of training speakers of its
own, and the vocabulary that of the training clips. Differences from the code: soft-max
cross-entropy and a bias for each class (D-20), features standardised by the training clips (D-25),
both as in the paper.

Dropout is drawn anew at every step, as TensorFlow's `DropoutWrapper` does in the code; the dropout
argument of Keras' own GRU would take one mask for all steps. The code drops outputs of the GRU too,
which touches the states that `mdrea` attends to and not the last state, which all others use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..spec import Development, InputSpec, ModelSpec
from . import register

if TYPE_CHECKING:
    import keras

Shapes = Mapping[str, tuple[int | None, ...]]

_INPUTS = {
    "audio": InputSpec("mfcc39-750", scaling="training"),
    "prosody": InputSpec("prosody35"),
    "tokens": InputSpec("tokens", {"style": "nltk"}),
}
_SHAPES = {"audio": (750, 39), "prosody": (1, 35), "tokens": (128,)}
_SMALLEST = {"audio": (1, 1), "prosody": (1, 1), "tokens": (1,)}


@dataclass(frozen=True)
class Training:
    """Hyper-parameters that all four share, as the paper and its code give them.

    Attributes:
        units: of each GRU
        learning_rate: of Adam
        batch_size: in clips
        clip_value: largest absolute value of a gradient
        max_steps: most steps of Adam
        epochs: most passes through the training clips; on IEMOCAP more than `max_steps`
    """

    units: int = 200
    learning_rate: float = 1e-3
    batch_size: int = 128
    clip_value: float = 10.0
    max_steps: int = 10_000
    epochs: int = 300


@dataclass(frozen=True)
class AudioConfig(Training):
    """Hyper-parameters of a model of audio.

    Attributes:
        audio_dropout: of the MFCCs, at every step
        prosody: whether the prosodic statistics are used too; they need openSMILE
    """

    audio_dropout: float = 0.3
    prosody: bool = True


@dataclass(frozen=True)
class TextConfig(Training):
    """Hyper-parameters of a model of text.

    Attributes:
        vocabulary: rows of the table of word vectors; in a run the training clips tell it
        embedding_size: of a word vector; in a run a file of vectors tells it
        text_dropout: of the word vectors, at every step
    """

    vocabulary: int = 3747
    embedding_size: int = 300
    text_dropout: float = 0.7


@dataclass(frozen=True)
class Config(TextConfig, AudioConfig):
    """Hyper-parameters of a model of audio and text."""


def build_are(config: AudioConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the audio recurrent encoder, uncompiled.

    Args:
        config: hyper-parameters
        shapes: without the batch axis, of `audio` `(frames, coefficients)` and of `prosody`
            `(1, statistics)`, which is absent where the config leaves it out
        n_classes: number of emotions

    Returns:
        model from the inputs to probabilities of shape `(batch, n_classes)`
    """
    inputs = _inputs(shapes)
    return _classifier(inputs, _audio_state(config, inputs), n_classes, "yoon2018-are")


def build_tre(config: TextConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the text recurrent encoder, uncompiled.

    Args:
        config: hyper-parameters
        shapes: without the batch axis, of `tokens` `(words,)`
        n_classes: number of emotions

    Returns:
        model from the word numbers to probabilities of shape `(batch, n_classes)`
    """
    inputs = _inputs(shapes)
    text, mask = _words(config, inputs)
    return _classifier(inputs, _gru(config)(text, mask=mask), n_classes, "yoon2018-tre")


def build_mdre(config: Config, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the multimodal dual recurrent encoder, uncompiled; see `build_are`, `build_tre`."""
    from keras import layers

    inputs = _inputs(shapes)
    audio = _audio_state(config, inputs)
    words, mask = _words(config, inputs)
    text = _gru(config)(words, mask=mask)
    halves = [_dense(each.shape[-1] // 2)(each) for each in (audio, text)]
    return _classifier(inputs, layers.Concatenate()(halves), n_classes, "yoon2018-mdre")


def build_mdrea(config: Config, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build `mdre` with attention, uncompiled: the projected audio state attends to the words."""
    from keras import layers

    from .layers import DotAttention

    inputs = _inputs(shapes)
    query = _dense(config.units)(_audio_state(config, inputs))
    words, mask = _words(config, inputs)
    states = _gru(config, return_sequences=True)(words, mask=mask)
    states = layers.Dropout(config.text_dropout)(states)
    attended = DotAttention()(states, query, steps_mask=mask)
    return _classifier(inputs, layers.Concatenate()([attended, query]), n_classes, "yoon2018-mdrea")


def _inputs(shapes: Shapes) -> dict[str, Any]:
    import keras

    return {name: keras.Input(shape, name=name) for name, shape in shapes.items()}


def _audio_state(config: AudioConfig, inputs: Mapping[str, Any]) -> Any:
    """Return the last state of the audio and the prosody, of shape `(batch, units + 35)`."""
    from keras import layers

    from .layers import PaddingMask

    frames = inputs["audio"]
    mask = PaddingMask()(frames)
    state = _gru(config)(layers.Dropout(config.audio_dropout)(frames), mask=mask)
    if not config.prosody:
        return state
    prosody = layers.Reshape((inputs["prosody"].shape[-1],))(inputs["prosody"])
    return layers.Concatenate()([state, prosody])


def _words(config: TextConfig, inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the word vectors, of shape `(batch, words, size)`, and which of them are words."""
    from keras import layers

    from .layers import embed_words

    vectors, mask = embed_words(inputs["tokens"], config.vocabulary, config.embedding_size)
    return layers.Dropout(config.text_dropout)(vectors), mask


def _gru(config: Training, return_sequences: bool = False) -> keras.Layer:
    from .layers import ClassicGRUCell, ProjectedRNN

    return ProjectedRNN(ClassicGRUCell(config.units), return_sequences=return_sequences)


def _dense(units: int) -> keras.Layer:
    import keras

    start = keras.initializers.RandomUniform(-0.25, 0.25)
    return keras.layers.Dense(units, kernel_initializer=start)


def _classifier(inputs: Mapping[str, Any], x: Any, n_classes: int, name: str) -> keras.Model:
    import keras

    outputs = keras.layers.Softmax()(_dense(n_classes)(x))
    return keras.Model(dict(inputs), outputs, name=name)


def _used(names: tuple[str, ...], table: Mapping[str, Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a function from a config to the rows of the inputs that it uses."""

    def choose(config: Any) -> dict[str, Any]:
        prosody = getattr(config, "prosody", True)
        return {name: table[name] for name in names if prosody or name != "prosody"}

    return choose


_AUDIO_INPUTS = ("audio", "prosody")
_TEXT_INPUTS = ("tokens",)
_TRAINING = (
    "development clips are of training speakers of their own; the code draws 6 % of all clips",
    "D-20: soft-max cross-entropy and a bias for each class, as in the paper",
)
_AUDIO = ("D-25: MFCCs and prosody standardised by the training clips, as in the paper",)
_TEXT = (
    "the vocabulary is that of the training transcripts; the code takes all transcripts",
    "without --embeddings word vectors start at random; the paper starts from GloVe 840B-300d",
)

for _name, _config, _build, _names, _deviations in (
    ("are", AudioConfig(), build_are, _AUDIO_INPUTS, _AUDIO),
    ("tre", TextConfig(), build_tre, _TEXT_INPUTS, _TEXT),
    (
        "mdre",
        Config(),
        build_mdre,
        _AUDIO_INPUTS + _TEXT_INPUTS,
        (*_AUDIO, *_TEXT, "D-24: linear layers of 117 and 100 units, as in the code"),
    ),
    (
        "mdrea",
        Config(),
        build_mdrea,
        _AUDIO_INPUTS + _TEXT_INPUTS,
        (
            *_AUDIO,
            *_TEXT,
            "D-23: the projected audio state is the query and goes to the output, as in the code",
        ),
    ),
):
    register(
        ModelSpec(
            name=f"yoon2018-{_name}",
            citation=(
                "S. Yoon, S. Byun and K. Jung, Multimodal speech emotion recognition using audio "
                "and text, SLT 2018, arXiv:1810.04635"
            ),
            paper="yoon2018",
            config=_config,
            inputs=_used(_names, _INPUTS)(_config),
            build=_build,
            deviations=_TRAINING + _deviations,
            masked=True,
            development=Development(share=5 / 85, patience=8, checks_per_epoch=1 / 0.3),
            needs=("transcript",) if "tokens" in _names else (),
        ),
        shapes=_used(_names, _SHAPES),
        smallest=_used(_names, _SMALLEST),
        inputs=_used(_names, _INPUTS),
    )
