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
    return {
        "front_end": named.name,
        "params": dict(named.params),
        "version": named.version,
        "resampling": VERSIONS["resampling"],
        "condition": None if condition is None else _through(condition),
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


def outdated(made: Recipe) -> str:
    """Return why nothing asks any more for what was made like this, on any machine, or "".

    Parameters are not looked at: which of them a model asks for is no question of versions.
    """
    name, condition = made["front_end"], made["condition"]
    if name not in registry.names():
        return "there is no such front-end"
    today = registry.get(name).version
    if made["version"] != today:
        return f"version {today} is used"
    if made["resampling"] != VERSIONS["resampling"]:
        return "sound is resampled otherwise"
    if condition is not None and _without_tools(condition) != _today(condition["name"]):
        return f"{condition['name']} is made otherwise"
    return ""


def other_libraries(made: Recipe) -> str:
    """Return which libraries made this that are others here, or "" if they are the same.

    It is of use where they are installed, which may be another machine on the same cache.
    """
    condition = made["condition"]
    if condition is None or outdated(made):
        return ""
    here = _named(condition["name"])
    then, today = condition["tools"], {} if here is None else here.tools
    return "; ".join(
        f"{name} {then.get(name) or 'none'}, here {today.get(name) or 'none'}"
        for name in {**then, **today}
        if then.get(name) != today.get(name)
    )


def _today(name: str) -> dict[str, Any] | None:
    """Return what a condition is by now; None where there is none of that name."""
    condition = _named(name)
    return None if condition is None else dict(condition.identity)


def _named(name: str) -> Condition | None:
    from .. import conditions
    from ..errors import SpecError

    try:
        return conditions.parse(name)
    except SpecError:
        return None


def _without_tools(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in condition.items() if key != "tools"}


def _through(condition: Condition) -> dict[str, Any]:
    return {**condition.identity, "tools": condition.tools}
