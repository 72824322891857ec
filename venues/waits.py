"""How long a venue says to leave it alone."""

from __future__ import annotations

import re
from typing import Final

from venues.errors import RateLimited, VenueError

__all__ = ["retry_after_s", "told_to_wait_s"]

_SECONDS: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,9})?")


def retry_after_s(text: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header names; None where there is none, or it is a date or nonsense.

    Only plain numbers count: what ``float`` reads besides (``inf``, ``nan``, ``1e300``) would be waited for for ever.
    """
    return float(text) if text is not None and _SECONDS.fullmatch(text.strip()) else None


def told_to_wait_s(error: VenueError) -> float:
    """Return the seconds that a refusal says to wait, 0 when it says nothing."""
    return (error.retry_after_s or 0.0) if isinstance(error, RateLimited) else 0.0
