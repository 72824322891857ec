"""What legs, pyramids and their scopes are called wherever a person reads (EX-1613); ids stay what they are."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["leg_id_of", "leg_name", "scope_name"]

_ID: Final = re.compile(r"p(\d+)(?:\.l(\d+))?")
_WRITTEN: Final = re.compile(r"p(\d+)(?:[ .]?(?:l|dca ?)(\d+))?", re.IGNORECASE)


def leg_name(leg_id: str) -> str:
    """Return a leg or pyramid as operators read it: ``P0 DCA2`` for ``p0.l2``, ``P1`` for ``p1``; other texts unchanged."""
    found = _ID.fullmatch(leg_id)
    if found is None:
        return leg_id
    return f"P{found[1]} DCA{found[2]}" if found[2] else f"P{found[1]}"


def leg_id_of(written: str) -> str:
    """Return the id of a leg or pyramid written either way (``p0.l2``, ``P0 DCA2``, ``p0dca2``); other texts unchanged."""
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        return written
    return f"p{int(found[1])}.l{int(found[2])}" if found[2] else f"p{int(found[1])}"


def scope_name(scope: str) -> str:
    """Return what of a group is meant as operators read it: ``group``, ``pyramid 1``, ``P0 DCA2``."""
    kind, _, which = scope.partition(":")
    return leg_name(which) if kind == "leg" else f"{kind} {which}".strip()
