"""Layers that the models share; importing this package imports Keras, so build functions do it.

`attention` pools over time, `pooling` over feature maps, `convolutions` and `recurrent` compute
what Keras layers of the same weights do, in an order that a CPU does faster.
"""

from __future__ import annotations

from .convolutions import ConvolutionBlock, FrameConvolutionBlock, RowConv1D, convolve_frames
from .pooling import AttentionPooling, MapMaxPooling
from .recurrent import GRUCell, LSTMCell, ProjectedRNN

__all__ = [
    "AttentionPooling",
    "ConvolutionBlock",
    "FrameConvolutionBlock",
    "GRUCell",
    "LSTMCell",
    "MapMaxPooling",
    "ProjectedRNN",
    "RowConv1D",
    "convolve_frames",
]
