"""An input of a model with all that training clips taught it, as values and apart from any clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import features
from ..features import Fitted, FrontEnd
from ..scaling import Standard
from ..sources import Source
from ..spec import FeatureSpec, Scaling


@dataclass(frozen=True)
class FittedInput:
    """From what a front-end gives of any clip to what a trained model is fed with.

    Attributes:
        spec: the front-end with its parameters
        scaling: whose statistics standardise a clip: "speaker" those of its own speaker, which no
            training tells, and otherwise those in `standard`
        standard: that of the training clips taken together, or of those that `scaling` names; None
            for an input that is read
        fitted: what the front-end learnt from the training clips
    """

    spec: FeatureSpec
    scaling: Scaling
    standard: Standard | None
    fitted: Fitted

    @property
    def front_end(self) -> FrontEnd:
        """The front-end."""
        return features.get(self.spec.name)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of a clip as the model sees it, without the batch axis."""
        return self.fitted.shape

    def apply(self, values: Any, standard: Standard | None = None) -> np.ndarray:
        """Return a clip as the model sees it.

        Args:
            values: of the clip, as cached, of shape `(rows, columns)`; or its transcript
            standard: what it is standardised with; None for that of the training clips

        Returns:
            float32 of shape `shape`, its rows as many as the clip has where that is left open
        """
        front_end, params = self.front_end, dict(self.spec.params)
        standard = standard or self.standard
        if standard is not None:
            values = standard.apply(values[: front_end.longest])
        return front_end.transform(values, params, self.fitted.state)

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """Return how many rows the model sees of clips.

        Args:
            rows: of each clip, as cached, of shape `(clips,)`
        """
        if self.shape[0] is not None:
            return np.full_like(rows, self.shape[0])
        longest = self.front_end.longest
        return rows if longest is None else np.minimum(rows, longest)

    def source(self, clip: Callable[[int], np.ndarray], rows: np.ndarray) -> Source:
        """Return clips as a network is fed with them.

        Args:
            clip: from a position to what `apply` gives of that clip
            rows: of each clip, as cached, of shape `(clips,)`
        """
        together = None
        if len(self.shape) > 1 and self.shape[0] == 1:
            together = np.stack([clip(position) for position in range(len(rows))])
        front_end = self.front_end
        lengths = self.lengths(rows)
        return Source(clip, lengths, front_end.pad_multiple, front_end.bucket_multiple, together)
