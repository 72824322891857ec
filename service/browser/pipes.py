"""The pipes between a screen's process and its parent: numbers of theirs that the environment names."""

from __future__ import annotations

from typing import Final

__all__ = ["LIFELINE", "SEAT"]

SEAT: Final = "BULKHEAD_BROWSER_SEAT"
"""The number of a pipe on which the parent says who looks and where the daemon is (JSON); it holds a session's secret, which
neither a command line nor an environment does: both are shown to others."""

LIFELINE: Final = "BULKHEAD_BROWSER_LIFELINE"
"""The number of a pipe that nobody writes to: it ends when the parent does."""
