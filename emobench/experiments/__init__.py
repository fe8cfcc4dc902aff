"""What an experiment is made of, known alike to who plans it and to who runs a part of it."""

from __future__ import annotations

from .configuration import again, configuration, current_fingerprint, extras, parts, takes_audio

__all__ = ["again", "configuration", "current_fingerprint", "extras", "parts", "takes_audio"]
