"""Networks of Wang et al. (2020): parts with logits of their own, and the mean of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

MOMENTUM, EPSILON = 0.9, 1e-5
"""Of every batch normalisation: PyTorch's defaults, which the paper's results come from."""

_KERNELS = {
    "4x4": {"fine": (4, 4), "coarse": (4, 4)},
    "authors": {"fine": (4, 2), "coarse": (2, 4)},
}


def build(
    shares: Mapping[str, float],
    config: Any,
    shapes: Mapping[str, tuple[int | None, ...]],
    n_classes: int,
) -> keras.Model:
    """Build the uncompiled network.

    Args:
        shares: weight of each part in the mean of the logits
        config: hyper-parameters
        shapes: shape of each input without the batch axis: `mfcc` is `(frames, 39)`, `fine` and
            `coarse` are `(bands, frames, 1)`
        n_classes: number of emotions

    Returns:
        model to probabilities of shape `(batch, n_classes)`: those of the only part, or a dict of
        those of each part and of their `average`
    """
    import keras
    from keras import layers

    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    logits = _logits(shares, config, inputs, n_classes)
    outputs = {
        part: layers.Softmax(name=f"{part}_probabilities")(logit) for part, logit in logits.items()
    }
    if len(outputs) > 1:
        mean = layers.Add()([logit * shares[part] for part, logit in logits.items()])
        outputs["average"] = layers.Softmax(name="average_probabilities")(mean)
    else:
        [outputs] = outputs.values()
    return keras.Model(inputs, outputs, name="wang2020")


def _logits(
    shares: Mapping[str, float], config: Any, inputs: Mapping[str, Any], n_classes: int
) -> dict[str, Any]:
    """Return the logits of each part, of shape `(batch, n_classes)`."""
    from keras import layers

    pooled = {part: _pooled(part, config, inputs) for part in shares}
    logits = {}
    if getattr(config, "base4_fusion", "logits") == "concatenate":
        joined = layers.Concatenate()([pooled.pop("fine"), pooled.pop("coarse")])
        # Where one part takes the place of two, its logits count twice, with half the weight each.
        logits["fine"] = logits["coarse"] = layers.Dense(n_classes)(joined)
    return logits | {part: layers.Dense(n_classes)(x) for part, x in pooled.items()}


def _pooled(part: str, config: Any, inputs: Mapping[str, Any]) -> Any:
    """Return the mean over time of a part's last layer, of shape `(batch, units)`."""
    from keras import layers

    from ..layers import PaddingMask

    if part == "raw":
        x, y = (_sequence(config, name, inputs[name]) for name in ("fine", "coarse"))
        return layers.GlobalAveragePooling1D()(_dual_sequence(config, x, y))
    if part == "hand":
        mask = PaddingMask()(inputs["mfcc"])
        x = _recurrent(config, inputs["mfcc"], mask)
        return layers.GlobalAveragePooling1D()(x, mask=mask)
    x = _recurrent(config, _sequence(config, part, inputs[part]))
    return layers.GlobalAveragePooling1D()(x)


def _sequence(config: Any, name: str, spectrogram: Any) -> Any:
    """Return what the convolutions make of a spectrogram.

    Returns:
        of shape `(batch, steps, filters * remaining bands)`, filter by filter
    """
    from keras import layers

    from ..layers import ConvolutionBlock, PatchConvolutionBlock

    size = _KERNELS[config.kernels][name]
    x = spectrogram
    for filters in config.filters:
        if size != (4, 4):
            x = layers.ZeroPadding2D([int(side == 4) for side in size])(x)
        block = PatchConvolutionBlock if x.shape[-1] == 1 else ConvolutionBlock
        x = block(filters, size, padding="valid", momentum=MOMENTUM, epsilon=EPSILON)(x)
    x = layers.Permute((2, 3, 1))(x)  # from (bands, steps, filters) to (steps, filters, bands)
    return layers.Reshape((x.shape[1], -1))(x)


def _recurrent(config: Any, x: Any, mask: Any = None) -> Any:
    """Return the states of the last LSTM, of shape `(batch, steps, units)`."""
    from ..layers import LSTMCell, ProjectedRNN

    for _ in range(config.layers):
        x = ProjectedRNN(LSTMCell(config.units), return_sequences=True)(x, mask=mask)
    return x


def _dual_sequence(config: Any, x: Any, y: Any) -> Any:
    """Return the outputs of the last dual-sequence LSTM, of shape `(batch, steps, units)`."""
    from ..layers import DSLSTM, AlignSequences

    x, y = AlignSequences(config.alignment)(x, y)
    for _ in range(config.layers):
        x = DSLSTM(config.units, config.bn_position, momentum=MOMENTUM, epsilon=EPSILON)(x, y)
    return x
