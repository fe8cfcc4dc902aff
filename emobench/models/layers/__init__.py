"""Layers that the models share; importing this package imports Keras, so build functions do it.

`pooling` weighs over time by attention. `convolutions`, `rows` and `recurrent` compute what Keras
layers of the same weights do, in an order that a CPU does faster.
"""

from __future__ import annotations

from .convolutions import (
    ConvolutionBlock,
    FrameConvolutionBlock,
    PatchConvolutionBlock,
    convolve_hops,
    hops_of,
)
from .pooling import AttentionPooling
from .recurrent import GRUCell, LSTMCell, ProjectedRNN
from .rows import MapPooledRowConv1D, PooledRowConv1D

__all__ = [
    "AttentionPooling",
    "ConvolutionBlock",
    "FrameConvolutionBlock",
    "GRUCell",
    "LSTMCell",
    "MapPooledRowConv1D",
    "PatchConvolutionBlock",
    "ProjectedRNN",
    "PooledRowConv1D",
    "convolve_hops",
    "hops_of",
]
