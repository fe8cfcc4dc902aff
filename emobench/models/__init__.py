"""Registry of the models: one file per paper, listed without importing Keras.

A file of this package registers its models when it is imported; what needs Keras or scikit-learn
is imported inside the build functions. A new model is a new file and nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import SpecError, suggest
from ..spec import ModelSpec

if TYPE_CHECKING:
    import keras

Shape = tuple[int | None, ...]
"""Shape of one clip, without the batch axis; None stands for any length."""

_NOT_PAPERS = ("layers",)


@dataclass(frozen=True)
class _Entry:
    spec: ModelSpec
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    smallest: Mapping[str, Shape] = field(default_factory=dict)


_entries: dict[str, _Entry] = {}


def register(
    spec: ModelSpec,
    *,
    shapes: Mapping[str, Shape] | None = None,
    smallest: Mapping[str, Shape] | None = None,
) -> ModelSpec:
    """Add a model to the registry.

    Args:
        spec: the model
        shapes: what the paper's front-ends give, by input name; networks need it
        smallest: the smallest clip that the network accepts, by input name; networks need it

    Returns:
        the model, unchanged

    Raises:
        ValueError: if the name is taken, or a network's shapes do not name its inputs
    """
    if spec.name in _entries:
        raise ValueError(f"model '{spec.name}': expected a new name, found one that is registered")
    entry = _Entry(spec, shapes or {}, smallest or {})
    if spec.kind == "network" and not set(spec.inputs) == set(entry.shapes) == set(entry.smallest):
        raise ValueError(
            f"model '{spec.name}': expected shapes and smallest shapes of {sorted(spec.inputs)}, "
            f"found {sorted(entry.shapes)} and {sorted(entry.smallest)}"
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


def get(name: str) -> ModelSpec:
    """Return a model by name; case, blanks, `-` and `_` do not matter.

    Raises:
        SpecError: if there is no such model

    Examples:
        >>> get("Latif 2019").config.batch_size
        32
    """
    return _entry(name).spec


def shapes(name: str) -> dict[str, Shape]:
    """Return the shape of a clip as the paper's front-ends give it, by input name."""
    return dict(_entry(name).shapes)


def smallest(name: str) -> dict[str, Shape]:
    """Return the shape of the smallest clip that a network accepts, by input name."""
    return dict(_entry(name).smallest)


def build(
    name: str, n_classes: int, input_shapes: Mapping[str, Shape] | None = None, **config: Any
) -> keras.Model:
    """Build a network with fresh weights.

    Args:
        name: of the model
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
    entry = _entry(name)
    spec = entry.spec
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
    return spec.build(_configure(spec, config), _check_shapes(entry, input_shapes), n_classes)


def _entry(name: str) -> _Entry:
    _import_papers()
    found = {_plain_name(known): known for known in _entries}.get(_plain_name(name))
    if found is None:
        raise SpecError(
            f"--model: expected one of {', '.join(names())}, found '{name}'."
            + suggest(name, _entries)
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
    for key, value in config.items():
        where = f"model '{spec.name}'"
        if key not in known:
            raise SpecError(
                f"{where}: expected one of {', '.join(known)}, found '{key}'." + suggest(key, known)
            )
        default = getattr(spec.config, key)
        accepted = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(value, accepted) or isinstance(value, bool) != isinstance(default, bool):
            raise SpecError(
                f"{where}: expected {key} like {default!r}, found {value!r}. "
                f"Give a value of type {type(default).__name__}."
            )
    return replace(spec.config, **config)


def _check_shapes(entry: _Entry, given: Mapping[str, Shape] | None) -> dict[str, Shape]:
    where = f"model '{entry.spec.name}'"
    if given is None:
        return dict(entry.shapes)
    if set(given) != set(entry.shapes):
        raise SpecError(
            f"{where}: expected shapes of the inputs {', '.join(sorted(entry.shapes))}, "
            f"found {', '.join(sorted(given)) or 'none'}. Name every input once."
        )
    for name, smallest in entry.smallest.items():
        shape = tuple(given[name])
        if len(shape) != len(smallest) or any(
            size is not None and size < least for size, least in zip(shape, smallest, strict=True)
        ):
            raise SpecError(
                f"{where}: expected input '{name}' of shape {smallest} or more, found {shape}. "
                "Pad the clip or use another front-end."
            )
    return {name: tuple(given[name]) for name in entry.shapes}
