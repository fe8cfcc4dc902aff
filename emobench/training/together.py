"""Training several folds and repetitions of one experiment at once, on JAX.

A recurrent network is bound by its steps one after another and a small one by the calls it takes,
so a card trains ten folds in little more than the time of one. The members' weights, optimizers,
random states and running statistics are stacked, and every step is one call for all of them. The
clips lie on the device once; a batch is a list of their numbers.

A member's losses are those that it has alone, but for the last bits: it sees the batches of its own
schedule, and none of the padding that others ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from ..batches import Batches
from ..batching import Batch
from ..models.layers import FrameMaximum, excess_rows
from ..spec import ModelSpec, Protocol
from . import losses
from .network import Network, rate_at

if TYPE_CHECKING:
    import jax

_DIRECTIONS = ("forward_layer", "backward_layer")

State = tuple[list["jax.Array"], list["jax.Array"], list["jax.Array"]]
"""Trainable and other variables of a network, and its optimizer's."""

Report = Callable[[int, Sequence[float]], None]
"""Called with finished epochs and each member's mean loss."""


@dataclass(frozen=True)
class Member:
    """One of the trainings.

    Attributes:
        seed: of weights and dropout
        tables: weights that a front-end gives; see `Network.restart`
        batches: the labelled training clips
    """

    seed: int
    tables: Sequence[Mapping[str, np.ndarray]]
    batches: Batches


@dataclass(frozen=True)
class Trained:
    """What became of a member.

    Attributes:
        loss: mean training loss of each epoch
        variables: values of the network's variables, in the order of `Network.model.variables`
    """

    loss: tuple[float, ...]
    variables: tuple[np.ndarray, ...]


def obstacle(spec: ModelSpec, protocol: Protocol) -> str:
    """Return why the folds of a network must be trained one by one, or "".

    Args:
        spec: the model
        protocol: how it is trained
    """
    if keras.backend.backend() != "jax":
        return "the backend is not JAX"
    if spec.development or protocol.selection:
        return "its epochs are chosen while it trains"
    if getattr(spec.config, "max_steps", None):
        return "its number of steps is bounded"
    if spec.grid and protocol.tuning != "none":
        return "its hyper-parameters are searched in every fold"
    return ""


def feels_padding(spec: ModelSpec, model: keras.Model) -> bool:
    """Tell whether what a network learns depends on how far its batches are padded."""
    varies = any(tensor.shape[1] is None for tensor in model.inputs)
    trims = any(isinstance(layer, FrameMaximum) for layer in model.layers)
    return varies and not spec.masked and not trims


def train(
    network: Network, spec: ModelSpec, members: Sequence[Member], epochs: int, report: Report
) -> list[Trained]:
    """Train all members, from their own seeds, on their own batches.

    Args:
        network: what each of them is; its own variables are overwritten
        spec: the model
        members: at least one
        epochs: passes through each member's clips
        report: called after each

    Returns:
        what became of each, in their order

    Raises:
        jax.errors.JaxRuntimeError: if the device's memory does not hold them; nothing is lost but
            what was trained here
    """
    import jax

    with _without_cudnn(network.learner):
        return _train(jax, network, spec, members, epochs, report)


def _train(
    jax: Any,
    network: Network,
    spec: ModelSpec,
    members: Sequence[Member],
    epochs: int,
    report: Report,
) -> list[Trained]:
    data = _device_data(members)
    step = jax.jit(_every(_step(network, spec)), static_argnames="rows", donate_argnums=0)
    state = _start(network, members)
    history = []
    for epoch in range(epochs):
        state = _with_rate(network, state, rate_at(spec.config, epoch))
        total = np.zeros(len(members))
        for rows, batches in _steps(members, epoch, apart=feels_padding(spec, network.model)):
            state, loss = step(state, data, batches, rows=rows)
            total = total + loss  # stays on the device: the next step need not wait
        mean = np.asarray(total) * _scales(members)
        history.append(mean)
        report(epoch + 1, [float(loss) for loss in mean])
    values = _in_order(network, state)
    return [
        Trained(tuple(float(loss[at]) for loss in history), tuple(each[at] for each in values))
        for at in range(len(members))
    ]


@contextmanager
def _without_cudnn(model: keras.Model) -> Iterator[None]:
    """Keep recurrent layers from cuDNN, whose kernels take one member at a time."""
    before = {}
    for layer in model.layers:
        for each in (layer, *(getattr(layer, side, None) for side in _DIRECTIONS)):
            if hasattr(each, "use_cudnn"):
                before[each], each.use_cudnn = each.use_cudnn, False
    try:
        yield
    finally:
        for layer, use in before.items():
            layer.use_cudnn = use


def _start(network: Network, members: Sequence[Member]) -> State:
    """Return the members' fresh variables, stacked."""
    import jax.numpy as jnp

    learner = network.learner
    parts: list[list[Any]] = []
    for member in members:
        network.restart(member.seed, member.tables)
        parts.append(
            [
                [keras.ops.convert_to_numpy(variable) for variable in variables]
                for variables in (
                    learner.trainable_variables,
                    learner.non_trainable_variables,
                    learner.optimizer.variables,
                )
            ]
        )
    return tuple(
        [jnp.stack([part[kind][index] for part in parts]) for index in range(len(parts[0][kind]))]
        for kind in range(3)
    )


def _in_order(network: Network, state: State) -> list[np.ndarray]:
    """Return stacked variables in the order of the network's."""
    learner = network.learner
    known = {}
    for variables, values in zip(
        (learner.trainable_variables, learner.non_trainable_variables), state[:2], strict=True
    ):
        known |= {id(variable): value for variable, value in zip(variables, values, strict=True)}
    return [np.asarray(known[id(variable)]) for variable in network.model.variables]


def _with_rate(network: Network, state: State, rate: float) -> State:
    """Return the state with another learning rate for all members."""
    trainable, others, optimizer = state
    changed = [
        value if variable.name != "learning_rate" else value * 0 + rate
        for variable, value in zip(network.learner.optimizer.variables, optimizer, strict=True)
    ]
    return trainable, others, changed


def _scales(members: Sequence[Member]) -> np.ndarray:
    """Return the factor from each member's summed batch losses to its mean loss over clips."""
    return np.array([each.batches.loss_scale / each.batches.schedule.steps for each in members])


def _device_data(members: Sequence[Member]) -> dict[str, Any]:
    """Return every input on the device, padded to the longest clip.

    Returns:
        by name, of shape `(tables, clips, rows, …)`, where there is one table for all members if
        their standardisation agrees, else one for each fold
    """
    import jax.numpy as jnp

    data = {}
    for name in members[0].batches.sources:
        shared = _shared_table(members, name)
        if shared is None:
            firsts = dict(zip(reversed(_folds(members)), reversed(members), strict=True))
            tables = [_table(firsts[number].batches, name) for number in sorted(firsts)]
            data[name] = jnp.stack(tables)
        else:
            data[name] = jnp.asarray(shared)[None]
    return data


def _folds(members: Sequence[Member]) -> list[int]:
    """Return the number of each member's fold: repetitions of one share its prepared inputs."""
    numbers: dict[tuple[int, ...], int] = {}
    keys = [
        (*map(id, member.batches.sources.values()), *map(int, member.batches.positions))
        for member in members
    ]
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _shared_table(members: Sequence[Member], name: str) -> np.ndarray | None:
    """Return one table that holds the clips of all members, or None where they disagree."""
    whole, known, seen = None, None, set()
    for member in members:
        own, source = member.batches.positions, member.batches.sources[name]
        if id(source) in seen and known[own].all():  # another repetition of a fold
            continue
        seen.add(id(source))
        table = _table(member.batches, name)
        if whole is None:
            whole, known = np.zeros_like(table), np.zeros(len(table), bool)
        both = own[known[own]]
        if whole.shape != table.shape or not np.array_equal(whole[both], table[both]):
            return None
        whole[own], known[own] = table[own], True
    return whole


def _table(batches: Batches, name: str) -> np.ndarray:
    """Return the training clips of a member, zero elsewhere, of shape `(clips, rows, …)`."""
    source = batches.sources[name]
    rows = int(max(source.padded(batches.batching)))
    stacked = source.stack(batches.positions, rows)
    table = np.zeros((len(source.lengths), *stacked.shape[1:]), np.float32)
    table[batches.positions] = stacked
    return table


def _steps(
    members: Sequence[Member], epoch: int, *, apart: bool
) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield an epoch's batches, one of each member at a time.

    Args:
        members: what is trained
        epoch: number of the epoch
        apart: whether batches of different padded length must not be padded further: those of
            each length then take a step of their own, while the other members wait

    Yields:
        the padded length of each input and, for every member, indexes of clips, their weights,
        targets, excess rows, whether the member takes the step and the number of its table, each
        with a first axis of members
    """
    schedules = [member.batches.schedule.epoch(epoch) for member in members]
    tables = _folds(members)
    for number in range(max(map(len, schedules))):
        here = [schedule[min(number, len(schedule) - 1)] for schedule in schedules]
        goes = [number < len(schedule) for schedule in schedules]
        longest = tuple(int(length) for length in np.max([batch.rows for batch in here], axis=0))
        lengths = sorted({batch.rows for batch in here}) if apart else [longest]
        for rows in lengths:
            each = [
                _arrays(
                    tables[at],
                    members[at],
                    batch,
                    rows,
                    active=goes[at] and (not apart or batch.rows == rows),
                )
                for at, batch in enumerate(here)
            ]
            yield rows, tuple(map(np.stack, zip(*each, strict=True)))


def _arrays(
    table: int, member: Member, batch: Batch, rows: tuple[int, ...], *, active: bool
) -> tuple[Any, ...]:
    """Return what a step needs of a member's batch."""
    batches = member.batches
    weights = (batches.weights[batch.members] * batch.factors).astype(np.float32)
    return (
        batches.positions[batch.members].astype(np.int32),
        weights,
        batches.targets[batch.members].astype(np.float32),
        np.int32(max(0, *(mine - own for mine, own in zip(rows, batch.rows, strict=True)))),
        np.bool_(active),
        np.int32(table),
    )


def _every(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step of all members at once."""
    import jax

    def every(state: State, data: Mapping[str, Any], batches: Any, rows: tuple[int, ...]) -> Any:
        state = tuple(map(list, state))
        return jax.vmap(lambda state, batch: step(state, data, batch, rows))(state, batches)

    return every


def _step(network: Network, spec: ModelSpec) -> Callable[..., tuple[State, Any]]:
    """Return one step of one member, as Keras takes it: loss, gradient, Adam."""
    import jax
    import jax.numpy as jnp

    learner = network.learner
    trained = {name: out for name, out in spec.outputs.items() if out.loss}

    def loss_of(
        trainable: Any, others: Any, inputs: Any, targets: Any, weights: Any
    ) -> tuple[Any, Any]:
        outputs, others, penalties = learner.stateless_call(
            trainable, others, inputs, training=True, return_losses=True
        )
        if not network.trained_outputs:
            outputs = {name: outputs for name in trained}
        parts = [
            (out.weight if network.trained_outputs else 1.0)
            * jnp.mean(weights * losses.get(out.loss)(targets, outputs[name]))
            for name, out in trained.items()
        ]
        return sum(parts) + sum(penalties), others

    def step(state: State, data: Mapping[str, Any], batch: Any, rows: tuple[int, ...]) -> Any:
        clips, weights, targets, excess, active, table = batch
        trainable, others, optimizer = state
        inputs = {
            name: values[jnp.minimum(table, len(values) - 1), clips, :length]
            for (name, values), length in zip(data.items(), rows, strict=True)
        }
        with excess_rows(excess):
            (loss, new_others), gradient = jax.value_and_grad(loss_of, has_aux=True)(
                trainable, others, inputs, targets, weights
            )
        new_trainable, new_optimizer = learner.optimizer.stateless_apply(
            optimizer, gradient, trainable
        )
        after = (list(new_trainable), list(new_others), list(new_optimizer))
        kept = jax.tree.map(lambda new, old: jnp.where(active, new, old), after, tuple(state))
        return kept, jnp.where(active, loss, 0.0)

    return step
