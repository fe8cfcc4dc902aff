"""Registry of the models: one file per paper, listed without importing Keras.

A file of this package registers its models when it is imported; what needs Keras or scikit-learn
is imported inside the build functions. A new model is a new file and nothing else.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from ..errors import KINDS, SpecError, suggest
from ..spec import InputSpec, ModelSpec

if TYPE_CHECKING:
    import keras

Shape = tuple[int | None, ...]
"""Shape of one clip, without the batch axis; None stands for any length."""

Shapes = Mapping[str, Shape]

_NOT_PAPERS = ("layers", "support_vector_machine", "support_vectors")


@dataclass(frozen=True)
class _Entry:
    spec: ModelSpec
    shapes: Callable[[Any], Shapes]
    smallest: Callable[[Any], Shapes]
    inputs: Callable[[Any], Mapping[str, InputSpec]]


_entries: dict[str, _Entry] = {}


def register(
    spec: ModelSpec,
    *,
    shapes: Shapes | Callable[[Any], Shapes] | None = None,
    smallest: Shapes | Callable[[Any], Shapes] | None = None,
    inputs: Callable[[Any], Mapping[str, InputSpec]] | None = None,
) -> ModelSpec:
    """Add a model to the registry.

    Args:
        spec: the model
        shapes: what the paper's front-ends give, by input name, or a function of the config that
            returns it; networks need it
        smallest: the smallest clip that the network accepts, by input name, or a function of the
            config; networks need it
        inputs: from a config to the model's inputs, where they depend on it

    Returns:
        the model, unchanged

    Raises:
        ValueError: if the name is taken, or a network's shapes do not name its inputs
    """
    if spec.name in _entries:
        raise ValueError(f"model '{spec.name}': expected a new name, found one that is registered")
    entry = _Entry(
        spec,
        shapes if callable(shapes) else lambda config: shapes or {},
        smallest if callable(smallest) else lambda config: smallest or {},
        inputs or (lambda config: spec.inputs),
    )
    known, least = entry.shapes(spec.config), entry.smallest(spec.config)
    if spec.kind == "network" and not set(spec.inputs) == set(known) == set(least):
        raise ValueError(
            f"model '{spec.name}': expected shapes and smallest shapes of {sorted(spec.inputs)}, "
            f"found {sorted(known)} and {sorted(least)}"
        )
    _entries[spec.name] = entry
    return spec


def names() -> list[str]:
    """Return the names of all models, networks before estimators, papers in alphabetical order.

    Examples:
        >>> names()[:2]
        ['aldeneh2017-logmel40', 'aldeneh2017-logmel240']
    """
    _import_papers()
    return sorted(_entries, key=lambda name: _entries[name].spec.kind != "network")


def of_paper(paper: str) -> list[str]:
    """Return the names of a paper's models, in the order in which its file registers them.

    Args:
        paper: its name

    Examples:
        >>> of_paper("keesing2020")[:2]
        ['aldeneh2017-logmel40', 'aldeneh2017-logmel240']
    """
    _import_papers()
    return [name for name, entry in _entries.items() if entry.spec.paper == paper]


def get(name: str) -> ModelSpec:
    """Return a model by name; case, blanks, `-` and `_` do not matter.

    Options behind a colon change the config: `latif2019:dropout=0.5` is a model of its own, with a
    name and results of its own.

    Raises:
        SpecError: if there is no such model or option

    Examples:
        >>> get("Latif 2019").config.batch_size
        32
        >>> get("latif2019:dropout=.5").name
        'latif2019:dropout=0.5'
    """
    return _resolved(name)[1]


def shapes(name: str) -> dict[str, Shape]:
    """Return the shape of a clip as the paper's front-ends give it, by input name."""
    entry, spec = _resolved(name)
    return dict(entry.shapes(spec.config))


def smallest(name: str) -> dict[str, Shape]:
    """Return the shape of the smallest clip that a network accepts, by input name."""
    entry, spec = _resolved(name)
    return dict(entry.smallest(spec.config))


def build(
    name: str, n_classes: int, input_shapes: Mapping[str, Shape] | None = None, **config: Any
) -> keras.Model:
    """Build a network with fresh weights.

    Args:
        name: of the model, options included
        n_classes: number of emotions, 2 or more
        input_shapes: shape of a clip by input name; None means those of the paper's front-ends
        config: hyper-parameters that differ from the paper's

    Returns:
        uncompiled model from a dict of inputs to probabilities of shape `(batch, n_classes)`

    Raises:
        SpecError: if the model is no network, or a name or a value is not one that it knows

    Examples:
        >>> build("aldeneh2017-logmel40", 4).count_params()
        4472324
    """
    entry, spec = _resolved(name)
    if spec.kind != "network":
        raise SpecError(
            f"model '{spec.name}': expected a network, found an estimator. "
            "Train it with `emobench run`."
        )
    if not isinstance(n_classes, int) or n_classes < 2:
        raise SpecError(
            f"model '{spec.name}': expected 2 classes or more, found {n_classes!r}. "
            "Train on a corpus with at least two emotions."
        )
    configured = _configure(spec, config)
    return spec.build(configured, _check_shapes(entry, configured, input_shapes), n_classes)


def _resolved(name: str) -> tuple[_Entry, ModelSpec]:
    """Return the entry of a model, and the model with the options that its name carries."""
    base, colon, text = name.partition(":")
    entry = _entry(base)
    if not colon:
        return entry, entry.spec
    changes = dict(_option(entry.spec, part) for part in text.split(","))
    config = _configure(entry.spec, changes)
    changed = sorted(changes)
    for key in sorted(changes):
        # A value that is otherwise searched is fixed by naming it, its default too.
        without = {other: changes[other] for other in changed if other != key}
        if key not in entry.spec.grid and _configure(entry.spec, without) == config:
            changed.remove(key)
    if not changed:
        return entry, entry.spec
    options = ",".join(f"{key}={_written(getattr(config, key))}" for key in changed)
    spec = replace(
        entry.spec,
        name=f"{entry.spec.name}:{options}",
        config=config,
        inputs=entry.inputs(config),
        grid={key: values for key, values in entry.spec.grid.items() if key not in changed},
    )
    return entry, spec


def _option(spec: ModelSpec, text: str) -> tuple[str, Any]:
    """Return the field and the value that a text such as `dropout=0.5` gives."""
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise SpecError(
            f"model '{spec.name}': expected options like key=value after the colon, found "
            f"'{text}'. `emobench models show {spec.name}` lists them."
        )
    default = getattr(spec.config, key, None)
    if isinstance(default, bool):
        words = {"true": True, "yes": True, "false": False, "no": False}
        return key, words.get(value.lower(), value)
    for kind in (int, float):
        if isinstance(default, kind) or (kind is float and isinstance(default, int)):
            with contextlib.suppress(ValueError):
                return key, kind(value)
    return key, value


def _written(value: Any) -> str:
    """Return an option's value as it stands in a name; `_option` reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _entry(name: str) -> _Entry:
    _import_papers()
    found = {_plain_name(known): known for known in _entries}.get(_plain_name(name))
    if found is None:
        raise SpecError(
            f"--model: expected the name of a model, found '{name}'."
            + suggest(name, _entries)
            + " `emobench models` lists them."
        )
    return _entries[found]


def _plain_name(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


@cache
def _import_papers() -> None:
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _NOT_PAPERS:
            importlib.import_module(f"{__name__}.{module.name}")


def _configure(spec: ModelSpec, config: Mapping[str, Any]) -> Any:
    known = [item.name for item in fields(spec.config)]
    hints = get_type_hints(type(spec.config))
    for key, value in config.items():
        where = f"model '{spec.name}'"
        if key not in known:
            raise SpecError(
                f"{where}: expected one of the options {', '.join(known)}, found '{key}'."
                + suggest(key, known)
            )
        default = getattr(spec.config, key)
        allowed = get_args(hints[key]) if get_origin(hints[key]) is Literal else ()
        if allowed and value not in allowed:
            raise SpecError(
                f"{where}: expected {key} as one of {', '.join(map(str, allowed))}, found "
                f"{value!r}." + (suggest(str(value), map(str, allowed)) or " Choose one of them.")
            )
        accepted = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(value, accepted) or isinstance(value, bool) != isinstance(default, bool):
            raise SpecError(
                f"{where}: expected {key} as {_kind(default)}, found {value!r}. "
                f"The paper's value is {_written(default)}."
            )
    made = replace(spec.config, **config)
    return made.settled(config) if hasattr(made, "settled") else made


def _kind(default: Any) -> str:
    """Return what may stand in place of a default, in words."""
    return KINDS.get(type(default), "a list of numbers")


def _check_shapes(entry: _Entry, config: Any, given: Shapes | None) -> dict[str, Shape]:
    where = f"model '{entry.spec.name}'"
    known = entry.shapes(config)
    if given is None:
        return dict(known)
    if set(given) != set(known):
        raise SpecError(
            f"{where}: expected shapes of the inputs {', '.join(sorted(known))}, "
            f"found {', '.join(sorted(given)) or 'none'}. Name every input once."
        )
    for name, smallest in entry.smallest(config).items():
        shape = tuple(given[name])
        if len(shape) != len(smallest) or any(
            size is not None and size < least for size, least in zip(shape, smallest, strict=True)
        ):
            raise SpecError(
                f"{where}: expected input '{name}' of shape {smallest} or more, found {shape}. "
                "Pad the clip or use another front-end."
            )
    return {name: tuple(given[name]) for name in known}
