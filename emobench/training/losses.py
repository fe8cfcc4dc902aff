"""The losses that networks are trained with, computed from logits on every backend.

Keras' cross-entropy of probabilities has no gradient where a probability is below 1e-7, on JAX; a
class that a network has given up would never come back.
"""

# Keras is imported inside: a context without networks loads none.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import SpecError

if TYPE_CHECKING:
    import keras

Loss = Callable[[Any, Any], Any]


def get(name: str) -> Loss:
    """Return the loss that an `OutputSpec` names: `(truth, output)` to a loss of each clip."""
    return {"categorical_crossentropy": cross_entropy, "mean_log_likelihood": mean_log_likelihood}[
        name
    ]


def trained_output(model: keras.Model, name: str, output: Any, loss: str) -> Any:
    """Return what a loss is computed from: the logits of an output that is probabilities.

    Args:
        model: the network
        name: of the model, for messages
        output: one of the network's outputs
        loss: as an `OutputSpec` names it

    Raises:
        SpecError: if probabilities do not come from a softmax layer
    """
    import keras

    if loss != "categorical_crossentropy":
        return output
    for layer in model.layers:
        if isinstance(layer, keras.layers.Softmax) and layer.output is output:
            return layer.input
    raise SpecError(
        f"model '{name}': expected probabilities from a `keras.layers.Softmax` layer, found "
        f"'{output.name}' from another. End the network with a dense layer without activation and "
        "a Softmax layer: the loss is computed from the logits."
    )


def cross_entropy(truth: Any, logits: Any) -> Any:
    """Return the cross-entropy of the softmax of logits.

    Args:
        truth: one-hot, of shape `(batch, classes)`
        logits: of shape `(batch, classes)`

    Returns:
        loss of each clip, of shape `(batch,)`
    """
    from keras import ops

    return ops.categorical_crossentropy(truth, logits, from_logits=True)


def mean_log_likelihood(truth: Any, output: Any) -> Any:
    """Return the cross-entropy of every frame with the clip's label, averaged over the frames.

    Args:
        truth: one-hot, of shape `(batch, classes)`
        output: log-probabilities averaged over the clip's own frames, of shape `(batch, classes)`

    Returns:
        loss of each clip, of shape `(batch,)`
    """
    from keras import ops

    return -ops.sum(truth * output, axis=-1)
