"""A compiled network that is traced once and started afresh for every job.

Tracing a network costs as much as several epochs of a small corpus, so a worker keeps one and only
sets its variables back: weights, dropout's random state and the optimizer's memory alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from ..batches import Batches
from ..errors import EmobenchError
from ..spec import ModelSpec
from .losses import get as get_loss

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
    """

    def __init__(
        self, spec: ModelSpec, shapes: Mapping[str, tuple[int | None, ...]], n_classes: int
    ) -> None:
        self._spec = spec
        self._shapes = dict(shapes)
        self._n_classes = n_classes
        self.model = self._build()
        trained = {name: out for name, out in spec.outputs.items() if out.loss}
        self.trained_outputs = tuple(trained) if len(spec.outputs) > 1 else ()
        losses = {name: get_loss(out.loss) for name, out in trained.items()}
        loss_weights = {name: out.weight for name, out in trained.items()}
        single = not self.trained_outputs
        self.model.compile(
            optimizer=keras.optimizers.Adam(
                spec.config.learning_rate, clipvalue=getattr(spec.config, "clip_value", None)
            ),
            loss=next(iter(losses.values())) if single else losses,
            loss_weights=None if single else loss_weights,
            jit_compile=_compiles(),
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._optimizer_start = [
            keras.ops.convert_to_numpy(value) for value in self.model.optimizer.variables
        ]

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
            self.model.optimizer.variables, self._optimizer_start, strict=True
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
    ) -> list[float]:
        """Train, for a fixed number of epochs or until a development set stops improving.

        Args:
            training: the training clips
            epochs: most passes through them, or through the portions that they come in
            report: called after each
            development: clips whose loss decides when to stop and which weights are kept
            patience: epochs without improvement before stopping
            watcher: has the last word on the weights

        Returns:
            mean training loss of each epoch

        Raises:
            DivergedError: if the loss is not finite
        """
        callbacks = [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: report(epoch + 1, float(logs["loss"]))
            ),
            keras.callbacks.TerminateOnNaN(),
            *self._schedule(training.share),
        ]
        if development is not None:
            callbacks.append(
                keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
            )
        if watcher is not None:
            callbacks.append(watcher)
        history = self.model.fit(
            training,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            validation_data=development,
            callbacks=callbacks,
        )
        losses = [float(loss) for loss in history.history["loss"]]
        if not np.isfinite(losses).all():
            raise DivergedError(
                f"{self._spec.name}: the training loss is not a number after epoch {len(losses)}. "
                "Look at the corpus with `emobench check --deep`, or lower the learning rate."
            )
        return losses

    def _schedule(self, share: float) -> list[keras.callbacks.Callback]:
        """Return what halves the learning rate after the epochs that the config names.

        Args:
            share: of a pass through the training clips, what Keras takes for an epoch
        """
        halvings = getattr(self._spec.config, "halve_after", ())
        if not halvings:
            return []
        rate = self._spec.config.learning_rate
        return [
            keras.callbacks.LearningRateScheduler(
                lambda epoch: rate * 0.5 ** sum(epoch * share >= after for after in halvings)
            )
        ]

    def predict(self, batches: Batches) -> np.ndarray:
        """Return class probabilities in the order of the batches' positions.

        Returns:
            probabilities, of shape `(clips, classes)`, float32
        """
        outputs = self.model.predict(batches, verbose=0)
        if isinstance(outputs, Mapping):
            outputs = outputs[self._spec.prediction]
        probabilities = np.empty_like(outputs)
        probabilities[batches.order] = outputs
        return probabilities


def accelerator() -> str | None:
    """Return the first device that the backend prefers to the CPU, or None."""
    devices = [str(device) for device in keras.distribution.list_devices()]
    return next((device for device in devices if not device.lower().startswith("cpu")), None)


def _compiles() -> bool:
    """Tell whether to compile with XLA: slower on a CPU under TensorFlow, faster elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return True
    return accelerator() is not None
