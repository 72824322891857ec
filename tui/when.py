"""Instants as an operator writes them: a span before now, a day, a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

__all__ = ["instant_of"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def instant_of(text: str, now: int) -> int | None:
    """Return nanoseconds UTC for ``10m`` (before now), ``2026-01-31`` or ISO 8601; None when it is none of these."""
    if match := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        return max(0, now - int(match[1]) * _UNITS[match[2]] * 1_000_000_000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000) * 1_000_000
