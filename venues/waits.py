"""How long a venue says to leave it alone."""

from __future__ import annotations

from venues.errors import RateLimited, VenueError

__all__ = ["retry_after_s", "told_to_wait_s"]


def retry_after_s(text: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header names; None where there is none, or it is a date."""
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None


def told_to_wait_s(error: VenueError) -> float:
    """Return the seconds that a refusal says to wait, 0 when it says nothing."""
    return (error.retry_after_s or 0.0) if isinstance(error, RateLimited) else 0.0
