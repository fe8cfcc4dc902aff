"""From a folder of audio to an entry of the registry that a person can correct.

Names are taken apart (`parts`), what they say is recognised (`vocabulary`, `legends`) or found in
a table (`sheets`), emotion and speaker are chosen (`choice`), other readings are kept
(`alternatives`), an expression is built (`expression`), and the entry is written (`draft`) and read
again before anything is claimed of it.
"""

from __future__ import annotations

from .proposing import Proposal, add_to, propose

__all__ = ["Proposal", "add_to", "propose"]
