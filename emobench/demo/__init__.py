"""A corpus of synthetic voices, so that everything runs where no real corpus is at hand.

Nothing that is measured on it says anything about people. See `voice` for the synthesis,
`delivery` for how an emotion changes it, and `corpus` for the files.
"""

from .corpus import VERSION, ensure, generate

__all__ = ["VERSION", "ensure", "generate"]
