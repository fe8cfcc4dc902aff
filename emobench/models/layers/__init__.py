"""Layers that the models share; importing this package imports Keras, so build functions do it.

`padding` tells padding from speech; `maximum`, `pooling`, `deep_attention`, `dot_attention` and
`statistics` sum up over time; `dual_sequence` is the DS-LSTM, with its `alignment` and
`recurrent_normalisation`; `batch_statistics` lets what batches are normalised by be measured;
`frame_dropout` is drawn alike however far a clip is padded; `row_mixture` weighs rows alike in all
clips. `convolutions`, `rows`, `recurrent` and `classic_gru` with their loops, and
`recurrent_dropout` compute what Keras layers of the same weights do, in an order that a CPU does
faster. All loops are made by `time_loop`, all convolutions by `convolve`.
"""

from __future__ import annotations

from .alignment import AlignSequences
from .batch_statistics import by_batch
from .classic_gru import ClassicGRUCell
from .convolutions import (
    ConvolutionBlock,
    FrameConvolutionBlock,
    PatchConvolutionBlock,
    convolve_hops,
    hops_of,
)
from .convolve import Conv1D, convolutions_made_by
from .deep_attention import DeepAttentionPooling
from .dot_attention import DotAttention
from .dual_sequence import DSLSTM, DSLSTMCell
from .frame_dropout import FrameDropout
from .maximum import FrameMaximum, excess_rows
from .padding import PaddingMask
from .pooling import AttentionPooling
from .recurrent import LSTM, Bidirectional, GRUCell, LSTMCell, ProjectedRNN
from .recurrent_dropout import RecurrentDropoutLSTMCell
from .recurrent_normalisation import StepNormalization
from .row_mixture import RowMixture
from .rows import MapPooledRowConv1D, PooledRowConv1D
from .statistics import LastStep, StatisticsPooling
from .time_loop import loops_made_by
from .word_embedding import embed_words

__all__ = [
    "AlignSequences",
    "AttentionPooling",
    "Bidirectional",
    "ClassicGRUCell",
    "Conv1D",
    "ConvolutionBlock",
    "DSLSTM",
    "DSLSTMCell",
    "DeepAttentionPooling",
    "DotAttention",
    "FrameConvolutionBlock",
    "FrameDropout",
    "FrameMaximum",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "LastStep",
    "MapPooledRowConv1D",
    "PaddingMask",
    "PatchConvolutionBlock",
    "ProjectedRNN",
    "PooledRowConv1D",
    "RowMixture",
    "RecurrentDropoutLSTMCell",
    "StatisticsPooling",
    "StepNormalization",
    "by_batch",
    "convolutions_made_by",
    "convolve_hops",
    "embed_words",
    "excess_rows",
    "hops_of",
    "loops_made_by",
]
