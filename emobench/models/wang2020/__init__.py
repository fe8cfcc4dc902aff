"""A dual-sequence LSTM on mel spectrograms of two resolutions, an LSTM on MFCCs, and baselines.

J. Wang, M. Xue, R. Culhane, E. Diao, J. Ding and V. Tarokh, "Speech emotion recognition with
dual-sequence LSTM architecture", ICASSP 2020, doi:10.1109/ICASSP40776.2020.9054629,
arXiv:1910.08874; their code, github.com/diaoenmao/Speech-Emotion-Recognition-with-Dual-Sequence-
LSTM-Architecture, where the paper is silent.

Differences from the paper: its convolutions are followed by batch normalisation and ReLU, as in the
authors' code (D-03); the 39 features are 12 MFCCs, log energy and their derivatives, as in the code
(D-11). What the code does otherwise than the paper says are options: lengths of the transforms and
learning rate (`preset`, D-01 and D-05), kernels (`kernels`, D-02), how base 4 joins its halves
(`base4_fusion`, D-06) and the alignment (`alignment`, D-09). The cited recurrent batch
normalisation comes before the gates' sigmoids, the paper's after them (`bn_position`, D-08).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...spec import ModelSpec, OutputSpec
from .. import register
from .config import Base4Config, Config, DualSequenceConfig, SpectrogramConfig
from .config import inputs as inputs_of
from .config import shapes as shapes_of
from .config import smallest as smallest_of
from .network import build

CITATION = (
    "J. Wang, M. Xue, R. Culhane, E. Diao, J. Ding and V. Tarokh, Speech emotion recognition with "
    "dual-sequence LSTM architecture, ICASSP 2020, doi:10.1109/ICASSP40776.2020.9054629"
)
_FEATURES = "D-11: 12 MFCCs and log energy with their derivatives, as in the authors' code"
_BLOCK = "D-03: batch normalisation and ReLU after each convolution, as in the authors' code"
_LENGTH = (
    "a spectrogram has the median length of the training clips to the nearest multiple of 16; "
    "what time_fit=pad fills up is ordinary input"
)
_BASE4 = "D-06: logits of two networks are averaged as the paper says; the code joins them before"
_BASE6 = "D-07: the published result is that of base 5's network"
_UNLOGGED = "D-12: the published result is not in the authors' logs"
_LOGITS = "D-10: logits are averaged where the paper says outputs"


def _register(
    name: str,
    config: Config,
    names: tuple[str, ...],
    shares: Mapping[str, float],
    deviations: tuple[str, ...],
) -> None:
    """Register a model, a weighted mean of the logits of its parts.

    Args:
        name: what follows "wang2020-"
        config: hyper-parameters
        names: of the inputs
        shares: weight of each part's logits in the mean, and of its loss in the sum
        deviations: what differs from the paper, beside what all models with these inputs share
    """
    joint = {part: OutputSpec(weight=share) for part, share in shares.items()}
    joint["average"] = OutputSpec(loss=None)
    several = {"outputs": joint, "prediction": "average"} if len(shares) > 1 else {}
    shared = (_FEATURES,) * ("mfcc" in names) + (_BLOCK, _LENGTH) * (names != ("mfcc",))
    register(
        ModelSpec(
            name=f"wang2020-{name}",
            citation=CITATION,
            paper="wang2020",
            config=config,
            inputs=inputs_of(config, names),
            build=partial(build, shares),
            deviations=shared + deviations,
            masked="mfcc" in names,
            **several,
        ),
        shapes=lambda config: shapes_of(config, names),
        smallest=lambda config: smallest_of(config, names),
        inputs=lambda config: inputs_of(config, names),
    )


_register("base1", Config(), ("mfcc",), {"hand": 1.0}, ())
_register("base2", SpectrogramConfig(), ("fine",), {"fine": 1.0}, ())
_register("base3", SpectrogramConfig(), ("coarse",), {"coarse": 1.0}, ())
_register(
    "base4", Base4Config(), ("fine", "coarse"), {"fine": 0.5, "coarse": 0.5}, (_BASE4, _LOGITS)
)
_register(
    "base5",
    Base4Config(),
    ("mfcc", "fine", "coarse"),
    {"hand": 0.5, "fine": 0.25, "coarse": 0.25},
    (_BASE4, _LOGITS),
)
_register(
    "base6", SpectrogramConfig(), ("mfcc", "fine"), {"hand": 0.5, "fine": 0.5}, (_BASE6, _LOGITS)
)
_register("dslstm", DualSequenceConfig(), ("fine", "coarse"), {"raw": 1.0}, (_UNLOGGED,))
_register(
    "dual",
    DualSequenceConfig(),
    ("mfcc", "fine", "coarse"),
    {"hand": 0.5, "raw": 0.5},
    (_UNLOGGED, _LOGITS),
)
