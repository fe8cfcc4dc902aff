"""Bidirectional LSTMs over acoustic features, over words, and over both.

D. N. Krishna and S. S. Reddy, "Multi-modal speech emotion recognition using speech embeddings and
audio features", AVSP 2019. `acoustic` is fed with 34 features every 100 ms, `speech` and `word`
with word vectors, `combined-speech` and `combined-word` with both.

The paper's speech embeddings are the released Speech2Vec vectors of word types: they are looked up
by transcript, so that such a model is one of text (D-30), and a later study, arXiv:2209.10791,
doubts that they were made from speech. `speech` and `word` are the same network, kept apart by the
file of vectors that each is meant for; without a file both start at random.

Differences from the paper: its section 4.3 puts a dense layer on each encoder before they are
joined, its section 2.5 joins the states themselves; the former is built, the latter is
`fusion=hidden` (D-29). Padding is masked, which the paper does not mention (`mask=False` leaves it
in). Where the paper says "last time step" for both directions, the backward state is the one after
the first step. Dense layers are rectified; optimiser, rate, batch and epochs are told for the
acoustic model and used for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..spec import InputSpec, ModelSpec
from . import register

if TYPE_CHECKING:
    import keras

Shapes = Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True)
class Training:
    """Hyper-parameters that all models share.

    Attributes:
        lstm_units: of each LSTM, in each direction
        units: of each dense layer
        mask: whether padding is kept out of the LSTMs
        learning_rate: of Adam
        batch_size: in clips
        epochs: of training
    """

    lstm_units: int = 128
    units: int = 256
    mask: bool = True
    learning_rate: float = 1e-3
    batch_size: int = 32
    epochs: int = 20


@dataclass(frozen=True)
class AcousticConfig(Training):
    """Hyper-parameters of the model of audio.

    Attributes:
        dropout: of the LSTM's inputs
    """

    dropout: float = 0.2


@dataclass(frozen=True)
class WordConfig(Training):
    """Hyper-parameters that all models of word vectors share.

    Attributes:
        vocabulary: rows of the table of word vectors; in a run the training clips tell it
        embedding_size: of a word vector (50, 100, 200 or 300 in the paper); in a run a file of
            vectors tells it
        dense_dropout: after each dense layer but the last
    """

    # The paper does not tell its vocabulary; this is what Yoon et al. (2018) count on IEMOCAP.
    vocabulary: int = 3747
    embedding_size: int = 50
    dense_dropout: float = 0.3


@dataclass(frozen=True)
class TextConfig(WordConfig):
    """Hyper-parameters of a model of text.

    Attributes:
        dropout: of the LSTM's inputs
    """

    dropout: float = 0.2


@dataclass(frozen=True)
class CombinedConfig(WordConfig):
    """Hyper-parameters of a model of audio and text.

    Attributes:
        recurrent_dropout: of the LSTMs' states
        fusion: what is joined: each encoder's dense layer, or its hidden states (D-29)
    """

    recurrent_dropout: float = 0.2
    fusion: Literal["dense", "hidden"] = "dense"


def build_acoustic(config: AcousticConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the acoustic model, uncompiled.

    Args:
        config: hyper-parameters
        shapes: of `audio` without the batch axis, `(windows, features)`
        n_classes: number of emotions

    Returns:
        model from the features to probabilities of shape `(batch, n_classes)`
    """
    import keras

    audio = keras.Input(shapes["audio"], name="audio")
    x = _encode(config, audio, _audio_mask(config, audio))
    x = keras.layers.Dense(config.units, activation="relu")(x)
    return _classifier({"audio": audio}, x, n_classes, "krishna2019-acoustic")


def build_text(config: TextConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the model of word vectors, uncompiled.

    Args:
        config: hyper-parameters
        shapes: of `tokens` without the batch axis, `(words,)`
        n_classes: number of emotions

    Returns:
        model from the word numbers to probabilities of shape `(batch, n_classes)`
    """
    import keras

    tokens = keras.Input(shapes["tokens"], name="tokens")
    vectors, mask = _embedded(config, tokens)
    x = _encode(config, vectors, mask)
    for _ in range(2):
        x = _dense(config, x)
    return _classifier({"tokens": tokens}, x, n_classes, "krishna2019-text")


def build_combined(config: CombinedConfig, shapes: Shapes, n_classes: int) -> keras.Model:
    """Build the model of both, uncompiled.

    Args:
        config: hyper-parameters
        shapes: without the batch axis, of `audio` `(windows, features)` and `tokens` `(words,)`
        n_classes: number of emotions

    Returns:
        model from both inputs to probabilities of shape `(batch, n_classes)`
    """
    import keras

    from .layers import Bidirectional, ProjectedRNN, RecurrentDropoutLSTMCell

    inputs = {name: keras.Input(shapes[name], name=name) for name in ("audio", "tokens")}
    audio, tokens = inputs.values()
    encoded = []
    for x, mask in ((audio, _audio_mask(config, audio)), _embedded(config, tokens)):
        cell = RecurrentDropoutLSTMCell(
            config.lstm_units, recurrent_dropout=config.recurrent_dropout
        )
        state = Bidirectional(ProjectedRNN(cell))(x, mask=mask)
        encoded.append(_dense(config, state) if config.fusion == "dense" else state)
    x = _dense(config, keras.layers.Concatenate()(encoded))
    return _classifier(inputs, x, n_classes, "krishna2019-combined")


def _encode(config: AcousticConfig | TextConfig, x: Any, mask: Any) -> Any:
    """Return the last states of both directions, of shape `(batch, 2 * lstm_units)`."""
    from .layers import LSTM, Bidirectional

    lstm = LSTM(config.lstm_units, dropout=config.dropout)
    return Bidirectional(lstm)(x, mask=mask)


def _audio_mask(config: Training, audio: Any) -> Any:
    """Return which windows are the clip's own, or None where padding counts as sound."""
    from .layers import PaddingMask

    return PaddingMask()(audio) if config.mask else None


def _embedded(config: WordConfig, tokens: Any) -> tuple[Any, Any]:
    """Return word vectors, and which of them are words or None where padding counts as words."""
    from .layers import embed_words

    vectors, mask = embed_words(tokens, config.vocabulary, config.embedding_size)
    return vectors, mask if config.mask else None


def _dense(config: WordConfig, x: Any) -> Any:
    """Return what a rectified dense layer makes of `x`, with dropout."""
    from keras import layers

    x = layers.Dense(config.units, activation="relu")(x)
    return layers.Dropout(config.dense_dropout)(x)


def _classifier(inputs: Mapping[str, Any], x: Any, n_classes: int, name: str) -> keras.Model:
    import keras

    logits = keras.layers.Dense(n_classes)(x)
    outputs = keras.layers.Softmax()(logits)
    return keras.Model(dict(inputs), outputs, name=name)


_INPUTS = {
    "audio": InputSpec("pyaa34"),
    "tokens": InputSpec("tokens", {"style": "words"}),
}
_SHAPES = {"audio": (200, 34), "tokens": (128,)}
_SMALLEST = {"audio": (1, 1), "tokens": (1,)}
_MASKED = "padding is masked, which the paper does not mention; mask=False leaves it in"
_SPEECH = (
    "D-30: meant for the released Speech2Vec vectors, which --embeddings names; a later study, "
    "arXiv:2209.10791, doubts that they were made from speech. Without them vectors start at "
    "random, as those of the word model do"
)
_WORD = (
    "meant for the Word2Vec vectors released with Speech2Vec, which --embeddings names; without "
    "them vectors start at random, as those of the speech model do"
)
_JOINED = "D-29: a dense layer on each encoder before they are joined; fusion=hidden has none"

for _name, _config, _build, _names, _deviations in (
    ("acoustic", AcousticConfig(), build_acoustic, ("audio",), ()),
    ("speech", TextConfig(), build_text, ("tokens",), (_SPEECH,)),
    ("word", TextConfig(), build_text, ("tokens",), (_WORD,)),
    ("combined-speech", CombinedConfig(), build_combined, _INPUTS, (_JOINED, _SPEECH)),
    ("combined-word", CombinedConfig(), build_combined, _INPUTS, (_JOINED, _WORD)),
):
    register(
        ModelSpec(
            name=f"krishna2019-{_name}",
            citation=(
                "D. N. Krishna and S. S. Reddy, Multi-modal speech emotion recognition using "
                "speech embeddings and audio features, AVSP 2019"
            ),
            paper="krishna2019",
            config=_config,
            inputs={key: _INPUTS[key] for key in _names},
            build=_build,
            deviations=(_MASKED, *_deviations),
            masked=True,
            needs=("transcript",) if "tokens" in _names else (),
        ),
        shapes={key: _SHAPES[key] for key in _names},
        smallest={key: _SMALLEST[key] for key in _names},
    )
