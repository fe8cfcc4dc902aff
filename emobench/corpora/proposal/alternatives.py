"""Other readings of the names: in words, and as the keys that an entry needs for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from .choice import Choice, compound
from .joints import Joint
from .parts import Part, shown

_SPEAKER = re.compile(r"\(\?P<speaker>[^)]*\)")
_TWO = "extra: [within, who], defaults: {speaker: '{within} {who}'}, pattern: "


def alternatives(
    choice: Choice, joints: Sequence[Joint], write: Callable[[Mapping[str, Part], Choice], str]
) -> Iterator[tuple[str, str]]:
    """Yield what may tell the speaker in place of the part that was chosen.

    Args:
        choice: what the names tell
        joints: parts that may tell it together
        write: returns the expression in which parts have names, beside the emotion of a choice
    """
    for part in choice.rivals:
        text = f"pattern: {write({'speaker': part}, choice)}"
        yield str(part), text
        if size := compound(part):
            heads, tails = {text[:size] for text in part.counts}, {t[size:] for t in part.counts}
            head, tail = f"(?P<speaker>.{{{size}}}).+?", f".{{{size}}}(?P<speaker>.+?)"
            yield f"its beginning ({shown(heads)})", _SPEAKER.sub(head, text)
            yield f"its end ({shown(tails)})", _SPEAKER.sub(tail, text)
    for joint in joints:
        yield str(joint), _TWO + write({"within": joint.outer, "who": joint.inner}, choice)
