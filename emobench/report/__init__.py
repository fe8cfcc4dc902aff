"""The site of stored results: pages that open from disk, with a page for every number.

`evidence` reads everything once. A file in `pages` makes the pages of one kind: what they say, as
words and figures; `templates` holds how it is laid out, `pictures` what is drawn. `site` writes it
all. Nothing is computed here that `results`, `analysis` or `leaderboard` computes.
"""

from __future__ import annotations

from .site import Site, write

__all__ = ["Site", "write"]
