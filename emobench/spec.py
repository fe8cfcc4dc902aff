"""The nouns of a benchmark run: plain frozen values that every other module speaks in.

Nothing here computes; heavy packages are not imported. What changes a result is gathered by
`Experiment.configuration` and named by its fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

Scaling = Literal["speaker", "training", "training-neutral", "corpus", "none"]
"""How a front-end's columns are standardised; see `scaling`."""

Normalisation = Literal["", "training", "corpus"]
"""What a protocol standardises with instead of what front-ends name, or ""."""

Backend = Literal["tensorflow", "jax", "scikit-learn"]

Sides = Literal["test", "training", "both"]
"""Which clips go through a condition of the sound."""

BETWEEN = "-to-"
"""Stands between the names of what is trained on and of what is tested on."""

TESTED = "tested: "
"""How the rule of a split begins that tests whole corpora; their names follow, with commas."""


@dataclass(frozen=True)
class FeatureSpec:
    """One front-end with its parameters: what is cached.

    Attributes:
        name: name in the feature registry, such as "logmel"
        params: every parameter with its value, sorted by name
        version: raised by the front-end whenever its values change
    """

    name: str
    params: tuple[tuple[str, Any], ...] = ()
    version: int = 1

    def __str__(self) -> str:
        """Return the spec as it is written on the command line, such as `logmel(bands=40)`."""
        inside = ", ".join(f"{key}={value}" for key, value in self.params)
        return f"{self.name}({inside})" if inside else self.name


@dataclass(frozen=True)
class InputSpec:
    """One input of a model: which front-end feeds it.

    Attributes:
        feature: name in the feature registry
        params: parameters that differ from the front-end's defaults
        scaling: None means the front-end's own
    """

    feature: str
    params: Mapping[str, Any] = field(default_factory=dict)
    scaling: Scaling | None = None


@dataclass(frozen=True)
class OutputSpec:
    """One output of a network and the loss it is trained with.

    Attributes:
        loss: name of a Keras loss, or None for an output that is only read
        weight: factor of this loss in the sum
    """

    loss: str | None = "categorical_crossentropy"
    weight: float = 1.0


@dataclass(frozen=True)
class Development:
    """Early stopping on clips of training speakers that are kept for it.

    Attributes:
        share: part of the training speakers, between 0 and 1
        patience: checks without improvement before stopping
        checks_per_epoch: how often in an epoch the clips are looked at, 1 or more
    """

    share: float
    patience: int
    checks_per_epoch: float = 1.0


@dataclass(frozen=True)
class ModelSpec:
    """One model of the zoo: everything about it but the weights.

    Attributes:
        name: name in the model registry, with the options that differ from the paper's
        citation: the paper that defines it, in one line
        config: frozen dataclass of hyper-parameters; a network's has `learning_rate`,
            `batch_size` and `epochs`, and may have `clip_value` (of gradients), `halve_after`
            (epochs after which the rate is halved) and `max_steps` (of the optimizer)
        inputs: the front-end of each input, by input name
        build: for a network `(config, input shapes, n_classes) -> keras.Model`, uncompiled;
            for an estimator `(config) -> estimator` with `tune`, `fit` and `predict`
        kind: "network" (Keras) or "estimator" (scikit-learn)
        outputs: a network's outputs by name; a single unnamed output is "probabilities"
        prediction: name of the output that holds the probabilities
        deviations: what differs from the paper, with the number of the decision
        masked: whether padded frames are kept out of the computation
        development: how training stops early; None trains for all epochs
        grid: values of a network's hyper-parameters that are searched inside the training folds
        attends: name of the layer that pools the input's rows by attention, or ""
        needs: what the corpus must have beside audio ("transcript")
        deterministic: whether a repetition would only repeat the first
        paper: name of the paper in whose table it is shown (see `papers`), "" for a table of its
            own; changes no result
        version: raised whenever the same configuration would give other numbers
    """

    name: str
    citation: str
    config: Any
    inputs: Mapping[str, InputSpec]
    build: Callable[..., Any]
    kind: Literal["network", "estimator"] = "network"
    outputs: Mapping[str, OutputSpec] = field(
        default_factory=lambda: {"probabilities": OutputSpec()}
    )
    prediction: str = "probabilities"
    deviations: tuple[str, ...] = ()
    masked: bool = False
    development: Development | None = None
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    attends: str = ""
    needs: tuple[str, ...] = ()
    deterministic: bool = False
    paper: str = ""
    version: int = 1


@dataclass(frozen=True)
class Protocol:
    """How models are trained and scored; data, chosen by name.

    Attributes:
        name: as written after `--protocol`
        title: one sentence for people
        paper: name of the paper whose way of testing it is (see `papers`), or ""
        split: who is held out: "" as the corpus' entry says, "groups" five groups of speakers or
            sessions, "last-group" the last of these only, "random" five parts of the clips
            whoever speaks, "clips" as many such parts as the corpus' entry makes folds
        speaker_groups: how speakers are dealt into groups where a corpus asks for groups
        max_folds: only the first folds are run, or None for all
        tuning: where hyper-parameters of an estimator are searched: on the training folds
            ("nested"), on the evaluation folds themselves ("evaluation"), or nowhere ("none")
        development: part of the held-out clips that is kept for early stopping, or None
        selection: "" uses the last epoch, or the best on development clips; "best-test-epoch" the
            epoch with the highest accuracy on the test clips
        weights: whose class counts the sample weights are taken from
        normalisation: "" standardises as each front-end says, "training" by the training clips,
            "corpus" by all clips, those that are tested among them
        copies: part of each fold's test clips that is trained on as well, or None
        batching: "padded-length" composes training batches of clips of similar length anew each
            epoch and keeps a prediction independent of its neighbours; "sorted" keeps its batches
            and pads each to its longest member
        statistics: what a network with batch normalisation predicts with: "" statistics measured on
            the training clips after training, "running" those collected during it
        repetitions: full cross-validations with other random seeds
        model_repetitions: exceptions to `repetitions`, by model name
        epochs: overrides the model's own number
        fixed_parameters: an estimator's hyper-parameters where nothing is tuned
        headline: score that the leaderboard shows first
        caution: printed beside every number of this protocol, or ""
        baseline: protocol that this one differs from in a single practice, whose price is the
            difference of their results; "" for a protocol in its own right
        practice: that practice in a few words
    """

    name: str
    title: str
    paper: str = ""
    split: Literal["", "groups", "last-group", "random", "clips"] = ""
    speaker_groups: Literal["random", "greedy"] = "random"
    max_folds: int | None = None
    tuning: Literal["nested", "evaluation", "none"] = "nested"
    development: float | None = None
    selection: Literal["", "best-test-epoch"] = ""
    weights: Literal["training", "corpus", "none"] = "training"
    normalisation: Normalisation = ""
    copies: float | None = None
    batching: Literal["padded-length", "sorted"] = "padded-length"
    statistics: Literal["", "running"] = ""
    repetitions: int = 3
    model_repetitions: Mapping[str, int] = field(default_factory=dict)
    epochs: int | None = None
    fixed_parameters: Mapping[str, float] = field(default_factory=dict)
    headline: Literal["uar", "wa", "wap"] = "uar"
    caution: str = ""
    baseline: str = ""
    practice: str = ""

    @property
    def draws_clips(self) -> bool:
        """Whether clips are drawn whoever speaks, so that no speaker is held out."""
        return self.split in ("random", "clips")

    def repetitions_of(self, model: ModelSpec) -> int:
        """Return how many repetitions of a model make a complete result."""
        if model.deterministic:
            return 1
        return self.model_repetitions.get(model.name, self.repetitions)


@dataclass(frozen=True)
class Fold:
    """One split of a corpus.

    Attributes:
        index: position in the cross-validation, from 0
        held_out: groups (speakers or sessions) that are tested
        training: ids of the training clips, in table order
        test: ids of the test clips, in table order
        development: ids of clips that are neither, where the protocol keeps some for early
            stopping
        copies: ids of test clips that are trained on as well, where the protocol prices that
    """

    index: int
    held_out: tuple[str, ...]
    training: tuple[str, ...]
    test: tuple[str, ...]
    development: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes; where a file lies changes no result.

    Attributes:
        results: folder of records and predictions
        cache: folder of features
        data: folder of the corpora
        datasets: registry files
        transcripts: table of texts that take the place of the corpora's own
        vectors: file of word vectors
        encoder: folder of a frozen encoder
    """

    results: Path
    cache: Path
    data: Path | None = None
    datasets: tuple[Path, ...] = ()
    transcripts: Path | None = None
    vectors: Path | None = None
    encoder: Path | None = None


@dataclass(frozen=True)
class Experiment:
    """A model on a corpus under a protocol: small, picklable, and enough to run a fold anywhere.

    Attributes:
        corpus: canonical name, with its variant
        model: canonical name
        protocol: canonical name
        backend: what computes; "scikit-learn" for estimators
        configuration: everything that changes results, as plain JSON values
        clips: digest of the ids, labels, speakers, groups and decoded sounds that are used
        n_folds: number of folds of the complete cross-validation
        repetitions: number of repetitions of a complete result
        skip_bad: whether clips that a front-end refuses are left out
    """

    corpus: str
    model: str
    protocol: str
    backend: Backend
    configuration: Mapping[str, Any]
    clips: str
    n_folds: int
    repetitions: int
    skip_bad: bool = False

    @property
    def title(self) -> str:
        """Corpus, model, what the sound goes through and a control, for people."""
        heard = self.configuration.get("condition")
        through = f" with {heard['name']} on {heard['sides']}" if heard else ""
        permuted = " with permuted labels" if self.configuration.get("control") else ""
        return f"{self.corpus} {self.model}{through}{permuted}"

    @cached_property
    def configuration_fingerprint(self) -> str:
        """Name of the configuration, the same on every machine."""
        return fingerprint(self.configuration)

    @cached_property
    def fingerprint(self) -> str:
        """Name of the configuration on these very clips; results are filed under it."""
        return fingerprint({"configuration": self.configuration, "clips": self.clips})


@dataclass(frozen=True, order=True, slots=True)
class Job:
    """One unit of work: train and test one fold of one repetition, or tune an estimator.

    Attributes:
        fold: index of the fold; None for a step of the whole experiment (tuning)
        repetition: from 1
    """

    fold: int | None
    repetition: int = 1

    @property
    def name(self) -> str:
        """Stem of the record's file name."""
        return (
            "tuning" if self.fold is None else f"fold-{self.fold:02d}-repetition-{self.repetition}"
        )


def plain(value: Any) -> Any:
    """Return a value as plain JSON types: dataclasses and mappings as dicts, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal.

    Examples:
        >>> fingerprint({"a": 1, "b": (2,)}) == fingerprint({"b": [2], "a": 1})
        True
    """
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
