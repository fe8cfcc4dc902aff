"""A compiled network that is traced once and started afresh for every job.

Tracing a network costs as much as several epochs of a small corpus, so a worker keeps one and only
sets its variables back: weights, dropout's random state and the optimizer's memory alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..batches import Batches
from ..errors import EmobenchError
from ..models.layers import by_batch
from ..spec import ModelSpec, OutputSpec
from . import losses

EpochReport = Callable[[int, float], None]
"""Called with the number of finished epochs and the mean training loss of the last."""


class DivergedError(EmobenchError):
    """Training produced a loss that is not a number."""


@dataclass(frozen=True)
class Learnt:
    """How a training went.

    Attributes:
        loss: mean training loss of each epoch, or of each portion of one
        best_epoch: number, from 1, of the epoch or portion whose weights are kept, where a
            development set chose it
    """

    loss: tuple[float, ...]
    best_epoch: int | None = None


class Network:
    """A network with its optimizer, ready to be trained again and again.

    Args:
        spec: the model
        shapes: shape of each input without the batch axis, by name
        n_classes: number of classes

    Attributes:
        model: from inputs to probabilities
        learner: the same layers, from inputs to what the losses are computed from
        trained_outputs: names of the outputs that have a loss, where there are several
    """

    def __init__(
        self, spec: ModelSpec, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
    ) -> None:
        self._spec = spec
        self._shapes = dict(shapes)
        self._n_classes = n_classes
        self.model = self._build()
        self.model.compile(jit_compile=_compiles())  # to predict
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
        self,
        training: Batches,
        epochs: int,
        report: EpochReport,
        *,
        development: Batches | None = None,
        patience: int = 0,
        watcher: keras.callbacks.Callback | None = None,
    ) -> Learnt:
        """Train, for a fixed number of epochs or until a development set stops improving.

        Args:
            training: the training clips
            epochs: most passes through them, or through the portions that they come in
            report: called after each
            development: clips whose loss decides when to stop and which weights are kept
            patience: epochs without improvement before stopping
            watcher: has the last word on the weights

        Returns:
            how it went

        Raises:
            DivergedError: if the loss is not finite
        """
        scale = training.loss_scale
        callbacks = [
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: training.begin(epoch),
                on_epoch_end=lambda epoch, logs: report(epoch + 1, scale * float(logs["loss"])),
            ),
            keras.callbacks.TerminateOnNaN(),
            *self._schedule(training.share),
        ]
        stopping = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
        if development is not None:
            callbacks.append(stopping)
        if watcher is not None:
            callbacks.append(watcher)
        history = self.learner.fit(
            training,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            validation_data=development,
            callbacks=callbacks,
        )
        loss = [scale * float(loss) for loss in history.history["loss"]]
        if not np.isfinite(loss).all():
            raise DivergedError(
                f"{self._spec.name}: the training loss is not a number after epoch {len(loss)}. "
                "Look at the corpus with `emobench check --deep`, or lower the learning rate."
            )
        return Learnt(tuple(loss), stopping.best_epoch + 1 if development is not None else None)

    def _schedule(self, share: float) -> list[keras.callbacks.Callback]:
        """Return what halves the learning rate after the epochs that the config names.

        Args:
            share: of a pass through the training clips, what Keras takes for an epoch
        """
        config = self._spec.config
        if not getattr(config, "halve_after", ()):
            return []
        return [keras.callbacks.LearningRateScheduler(lambda epoch: rate_at(config, epoch * share))]

    def predict(self, batches: Batches) -> np.ndarray:
        """Return class probabilities in the order of the batches' positions.

        Returns:
            probabilities, of shape `(clips, classes)`, float32
        """
        return batches.scatter(self._probabilities(self.model.predict(batches, verbose=0)))

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
            self._measuring.compile(jit_compile=_compiles())
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


def accelerator() -> str | None:
    """Return the first device that the backend prefers to the CPU, or None."""
    devices = [str(device) for device in keras.distribution.list_devices()]
    return next((device for device in devices if not device.lower().startswith("cpu")), None)


def _compiles() -> bool:
    """Tell whether to compile with XLA: slower on a CPU under TensorFlow, faster elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return True
    return accelerator() is not None
