"""Runs on permuted labels that did not come out at chance."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis import controls
from ..results.result import Result
from .findings import Finding, Severity

CERTAIN = 0.999
"""Level of an interval beyond which it is no longer bad luck; a run in a thousand is."""


def findings(result: Result) -> Iterator[Finding]:
    """Yield that chance does not lie in the interval of a control.

    Args:
        result: of permuted labels
    """
    try:
        usual = controls.judge(result.predictions)
        certain = controls.judge(result.predictions, CERTAIN)
    except ValueError:
        return  # too few speakers to tell
    if usual.passes:
        return
    severity: Severity = "soft" if certain.passes else "hard"
    advice = (
        "One sound run in twenty comes out so; the more of them, the less it is luck."
        if certain.passes
        else "A test clip or its label reached training: nothing that was computed in the same way "
        "can be believed."
    )
    yield Finding(
        "control-not-at-chance",
        severity,
        f"on permuted labels {controls.describe(usual)}",
        "chance in the interval over speakers",
        advice,
        result.name,
    )
