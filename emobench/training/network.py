"""A compiled network that is traced once and started afresh for every job.

Tracing a network costs as much as several epochs of a small corpus, so a worker keeps one and only
sets its variables back: weights, dropout's random state and the optimizer's memory alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ..batches import Batches
from ..errors import EmobenchError
from ..models.layers import by_batch
from ..spec import ModelSpec, OutputSpec
from . import losses
from .best_epoch import BestEpoch
from .devices import computes_on_card

EpochReport = Callable[[int, float], None]
"""Called with the number of finished epochs and the mean training loss of the last."""


class DivergedError(EmobenchError):
    """Training produced a loss that is not a number."""


class Network:
    """A network with its optimizer, ready to be trained again and again.

    Args:
        spec: the model
        shapes: shape of each input without the batch axis, by name
        n_classes: number of classes

    Attributes:
        config: hyper-parameters, those that were searched or fitted included
        model: from inputs to probabilities
        learner: the same layers, from inputs to what the losses are computed from
        trained_outputs: names of the outputs that have a loss, where there are several
    """

    def __init__(
        self, spec: ModelSpec, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
    ) -> None:
        self.config = spec.config
        self._spec = spec
        self._shapes = dict(shapes)
        self._n_classes = n_classes
        self.model = self._build()
        self.model.jit_compile = _compiles()  # it predicts, and need not be compiled to train
        self._measuring: keras.Model | None = None
        trained = {name: out for name, out in spec.outputs.items() if out.loss}
        self.trained_outputs = tuple(trained) if len(spec.outputs) > 1 else ()
        self.learner = keras.Model(inputs_of(self.model), self._logits(trained))
        every = {name: losses.get(out.loss) for name, out in trained.items()}
        weights = {name: out.weight for name, out in trained.items()}
        single = not self.trained_outputs
        self.learner.compile(
            optimizer=keras.optimizers.Adam(
                spec.config.learning_rate, clipvalue=getattr(spec.config, "clip_value", None)
            ),
            loss=next(iter(every.values())) if single else every,
            loss_weights=None if single else weights,
            jit_compile=_compiles(),
        )
        self.learner.optimizer.build(self.learner.trainable_variables)
        self._optimizer_start = [
            keras.ops.convert_to_numpy(value) for value in self.learner.optimizer.variables
        ]

    def _logits(self, trained: Mapping[str, OutputSpec]) -> Any:
        """Return what the losses are computed from: one output, or several by name."""
        outputs = self.model.output
        if not self.trained_outputs:
            [out] = trained.values()
            return losses.trained_output(self.model, self._spec.name, outputs, out.loss)
        return {
            name: losses.trained_output(self.model, self._spec.name, outputs[name], out.loss)
            for name, out in trained.items()
        }

    @property
    def backend(self) -> str:
        """Name of what computes."""
        return keras.backend.backend()

    def _build(self) -> keras.Model:
        return self._spec.build(self._spec.config, self._shapes, self._n_classes)

    def restart(self, seed: int, tables: Sequence[Mapping[str, np.ndarray]] = ()) -> None:
        """Set every variable to what a newly built network with this random seed would have.

        Args:
            seed: of weights and dropout
            tables: first weight of a layer by the layer's name; rows of NaN stay as drawn
        """
        keras.utils.set_random_seed(seed)
        fresh = self._build()
        for variable, start in zip(self.model.variables, fresh.variables, strict=True):
            variable.assign(start)
        for variable, start in zip(
            self.learner.optimizer.variables, self._optimizer_start, strict=True
        ):
            variable.assign(start)
        for name, table in ((name, table) for known in tables for name, table in known.items()):
            weight = self.model.get_layer(name).weights[0]
            drawn = keras.ops.convert_to_numpy(weight)
            weight.assign(np.where(np.isnan(table), drawn, table))

    def fit(
        self, training: Batches, rounds: int, report: EpochReport, best: BestEpoch | None = None
    ) -> list[float]:
        """Train, for a fixed number of rounds or until there is no better one.

        Batches are handed over one by one: what Keras makes of a whole data set looks ahead by
        itself, more often in a fresh process than in a used one, and TensorFlow keeps it for good.

        Args:
            training: the training clips
            rounds: most passes through them, or through the portions that they come in
            report: called after each
            best: has a look after each, and the last word on the weights

        Returns:
            mean training loss of each round

        Raises:
            DivergedError: if the loss is not finite
        """
        history: list[float] = []
        for number in range(rounds):
            training.begin(number)
            self._set_rate(number * training.share)
            loss = training.loss_scale * self._step_through(training)
            history.append(loss)
            report(number + 1, loss)
            self._check_finite(history)
            if best is not None and not best.goes_on(number + 1, self.learner.get_weights):
                break
        if best is not None:
            self.learner.set_weights(best.weights)
        return history

    def _step_through(self, training: Batches) -> float:
        """Take a step on each batch; return the mean of their losses."""
        total = 0.0
        for inputs, targets, weights in training:
            metrics = self.learner.train_on_batch(
                inputs, targets, sample_weight=weights, return_dict=True
            )
            total += float(metrics["loss"])
        return total / len(training)

    def take(self, variables: Sequence[np.ndarray], losses: Sequence[float]) -> None:
        """Take over the variables of a network like this one that was trained elsewhere.

        Args:
            variables: in the order of `model.variables`
            losses: of its training

        Raises:
            DivergedError: if the loss is not finite
        """
        self._check_finite(losses)
        for variable, value in zip(self.model.variables, variables, strict=True):
            variable.assign(value)

    def _check_finite(self, losses: Sequence[float]) -> None:
        if np.isfinite(losses).all():
            return
        name, rate = self._spec.name, self._spec.config.learning_rate
        epoch = int(np.isfinite(losses).argmin()) + 1
        lower = f"{name}{',' if ':' in name else ':'}learning_rate={rate / 10:g}"
        raise DivergedError(
            f"{name}: the training loss is not a number after epoch {epoch}. See with "
            "`emobench check --deep` whether the corpus holds damaged files, or lower the learning "
            f"rate: `{lower}`."
        )

    def _set_rate(self, epochs: float) -> None:
        """Set the learning rate after so many epochs, where the config changes it."""
        if getattr(self._spec.config, "halve_after", ()):
            self.learner.optimizer.learning_rate = rate_at(self._spec.config, epochs)

    def loss(self, labelled: Batches) -> float:
        """Return the mean loss of clips that the network is watched on.

        Batches to predict are of several sizes: each counts as often as it has clips.
        """
        total = 0.0
        for batch, (inputs, targets, weights) in zip(labelled.current, labelled, strict=True):
            metrics = self.learner.test_on_batch(
                inputs, targets, sample_weight=weights, return_dict=True
            )
            total += float(metrics["loss"]) * len(batch.members)
        return total / float(sum(batch.factors.sum() for batch in labelled.current))

    def predict(self, batches: Batches) -> np.ndarray:
        """Return class probabilities in the order of the batches' positions.

        Returns:
            probabilities, of shape `(clips, classes)`, float32
        """
        rows = [
            self._probabilities(self.model.predict_on_batch(batches.inputs(batch)))
            for batch in batches.current
        ]
        return batches.scatter(np.concatenate(rows))

    def predict_by_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return class probabilities, normalised by the statistics of the clips at hand.

        The running statistics of every batch normalisation become those of these clips.

        Args:
            inputs: of clips, by name

        Returns:
            probabilities, of shape `(clips, classes)`, float32
        """
        if self._measuring is None:
            # The same layers, traced apart: what is traced under `by_batch` stays so.
            self._measuring = keras.Model(inputs_of(self.model), self.model.output)
            self._measuring.jit_compile = _compiles()
        with by_batch():
            return self._probabilities(self._measuring.predict_on_batch(inputs))

    def _probabilities(self, outputs: Any) -> np.ndarray:
        return outputs[self._spec.prediction] if isinstance(outputs, Mapping) else outputs


def rate_at(config: Any, epoch: float) -> float:
    """Return the learning rate after so many epochs, which some configs halve."""
    halvings = getattr(config, "halve_after", ())
    return config.learning_rate * 0.5 ** sum(epoch >= after for after in halvings)


def inputs_of(model: keras.Model) -> dict[str, Any]:
    """Return the inputs of a network by name, as other networks on its layers take them."""
    return {tensor.name: tensor for tensor in model.inputs}


def _compiles() -> bool:
    """Tell whether to compile with XLA: slower on a CPU under TensorFlow, faster elsewhere."""
    return keras.backend.backend() != "tensorflow" or computes_on_card()
