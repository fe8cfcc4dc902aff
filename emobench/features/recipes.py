"""What cached values depend on beside the sound: front-end, parameters, versions, condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..spec import FeatureSpec
from ..versions import VERSIONS
from . import registry

if TYPE_CHECKING:
    from ..conditions import Condition

Recipe = Mapping[str, Any]
"""Plain JSON with `front_end`, `params`, `version`, `resampling` and `condition`."""


def source(spec: FeatureSpec) -> FeatureSpec:
    """Return the front-end whose values are cached for this one."""
    front_end = registry.get(spec.name)
    name = front_end.source
    if name is None:
        return front_end.cached_spec(spec)
    shared = {key: value for key, value in spec.params if key in registry.get(name).defaults}
    return registry.spec(name, **shared)


def recipe(made: FeatureSpec, condition: Condition | None) -> Recipe:
    """Return what the values of a front-end depend on.

    Args:
        made: front-end whose values are cached, from `source`
        condition: what the sound goes through first
    """
    named = registry.get(made.name).named(made)
    through = None if condition is None else {**condition.identity, "tools": condition.tools}
    return {
        "front_end": named.name,
        "params": dict(named.params),
        "version": named.version,
        "resampling": VERSIONS["resampling"],
        "condition": through,
    }


def folder_name(made: Recipe) -> str:
    """Return the name of the folder that holds what was made like this, and perhaps other things.

    Examples:
        >>> folder_name({"front_end": "logmel", "params": {"bands": 40}, "version": 1,
        ...              "condition": None})
        'logmel-bands=40-v1'
    """
    params = "".join(f"-{key}={value}" for key, value in made["params"].items())
    condition = made["condition"]
    through = f"-{condition['name'].replace(':', '-')}" if condition else ""
    return f"{made['front_end']}{params}{through}-v{made['version']}"
