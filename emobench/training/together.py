"""Training several folds and repetitions of one experiment at once, on JAX.

A recurrent network is bound by its steps one after another and a small one by the calls it takes,
so a card trains ten folds in little more than the time of one. The members' weights, optimizers,
random states and running statistics are stacked, and every step is one call for all of them, in
which only convolutions take turns. The clips lie on the device once; a batch is a list of their
numbers.

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

from ..experiments import decided_while_training
from ..models.layers import FrameMaximum, convolutions_made_by, excess_rows
from ..spec import ModelSpec, Protocol
from . import losses, one_by_one
from .network import Network, rate_at
from .stacked_batches import Member, device_data, steps

if TYPE_CHECKING:
    import jax

_DIRECTIONS = ("forward_layer", "backward_layer")

State = tuple[list["jax.Array"], list["jax.Array"], list["jax.Array"]]
"""Trainable and other variables of a network, and its optimizer's."""

Report = Callable[[int, Sequence[float]], None]
"""Called with finished epochs and each member's mean loss."""


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
    return decided_while_training(spec, protocol)


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

    with _without_cudnn(network.learner), convolutions_made_by(one_by_one.convolve):
        return _train(jax, network, spec, members, epochs, report)


def _train(
    jax: Any,
    network: Network,
    spec: ModelSpec,
    members: Sequence[Member],
    epochs: int,
    report: Report,
) -> list[Trained]:
    data = device_data(members)
    names = list(members[0].batches.sources)
    step = jax.jit(_every(_step(network, spec, names)), static_argnames="rows", donate_argnums=0)
    state = _start(network, members)
    history = []
    for epoch in range(epochs):
        state = _with_rate(network, state, rate_at(spec.config, epoch))
        total = np.zeros(len(members))
        for rows, batches in steps(members, epoch, by_length=feels_padding(spec, network.model)):
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
    # One network lends its variables to each member in turn: a start is a start, alone or not.
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
        # Times 0: the shape and the type stay, and with them the compiled step.
        value if variable.name != "learning_rate" else value * 0 + rate
        for variable, value in zip(network.learner.optimizer.variables, optimizer, strict=True)
    ]
    return trainable, others, changed


def _scales(members: Sequence[Member]) -> np.ndarray:
    """Return the factor from each member's summed batch losses to its mean loss over clips."""
    return np.array([each.batches.loss_scale / each.batches.schedule.steps for each in members])


def _every(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step of all members at once."""
    import jax

    def every(state: State, data: Mapping[str, Any], batches: Any, rows: tuple[int, ...]) -> Any:
        state = tuple(map(list, state))
        return jax.vmap(lambda state, batch: step(state, data, batch, rows))(state, batches)

    return every


def _loss_of(network: Network, spec: ModelSpec) -> Callable[..., tuple[Any, Any]]:
    """Return the loss of a batch as a function of the weights, with what else changed."""
    import jax.numpy as jnp

    trained = {name: out for name, out in spec.outputs.items() if out.loss}

    def loss_of(
        trainable: Any, others: Any, inputs: Any, targets: Any, weights: Any
    ) -> tuple[Any, Any]:
        outputs, others, penalties = network.learner.stateless_call(
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

    return loss_of


def _step(
    network: Network, spec: ModelSpec, names: Sequence[str]
) -> Callable[..., tuple[State, Any]]:
    """Return one step of one member, as Keras takes it: loss, gradient, Adam."""
    import jax
    import jax.numpy as jnp

    learn = jax.value_and_grad(_loss_of(network, spec), has_aux=True)
    optimise = network.learner.optimizer.stateless_apply

    def step(state: State, data: Mapping[str, Any], batch: Any, rows: tuple[int, ...]) -> Any:
        clips, weights, targets, excess, active, table = batch
        trainable, others, optimizer = state
        inputs = {
            # By name: JAX sorts the keys of what a compiled function is given. Where all folds
            # share one table of clips it is the first, whatever the number of the member's own.
            name: data[name][jnp.minimum(table, len(data[name]) - 1), clips, :length]
            for name, length in zip(names, rows, strict=True)
        }
        with excess_rows(excess):
            (loss, new_others), gradient = learn(trainable, others, inputs, targets, weights)
        new_trainable, new_optimizer = optimise(optimizer, gradient, trainable)
        after = (list(new_trainable), list(new_others), list(new_optimizer))
        # All members take every step; what one learnt in a step that was not its own is dropped.
        kept = jax.tree.map(lambda new, old: jnp.where(active, new, old), after, tuple(state))
        return kept, jnp.where(active, loss, 0.0)

    return step
