"""Pictures of results, one file for each kind, drawn alike for pages and for papers.

Each function draws and computes nothing. `inline.svg` writes a picture into a page; `framed` adds
title and key, and `save` writes a file.
"""

from .across import Tested, across
from .attention import attention
from .attention_profile import attention_profile
from .bitrates import bitrates
from .confusion import confusion
from .curves import curves, points_of
from .files import SUFFIXES, check, save
from .framing import beside, framed
from .inline import svg
from .ranks import ranks
from .reliability import reliability
from .speakers import SEXES, ranked, speakers
from .speed import speed

__all__ = [
    "SEXES",
    "SUFFIXES",
    "Tested",
    "across",
    "attention",
    "attention_profile",
    "beside",
    "bitrates",
    "check",
    "confusion",
    "curves",
    "framed",
    "points_of",
    "ranked",
    "ranks",
    "reliability",
    "save",
    "speakers",
    "speed",
    "svg",
]
