"""A page before it is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page of a site.

    Attributes:
        address: path below the site's folder, with `/`
        template: file in `templates`
        title: for the window and the head of the page
        content: what the template is filled with
        data: JSON values for the page's script
        section: which entry of the navigation it belongs to
    """

    address: str
    template: str
    title: str
    content: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    section: str = ""
