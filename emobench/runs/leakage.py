"""Running what shows the price of each leaky practice: the same model, corpus and seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .. import protocols
from ..experiments import obstacle
from ..run_options import Selection
from ..spec import Places
from .planning import Plan, plan
from .running import UNOBSERVED, Observer, Summary, execute


def run_variants(selection: Selection, places: Places, observer: Observer = UNOBSERVED) -> Summary:
    """Run the default protocol and every variant of it that applies, one repetition of each.

    What has a record already is not computed again.

    Args:
        selection: models, corpora and how to run them; protocol and repetitions are not read
        places: where to read and write
        observer: who is told of what happens, and may stop it

    Returns:
        what was done, all together

    Raises:
        EmobenchError: if a name is wrong, or nothing can be read or written
    """
    total = Summary()
    for planned in variants_of(selection, places):
        observer.notice(f"protocol {planned.protocol.name}: {planned.protocol.title}")
        summary = execute(planned, places, observer)
        name = planned.protocol.name
        total.done += summary.done
        total.kept += summary.kept
        total.failures |= {f"{name}: {key}": told for key, told in summary.failures.items()}
        total.warnings |= {f"{name}: {key}": told for key, told in summary.warnings.items()}
        total.left_out |= summary.left_out
        total.skipped_clips |= summary.skipped_clips
        if summary.stopped:
            total.stopped = True
            break
    return total


def variants_of(selection: Selection, places: Places) -> Iterator[Plan]:
    """Yield the plan of the default protocol and of each variant, without what does not apply."""
    for protocol in (protocols.get(protocols.DEFAULT), *protocols.variants()):
        planned = plan(replace(selection, protocol=protocol.name, repetitions=1), places)
        pairs = [
            (corpus, tuple(model for model in models if not obstacle(model, protocol)))
            for corpus, models in planned.pairs
        ]
        pairs = [(corpus, models) for corpus, models in pairs if models]
        if pairs:
            yield replace(planned, pairs=tuple(pairs))
