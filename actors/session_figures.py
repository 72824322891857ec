"""What the calls of an account to its venue come to in figures: for the system console (EX-1622)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any, NamedTuple

from rules.quantiles import nearest_rank

__all__ = ["CallFigures", "SessionFigures", "figures_of_calls"]


class CallFigures(NamedTuple):
    """The newest calls: how many, how many failed, how long they took (ms), and the newest failure in words."""

    calls: int = 0
    failed: int = 0
    last_ms: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None
    last_error: str = ""
    last_error_at: int | None = None


class SessionFigures(NamedTuple):
    """How a session stands. ``limit`` is the calls that may leave within ``window_s`` seconds, 0 where there is no limit.

    ``clock_ms`` is how far the venue's clock is ahead of ours, None while there is no connection.
    """

    breaker: str
    limit: int
    used: int
    window_s: float
    waiting: int
    paused_until: int
    clock_ms: float | None


def figures_of_calls(calls: Iterable[Mapping[str, Any]]) -> CallFigures:
    """Return the figures of calls as the ring of an account shows them, oldest first."""
    seen = list(calls)
    took = [float(each["ms"]) for each in seen if each["ms"] >= 0]
    failed = [each for each in seen if each["failed"]]
    newest = failed[-1] if failed else None
    return CallFigures(
        calls=len(seen),
        failed=len(failed),
        last_ms=took[-1] if took else None,
        median_ms=median(took) if took else None,
        p95_ms=nearest_rank(took, 95),
        last_error=f"{newest['call']}: {newest['answer']}"[:200] if newest is not None else "",
        last_error_at=newest["at"] if newest is not None else None,
    )
