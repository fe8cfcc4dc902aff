"""Pictures of results for papers and pages: each function draws a figure, `save` writes it.

Matplotlib is loaded by the function that draws. The same values give the same bytes.
"""

from .across import Tested, across
from .attention import attention
from .bitrates import bitrates
from .confusion import confusion
from .curves import curves
from .figures import SUFFIXES, check, save
from .ranks import ranks
from .speakers import Panel, speakers
from .speed import speed

__all__ = [
    "SUFFIXES",
    "Panel",
    "Tested",
    "across",
    "attention",
    "bitrates",
    "check",
    "confusion",
    "curves",
    "ranks",
    "save",
    "speakers",
    "speed",
]
