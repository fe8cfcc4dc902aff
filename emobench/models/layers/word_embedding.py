"""Word numbers as trainable vectors."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

EMBEDDING = "embedding"
"""Name of the layer whose table may start from the vectors of a file."""


def embed_words(tokens: Any, vocabulary: int, size: int) -> tuple[Any, Any]:
    """Return the vectors of words, and which of them are words.

    Args:
        tokens: word numbers, 0 for padding, of shape `(batch, words)`
        vocabulary: rows of the table of vectors
        size: of a vector

    Returns:
        vectors of shape `(batch, words, size)`, uniform between -0.25 and 0.25 at the start, and
        the mask of shape `(batch, words)`, false for padding
    """
    table = keras.layers.Embedding(
        vocabulary,
        size,
        embeddings_initializer=keras.initializers.RandomUniform(-0.25, 0.25),
        name=EMBEDDING,
    )
    return table(tokens), ops.not_equal(tokens, 0)
